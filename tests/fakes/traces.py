"""Traces and exchanges written down as ways through a `FakeFacts` lab.

    way = Way(lab, ping("10.0.1.2", "10.0.2.2"))
    way.go("h1/eth0>", "r1/eth0", drop=("r1/eth0", "IP_INADDRERRORS", "ip_error"))
    verdict = of_drop(way.trace, way.drop, lab)

"node/if>" is seen leaving, "node/if" entering. Addresses of frames and TTLs follow from the lab.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import ip_interface
from typing import TYPE_CHECKING, Any

from tests.unit.packets import wire
from topoweb.core.tracing.observation import Observation
from topoweb.core.tracing.trace import Exchange, Hop, Trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.facts import FakeFacts

STEP_NS = 5_000
NOBODY = "00:00:00:00:00:00"


@dataclass(frozen=True)
class Sent:
    """A packet without its frame."""

    source: str
    target: str
    payload: Callable[[int], bytes]  # by TTL: an IP packet, or an ARP body
    ethertype: int = 0x0800
    ttl: int = 64

    def frame(self, ttl: int, source: str, target: str) -> bytes:
        return wire.ethernet(self.ethertype, self.payload(ttl), source or NOBODY, target or NOBODY)


def ip(source: str, target: str, protocol: int, body: bytes, ttl: int = 64, **more: Any) -> Sent:
    if ":" in source:
        return Sent(source, target, lambda left: wire.ipv6(protocol, body, source, target, left),
                    0x86DD, ttl)  # fmt: skip
    return Sent(
        source,
        target,
        lambda left: wire.ipv4(protocol, body, source, target, ttl=left, **more),
        ttl=ttl,
    )


def ping(
    source: str,
    target: str,
    *,
    reply: bool = False,
    size: int = 56,
    ttl: int = 64,
    sequence: int = 1,
) -> Sent:
    payload = bytes(size)
    if ":" in source:
        kind = 129 if reply else 128
        body = wire.icmp6(kind, 0, b"\0\3\0\1" + payload, source, target)
        return ip(source, target, 58, body, ttl)
    return ip(source, target, 1, wire.echo(sequence, 0 if reply else 8, payload), ttl)


def segment(
    source: str, target: str, ports: tuple[int, int], flags: int = 2, *, sequence: int = 1000,
    size: int = 0,
) -> Sent:  # fmt: skip
    body = wire.tcp(
        *ports, flags, bytes(size), sequence=sequence, source=source, destination=target
    )
    return ip(source, target, 6, body)


def datagram(source: str, target: str, ports: tuple[int, int], payload: bytes = b"hello") -> Sent:
    return ip(source, target, 17, wire.udp(*ports, payload, source, target))


def icmp_error(source: str, target: str, kind: int, code: int, about: Sent) -> Sent:
    quoted = about.payload(1)[:28]
    return ip(source, target, 1, wire.icmp(kind, code, bytes(4), quoted))


def arp(sender: str, target: str, mac: str = wire.A, *, reply: bool = False) -> Sent:
    frame = wire.arp(2 if reply else 1, sender, target)
    body = frame[14:22] + wire.mac(mac) + frame[28:]
    return Sent(sender, target, lambda _: body, 0x0806)


class Way:
    """One packet on its way through a lab; ``trace`` is what was seen of it."""

    def __init__(self, lab: FakeFacts, sent: Sent, packet: int = 1) -> None:
        self._lab = lab
        self.sent = sent
        self._packet = packet
        self._ttl = sent.ttl
        self._macs = (NOBODY, NOBODY)
        self._hops: list[Hop] = []
        self.drop: Hop | None = None

    @property
    def trace(self) -> Trace:
        return Trace(self._packet, tuple(self._hops))

    def go(self, *stations: str, drop: tuple[str, str, str] | None = None) -> Way:
        """Add stations, and at the end a drop (place, reason, symbol)."""
        for index, station in enumerate(stations):
            self._pass(station, stations[index + 1 :])
        if drop is not None:
            place, reason, symbol = drop
            node, _, name = place.partition("/")
            self._see(node, name, "drop", reason=reason, symbol=symbol)
            self.drop = self._hops[-1]
        return self

    def routed(self) -> Way:
        """Take one from the TTL, as a router does before its forward hook."""
        self._ttl -= 1
        return self

    def now(self, sent: Sent) -> Way:
        """Go on as another packet: what NAT makes of it."""
        self.sent = replace(sent, ttl=self.sent.ttl)
        return self

    def fork(self, back: int) -> Way:
        """Let the next station be a copy that left ``back`` hops ago."""
        self._parent = len(self._hops) - 1 - back
        return self

    _parent: int | None = None

    def _pass(self, station: str, later: tuple[str, ...]) -> None:
        node, _, name = station.rstrip(">").partition("/")
        if not station.endswith(">"):
            self._see(node, name, "rx")
            return
        item = self._lab.devices[node][name]
        if item.port is None:
            if self._hops and self._hops[-1].seen.namespace == node:
                self._ttl -= 1
            self._macs = (item.mac, self._next_mac(node, name, later))
        self._see(node, name, "tx")

    def _next_mac(self, node: str, name: str, later: tuple[str, ...]) -> str:
        if self.sent.ethertype == 0x0806 or self.sent.target == "255.255.255.255":
            return wire.BROADCAST
        route = self._lab._look_up(node, self.sent.target)
        hop = route.gateway or self.sent.target
        entry = self._lab.neighbours.get((node, name, hop))
        if entry and entry[1]:
            return entry[1]
        for items in self._lab.devices.values():
            for item in items.values():
                if any(str(ip_interface(text).ip) == hop for text in item.addresses):
                    return item.mac
        return NOBODY

    def _see(
        self, node: str, name: str, direction: Any, reason: str = "", symbol: str = ""
    ) -> None:
        data = self.sent.frame(self._ttl, *self._macs)
        end = self._lab.cables.get((node, name))
        seen = Observation(
            time_ns=(len(self._hops) + 1) * STEP_NS,
            namespace=node,
            interface=name,
            direction=direction,
            data=data[:128],
            length=len(data),
            link=end.link if end else "",
            peer=end.node if end else "",
            reason=reason,
            symbol=symbol,
        )
        parent = len(self._hops) - 1 if self._parent is None else self._parent
        self._parent = None
        self._hops.append(Hop(seen, parent, "buffer" if self._hops else "first"))


def exchange(
    kind: str, sent: Sent, *ways: Way, state: Any = "unanswered", port: int = 0
) -> Exchange:
    """The exchange of these packets, of which the last that its source sent is the request."""
    numbers = tuple(way.trace.packet for way in ways)
    asked = [way.trace.packet for way in ways if way.sent.source == sent.source]
    return Exchange(
        id=1,
        kind=kind,
        source=sent.source,
        target=sent.target,
        request=asked[-1] if asked else 0,
        requests=len(asked),
        replies=len(numbers) - len(asked),
        packets=numbers,
        began_ns=0,
        ended_ns=0,
        state=state,
        port=port,
    )
