"""The file ``name.topoweb``: a zip of five or six members, each readable by itself.

``packets.pcapng`` opens in Wireshark. Whoever brings a file may have made it up: `unpack` believes
nothing, and says in which member, and where, it is wrong.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from msgspec.structs import replace

from topoweb.core.errors import ErrorKind
from topoweb.core.limits import MIB, RECORDING
from topoweb.core.texts import refusal
from topoweb.core.tracing import history, pcapng
from topoweb.core.tracing.explain.names import with_names
from topoweb.core.tracing.observation import Unseen
from topoweb.core.tracing.recording import Json, Recording
from topoweb.core.tracing.recording_check import faults
from topoweb.core.tracing.recording_lines import Count, Line, Moment, Name, capture_of, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from topoweb.core.errors import TopowebError
    from topoweb.core.tracing.observation import Observation

MANIFEST, DOCUMENT, LIVE = "manifest.json", "document.json", "live.jsonl"
PACKETS, STORIES, TABLES = "packets.pcapng", "stories.jsonl", "tables.json"
SIZES = {
    MANIFEST: 64 << 10, DOCUMENT: 8 * MIB, LIVE: 12 * MIB,
    PACKETS: 24 * MIB, STORIES: 12 * MIB, TABLES: 4 * MIB,
}  # fmt: skip
NEEDED = frozenset(SIZES) - {TABLES}
RATIO = 400  # to one: text like ours shrinks to a tenth, nothing but zeros to a thousandth
FAITH = 1 * MIB  # up to which any ratio is harmless
MOMENT = (1980, 1, 1, 0, 0, 0)  # of every member: the same recording is the same file
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 1  # flag of a member
BROKEN = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError, OSError)
T = TypeVar("T")


class Manifest(
    msgspec.Struct, tag="topoweb-recording", tag_field="format", forbid_unknown_fields=True
):
    """What kind of file it is, and of when."""

    name: Annotated[str, msgspec.Meta(max_length=120)]
    began: Moment
    ended: Moment
    tier: Name
    unseen: tuple[Count, Count, Count] = (0, 0, 0)  # hops, drops, sampled
    version: Literal[1] = 1


def pack(recording: Recording) -> bytes:
    """Return a recording as a file."""
    capture = recording.capture
    head = Manifest(recording.name, capture.began, capture.ended, capture.tier, capture.unseen)
    members = {
        MANIFEST: msgspec.json.encode(head),
        DOCUMENT: msgspec.json.encode(recording.document),
        LIVE: _lines(recording.live),
        PACKETS: b"".join(pcapng.blocks(_records(recording))),
        STORIES: _lines(lines_of(capture)),
    }
    if capture.tables is not None:
        members[TABLES] = msgspec.json.encode(capture.tables)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name, MOMENT), data, zipfile.ZIP_DEFLATED)
    return file.getvalue()


def unpack(data: bytes) -> Recording:
    """Return the recording in a file.

    TopowebError(INVALID) ``recording-bad-file`` names the member, the place in it and the fault.
    The drawing, LIVE payloads, ends and exchanges are only known to be JSON of harmless size: their
    shapes are for who knows the schemas.
    """
    if len(data) > RECORDING.file:
        raise refusal(ErrorKind.INVALID, "recording-too-large", limit=RECORDING.file // MIB)
    members = _members(data)
    head = _read(MANIFEST, members[MANIFEST], Manifest)
    lines = _read_lines(STORIES, members[STORIES], Line)
    try:
        captured = pcapng.read(members[PACKETS], RECORDING.sightings)
    except ValueError as error:
        raise bad(PACKETS, error) from None
    tables = _tables(members[TABLES]) if TABLES in members else None
    try:
        capture = capture_of(head.tier, (head.began, head.ended), lines, captured, tables)
    except ValueError as error:
        raise bad(STORIES, error) from None
    capture = replace(capture, unseen=Unseen(*head.unseen))
    live = _read_lines(LIVE, members[LIVE], tuple[Moment, Json])
    document = _read(DOCUMENT, members[DOCUMENT], Json)
    recording = Recording(head.name, document, tuple(live), capture)
    for member, reason in faults(recording):
        raise bad(member, reason)
    return recording


def packets(data: bytes) -> bytes:
    """Return the pcapng file in a recording's file."""
    return _members(data)[PACKETS]


def bad(place: str, reason: object) -> TopowebError:
    """Return the refusal of a file: where, and what is wrong."""
    return refusal(ErrorKind.INVALID, "recording-bad-file", place=place, reason=str(reason)[:300])


def _members(data: bytes) -> Mapping[str, bytes]:
    """Return the members, none larger than it may be, whatever their headers say."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            found = archive.infolist()
            _known([one.filename for one in found])
            return {one.filename: _member(archive, one) for one in found}
    except BROKEN as error:
        raise bad("zip", error or type(error).__name__) from None


def _known(names: list[str]) -> None:
    strange = next((name for name in names if name not in SIZES), None)
    if strange is not None:
        raise ValueError(f"{strange[:80]!r} is no member of a recording")
    if len(set(names)) < len(names):
        raise ValueError("a member is there twice")
    missing = sorted(NEEDED - set(names))
    if missing:
        raise ValueError(f"{missing[0]} is missing")


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    limit = SIZES[info.filename]
    if info.flag_bits & ENCRYPTED or info.compress_type not in METHODS:
        raise ValueError(f"{info.filename} is encrypted or packed in an unknown way")
    if info.file_size > limit:
        raise ValueError(f"{info.filename} is larger than {limit} bytes")
    if info.file_size > FAITH and info.file_size > RATIO * info.compress_size:
        raise ValueError(f"{info.filename} shrinks more than a recording does")
    with archive.open(info) as member:
        data = member.read(limit + 1)
    if len(data) > limit:
        raise ValueError(f"{info.filename} is larger than {limit} bytes")
    return data


def _read(place: str, data: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise bad(place, error) from None


def _read_lines(place: str, data: bytes, kind: Any) -> list[Any]:  # noqa: ANN401 - a type form
    decode = msgspec.json.Decoder(kind).decode
    found = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            found.append(decode(line))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise bad(place, f"line {number}: {error}") from None
    return found


def _tables(data: bytes) -> Json:
    try:
        return history.check(_read(TABLES, data, Json))
    except ValueError as error:
        raise bad(TABLES, error) from None


def _lines(values: Iterable[object]) -> bytes:
    return b"".join(msgspec.json.encode(one) + b"\n" for one in values)


def _records(recording: Recording) -> Iterator[tuple[str, Observation, str]]:
    """Yield port, packet and comment; the last sighting of a packet says why it ended."""
    names = _names(recording.document)
    last = {one.packet: at for at, one in enumerate(recording.capture.sightings)}
    ended = {end["packet"]: end["verdict"] for end in recording.capture.ends}
    for at, one in enumerate(recording.capture.sightings):
        seen = one.seen
        said = [f"packet {one.packet}"]
        if seen.direction == "drop":
            said.append(f"dropped: {seen.reason} {seen.symbol}".strip())
        if last[one.packet] == at and one.packet in ended:
            sentence = ended[one.packet]["text"]["en"]
            said.append(with_names(sentence, lambda node: names.get(node, node)))
        node = names.get(seen.namespace, seen.namespace)
        yield f"{node} {seen.interface}".strip(), seen, ": ".join(said)


def _names(document: Json) -> dict[str, str]:
    return {key: node["name"] for key, node in document.get("nodes", {}).items()}
