"""Where a frame's layers lie, without reading what is in them: a filter looks at few fields.

The fast twin of `core.packets.decode`; a test holds them together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.packets import http, icmp, icmpv6, ipv6, stp, udp
from topoweb.core.packets.numbers import (
    ARP,
    ICMP,
    ICMPV6,
    IPIP,
    IPV4,
    IPV6,
    IPV6_IN_IP,
    LLC_BELOW,
    SERVICE_VLAN,
    TCP,
    UDP,
    VLAN,
)

if TYPE_CHECKING:
    from collections.abc import Callable

LAYERS_MAX = 32  # a frame could be all VLAN tags


class Span(NamedTuple):
    """A layer with all that it carries. ``end`` is where it was sent to end, captured or not."""

    start: int
    end: int


Spans = dict[str, list[Span]]
Step = tuple[str, int, int]  # protocol, start, end

BY_ETHERTYPE = {IPV4: "ip", ARP: "arp", VLAN: "vlan", IPV6: "ipv6", SERVICE_VLAN: "vlan"}
BY_PROTOCOL = {
    ICMP: "icmp", IPIP: "ip", TCP: "tcp", UDP: "udp", IPV6_IN_IP: "ipv6", ICMPV6: "icmpv6",
}  # fmt: skip


def walk(data: bytes, length: int) -> Spans:
    """Return the layers of a frame of ``length`` bytes, of which ``data`` was captured, by name.

    Never raises. The names are those of the filter (`fields`); "frame" is the whole.
    """
    found: Spans = {"frame": [Span(0, length)]}
    step: Step | None = ("eth", 0, length)
    for _ in range(LAYERS_MAX):
        if step is None or step[1] >= min(len(data), step[2]):
            break
        name, start, end = step
        found.setdefault(name, []).append(Span(start, end))
        try:
            following = NEXT.get(name)
            step = following(data, start, end) if following else None
        except IndexError:  # cut off in its header
            break
    return found


def _word(data: bytes, at: int) -> int:
    return data[at] << 8 | data[at + 1]


def _ethernet(data: bytes, start: int, end: int) -> Step:
    return _typed(data, start + 12, end)


def _vlan(data: bytes, start: int, end: int) -> Step:
    return _typed(data, start + 2, end)


def _typed(data: bytes, at: int, end: int) -> Step:
    kind = _word(data, at)
    if kind < LLC_BELOW:
        return "llc", at + 2, min(end, at + 2 + kind)
    return BY_ETHERTYPE.get(kind, "data"), at + 2, end


def _llc(data: bytes, start: int, end: int) -> Step:
    return "stp" if data[start] == stp.BPDU_SAP else "data", start + 3, end


def _ipv4(data: bytes, start: int, end: int) -> Step | None:
    size, total = (data[start] & 15) * 4, _word(data, start + 2)
    if data[start] >> 4 != 4 or size < 20 or (total and total < size):
        return None
    end = min(end, start + total) if total else end
    fragment = _word(data, start + 6) & 0x1FFF
    name = "data" if fragment else BY_PROTOCOL.get(data[start + 9], "data")
    return name, start + size, end


def _ipv6(data: bytes, start: int, end: int) -> Step | None:
    if data[start] >> 4 != 6:
        return None
    size = _word(data, start + 4)
    end = min(end, start + 40 + size) if size else end
    protocol, at, offset = ipv6.upper(data, start + 40, data[start + 6])
    return "data" if offset else BY_PROTOCOL.get(protocol, "data"), at, end


def _icmp(data: bytes, start: int, end: int) -> Step:
    return "ip" if data[start] in icmp.QUOTING else "data", start + 8, end


def _icmpv6(data: bytes, start: int, end: int) -> Step | None:
    kind = data[start]
    if kind < 128:
        return "ipv6", start + 8, end
    if kind in (icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY):
        return "data", start + 8, end
    return None if kind in icmpv6.BODIES else ("data", start + 4, end)


def _udp(data: bytes, start: int, end: int) -> Step | None:
    length = _word(data, start + 4)
    if 0 < length < 8:
        return None
    keys, ports = udp.PORT_KEYS, (_word(data, start + 2), _word(data, start))
    name = keys.get(ports[0]) or keys.get(ports[1]) or "data"
    return name, start + 8, min(end, start + length) if length else end


def _tcp(data: bytes, start: int, end: int) -> Step | None:
    size = (data[start + 12] >> 4) * 4
    at = start + size
    if size < 20:
        return None
    if 53 in (_word(data, start), _word(data, start + 2)):
        return "dns", at + 2, end  # after the length that stands before a message over TCP
    return "http" if http.looks_like(data, at) else "data", at, end


NEXT: dict[str, Callable[[bytes, int, int], Step | None]] = {
    "eth": _ethernet, "vlan": _vlan, "llc": _llc, "ip": _ipv4, "ipv6": _ipv6, "icmp": _icmp,
    "icmpv6": _icmpv6, "udp": _udp, "tcp": _tcp,
}  # fmt: skip
