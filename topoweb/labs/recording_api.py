"""Recordings over HTTP: one's own, those of a lab, and those that somebody shares."""

# ruff: noqa: TC001, TC003 - annotations are read at run time
from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import Path, Router
from pydantic import Field

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing.recording_file import packets
from topoweb.core.tracing.recording_play import Player
from topoweb.labs import recording_queries as queries
from topoweb.labs import recording_schemas as s
from topoweb.labs import recordings, traces
from topoweb.labs.models import Recording
from topoweb.labs.packet_api import Expression
from topoweb.labs.packet_schemas import DecodedPacket, Trace
from topoweb.labs.requests import ERRORS, Number, json_answer, lab_of, user_of
from topoweb.labs.table_schemas import TablesThen

FILE_TYPE = "application/x-topoweb"
FILE = {FILE_TYPE: {"schema": {"type": "string", "format": "binary"}}}
ANSWERED = {"responses": {200: {"description": "OK", "content": FILE}}}
PCAP_TYPE = "application/x-pcapng"
PCAP = {PCAP_TYPE: {"schema": {"type": "string", "format": "binary"}}}
PCAP_ANSWERED = {"responses": {200: {"description": "OK", "content": PCAP}}}
BROUGHT = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
Token = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{20,100}$")]
FileName = Annotated[str, Field(max_length=120)]

recordings_router = Router(tags=["recordings"])
lab_recordings_router = Router(tags=["recordings"])
shared_router = Router(tags=["shared"], auth=None)


