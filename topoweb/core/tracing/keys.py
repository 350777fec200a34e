"""By what a packet is known again where its addresses were rewritten or it was put into another.

`core.packets.summary` gives the strong key (`identity`), which survives bridges and routers. Here
are the weaker one, which survives NAT too, and the look inside a tunnel's packet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.packets import identity_of, ipv6
from topoweb.core.packets.icmp import QUOTING
from topoweb.core.packets.numbers import (
    ICMP,
    ICMPV6,
    IPIP,
    IPV4,
    IPV6,
    IPV6_IN_IP,
    SERVICE_VLAN,
    TCP,
    UDP,
    VLAN,
)

if TYPE_CHECKING:
    from collections.abc import Hashable

    from topoweb.core.tracing.observation import Observation

VXLAN_PORTS = (4789, 8472)  # IANA's, and the one that Linux used before
GRE, TRANSPARENT_ETHERNET = 47, 0x6558
NO_MACS = bytes(12)
PLAIN_IPV4 = b"\x08\x00\x45"  # EtherType, and a header without options
TUNNELS = (bytes([IPIP]), bytes([IPV6_IN_IP]), bytes([GRE]))
UDP_BYTE = bytes([UDP])
VXLAN_BYTES = tuple(port.to_bytes(2, "big") for port in VXLAN_PORTS)


def network(data: bytes) -> tuple[int, int]:
    """Return EtherType and start of what follows the Ethernet header and its VLAN tags.

    IndexError when the data ends before.
    """
    kind, at = data[12] << 8 | data[13], 14
    while kind in (VLAN, SERVICE_VLAN):
        kind, at = data[at + 2] << 8 | data[at + 3], at + 4
    return kind, at


def transport(data: bytes, kind: int, at: int) -> tuple[int, int, int]:
    """Return protocol, start and end of an IP packet's payload; protocol -1 for a later fragment.

    ``kind`` and ``at`` are from `network`; the end is that of the packet as it was sent, but not
    past the captured bytes. IndexError when the header is cut off.
    """
    if kind == IPV4:
        total = data[at + 2] << 8 | data[at + 3]
        end = min(len(data), at + total) if total else len(data)
        later = (data[at + 6] << 8 | data[at + 7]) & 0x1FFF
        return -1 if later else data[at + 9], at + (data[at] & 15) * 4, end
    size = data[at + 4] << 8 | data[at + 5]
    end = min(len(data), at + 40 + size) if size else len(data)
    protocol, start, offset = ipv6.upper(data, at + 40, data[at + 6])
    return -1 if offset else protocol, start, end


def addresses(data: bytes) -> tuple[bytes, bytes]:
    """Return a frame's source and destination: of IP where it is that, else the MACs."""
    if data.startswith(PLAIN_IPV4, 12) and len(data) >= 34:
        return data[26:30], data[30:34]
    try:
        kind, at = network(data)
    except IndexError:
        kind, at = 0, 0
    if kind == IPV4 and len(data) >= at + 20:
        return data[at + 12 : at + 16], data[at + 16 : at + 20]
    if kind == IPV6 and len(data) >= at + 40:
        return data[at + 8 : at + 24], data[at + 24 : at + 40]
    return data[6:12], data[:6]


def hop_limit(data: bytes) -> int:
    """Return a frame's TTL or hop limit; 0 when it has none."""
    try:
        kind, at = network(data)
        return data[at + (8 if kind == IPV4 else 7)] if kind in (IPV4, IPV6) else 0
    except IndexError:
        return 0


def nat_key(data: bytes) -> int:
    """Return what NAT leaves alone of a frame: its content but for addresses, ports, checksums.

    Of ICMP errors also the quoted packet's, since NAT rewrites that too. Never raises.
    """
    try:
        kind, at = network(data)
        if kind in (IPV4, IPV6):
            return hash(_content(data, kind, at))
        return hash((kind, data[at:]))
    except IndexError:
        return hash(data)


