"""What crosses the lab's WebSocket, as types: the source of `docs/browser.schema.json`.

Text frames are `ServerMessage` and `BrowserMessage`; the payloads of LIVE, PACKETS and TRACE frames
are `LivePayload`, `PacketsPayload` and `TracePayload` (`protocol/frames.py` has the binary header).
"""

# ruff: noqa: TC001 - pydantic reads annotations at run time
from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter

from topoweb.labs.packet_schemas import DecodedPacket, PacketsPayload, TracePayload
from topoweb.labs.probe_schemas import ProbeOut
from topoweb.labs.schemas import (
    AcceptedOperation,
    Output,
    ProblemOut,
    Status,
    Strict,
    UplinkOut,
    Warned,
)


class SocketUser(Output):
    """Who the socket belongs to."""

    id: int
    name: str


class Hello(Output):
    """The first message: where the lab stands."""

    type: Literal["hello"]
    seq: int
    status: Status
    user: SocketUser
    uplink: UplinkOut


class OperationsMessage(Output):
    """Operations accepted since, in order."""

    type: Literal["operations"]
    operations: list[AcceptedOperation]


class StatusMessage(Output):
    """The status changed."""

    type: Literal["status"]
    status: Status


class UplinkMessage(Output):
    """The lab's uplink was granted or revoked, or its time is over."""

    type: Literal["uplink"]
    uplink: UplinkOut


class ProblemsMessage(Output):
    """The problems of the drawing changed."""

    type: Literal["problems"]
    problems: list[ProblemOut]


class ProbeMessage(Output):
    """A probe was asked for, started or answered."""

    type: Literal["probe"]
    probe: ProbeOut


class Notice(Output):
    """A stream or a process went away or came back."""

    type: Literal["notice"]
    code: str  # stream-away, stream-back, stream-refused …
    stream: str = ""
    message: str


ServerMessage = Annotated[
    Hello
    | OperationsMessage
    | StatusMessage
    | UplinkMessage
    | ProblemsMessage
    | ProbeMessage
    | Notice,
    Field(discriminator="type"),
]
StreamName = Literal["live", "packets", "trace"]  # params of trace: ``TraceIn``


class OpenStream(Strict):
    """Begin a stream."""

    type: Literal["open"]
    stream: StreamName
    params: dict[str, Any] = {}


class Credit(Strict):
    """Allow ``credit`` more DATA frames."""

    type: Literal["credit"]
    stream: StreamName
    credit: int


class CloseStream(Strict):
    """End a stream."""

    type: Literal["close"]
    stream: StreamName


BrowserMessage = Annotated[OpenStream | Credit | CloseStream, Field(discriminator="type")]


class LiveInterface(Output):
    """An interface as the kernel has it; ``id`` is null for one that is not drawn."""

    id: str | None
    kind: str | None
    state: Literal["up", "down", "off", "nocarrier", "unknown", "missing"]
    mac: str | None
    mtu: int | None
    master: str | None
    addresses: list[str]
    stp: str | None
    index: int | None


class LiveRoute(Output):
    """A route of the main table."""

    prefix: str
    via: str | None
    device: str | None
    metric: int
    proto: str


class LiveNeighbour(Output):
    """An entry of the neighbour table."""

    address: str
    mac: str | None
    device: str | None
    state: str


class LiveForwarding(Output):
    """An entry of a bridge's forwarding table; ``age`` in seconds."""

    mac: str
    port: str | None
    age: float | None


class LiveDrift(Output):
    """A difference between drawing and kernel."""

    path: str
    drawn: Any
    actual: Any


class AbsentNode(Output):
    """A drawn node that is not in the kernel."""

    present: Literal[False]
    interfaces: dict[str, LiveInterface]
    drift: list[LiveDrift]


class LiveService(Output):
    """How a service is; ``since``: it runs since then, seconds since the epoch."""

    state: Literal["starting", "running", "failed", "stopped"]
    message: str
    code: str = ""
    params: dict[str, str] = {}
    since: float | None
    restarts: int


class LiveNode(Output):
    """A node as the kernel has it."""

    present: Literal[True]
    forward_ipv4: bool
    forward_ipv6: bool
    interfaces: dict[str, LiveInterface]
    routes: list[LiveRoute]
    neighbours: list[LiveNeighbour]
    fdb: list[LiveForwarding]
    drift: list[LiveDrift]
    services: dict[str, LiveService] | None = None  # by service, "dhcp:<interface>" for clients


class LiveLink(Output):
    """A cable as the kernel has it; rates in bit/s."""

    state: Literal["up", "down", "off", "blocked", "missing"]
    rate_ab: float
    rate_ba: float
    pps_ab: float
    pps_ba: float


class LivePayload(Output):
    """Live state: whole, or what changed; null removes."""

    rev: int
    full: bool
    time: float
    nodes: dict[str, LiveNode | AbsentNode | None]
    links: dict[str, LiveLink | None]
    warnings: dict[str, Warned | None] = {}


class ServiceLog(Output):
    """The end of a service's log, at most 64 KiB."""

    text: str


class FrrNeighbour(Output):
    """A router that FRR speaks with."""

    protocol: Literal["ospf", "bgp", "rip"]
    address: str
    router_id: str | None
    state: str  # in the protocol's own words
    interface: str | None
    since: float | None  # seconds since the epoch


class FrrRoute(Output):
    """A route that FRR knows; ``selected``: the kernel has it."""

    prefix: str
    via: str | None
    device: str | None
    protocol: str
    selected: bool


class FrrState(Output):
    """What FRR does in a node."""

    daemons: list[str]
    neighbours: list[FrrNeighbour]
    routes: list[FrrRoute]


class Tool(Output):
    """A program that nodes should have."""

    program: str
    package: str
    ok: bool


class ToolList(Output):
    """The programs of nodes."""

    tools: list[Tool]


def browser_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of all that crosses the lab's WebSocket."""
    adapters: dict[str, TypeAdapter[Any]] = {
        "ServerMessage": TypeAdapter(ServerMessage),
        "BrowserMessage": TypeAdapter(BrowserMessage),
        "LivePayload": TypeAdapter(LivePayload),
        "PacketsPayload": TypeAdapter(PacketsPayload),
        "DecodedPacket": TypeAdapter(DecodedPacket),
        "TracePayload": TypeAdapter(TracePayload),
    }
    found, schema = TypeAdapter.json_schemas(
        [(name, "serialization", adapter) for name, adapter in adapters.items()],
        title="topoweb: the lab's WebSocket",
        ref_template="#/$defs/{model}",
    )
    # Models are in $defs already; the two unions are not.
    for name in adapters:
        schema["$defs"].setdefault(name, found[name, "serialization"])
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
