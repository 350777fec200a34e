"""Packets, their traces and verdicts as types (docs/protocol.md "Traces and verdicts")."""

# ruff: noqa: TC001 - pydantic reads annotations at run time
from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from topoweb.labs.probe_schemas import ProbeOut
from topoweb.labs.schemas import Id, LocalText, Output, Strict

# number, time, link, direction, packet, protocol, source, destination, info, length, flags
PacketRow = tuple[
    int, float, str, Literal["ab", "ba"], int, str, str, str, str, int, str
]  # fmt: skip
Way = Literal["ab", "ba"]


class Sparse(Output):
    """Output of which properties with a default may be left out."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)


class PacketField(Sparse):
    """A field of a layer with its byte range, end exclusive; ``filter`` would find it again."""

    name: str
    label: str
    value: str
    start: int
    end: int
    fields: list[PacketField]
    filter: str = ""


class PacketLayer(Sparse):
    """A protocol layer with its byte range, and the protocol as a filter has it."""

    protocol: str
    start: int
    end: int
    summary: str
    fields: list[PacketField]
    filter: str = ""


class DecodedPacket(Output):
    """A packet with its layers and its captured bytes as hex."""

    row: PacketRow
    layers: list[PacketLayer]
    hex: str


class DissectedField(Output):
    """A layer or field as tshark names it; ``start == end`` where it has no bytes.

    ``filter`` is empty where our display filters have no such field.
    """

    name: str
    label: str
    start: int
    end: int
    filter: str
    fields: list[DissectedField]


class DissectedPacket(Output):
    """A packet as tshark dissects it; ``more`` fields were left out."""

    version: str
    more: int
    layers: list[DissectedField]


class Evidence(Sparse):
    """One thing that was seen, and the command that shows it again."""

    witness: Literal["hops", "reason", "state", "rule", "counters"]
    code: str
    params: dict[str, Any]
    text: LocalText
    raw: LocalText | None = None
    command: str
    output: str


class RestoreWish(Output):
    """The kernel has drifted from the drawing there: ``POST …/drift`` with action "restore"."""

    node: str
    path: str


class Remedy(Sparse):
    """What would help; ``operation`` can be applied to the drawing.

    ``restore``, over HTTP: the drawing has it already, the kernel has drifted from it.
    """

    code: str
    params: dict[str, Any]
    text: LocalText
    raw: LocalText | None = None
    node: str
    commands: list[str]
    operation: dict[str, Any] | None
    restore: RestoreWish | None = None


class Verdict(Sparse):
    """Where a packet ended and why. ``{name:<node id>}`` in a text stands for a drawn name.

    Over HTTP the names are put in, and ``raw`` is the text as it was.
    """

    code: str
    kind: Literal["delivered", "fault", "expected", "noise", "unknown"]
    node: str
    interface: str
    params: dict[str, Any]
    text: LocalText
    raw: LocalText | None = None
    evidence: list[Evidence]
    remedy: Remedy | None
    seen: bool
    packet: int
    reason: str
    symbol: str


class End(Output):
    """A packet that ended; ``repeated`` like it were left out before."""

    packet: int
    time: float
    node: str
    interface: str
    link: str
    direction: Way
    verdict: Verdict
    repeated: int


class Exchange(Sparse):
    """Packets that answer each other."""

    id: int
    kind: str
    source: str
    target: str
    port: int
    title: str = ""  # the name that was asked for, of DNS
    request: int
    requests: int
    replies: int
    packets: list[int]
    began: float
    ended: float
    state: Literal["open", "answered", "unanswered", "refused"]
    verdict: Verdict | None = None


class Unseen(Output):
    """Events that were not recorded since the last message."""

    hops: int
    drops: int
    sampled: int


class PacketsPayload(Sparse):
    """Captured packets in kernel time order; ``gap`` and ``lost`` count what is missing.

    The lists after ``rows`` are left out when they are empty.
    """

    gap: int
    lost: int
    tier: str
    rows: list[PacketRow]
    kept: bool = False
    ends: list[End] = []
    exchanges: list[Exchange] = []
    unseen: Unseen | None = None


class TraceHop(Output):
    """One station of a packet; ``time_ns`` since the first one."""

    time_ns: int
    node: str
    interface: str
    direction: Literal["rx", "tx", "drop"]
    link: str
    along: Way
    parent: int
    how: Literal["first", "buffer", "content", "nat", "tunnel", "inferred"]
    length: int
    segments: int
    reason: str
    symbol: str
    layers: list[PacketLayer]


class Trace(Output):
    """A packet's way through the lab; ``more`` hops did not fit."""

    packet: int
    hops: list[TraceHop]
    more: int
    outer: int
    exchange: Exchange | None
    verdict: Verdict | None


class Step(Sparse):
    """One step of a dry run."""

    node: str
    interface: str
    direction: Literal["rx", "tx", "end"]
    link: str
    along: Way
    action: Literal["send", "forward", "bridge", "deliver", "reply", "resolve", "drop"]
    params: dict[str, Any]
    text: LocalText
    raw: LocalText | None = None
    leg: Literal["there", "back"]


class DryRun(Output):
    """What the kernel's state foretells of a packet that nobody has sent."""

    steps: list[Step]
    verdict: Verdict


class TraceIn(Strict):
    """A packet to foretell, send and follow; ``target`` is a node id or an address."""

    source: Id
    target: Annotated[str, Field(min_length=1, max_length=64)]
    protocol: Literal["icmp", "tcp", "udp"]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None


class TraceOut(Output):
    """What became of it, beside what was foretold. ``probe``: as it was when the trace ended.

    ``mended``: what is foretold with the remedy applied; null where that cannot be told.
    """

    dry: DryRun
    traces: list[Trace]
    exchange: Exchange | None
    verdict: Verdict
    agree: bool
    differs: int | None
    mended: DryRun | None = None
    tier: str
    probe: ProbeOut


class DryMessage(DryRun):
    """TRACE: what is foretold."""

    type: Literal["dry"]
    tier: str


class ArmedMessage(Output):
    """TRACE: the packet may be sent now."""

    type: Literal["armed"]


class TraceMessage(Output):
    """TRACE: a packet of the exchange has moved on; the same packet again replaces it."""

    type: Literal["trace"]
    trace: Trace


class VerdictMessage(Output):
    """TRACE: the end of it. ``differs``: the first foretold step that was not seen.

    ``mended``: what is foretold with the remedy applied; null where that cannot be told.
    """

    type: Literal["verdict"]
    exchange: Exchange | None
    verdict: Verdict
    agree: bool
    differs: int | None
    mended: DryRun | None = None


TracePayload = Annotated[
    DryMessage | ArmedMessage | TraceMessage | VerdictMessage, Field(discriminator="type")
]