@lab_recordings_router.get(
    "/{int:lab_id}/recording", response={200: s.Recorded, **ERRORS}, operation_id="getRecorded"
)
def get_recorded(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return how much of a lab's past can be saved, and who keeps it recording."""
    return json_answer(recordings.recorded(user_of(request), lab_of(request, lab_id, "read")))


@lab_recordings_router.post(
    "/{int:lab_id}/recording", response={200: s.Recorded, **ERRORS}, operation_id="keepRecording"
)
def keep_recording(request: HttpRequest, lab_id: int, body: s.KeepIn) -> HttpResponse:
    """Have a running lab captured for some minutes although nobody looks."""
    user, lab = user_of(request), lab_of(request, lab_id, "run")
    recordings.keep(user, lab, body.minutes)
    return json_answer(recordings.recorded(user, lab))


@lab_recordings_router.delete(
    "/{int:lab_id}/recording", response={204: None, **ERRORS}, operation_id="endRecording"
)
def end_recording(request: HttpRequest, lab_id: int) -> HttpResponse:
    """End that."""
    recordings.unkeep(user_of(request), lab_of(request, lab_id, "run"))
    return HttpResponse(status=204)


@lab_recordings_router.post(
    "/{int:lab_id}/recordings",
    response={201: s.RecordingOut, **ERRORS},
    operation_id="saveRecording",
)
def save_recording(request: HttpRequest, lab_id: int, body: s.RecordingIn) -> HttpResponse:
    """Save a lab's last seconds."""
    lab = lab_of(request, lab_id, "read")
    row = recordings.save(user_of(request), lab, body.name, body.seconds)
    return json_answer(queries.recording_json(row), status=201)


@recordings_router.get(
    "", response={200: list[s.RecordingOut], **ERRORS}, operation_id="listRecordings"
)
def list_recordings(request: HttpRequest) -> HttpResponse:
    """Return one's recordings, the newest first."""
    rows = queries.recordings_of(user_of(request))
    return json_answer([queries.recording_json(row) for row in rows])


@recordings_router.post(
    "",
    response={201: s.RecordingOut, **ERRORS},
    operation_id="bringRecording",
    openapi_extra=BROUGHT,
)
def bring_recording(request: HttpRequest, name: FileName = "") -> HttpResponse:
    """Keep a file that was saved before, here or elsewhere: the body, as it is."""
    row = recordings.bring(user_of(request), request.body, name)
    return json_answer(queries.recording_json(row), status=201)


@recordings_router.get(
    "/{int:number}", response={200: s.RecordingOut, **ERRORS}, operation_id="getRecording"
)
def get_recording(request: HttpRequest, number: int) -> HttpResponse:
    """Return a recording without what is in it."""
    return json_answer(queries.recording_json(_mine(request, number)))


@recordings_router.patch(
    "/{int:number}", response={200: s.RecordingOut, **ERRORS}, operation_id="renameRecording"
)
def patch_recording(request: HttpRequest, number: int, body: s.RecordingPatch) -> HttpResponse:
    """Rename a recording."""
    row = recordings.rename(user_of(request), _mine(request, number), body.name)
    return json_answer(queries.recording_json(row))


@recordings_router.delete(
    "/{int:number}", response={204: None, **ERRORS}, operation_id="deleteRecording"
)
def delete_recording(request: HttpRequest, number: int) -> HttpResponse:
    """Delete a recording; its shared address ends with it."""
    recordings.delete(user_of(request), _mine(request, number))
    return HttpResponse(status=204)


@recordings_router.post(
    "/{int:number}/share", response={200: s.ShareOut, **ERRORS}, operation_id="shareRecording"
)
def share_recording(request: HttpRequest, number: int, body: s.ShareIn) -> HttpResponse:
    """Make an address that shows the recording to whoever has it, in place of the last one."""
    made = recordings.share(user_of(request), _mine(request, number), body.days)
    return json_answer({"url": f"/shared/{made.token}", "until": made.until.timestamp()})


@recordings_router.delete(
    "/{int:number}/share", response={204: None, **ERRORS}, operation_id="unshareRecording"
)
def unshare_recording(request: HttpRequest, number: int) -> HttpResponse:
    """Take the address back."""
    recordings.unshare(user_of(request), _mine(request, number))
    return HttpResponse(status=204)


@recordings_router.get(
    "/{int:number}/file",
    response=ERRORS,
    operation_id="downloadRecording",
    openapi_extra=ANSWERED,
)
def download_recording(request: HttpRequest, number: int) -> HttpResponse:
    """Return the recording as a file."""
    return _file(_mine(request, number))


@recordings_router.get(
    "/{int:number}/content", response={200: s.ContentOut, **ERRORS}, operation_id="playRecording"
)
def play_recording(request: HttpRequest, number: int, after: Number = 0) -> HttpResponse:
    """Return a page of what happened."""
    return _content(_mine(request, number), after)


@recordings_router.get(
    "/{int:number}/pcap",
    response=ERRORS,
    operation_id="downloadRecordedPcap",
    openapi_extra=PCAP_ANSWERED,
)
def download_recorded_pcap(request: HttpRequest, number: int) -> HttpResponse:
    """Return a recording's packets alone, as pcapng with the verdicts as comments."""
    return _pcap(_mine(request, number))


@recordings_router.get(
    "/{int:number}/rows", response={200: s.RowsOut, **ERRORS}, operation_id="filterRecording"
)
def filter_recording(request: HttpRequest, number: int, wanted: Expression = "") -> HttpResponse:
    """Return the numbers of the rows that a display filter lets through."""
    return json_answer({"rows": queries.rows_of(_mine(request, number), wanted)})


@recordings_router.get(
    "/{int:number}/packets/{int:row}",
    response={200: DecodedPacket, **ERRORS},
    operation_id="getRecordedPacket",
)
def get_recorded_packet(request: HttpRequest, number: int, row: int) -> HttpResponse:
    """Return the packet of a row, decoded, with its bytes."""
    return _packet(_mine(request, number), row)


@recordings_router.get(
    "/{int:number}/packets/{int:packet}/trace",
    response={200: Trace, **ERRORS},
    operation_id="getRecordedTrace",
)
def get_recorded_trace(request: HttpRequest, number: int, packet: int) -> HttpResponse:
    """Return a packet's way through the lab and why it ended."""
    return _trace(_mine(request, number), packet)


@recordings_router.get(
    "/{int:number}/packets/{int:packet}/hops/{int:hop}/tables",
    response={200: TablesThen, **ERRORS},
    operation_id="getRecordedTables",
)
def get_recorded_tables(request: HttpRequest, number: int, packet: int, hop: int) -> HttpResponse:
    """Return what the node at a hop held then."""
    return _tables(_mine(request, number), packet, hop)


@shared_router.get(
    "/{token}", response={200: s.SharedOut, **ERRORS}, operation_id="getShared", auth=None
)
def get_shared(request: HttpRequest, token: Token) -> HttpResponse:
    """Return a shared recording without what is in it."""
    row = _shared(request, token)
    until = row.share_until.timestamp() if row.share_until else 0.0
    return _private(json_answer({**queries.head_json(row), "until": until}))


@shared_router.get(
    "/{token}/file",
    response=ERRORS,
    operation_id="downloadShared",
    auth=None,
    openapi_extra=ANSWERED,
)
def download_shared(request: HttpRequest, token: Token) -> HttpResponse:
    """Return a shared recording as a file."""
    return _private(_file(_shared(request, token)))


@shared_router.get(
    "/{token}/content",
    response={200: s.ContentOut, **ERRORS},
    operation_id="playShared",
    auth=None,
)
def play_shared(request: HttpRequest, token: Token, after: Number = 0) -> HttpResponse:
    """Return a page of what happened in a shared recording."""
    return _private(_content(_shared(request, token), after))


@shared_router.get(
    "/{token}/pcap",
    response=ERRORS,
    operation_id="downloadSharedPcap",
    auth=None,
    openapi_extra=PCAP_ANSWERED,
)
def download_shared_pcap(request: HttpRequest, token: Token) -> HttpResponse:
    """Return a shared recording's packets alone, as pcapng."""
    return _private(_pcap(_shared(request, token)))


@shared_router.get(
    "/{token}/rows",
    response={200: s.RowsOut, **ERRORS},
    operation_id="filterShared",
    auth=None,
)
def filter_shared(request: HttpRequest, token: Token, wanted: Expression = "") -> HttpResponse:
    """Return the numbers of the rows of a shared recording that a filter lets through."""
    return _private(json_answer({"rows": queries.rows_of(_shared(request, token), wanted)}))


@shared_router.get(
    "/{token}/packets/{int:row}",
    response={200: DecodedPacket, **ERRORS},
    operation_id="getSharedPacket",
    auth=None,
)
def get_shared_packet(request: HttpRequest, token: Token, row: int) -> HttpResponse:
    """Return the packet of a row of a shared recording, decoded, with its bytes."""
    return _private(_packet(_shared(request, token), row))


@shared_router.get(
    "/{token}/packets/{int:packet}/trace",
    response={200: Trace, **ERRORS},
    operation_id="getSharedTrace",
    auth=None,
)
def get_shared_trace(request: HttpRequest, token: Token, packet: int) -> HttpResponse:
    """Return a packet's way in a shared recording and why it ended."""
    return _private(_trace(_shared(request, token), packet))


@shared_router.get(
    "/{token}/packets/{int:packet}/hops/{int:hop}/tables",
    response={200: TablesThen, **ERRORS},
    operation_id="getSharedTables",
    auth=None,
)
def get_shared_tables(request: HttpRequest, token: Token, packet: int, hop: int) -> HttpResponse:
    """Return what the node at a hop of a shared recording held then."""
    return _private(_tables(_shared(request, token), packet, hop))


def _mine(request: HttpRequest, number: int) -> Recording:
    return queries.recording_for(user_of(request), number)


def _shared(request: HttpRequest, token: str) -> Recording:
    return queries.shared(token, request.META.get("REMOTE_ADDR", ""))


def _private(answer: HttpResponse) -> HttpResponse:
    """An address that is a secret goes into no other site's log and into no cache."""
    answer["Referrer-Policy"] = "no-referrer"
    answer["Cache-Control"] = "private, no-store"
    return answer


def _file(row: Recording) -> HttpResponse:
    name = content_disposition_header(as_attachment=True, filename=f"{row.name}.topoweb")
    return HttpResponse(
        queries.file_of(row), content_type=FILE_TYPE, headers={"Content-Disposition": name or ""}
    )


def _pcap(row: Recording) -> HttpResponse:
    name = content_disposition_header(as_attachment=True, filename=f"{row.name}.pcapng")
    return HttpResponse(
        packets(queries.file_of(row)),
        content_type=PCAP_TYPE,
        headers={"Content-Disposition": name or ""},
    )


def _content(row: Recording, after: int) -> HttpResponse:
    return json_answer(queries.players.of(row).content(after))


def _packet(row: Recording, number: int) -> HttpResponse:
    return json_answer(_found(row, lambda player: player.packet(number)))


def _trace(row: Recording, packet: int) -> HttpResponse:
    trace = _found(row, lambda player: player.trace(packet))
    return json_answer(traces.named(trace, queries.players.of(row).topology))


def _tables(row: Recording, packet: int, hop: int) -> HttpResponse:
    return json_answer(_found(row, lambda player: player.tables(packet, hop)))


def _found(row: Recording, ask: Callable[[Player], dict[str, Any] | None]) -> dict[str, Any]:
    found = ask(queries.players.of(row))
    if found is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such thing in this recording")
    return found
