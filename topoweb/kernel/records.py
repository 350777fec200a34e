"""rtnetlink messages to records. A dump and a notification read alike.

Layouts: linux/if_link.h, if_addr.h, rtnetlink.h, neighbour.h, netconf.h, if_bridge.h.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.plan.state import STP_STATES
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
    IFLA_BRPORT_STATE,
    NETCONFA_FORWARDING,
    NETCONFA_IFINDEX,
    ROUTE,
    RT_TABLE_MAIN,
    RTA_DST,
    RTA_PRIORITY,
    RTA_TABLE,
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
    learned,
    mac_text,
    nested,
    parse_device,
    paths,
    u32,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RTM_NEWNEIGH, RTM_DELNEIGH, RTM_GETNEIGH = 28, 29, 30
AF_BRIDGE = 7
IFF_LOWER_UP = 0x10000
IFLA_PROTINFO = 12
RTM_F_CLONED = 0x200
NDMSG = struct.Struct("=BxxxiHBB")  # family, ifindex, state, flags, type
NDA_DST, NDA_LLADDR, NDA_CACHEINFO, NDA_MASTER = 1, 2, 3, 9
NUD_NOARP, NUD_PERMANENT = 0x40, 0x80
USER_HZ = 100
FAMILIES: dict[int, int] = {socket.AF_INET: 4, socket.AF_INET6: 6}

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
    if family == AF_BRIDGE:
        found = attributes(data, at + IFINFO.size, end)
        port = nested(found.get(IFLA_PROTINFO))
        if IFLA_BRPORT_STATE in port:
            yield PortRecord(index=index, stp_state=STP_STATES[port[IFLA_BRPORT_STATE][0]])
        return
    device = parse_device(data, at - HEADER.size, end)
    yield LinkRecord(
        index=index,
        name=device.name,
        kind=device.kind,
        up=device.up,
        carrier=bool(flags & IFF_LOWER_UP),
        oper=device.oper,
        mac=device.mac,
        mtu=device.mtu,
        master=device.master,
        tag=device.tag,
        stp_state=device.stp_state,
        stp=device.stp,
        ageing=device.ageing,
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
    table = u32(found.get(RTA_TABLE), table)
    if table != RT_TABLE_MAIN or kind != RTN_UNICAST or flags & RTM_F_CLONED:
        return
    packed = found.get(RTA_DST) or bytes(4 if family == socket.AF_INET else 16)
    for index, via in paths(family, found):
        yield RouteRecord(
            prefix=f"{address_text(family, packed)}/{length}",
            via=via,
            index=index,
            metric=u32(found.get(RTA_PRIORITY)),
            proto=ROUTE_PROTOCOLS.get(proto, str(proto)),
        )


def _neighbour(data: bytes, at: int, end: int) -> Iterator[Record]:
    family, index, state, _, _ = NDMSG.unpack_from(data, at)
    found = attributes(data, at + NDMSG.size, end)
    mac = mac_text(found.get(NDA_LLADDR))
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
        yield ForwardingRecord(family=family, on=bool(u32(found[NETCONFA_FORWARDING])))


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
