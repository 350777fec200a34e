"""What a packet is in a conversation: who asks whom for what, and which answer belongs to it.

Keys are oriented: from who asks to who is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from topoweb.core.packets import dns
from topoweb.core.packets.addresses import ipv4_text, ipv6_text
from topoweb.core.packets.icmp import ECHO_REPLY, ECHO_REQUEST, TIME_EXCEEDED, UNREACHABLE
from topoweb.core.packets.icmpv6 import ECHO_REPLY as ECHO_REPLY_6
from topoweb.core.packets.icmpv6 import ECHO_REQUEST as ECHO_REQUEST_6
from topoweb.core.packets.icmpv6 import NA, NS
from topoweb.core.packets.icmpv6 import TIME_EXCEEDED as TIME_EXCEEDED_6
from topoweb.core.packets.icmpv6 import TOO_BIG as TOO_BIG_6
from topoweb.core.packets.icmpv6 import UNREACHABLE as UNREACHABLE_6
from topoweb.core.packets.layer import Malformed, Truncated
from topoweb.core.packets.numbers import ARP, ICMP, ICMPV6, IPV4, IPV6, TCP, UDP
from topoweb.core.tracing.keys import VXLAN_PORTS, network, transport

if TYPE_CHECKING:
    from collections.abc import Hashable

# request, reply; refusal, error: of an ICMP error about a request; opening, accepting, reset: of a
# TCP connection; member: belongs to it and changes nothing; either: the first of UDP asks.
Part = Literal[
    "request", "reply", "refusal", "error", "opening", "accepting", "reset", "member", "either"
]
FIN, SYN, RST, ACK = 1, 2, 4, 16
DNS_PORT, DHCP_PORTS = 53, (67, 68)
FRAGMENTATION_NEEDED = 4


class Role(NamedTuple):
    """A packet's part in a conversation."""

    kind: str  # arp, nd, echo, tcp, dhcp, dns, udp
    part: Part
    key: Hashable  # of the conversation, if this packet's sender asked
    back: Hashable  # of the conversation, if this packet's receiver asked
    source: str = ""  # address of who sent it
    target: str = ""  # address that it goes to (of ARP and ND: asks for)
    port: int = 0
    mark: int = 0  # of an echo: its sequence number, equal in request and reply
    title: str = ""
    data: int = -1  # sequence number of TCP's payload, -1 without one
    acknowledged: int = -1  # sequence number up to which the other side's has come


def role_of(data: bytes) -> Role | None:
    """Return a frame's part in a conversation; None for one that belongs to none."""
    try:
        kind, at = network(data)
        if kind == ARP:
            return _arp(data, at)
        if kind in (IPV4, IPV6):
            return _ip(data, kind, at, to_many=bool(data[0] & 1))
    except IndexError:
        pass
    return None


def _arp(data: bytes, at: int) -> Role | None:
    """A request, or the answer to one; announcements and address probes ask nobody (RFC 5227)."""
    sender, target = data[at + 14 : at + 18], data[at + 24 : at + 28]
    if len(target) < 4 or sender == target or not any(sender):
        return None
    names = ipv4_text(sender), ipv4_text(target)
    if data[at + 7] == 1:
        key = ("arp", data[at + 8 : at + 14], sender, target)
        return Role("arp", "request", key, None, *names)
    back = ("arp", data[at + 18 : at + 24], target, sender)
    return Role("arp", "reply", None, back, *names) if data[at + 7] == 2 else None


def _ip(data: bytes, kind: int, at: int, *, to_many: bool) -> Role | None:
    protocol, start, end = transport(data, kind, at)
    source, target = _addresses(data, kind, at)
    to_many = to_many or target[0] >= (224 if kind == IPV4 else 0xFF)
    if protocol == UDP:
        return _udp(data, start, end, (source, target), to_many)
    if protocol == ICMPV6 and data[start] in (NS, NA):
        return _neighbour(data, start, (source, target))
    if to_many:
        return None
    if protocol == TCP:
        return _tcp(data, start, end, (source, target))
    if protocol in (ICMP, ICMPV6):
        return _icmp(data, kind, start, (source, target))
    return None


def _addresses(data: bytes, kind: int, at: int) -> tuple[bytes, bytes]:
    if len(data) < at + (20 if kind == IPV4 else 40):
        raise IndexError
    if kind == IPV4:
        return data[at + 12 : at + 16], data[at + 16 : at + 20]
    return data[at + 8 : at + 24], data[at + 24 : at + 40]


def _text(address: bytes) -> str:
    return ipv4_text(address) if len(address) == 4 else ipv6_text(address)


def _names(ends: tuple[bytes, bytes]) -> tuple[str, str]:
    return _text(ends[0]), _text(ends[1])


def _neighbour(data: bytes, at: int, ends: tuple[bytes, bytes]) -> Role | None:
    """Neighbour discovery (RFC 4861); duplicate address detection asks nobody."""
    asked = data[at + 8 : at + 24]
    if len(asked) < 16 or not any(ends[0]):
        return None
    if data[at] == NS:
        return Role("nd", "request", ("nd", ends[0], asked), None, _text(ends[0]), _text(asked))
    if ends[1][0] == 0xFF:
        return None
    return Role("nd", "reply", None, ("nd", ends[1], asked), *_names(ends))


