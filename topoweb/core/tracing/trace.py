"""A packet's way through a lab, and the exchange of packets that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from topoweb.core.tracing.observation import Observation

How = Literal["first", "buffer", "content", "nat", "tunnel", "inferred"]
State = Literal["open", "answered", "unanswered", "refused"]


@dataclass(frozen=True, slots=True)
class Hop:
    """One station of a packet, tied to the station before it."""

    seen: Observation
    parent: int  # index in the trace of the hop before; -1 for the first. Copies make a tree
    how: How  # what ties them: the kernel's buffer, equal content, content but for rewritten fields


@dataclass(frozen=True, slots=True)
class Trace:
    """One packet from where it was first seen to wherever its copies ended, in causal order."""

    packet: int  # its number, as in the packet list
    hops: tuple[Hop, ...]
    outer: int = 0  # number of the packet that carried it through a tunnel

    def ends(self) -> tuple[Hop, ...]:
        """Return the hops that no other follows: one for each copy."""
        parents = {hop.parent for hop in self.hops}
        return tuple(hop for index, hop in enumerate(self.hops) if index not in parents)


@dataclass(frozen=True, slots=True)
class Exchange:
    """Packets that answer each other: ARP, ND, echo, TCP connection, DHCP, DNS, UDP."""

    id: int  # rises by one per lab
    kind: str  # arp, nd, echo, tcp, dhcp, dns, udp
    source: str  # address of who asked
    target: str  # address that was asked (of ARP and ND: asked for)
    request: int  # packet number of the latest request
    requests: int  # how many went out
    replies: int  # how many came back to who asked
    packets: tuple[int, ...]  # numbers, oldest first, at most the newest 64
    began_ns: int
    ended_ns: int  # of its latest packet
    state: State
    port: int = 0  # that was asked, of TCP and UDP
    title: str = ""  # the name that was asked for, of DNS
