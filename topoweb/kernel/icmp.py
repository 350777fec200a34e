"""ICMP and ICMPv6 as a probe needs them: echo requests, replies, and what routers report.

RFC 792, RFC 4443.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

ECHO = struct.Struct(">BBHHH")  # type, code, checksum, identifier, sequence
TYPES = {  # family: (echo request, echo reply, destination unreachable, time exceeded)
    socket.AF_INET: (8, 0, 3, 11),
    socket.AF_INET6: (128, 129, 1, 3),
}
UNREACHABLE = {
    socket.AF_INET: {
        0: "Destination Net Unreachable",
        1: "Destination Host Unreachable",
        2: "Destination Protocol Unreachable",
        3: "Destination Port Unreachable",
        4: "Frag needed and DF set",
        9: "Destination Net Prohibited",
        10: "Destination Host Prohibited",
        13: "Packet filtered",
    },
    socket.AF_INET6: {
        0: "No route",
        1: "Administratively prohibited",
        2: "Beyond scope of source",
        3: "Address unreachable",
        4: "Port unreachable",
        5: "Source address failed ingress/egress policy",
        6: "Reject route to destination",
    },
}
TIME_EXCEEDED = "Time to live exceeded"


class Answer(NamedTuple):
    """What came back for an echo request. ``trouble`` is "" for a reply."""

    sequence: int
    trouble: str


def checksum(data: bytes) -> int:
    """Return the Internet checksum (RFC 1071)."""
    if len(data) % 2:
        data += b"\0"
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


def echo_request(family: int, identifier: int, sequence: int, payload: bytes) -> bytes:
    """Return an echo request; the kernel fills in the checksum of ICMPv6."""
    kind = TYPES[socket.AddressFamily(family)][0]
    packet = ECHO.pack(kind, 0, 0, identifier, sequence) + payload
    if family == socket.AF_INET6:
        return packet
    return ECHO.pack(kind, 0, checksum(packet), identifier, sequence) + payload


def trouble(family: int, kind: int, code: int) -> str:
    """Return what an ICMP error says, "" when it is none."""
    _, _, unreachable, exceeded = TYPES[socket.AddressFamily(family)]
    if kind == unreachable:
        return UNREACHABLE[socket.AddressFamily(family)].get(code, f"Unreachable, code {code}")
    return TIME_EXCEEDED if kind == exceeded else ""


def understand(family: int, packet: bytes, identifier: int) -> Answer | None:
    """Return what an ICMP packet (without its IP header) says of our request, None if nothing."""
    if len(packet) < ECHO.size:
        return None
    kind, code, _, owner, sequence = ECHO.unpack_from(packet)
    if kind == TYPES[socket.AddressFamily(family)][1]:
        return Answer(sequence, "") if owner == identifier else None
    words = trouble(family, kind, code)
    return _of_quoted(family, packet[ECHO.size :], identifier, words) if words else None


def _of_quoted(family: int, quoted: bytes, identifier: int, words: str) -> Answer | None:
    """Find our request in the packet that an error quotes."""
    if family == socket.AF_INET:
        start = (quoted[0] & 15) * 4 if quoted else 0
        ours = len(quoted) > 9 and quoted[9] == socket.IPPROTO_ICMP
    else:
        start = 40
        ours = len(quoted) > 6 and quoted[6] == socket.IPPROTO_ICMPV6
    if not ours or len(quoted) < start + ECHO.size:
        return None
    kind, _, _, owner, sequence = ECHO.unpack_from(quoted, start)
    if kind != TYPES[socket.AddressFamily(family)][0] or owner != identifier:
        return None
    return Answer(sequence, words)
