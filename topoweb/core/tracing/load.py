"""What a running lab does to the host: two looks at its nodes → what to warn of.

A broadcast that circles in a switching loop never stops, and every switch that it passes also
hands it to its own bridge device. So the frames that a bridge itself receives are the broadcasts
of its segment: cheap to read, and nothing that unicast traffic, however fast, makes rise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topoweb.core.plan.drift import FALLBACK_DEVICES
from topoweb.core.tracing.warnings import Warned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.core.tracing.records import Counters

STORM = 1_000  # broadcasts/s in one segment; a busy network of a thousand hosts has fewer
FLOOD = 250_000  # packets/s on one cable in one direction
OVER_RATE = 1.25  # times its rate that a cable has carried: somebody took its limit away
NEIGHBOURS = 4_096  # of one node: a quarter of what all labs of a host share by default
FULL = 0.9  # of what a namespace may track
SHORTEST = 0.2  # seconds between two looks that tell a rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One look at a node. ``clock`` is monotonic, in seconds."""

    node: str
    clock: float
    counters: Mapping[str, Counters]  # by device name
    bridges: frozenset[str] = frozenset()  # device names
    neighbours: int | None = None  # None: not looked
    connections: int | None = None  # tracked; None: not looked, or not known
    connections_max: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ward:
    """A running lab as drawn, with what a judge wants to look up."""

    topology: Topology
    desired: LabState
    node_links: int  # interfaces that users may add to one node
    links: Mapping[tuple[str, str], str] = field(default_factory=dict)  # (node, name) → link

    @classmethod
    def of(cls, topology: Topology, desired: LabState, node_links: int) -> Ward:
        """Return the lab with its index."""
        ports = topology.interfaces
        links = {
            (ports[end].node, ports[end].name): key
            for key, link in topology.links.items()
            for end in (link.a, link.b)
        }
        return cls(topology=topology, desired=desired, node_links=node_links, links=links)

    def name(self, node: str) -> str:
        """Return what people call a node."""
        return self.topology.nodes[node].name if node in self.topology.nodes else node

    def cable(self, link: str) -> str:
        """Return what people call a link: its two ends."""
        drawn = self.topology.links[link]
        ports = self.topology.interfaces
        return " – ".join(self.name(ports[end].node) for end in (drawn.a, drawn.b))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one look at some nodes says: to warn of, to trim, to hold to their rate again."""

    warnings: tuple[Warned, ...] = ()
    excess: Mapping[str, int] = field(default_factory=dict)  # node → interfaces too many
    unbridled: bool = False  # a cable carried more than it may


@dataclass(frozen=True, slots=True)
class _Rate:
    """What a device received and sent, packets/s, and the more of both, bit/s."""

    received: float
    sent: float
    bits: float


def judge(
    ward: Ward,
    before: Mapping[str, Load],
    now: Iterable[Load],
    stormy: frozenset[str] = frozenset(),
) -> Verdict:
    """Return what is wrong with the nodes looked at; ``before``: the last look at each.

    ``stormy``: the links named of late. Of the cables of a loop, all alike, one stays named.
    """
    seen = {load.node: load for load in now}
    rates = {node: _rates(before[node], load) for node, load in seen.items() if node in before}
    warnings = [*_storms(ward, seen, rates, stormy), *_floods(ward, rates)]
    excess = {}
    for node, load in seen.items():
        count = _added(ward, load)
        if count > ward.node_links:
            excess[node] = count - ward.node_links
            warnings.append(_too_many(ward, "links", node, count, ward.node_links))
        warnings += _tables(ward, load)
    return Verdict(warnings=tuple(warnings), excess=excess, unbridled=any(_unbridled(ward, rates)))


def _rates(before: Load, now: Load) -> dict[str, _Rate]:
    span = now.clock - before.clock
    if span < SHORTEST:
        return {}
    return {
        name: _rate(before.counters[name], counters, span)
        for name, counters in now.counters.items()
        if name in before.counters
    }


def _rate(before: Counters, now: Counters, span: float) -> _Rate:
    bits = max(now.rx_bytes - before.rx_bytes, now.tx_bytes - before.tx_bytes) * 8
    received, sent = now.rx_packets - before.rx_packets, now.tx_packets - before.tx_packets
    return _Rate(received / span, sent / span, bits / span)


def _storms(
    ward: Ward,
    seen: Mapping[str, Load],
    rates: Mapping[str, Mapping[str, _Rate]],
    named: frozenset[str],
) -> Iterator[Warned]:
    """Name for each stormy segment the cable that carries most of the storm both ways."""
    heard = {
        node: max((own[name].received for name in seen[node].bridges if name in own), default=0.0)
        for node, own in rates.items()
    }
    heard = {node: rate for node, rate in heard.items() if rate > STORM}
    for segment in _segments(ward, heard.keys()):
        candidates = [
            (min(rate.received, rate.sent), link)
            for node in segment
            for name, rate in rates[node].items()
            if (link := ward.links.get((node, name))) is not None
        ]
        if candidates:
            most, link = max(candidates)
            known = [name for rate, name in candidates if name in named and rate > most / 2]
            link = known[0] if known else link
            rate = round(max(heard[node] for node in segment))
            yield _busy(ward, "storm", link, rate, "broadcasts circle: {rate} a second")


def _segments(ward: Ward, nodes: Iterable[str]) -> list[set[str]]:
    """Return nodes that are joined by cables among themselves, together."""
    left = set(nodes)
    ports = ward.topology.interfaces
    cables = [{ports[link.a].node, ports[link.b].node} for link in ward.topology.links.values()]
    segments = []
    while left:
        segment = {left.pop()}
        while more := {n for cable in cables if cable & segment for n in cable & left}:
            segment |= more
            left -= more
        segments.append(segment)
    return segments


def _floods(ward: Ward, rates: Mapping[str, Mapping[str, _Rate]]) -> Iterator[Warned]:
    found: dict[str, float] = {}
    for node, own in rates.items():
        for name, rate in own.items():
            link = ward.links.get((node, name))
            packets = max(rate.received, rate.sent)
            if link is not None and packets > FLOOD:
                found[link] = max(packets, found.get(link, 0.0))
    for link, packets in found.items():
        yield _busy(ward, "flood", link, round(packets), "{rate} packets a second")


def _busy(ward: Ward, code: str, link: str, rate: int, words: str) -> Warned:
    cable = ward.cable(link)
    return Warned(
        code=code,
        link=link,
        message=f"{cable}: {words.format(rate=rate)}",
        params={"link": cable, "rate": rate},
    )


def _unbridled(ward: Ward, rates: Mapping[str, Mapping[str, _Rate]]) -> Iterator[bool]:
    for node, own in rates.items():
        wished = ward.desired.namespaces.get(node)
        for name, rate in own.items():
            device = wished.devices.get(name) if wished else None
            limit = device.rate if device else None
            yield limit is not None and rate.bits > OVER_RATE * limit


def _added(ward: Ward, load: Load) -> int:
    """Return how many interfaces a node has that nobody drew."""
    wished = ward.desired.namespaces.get(load.node)
    drawn = wished.devices.keys() if wished else frozenset()
    return len(load.counters.keys() - drawn - FALLBACK_DEVICES)


def _tables(ward: Ward, load: Load) -> Iterator[Warned]:
    if load.neighbours is not None and load.neighbours > NEIGHBOURS:
        yield _too_many(ward, "neighbours", load.node, load.neighbours, NEIGHBOURS)
    if load.connections is not None and load.connections > FULL * load.connections_max > 0:
        yield _too_many(ward, "conntrack", load.node, load.connections, load.connections_max)


_HELD = {"links": "interfaces", "neighbours": "neighbours", "conntrack": "tracked connections"}


def _too_many(ward: Ward, code: str, node: str, count: int, limit: int) -> Warned:
    name = ward.name(node)
    return Warned(
        code=code,
        node=node,
        message=f"{name} holds {count} {_HELD[code]}; {limit} are allowed",
        params={"node": name, "count": count, "limit": limit},
    )
