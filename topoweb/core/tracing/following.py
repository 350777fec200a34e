"""Finding, among all that a lab sends, the packet that someone has asked to follow."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Literal

from topoweb.core.tracing.correlate import leaves

if TYPE_CHECKING:
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.stories import Stories
    from topoweb.core.tracing.trace import Exchange, Trace

Protocol = Literal["icmp", "tcp", "udp"]

IPV4, IPV6, ARP = 0x0800, 0x86DD, 0x0806
ICMP, TCP, UDP, ICMPV6 = 1, 6, 17, 58
ECHO_REQUEST, ECHO_REQUEST_V6, NEIGHBOUR_SOLICITATION = 8, 128, 135
NEIGHBOUR_ADVERTISEMENT = 136
V4 = 4  # the IP version
RESOLUTIONS = 8  # ARP and ND packets kept
PACKETS = 24  # kept in all
OFTEN = 128  # sightings of one packet; beyond, it is told at every such number of them


class Follower:
    """Looks at every sighting until it has seen the flow's first packet, then keeps its exchange.

    What it keeps stays, however soon a flood makes `Stories` forget it. It also keeps the ARP and
    ND packets by which the source, and then nodes on the way, look for their next hops. Belongs to
    the stories' thread.
    """

    def __init__(
        self, source: str, target: str, protocol: Protocol, port: int, after_ns: int
    ) -> None:
        """``source``: node id, ``target``: address, ``after_ns``: nothing seen before counts."""
        address = ipaddress.ip_address(target)
        self._source, self._target = source, address.packed
        self._version = address.version
        icmp = ICMP if address.version == V4 else ICMPV6
        self._number = {"icmp": icmp, "tcp": TCP, "udp": UDP}[protocol]
        self._port = port
        self._after_ns = after_ns
        self.flow = ("", str(address), self._number)  # as `CaptureSource.follow` has it
        self.first = 0  # number of the flow's first packet, 0: not seen yet
        self.exchange: Exchange | None = None  # that the first packet belongs to
        self.traces: dict[int, Trace] = {}  # by packet, in order of appearance
        self.resolutions: set[int] = set()  # packets by which nodes on the way found next hops
        self._asked: set[int] = set()  # exchanges of those
        self._times: dict[int, int] = {}  # that each was seen

    @property
    def resolving(self) -> bool:
        """True when the source was seen to look for its next hop."""
        return any(number != self.first for number in self.traces)

    def look(self, seen: Observation, packet: int, stories: Stories) -> None:
        """Look at a sighting of a packet that the stories have just taken in."""
        if packet in self.traces:
            times = self._times[packet] = self._times.get(packet, 0) + 1
            if times < OFTEN or times % OFTEN == 0:  # else it circles, and a trace is not for free
                self._keep(packet, stories)
        elif self.first:
            if packet > self.first:
                self._look_on(seen, packet, stories)
        elif seen.time_ns >= self._after_ns and self._leaves(seen):
            if self._begins(seen.data):
                self.first = packet
                self.exchange = stories.exchange_of(packet)
                self._keep(packet, stories)
            elif len(self.traces) < RESOLUTIONS and self._resolves(seen.data):
                self._keep(packet, stories)

    def _look_on(self, seen: Observation, packet: int, stories: Stories) -> None:
        """Look at a packet that came after the first one."""
        if self._resolves(seen.data) or self._is_advertisement(seen.data):
            self._join_resolution(seen, packet, stories)
        elif len(self.traces) < PACKETS and self._target in seen.data:
            self._join(packet, stories)

    def hear(self, exchange: Exchange) -> None:
        """Take news of an exchange, if it is the followed one."""
        if self.exchange is not None and self.exchange.id == exchange.id:
            self.exchange = exchange

    def _join(self, packet: int, stories: Stories) -> None:
        """Keep a packet if it belongs to the exchange: a reply, an error, what comes next."""
        exchange = stories.exchange_of(packet)
        if exchange and self.exchange and exchange.id == self.exchange.id:
            self.exchange = exchange
            self._keep(packet, stories)

    def _join_resolution(self, seen: Observation, packet: int, stories: Stories) -> None:
        """Keep how a node on the packet's way finds its next hop: the question and its answer."""
        exchange = stories.exchange_of(packet)
        if exchange is None or len(self.resolutions) >= RESOLUTIONS:
            return
        asks = leaves(seen) in self._way()
        if asks or exchange.id in self._asked:
            self._asked.add(exchange.id)
            self.resolutions.add(packet)
            self._keep(packet, stories)

    def _way(self) -> set[str]:
        """Return the nodes at which the followed packets were seen."""
        return {
            hop.seen.namespace
            for packet, trace in self.traces.items()
            if packet not in self.resolutions
            for hop in trace.hops
        }

    def _keep(self, packet: int, stories: Stories) -> None:
        trace = stories.trace(packet)
        if trace is not None:
            self.traces[packet] = trace

    def _leaves(self, seen: Observation) -> bool:
        """True for what the source sends, seen at either end of its cable, or drops itself."""
        if seen.direction == "rx":
            return seen.peer == self._source
        return seen.namespace == self._source

    def _begins(self, data: bytes) -> bool:
        kind, at = _network(data)
        if kind == IPV4 and self._version == 4:
            return (
                data[at + 16 : at + 20] == self._target
                and data[at + 9 : at + 10] == bytes([self._number])
                and self._asks(data, at + (data[at] & 15) * 4)
            )
        return (
            kind == IPV6
            and data[at + 24 : at + 40] == self._target
            and data[at + 6 : at + 7] == bytes([self._number])
            and self._asks(data, at + 40)
        )

    def _resolves(self, data: bytes) -> bool:
        kind, at = _network(data)
        if kind != IPV6 or self._version == V4:
            return kind == ARP and self._version == V4
        is_icmp = data[at + 6 : at + 7] == bytes([ICMPV6])
        own = data[at + 8 : at + 24] == bytes(16)  # looks whether its own address is taken
        return is_icmp and not own and data[at + 40 : at + 41] == bytes([NEIGHBOUR_SOLICITATION])

    def _is_advertisement(self, data: bytes) -> bool:
        """True for what answers a neighbour solicitation."""
        kind, at = _network(data)
        icmp = kind == IPV6 and data[at + 6 : at + 7] == bytes([ICMPV6])
        return icmp and data[at + 40 : at + 41] == bytes([NEIGHBOUR_ADVERTISEMENT])

    def _asks(self, data: bytes, at: int) -> bool:
        """True for an echo request, or for the port that is asked."""
        if self._number in (ICMP, ICMPV6):
            return data[at : at + 1] in (bytes([ECHO_REQUEST]), bytes([ECHO_REQUEST_V6]))
        return int.from_bytes(data[at + 2 : at + 4], "big") == self._port


def _network(data: bytes) -> tuple[int, int]:
    """Return EtherType and start of the network layer, past VLAN tags."""
    at = 12
    while (kind := int.from_bytes(data[at : at + 2], "big")) in (0x8100, 0x88A8):
        at += 4
    return kind, at + 2
