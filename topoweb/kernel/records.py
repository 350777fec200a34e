"""rtnetlink messages to records. A dump and a notification read alike.

Layouts: linux/if_link.h, if_addr.h, rtnetlink.h, neighbour.h, netconf.h, if_bridge.h.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.plan.state import STP_STATES, DeviceKind
from topoweb.core.tracing.records import (
    AddressRecord,
    FdbRecord,
    ForwardingRecord,
    LinkRecord,
    NeighbourRecord,
    PortRecord,
    Record,
    RouteRecord,
)
from topoweb.kernel.netlink import (
    HEADER,
    IFA_ADDRESS,
    IFA_LOCAL,
    IFA_PROTO,
    IFADDR,
    IFINFO,
    IFLA_ADDRESS,
    IFLA_BR_AGEING_TIME,
    IFLA_BR_STP_STATE,
    IFLA_BRPORT_STATE,
    IFLA_IFALIAS,
    IFLA_IFNAME,
    IFLA_INFO_DATA,
    IFLA_INFO_KIND,
    IFLA_INFO_SLAVE_DATA,
    IFLA_LINKINFO,
    IFLA_MASTER,
    IFLA_MTU,
    IFLA_OPERSTATE,
    NETCONFA_FORWARDING,
    NETCONFA_IFINDEX,
    ROUTE,
    RT_TABLE_MAIN,
    RTA_DST,
    RTA_GATEWAY,
    RTA_OIF,
    RTA_PRIORITY,
    RTA_TABLE,
    RTA_VIA,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELROUTE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWNETCONF,
    RTM_NEWROUTE,
    RTN_UNICAST,
    attributes,
)
from topoweb.kernel.observe import (
    LEARNED_ROUTES,
    address_text,
    bridge_ageing,
    learned,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
AF_BRIDGE = 7
IFF_UP, IFF_LOOPBACK, IFF_LOWER_UP = 0x1, 0x8, 0x10000
IFLA_PROTINFO = 12
RTM_F_CLONED = 0x200
RTA_MULTIPATH = 9
NDMSG = struct.Struct("=BxxxiHBB")  # family, ifindex, state, flags, type
NEXTHOP = struct.Struct("=HBBi")  # length, flags, hops, ifindex
NDA_DST, NDA_LLADDR, NDA_CACHEINFO, NDA_MASTER = 1, 2, 3, 9
NUD_NOARP, NUD_PERMANENT = 0x40, 0x80
USER_HZ = 100
FAMILIES: dict[int, int] = {socket.AF_INET: 4, socket.AF_INET6: 6}
U32 = struct.Struct("=I")

OPER_STATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
NEIGHBOUR_STATES = {
    0x01: "incomplete",
    0x02: "reachable",
    0x04: "stale",
    0x08: "delay",
    0x10: "probe",
    0x20: "failed",
    0x80: "permanent",
}
ROUTE_PROTOCOLS = {**LEARNED_ROUTES, 3: "static", 4: "static", 200: "topoweb"}
KINDS: dict[str, DeviceKind] = {"veth": "veth", "bridge": "bridge"}


class Notice(NamedTuple):
    """A record and whether the message says that it is gone."""

    gone: bool
    record: Record


def parse(data: bytes, at: int, end: int) -> Iterator[Notice]:
    """Yield what a message says; nothing for what no canvas shows."""
    _, kind, _, _, _ = HEADER.unpack_from(data, at)
    reader = _READERS.get(kind)
    if reader is not None:
        for record in reader(data, at + HEADER.size, end):
            yield Notice(kind in _GONE, record)


def _link(data: bytes, at: int, end: int) -> Iterator[Record]:
    family, _, index, flags, _ = IFINFO.unpack_from(data, at)
    found = attributes(data, at + IFINFO.size, end)
    if family == AF_BRIDGE:
        port = _nested(found.get(IFLA_PROTINFO))
        if IFLA_BRPORT_STATE in port:
            yield PortRecord(index=index, stp_state=STP_STATES[port[IFLA_BRPORT_STATE][0]])
        return
    info = _nested(found.get(IFLA_LINKINFO))
    bridge = port = {}
    kind: DeviceKind = "loopback" if flags & IFF_LOOPBACK else "other"
    if not flags & IFF_LOOPBACK:
        kind = KINDS.get(_text(info.get(IFLA_INFO_KIND)), "other")
    if kind == "bridge":
        bridge = _nested(info.get(IFLA_INFO_DATA))
    if IFLA_MASTER in found:
        port = _nested(info.get(IFLA_INFO_SLAVE_DATA))
    yield LinkRecord(
        index=index,
        name=_text(found.get(IFLA_IFNAME)),
        kind=kind,
        up=bool(flags & IFF_UP),
        carrier=bool(flags & IFF_LOWER_UP),
        oper=OPER_STATES[found.get(IFLA_OPERSTATE, b"\0")[0]],
        mac=_mac(found.get(IFLA_ADDRESS)),
        mtu=_u32(found.get(IFLA_MTU)) or 0,
        master=_u32(found.get(IFLA_MASTER)) or 0,
        tag=_text(found.get(IFLA_IFALIAS)),
        stp_state=STP_STATES[port[IFLA_BRPORT_STATE][0]] if IFLA_BRPORT_STATE in port else None,
        stp=bool(_u32(bridge[IFLA_BR_STP_STATE])) if IFLA_BR_STP_STATE in bridge else None,
        ageing=bridge_ageing(bridge) if IFLA_BR_AGEING_TIME in bridge else None,
    )


def _address(data: bytes, at: int, end: int) -> Iterator[Record]:
    family, length, flags, scope, index = IFADDR.unpack_from(data, at)
    found = attributes(data, at + IFADDR.size, end)
    packed = found.get(IFA_LOCAL) or found.get(IFA_ADDRESS)
    if packed:
        yield AddressRecord(
            index=index,
            address=f"{address_text(family, packed)}/{length}",
            drawable=not learned(family, flags, scope, found.get(IFA_PROTO, b"\0")[0]),
        )


def _route(data: bytes, at: int, end: int) -> Iterator[Record]:
    family, length, _, _, table, proto, _, kind, flags = ROUTE.unpack_from(data, at)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return
    found = attributes(data, at + ROUTE.size, end)
    table = _u32(found.get(RTA_TABLE)) or table
    if table != RT_TABLE_MAIN or kind != RTN_UNICAST or flags & RTM_F_CLONED:
        return
    packed = found.get(RTA_DST) or bytes(4 if family == socket.AF_INET else 16)
    for index, via in _hops(family, found):
        yield RouteRecord(
            prefix=f"{address_text(family, packed)}/{length}",
            via=via,
            index=index,
            metric=_u32(found.get(RTA_PRIORITY)) or 0,
            proto=ROUTE_PROTOCOLS.get(proto, str(proto)),
        )


def _hops(family: int, found: dict[int, bytes]) -> Iterator[tuple[int, str | None]]:
    """Yield (ifindex, next hop) of a route, one for each of its paths."""
    paths = found.get(RTA_MULTIPATH)
    if paths is None:
        yield _u32(found.get(RTA_OIF)) or 0, _via(family, found)
        return
    at = 0
    while at + NEXTHOP.size <= len(paths):
        size, _, _, index = NEXTHOP.unpack_from(paths, at)
        if size < NEXTHOP.size:
            return
        yield index, _via(family, attributes(paths, at + NEXTHOP.size, at + size))
        at += (size + 3) & ~3


def _via(family: int, found: dict[int, bytes]) -> str | None:
    if RTA_GATEWAY in found:
        return address_text(family, found[RTA_GATEWAY])
    if RTA_VIA in found:  # RFC 5549: an IPv4 route by an IPv6 next hop
        (hop_family,) = struct.unpack_from("=H", found[RTA_VIA])
        return address_text(hop_family, found[RTA_VIA][2:])
    return None


def _neighbour(data: bytes, at: int, end: int) -> Iterator[Record]:
    family, index, state, _, _ = NDMSG.unpack_from(data, at)
    found = attributes(data, at + NDMSG.size, end)
    mac = _mac(found.get(NDA_LLADDR))
    if family == AF_BRIDGE:
        # Entries of the bridge itself; permanent ones are its ports' own addresses.
        if NDA_MASTER in found and mac and not state & NUD_PERMANENT:
            updated = struct.unpack_from("=4I", found[NDA_CACHEINFO])[2] // USER_HZ
            yield FdbRecord(index=index, mac=mac, age=updated)
    elif NDA_DST in found and not state & NUD_NOARP:  # NOARP: multicast, made by the kernel
        yield NeighbourRecord(
            index=index,
            address=address_text(family, found[NDA_DST]),
            mac=mac,
            state=NEIGHBOUR_STATES.get(state, "none"),
        )


def _netconf(data: bytes, at: int, end: int) -> Iterator[Record]:
    found = attributes(data, at + 4, end)
    family = FAMILIES.get(data[at])
    everywhere = found.get(NETCONFA_IFINDEX) == b"\xff\xff\xff\xff"  # NETCONFA_IFINDEX_ALL
    if family and everywhere and NETCONFA_FORWARDING in found:
        yield ForwardingRecord(family=family, on=bool(_u32(found[NETCONFA_FORWARDING])))


def _nested(data: bytes | None) -> dict[int, bytes]:
    return attributes(data, 0, len(data)) if data else {}


def _text(data: bytes | None) -> str:
    return data.rstrip(b"\0").decode(errors="replace") if data else ""


def _u32(data: bytes | None) -> int | None:
    return int(U32.unpack_from(data)[0]) if data else None


def _mac(data: bytes | None) -> str | None:
    return data.hex(":") if data and len(data) == 6 else None


_GONE = {RTM_DELLINK, RTM_DELADDR, RTM_DELROUTE, RTM_DELNEIGH}
_READERS: dict[int, Callable[[bytes, int, int], Iterator[Record]]] = {
    RTM_NEWLINK: _link,
    RTM_DELLINK: _link,
    RTM_NEWADDR: _address,
    RTM_DELADDR: _address,
    RTM_NEWROUTE: _route,
    RTM_DELROUTE: _route,
    RTM_NEWNEIGH: _neighbour,
    RTM_DELNEIGH: _neighbour,
    RTM_NEWNETCONF: _netconf,
}