def _content(data: bytes, kind: int, at: int, *, quoted: bool = False) -> Hashable:
    protocol, start, end = transport(data, kind, at)
    body = _segment(data, start, end, protocol, quoted)
    if kind == IPV4:  # length, identification, fragment
        return protocol, data[at + 2 : at + 6], data[at + 6] & 0x3F, data[at + 7], body
    return protocol, data[at + 4 : at + 7], body


def _segment(data: bytes, at: int, end: int, protocol: int, quoted: bool) -> Hashable:
    if protocol == TCP:  # sequence and acknowledgement; options may be clamped on the way
        payload = at + (data[at + 12] >> 4) * 4 if at + 12 < end else end
        return data[at + 4 : at + 8 if quoted else at + 12], data[payload:end]
    if protocol == UDP:
        return data[at + 4 : at + 6], data[at + 8 : end]
    if protocol == ICMP and data[at] in QUOTING and not quoted:
        return data[at : at + 2], data[at + 4 : at + 8], _content(data, IPV4, at + 8, quoted=True)
    if protocol == ICMPV6 and data[at] < 128 and not quoted:
        return data[at : at + 2], data[at + 4 : at + 8], _content(data, IPV6, at + 8, quoted=True)
    if protocol in (ICMP, ICMPV6):  # an echo's identifier is rewritten as ports are
        return data[at : at + 2], data[at + 6 : end]
    return data[at:end]


def datagram(data: bytes) -> Hashable | None:
    """Return what an IPv4 packet's fragments share: addresses, protocol, identification."""
    try:
        kind, at = network(data)
        if kind != IPV4:
            return None
        return data[at + 12 : at + 20], data[at + 9], data[at + 4 : at + 6]
    except IndexError:
        return None


def is_fragment(data: bytes) -> bool:
    """True for a part of an IPv4 packet."""
    try:
        kind, at = network(data)
        return kind == IPV4 and (data[at + 6] << 8 | data[at + 7]) & 0x3FFF != 0
    except IndexError:
        return False


def carries(outer: Observation, inner: Observation) -> bool:
    """True when a tunnel's packet (VXLAN, GRE, IP in IP) holds a frame, as far as was captured."""
    frame = inside(outer.data)
    if len(frame) < 34:
        return False
    alike = identity_of(inner.data[: len(frame)], inner.length)
    return identity_of(frame, inner.length) == alike


def inside(data: bytes) -> bytes:
    """Return the frame in a tunnel's packet, with empty MACs if it has none; b"" when it is none.

    VXLAN (RFC 7348), GRE (RFC 2784, 2890), IP in IP (RFC 2003, 4213).
    """
    if _is_plain(data):
        return b""
    try:
        kind, at = network(data)
        if kind not in (IPV4, IPV6):
            return b""
        protocol, start, end = transport(data, kind, at)
        if protocol == UDP:
            port = data[start + 2] << 8 | data[start + 3]
            return data[start + 16 : end] if port in VXLAN_PORTS else b""
        if protocol in (IPIP, IPV6_IN_IP):
            inner = IPV4 if protocol == IPIP else IPV6
            return NO_MACS + inner.to_bytes(2, "big") + data[start:end]
        return _gre(data, start, end) if protocol == GRE else b""
    except IndexError:
        return b""


def _is_plain(data: bytes) -> bool:
    """True for nearly every packet that is no tunnel's, at little cost."""
    if not data.startswith(PLAIN_IPV4, 12) or data[23:24] in TUNNELS:
        return False
    return data[23:24] != UDP_BYTE or data[36:38] not in VXLAN_BYTES


def _gre(data: bytes, at: int, end: int) -> bytes:
    inner = data[at + 2 : at + 4]
    options = sum(1 for bit in (0x80, 0x20, 0x10) if data[at] & bit)  # checksum, key, sequence
    start = at + 4 + 4 * options
    if inner == TRANSPARENT_ETHERNET.to_bytes(2, "big"):
        return data[start:end]
    return NO_MACS + inner + data[start:end]