def _udp(data: bytes, at: int, end: int, ends: tuple[bytes, bytes], to_many: bool) -> Role | None:
    source, target = data[at : at + 2], data[at + 2 : at + 4]
    ports = int.from_bytes(source, "big"), int.from_bytes(target, "big")
    if ports[0] in DHCP_PORTS and ports[1] in DHCP_PORTS and len(ends[0]) == 4:
        return _dhcp(data, at + 8, ends, ports)
    if to_many or ports[1] in VXLAN_PORTS:  # a tunnel's packets answer nobody
        return None
    if DNS_PORT in ports and end >= at + 20:
        return _dns(data, at + 8, end, ends, ports)
    key, back = ("udp", *ends, source, target), ("udp", *ends[::-1], target, source)
    return Role("udp", "either", key, back, *_names(ends), port=ports[1])


def _dns(data: bytes, at: int, end: int, ends: tuple[bytes, bytes], ports: tuple[int, int]) -> Role:
    number = data[at : at + 2]
    if data[at + 2] & 0x80:
        return Role("dns", "reply", None, ("dns", *ends[::-1], ports[1], number), *_names(ends))
    try:
        title = dns.read_name(data, at, at + 12, end)[0]
    except (Malformed, Truncated):
        title = ""
    key = ("dns", *ends, ports[0], number)
    return Role("dns", "request", key, None, *_names(ends), port=ports[1], title=title)


def _dhcp(data: bytes, at: int, ends: tuple[bytes, bytes], ports: tuple[int, int]) -> Role | None:
    """By transaction and client; whoever takes part in it, several servers or a relay."""
    client, transaction = data[at + 28 : at + 34], data[at + 4 : at + 8]
    if len(client) < 6:
        return None
    key = ("dhcp", client, transaction)
    if data[at] == 1:
        return Role("dhcp", "request", key, None, *_names(ends), port=ports[1])
    return Role("dhcp", "reply", None, key, *_names(ends), port=ports[1])


def _tcp(data: bytes, at: int, end: int, ends: tuple[bytes, bytes]) -> Role:
    source, target, flags = data[at : at + 2], data[at + 2 : at + 4], data[at + 13]
    part: Part = "member"
    if flags & RST:
        part = "reset"
    elif flags & SYN:
        part = "accepting" if flags & ACK else "opening"
    loaded = at + (data[at + 12] >> 4) * 4 < end
    return Role(
        "tcp",
        part,
        ("tcp", *ends, source, target),
        ("tcp", *ends[::-1], target, source),
        *_names(ends),
        port=int.from_bytes(target, "big"),
        data=int.from_bytes(data[at + 4 : at + 8], "big") if loaded else -1,
        acknowledged=int.from_bytes(data[at + 8 : at + 12], "big") if flags & ACK else -1,
    )


def _icmp(data: bytes, kind: int, at: int, ends: tuple[bytes, bytes]) -> Role | None:
    number, sequence = data[at + 4 : at + 6], int.from_bytes(data[at + 6 : at + 8], "big")
    key, back = ("echo", *ends, number), ("echo", *ends[::-1], number)
    if data[at] == (ECHO_REQUEST if kind == IPV4 else ECHO_REQUEST_6):
        return Role("echo", "request", key, None, *_names(ends), mark=sequence)
    if data[at] == (ECHO_REPLY if kind == IPV4 else ECHO_REPLY_6):
        return Role("echo", "reply", None, back, *_names(ends), mark=sequence)
    part = _error_part(kind, data[at], data[at + 1])
    return _about(data, kind, at + 8, part) if part else None


def _error_part(kind: int, message: int, code: int) -> Part | None:
    """Return what an ICMP error says of the packet that it quotes; None when it is no error."""
    if kind == IPV4:
        if message == UNREACHABLE:
            return "member" if code == FRAGMENTATION_NEEDED else "refusal"
        return "error" if message == TIME_EXCEEDED else None
    parts: dict[int, Part] = {
        UNREACHABLE_6: "refusal", TOO_BIG_6: "member", TIME_EXCEEDED_6: "error"
    }  # fmt: skip
    return parts.get(message)


def _about(data: bytes, kind: int, at: int, part: Part) -> Role | None:
    """Return the part that an ICMP error plays for the packet quoted at ``at``."""
    protocol, start, end = transport(data, kind, at)
    ends = _addresses(data, kind, at)
    source, target = data[start : start + 2], data[start + 2 : start + 4]
    if protocol == TCP:
        key: Hashable = ("tcp", *ends, source, target)
        return Role("tcp", part, None, key, mark=0)
    if protocol == UDP:
        role = _udp(data, start, end, ends, to_many=False)
        return role and Role(role.kind, part, None, role.key)
    if protocol in (ICMP, ICMPV6) and data[start] in (ECHO_REQUEST, ECHO_REQUEST_6):
        mark = int.from_bytes(data[start + 6 : start + 8], "big")
        return Role("echo", part, None, ("echo", *ends, data[start + 4 : start + 6]), mark=mark)
    return None
