"""The packet that a dry run walks with, and its bytes as the explainer would capture them."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import TYPE_CHECKING, Literal, NamedTuple

from topoweb.core.tracing.explain.dryrun.filters import Subject
from topoweb.core.tracing.observation import Observation

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.dryrun.segment import Passage
    from topoweb.core.tracing.explain.facts import Facts

NUMBERS = {"icmp": 1, "tcp": 6, "udp": 17, "ipv6-icmp": 58}
EPHEMERAL = 40_000  # stands for the port that the kernel will choose
PAYLOAD = 56  # bytes of an echo request
NO_MAC = "00:00:00:00:00:00"


class Flow(NamedTuple):
    """One packet, in one direction."""

    source: str
    target: str
    protocol: Literal["icmp", "tcp", "udp"]
    port: int = 0  # that was asked; of a reply: its source port
    reply: bool = False
    ttl: int = 64

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.target else 4

    @property
    def size(self) -> int:
        """Bytes of the IP packet."""
        return len(packet(self))

    def subject(self, iif: str = "", oif: str = "") -> Subject:
        """Return what a packet filter sees."""
        icmp = "ipv6-icmp" if self.version == 6 else "icmp"
        protocol = icmp if self.protocol == "icmp" else self.protocol
        return Subject(protocol, self.source, self.target, self.port, self.reply, iif, oif)


def packet(flow: Flow) -> bytes:
    """Return the IP packet, with checksums of 0."""
    body = _body(flow)
    source, target = ip_address(flow.source).packed, ip_address(flow.target).packed
    if flow.version == 6:
        number = NUMBERS["ipv6-icmp" if flow.protocol == "icmp" else flow.protocol]
        head = struct.pack(">IHBB", 6 << 28, len(body), number, flow.ttl)
    else:
        number, length = NUMBERS[flow.protocol], 20 + len(body)
        head = struct.pack(">BBHHHBBH", 0x45, 0, length, 0, 0x4000, flow.ttl, number, 0)
    return head + source + target + body


def _body(flow: Flow) -> bytes:
    ports = (flow.port, EPHEMERAL) if flow.reply else (EPHEMERAL, flow.port)
    if flow.protocol == "udp":
        return struct.pack(">HHHH", *ports, 8, 0)
    if flow.protocol == "tcp":
        flags = 0x12 if flow.reply else 0x02  # SYN-ACK, SYN
        return struct.pack(">HHIIBBHHH", *ports, 1, int(flow.reply), 0x50, flags, 64240, 0, 0)
    kinds = (129, 128) if flow.version == 6 else (0, 8)
    return struct.pack(">BBHHH", kinds[not flow.reply], 0, 0, 1, 1) + bytes(PAYLOAD)


def seen(facts: Facts, flow: Flow, at: Passage, number: int) -> Observation:
    """Return the packet as it would be seen at a passage, the ``number``-th of its way."""
    peer = facts.peer(at.node, at.interface)
    near = facts.interfaces(at.node).get(at.interface)
    far = facts.interfaces(peer.node).get(peer.interface) if peer else None
    own, other = (item.mac if item and item.mac else NO_MAC for item in (near, far))
    macs = (other, own) if at.direction == "tx" else (own, other)
    kind = b"\x86\xdd" if flow.version == 6 else b"\x08\x00"
    data = b"".join(bytes.fromhex(mac.replace(":", "")) for mac in macs) + kind + packet(flow)
    return Observation(
        time_ns=number,
        namespace=at.node,
        interface=at.interface,
        direction=at.direction,
        data=data,
        length=len(data),
        link=at.link,
        along=at.along,
        peer=peer.node if peer else "",
    )
