"""Captured packets over HTTP: asked of the tracer, stored nowhere."""

# ruff: noqa: TC001 - annotations are read at run time
from __future__ import annotations

import json
from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.topology.model import Topology
from topoweb.labs import captured, dissections, queries, streamclient
from topoweb.labs.drawing import drawing_of
from topoweb.labs.packet_schemas import DecodedPacket, DissectedPacket, PacketsPayload
from topoweb.labs.requests import ERRORS, Number, json_answer, lab_of, user_of
from topoweb.protocol.frames import Stream

NAMES_SIZE = 32 << 10  # bytes; a service takes OPEN frames of at most 64 KiB

Expression = Annotated[str, Query(alias="filter", max_length=4096)]  # a display filter

packets_router = Router(tags=["labs"])


@packets_router.get(
    "/{int:lab_id}/packets", response={200: PacketsPayload, **ERRORS}, operation_id="listPackets"
)
def list_packets(
    request: HttpRequest,
    lab_id: int,
    after: Number = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 200,
    wanted: Expression = "",
) -> HttpResponse:
    """Return rows of captured packets that the tracer still holds and a filter lets through."""
    lab = lab_of(request, lab_id, "read")
    rows = captured.rows(user_of(request), lab, after=after, limit=limit, expression=wanted)
    return json_answer(rows)


@packets_router.get(
    "/{int:lab_id}/packets/{int:number}",
    response={200: DecodedPacket, **ERRORS},
    operation_id="getPacket",
)
def get_packet(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Return one packet, decoded, with its bytes."""
    lab = lab_of(request, lab_id, "read")
    if number > queries.MAX_ID:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such packet")
    params = {"what": "packet", "number": number}
    return json_answer(streamclient.query("tracer", lab.pk, user_of(request).pk, params))


@packets_router.get(
    "/{int:lab_id}/packets/{int:number}/tshark",
    response={200: DissectedPacket, **ERRORS},
    operation_id="dissectPacket",
)
def dissect_packet(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Return one packet as Wireshark's dissectors see it; it takes up to some seconds."""
    lab = lab_of(request, lab_id, "read")
    if number > queries.MAX_ID:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such packet")
    return json_answer(dissections.dissect(user_of(request), lab, number))


PCAP = {"application/x-pcapng": {"schema": {"type": "string", "format": "binary"}}}


@packets_router.get(
    "/{int:lab_id}/pcap",
    response=ERRORS,
    operation_id="downloadPcap",
    openapi_extra={"responses": {200: {"description": "OK", "content": PCAP}}},
)
def download_pcap(
    request: HttpRequest,
    lab_id: int,
    nodes: Annotated[list[str], Query(max_length=500)] = [],  # noqa: B006 - ninja copies it
    protocols: Annotated[list[str], Query(max_length=100)] = [],  # noqa: B006
    wanted: Expression = "",
) -> HttpResponse:
    """Return what the tracer holds as pcapng."""
    lab = lab_of(request, lab_id, "read")
    names = _some_names(drawing_of(lab).topology)
    chosen = {"nodes": nodes, "protocols": protocols, **captured.asked(lab, wanted)}
    params = {**chosen, "names": names}
    data = streamclient.read_all("tracer", Stream.PCAP, lab.pk, user_of(request).pk, params)
    return HttpResponse(
        data,
        content_type="application/x-pcapng",
        headers={"Content-Disposition": f'attachment; filename="lab-{lab.pk}.pcapng"'},
    )


def _some_names(topology: Topology) -> dict[str, str]:
    """Return node names by id, as many as an OPEN frame carries; others are shown by id."""
    names: dict[str, str] = {}
    size = 0
    for key, node in topology.nodes.items():
        size += len(json.dumps({key: node.name}))
        if size > NAMES_SIZE:
            break
        names[key] = node.name
    return names
