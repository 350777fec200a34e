"""One row of a frame, without field objects."""

from __future__ import annotations

import struct

from topoweb.core.packets import arp, icmp, icmpv6, ipv4, ipv6, stp, tcp, udp
from topoweb.core.packets.addresses import ipv4_text, ipv6_text
from topoweb.core.packets.layer import Summary
from topoweb.core.packets.numbers import (
    ARP,
    ETHERTYPES,
    ICMP,
    ICMPV6,
    IP_PROTOCOLS,
    IPV4,
    IPV6,
    LLC_BELOW,
    SERVICE_VLAN,
    TCP,
    UDP,
    VLAN,
)

_IPV4 = struct.Struct(">BxHHHBBxx4s4s").unpack_from
_IPV6 = struct.Struct(">4xHBB16s16s").unpack_from
_MALFORMED = (IndexError, struct.error)


def summary(data: bytes, length: int) -> Summary:
    """Return the row of a frame of ``length`` bytes of which ``data`` was captured."""
    try:
        return _ethernet(data, length)
    except _MALFORMED:
        return Summary("Ethernet", data[6:12].hex(":"), data[:6].hex(":"), "[malformed]")


def _ethernet(data: bytes, length: int) -> Summary:
    kind, at = data[12] << 8 | data[13], 14
    while kind in (VLAN, SERVICE_VLAN):
        kind, at = data[at + 2] << 8 | data[at + 3], at + 4
    if kind == IPV4:
        return _ipv4(data, at, length)
    if kind == IPV6:
        return _ipv6(data, at, length)
    source, destination = data[6:12].hex(":"), data[:6].hex(":")
    if kind == ARP:
        return Summary("ARP", source, destination, arp.brief(data, at))
    if kind < LLC_BELOW:
        if data[at] == stp.BPDU_SAP:
            return Summary("STP", source, destination, stp.brief(data, at + 3))
        return Summary("LLC", source, destination, f"SAP 0x{data[at]:02x}")
    name = ETHERTYPES.get(kind, "Ethernet")
    return Summary(name, source, destination, f"type 0x{kind:04x}")


def _ipv4(data: bytes, at: int, length: int) -> Summary:
    first, total, identification, fragment, ttl, protocol, source, destination = _IPV4(data, at)
    upper = at + (first & 15) * 4
    end = at + total if total else length
    stop = min(end, len(data))
    offset = (fragment & 0x1FFF) * 8
    if offset:
        name, info = "IPv4", ipv4.fragment_text(protocol, offset, identification)
    else:
        name, info = _upper(data, upper, stop, end, protocol, ttl)
    return Summary(name or "IPv4", ipv4_text(source), ipv4_text(destination), info)


def _ipv6(data: bytes, at: int, length: int) -> Summary:
    size, following, limit, source, destination = _IPV6(data, at)
    end = at + 40 + size if size else length
    stop = min(end, len(data))
    source_text, destination_text = ipv6_text(source), ipv6_text(destination)
    protocol, upper, offset = following, at + 40, 0
    if following in ipv6.EXTENSIONS:
        try:
            protocol, upper, offset = ipv6.upper(data, upper, following)
        except IndexError:
            info = "[cut off in an extension header]"
            return Summary("IPv6", source_text, destination_text, info)
    if offset:
        name, info = "IPv6", f"fragment offset {offset}"
    else:
        name, info = _upper(data, upper, stop, end, protocol, limit)
    return Summary(name or "IPv6", source_text, destination_text, info)


def _upper(data: bytes, at: int, stop: int, end: int, protocol: int, ttl: int) -> tuple[str, str]:
    """Return protocol name ("" for that of the network layer) and info text."""
    try:
        if at >= stop:
            raise IndexError
        if protocol == TCP:
            return tcp.brief(data, at, stop, end)
        if protocol == UDP:
            return udp.brief(data, at, stop)
        if protocol == ICMP:
            return "ICMP", icmp.brief(data, at, ttl)
        if protocol == ICMPV6:
            return "ICMPv6", icmpv6.brief(data, at, ttl)
    except _MALFORMED:
        return IP_PROTOCOLS.get(protocol, ""), "[cut off or malformed]"
    return IP_PROTOCOLS.get(protocol, ""), f"protocol {protocol} ttl {ttl}"
