"""By what a packet is known again at every hop: its content but for what hops change.

It is asked for nearly every frame that passes, so it reads a header with one `struct` at most.
"""

from __future__ import annotations

import struct

from topoweb.core.packets import ipv6
from topoweb.core.packets.numbers import ICMP, ICMPV6, IPV4, IPV6, SERVICE_VLAN, TCP, UDP, VLAN

IDENTITY_BYTES = 1024  # of the transport segment: enough to tell packets apart, bounded to hash
PLAIN_IPV4 = b"\x08\x00"
NO_OPTIONS = 0x45  # an IPv4 header's first byte
# Where the transport checksum lies, and how long it is: offload and NAT change it.
_CHECKSUM_AT = {TCP: (16, 2), UDP: (6, 2), ICMP: (2, 2), ICMPV6: (2, 2)}
_IPV4 = struct.Struct(">BxHHHxB10x").unpack_from
_IPV6 = struct.Struct(">4xHBx32x").unpack_from
_MALFORMED = (IndexError, struct.error)


def identity_of(data: bytes, length: int) -> int:
    """Return the identity of a frame of ``length`` bytes of which ``data`` was captured.

    TTL, MACs, VLAN tags and checksums are left out of it. It has a meaning only in one process.
    """
    try:
        if data.startswith(PLAIN_IPV4, 12):
            return _ipv4(data, 14, length)
        return _tagged(data, length)
    except _MALFORMED:
        return hash(data)


def _tagged(data: bytes, length: int) -> int:
    kind, at = data[12] << 8 | data[13], 14
    while kind in (VLAN, SERVICE_VLAN):
        kind, at = data[at + 2] << 8 | data[at + 3], at + 4
    if kind == IPV4:
        return _ipv4(data, at, length)
    if kind == IPV6:
        return _ipv6(data, at, length)
    return hash((data[:12], data[at : at + IDENTITY_BYTES]))


def _ipv4(data: bytes, at: int, length: int) -> int:
    first, total, identification, fragment, protocol = _IPV4(data, at)
    upper = at + (first & 15) * 4
    offset = fragment & 0x1FFF
    before, skipped = (0, 0) if offset else _CHECKSUM_AT.get(protocol, (0, 0))
    stop = min(at + total if total else length, upper + IDENTITY_BYTES)
    if first == NO_OPTIONS:
        head = data[at + 12 : upper + before]
    else:
        head = data[at + 12 : at + 20] + data[upper : upper + before]
    body = data[upper + before + skipped : stop]
    return hash((total, identification, fragment & 0x3FFF, protocol, head, body))


def _ipv6(data: bytes, at: int, length: int) -> int:
    size, following = _IPV6(data, at)
    stop = at + 40 + size if size else length
    protocol, upper, offset = following, at + 40, 0
    if following in ipv6.EXTENSIONS:
        try:
            protocol, upper, offset = ipv6.upper(data, upper, following)
        except IndexError:
            return hash(data[at + 8 : stop])
    before, skipped = (0, 0) if offset else _CHECKSUM_AT.get(protocol, (0, 0))
    stop = min(stop, upper + IDENTITY_BYTES)
    # Extension headers hold the fragment's id and offset, so they belong to it.
    head, body = data[at + 8 : upper + before], data[upper + before + skipped : stop]
    return hash((size, protocol, head, body))
