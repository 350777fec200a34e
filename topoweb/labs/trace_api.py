"""Traces over HTTP: asked of the tracer, stored nowhere; the packet itself is a probe's."""

# ruff: noqa: TC002 - annotations are read at run time
from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.labs import packet_schemas as s
from topoweb.labs import queries, streamclient, traces
from topoweb.labs.drawing import drawing_of
from topoweb.labs.requests import ERRORS, json_answer, lab_of, user_of
from topoweb.labs.table_schemas import TablesThen
from topoweb.labs.traces import TraceWish

traces_router = Router(tags=["labs"])


@traces_router.get(
    "/{int:lab_id}/packets/{int:number}/trace",
    response={200: s.Trace, **ERRORS},
    operation_id="getTrace",
)
def get_trace(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Return a packet's way through the lab, by the number in its row, and why it ended."""
    lab = lab_of(request, lab_id, "read")
    _possible(number)
    params = {"what": "trace", "packet": number}
    trace = streamclient.query("tracer", lab.pk, user_of(request).pk, params)
    return json_answer(traces.named(trace, drawing_of(lab).topology))


@traces_router.get(
    "/{int:lab_id}/packets/{int:number}/hops/{int:hop}/tables",
    response={200: TablesThen, **ERRORS},
    operation_id="getTablesThen",
)
def get_tables(request: HttpRequest, lab_id: int, number: int, hop: int) -> HttpResponse:
    """Return what the node at a hop of a packet held then, and what became of it since."""
    lab = lab_of(request, lab_id, "read")
    _possible(number)
    _possible(hop)
    params = {"what": "tables", "packet": number, "hop": hop}
    return json_answer(streamclient.query("tracer", lab.pk, user_of(request).pk, params))


@traces_router.post(
    "/{int:lab_id}/traces", response={200: s.TraceOut, **ERRORS}, operation_id="tracePacket"
)
def trace_packet(request: HttpRequest, lab_id: int, body: s.TraceIn) -> HttpResponse:
    """Foretell a packet, send it, follow it and say why it did not arrive; within 10 seconds."""
    lab = lab_of(request, lab_id, "run")
    return json_answer(traces.run(user_of(request), lab, TraceWish(**body.model_dump())))


@traces_router.post(
    "/{int:lab_id}/dry-run", response={200: s.DryRun, **ERRORS}, operation_id="foretellPacket"
)
def foretell_packet(request: HttpRequest, lab_id: int, body: s.TraceIn) -> HttpResponse:
    """Foretell from the kernel's state what would become of a packet; sends nothing."""
    lab = lab_of(request, lab_id, "read")
    return json_answer(traces.foretell(user_of(request), lab, TraceWish(**body.model_dump())))


def _possible(number: int) -> None:
    if number > queries.MAX_ID:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such packet")
