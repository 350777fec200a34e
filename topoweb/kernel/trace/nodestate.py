"""One network namespace in full, as the explainer wants to know it: devices, routes, tables.

Read by a handful of dumps in the namespace of the calling thread. Layouts: linux/if_link.h,
if_addr.h, rtnetlink.h, neighbour.h, if_bridge.h.
"""

from __future__ import annotations

import errno
import socket
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple, get_args

from topoweb.core.tracing.explain.facts import Family, Interface, Neighbouring, Port, Route
from topoweb.kernel import netlink
from topoweb.kernel.netlink import Message, Netlink, attribute_u32, attributes
from topoweb.kernel.observe import ARPHRD_LOOPBACK, NEXT_HOP, RTA_MULTIPATH, address_text
from topoweb.kernel.records import (
    AF_BRIDGE,
    IFF_LOWER_UP,
    NDA_DST,
    NDA_LLADDR,
    NDA_MASTER,
    NDMSG,
    NUD_NOARP,
    NUD_PERMANENT,
    RTM_F_CLONED,
    RTM_GETNEIGH,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

IFF_NOARP = 0x80
IFA_F_DADFAILED, IFA_F_TENTATIVE = 0x08, 0x40
BRPORT_MODE, BRPORT_LEARNING, BRPORT_UNICAST_FLOOD = 4, 8, 9
BRPORT_ISOLATED, BRPORT_LOCKED = 33, 39
MACVLAN_MODE = 1
MACVLAN_MODES = {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"}
RTA_PREFSRC, RTA_METRICS, RTAX_MTU = 7, 8, 2
PORT_STATES = get_args(Literal["disabled", "listening", "learning", "forwarding", "blocking"])
ROUTE_KINDS: dict[int, Literal["unicast", "blackhole", "unreachable", "prohibit"]] = {
    1: "unicast", 6: "blackhole", 7: "unreachable", 8: "prohibit",
}  # fmt: skip
NEIGHBOURING: dict[int, Neighbouring] = {
    0x01: "incomplete", 0x02: "reachable", 0x04: "stale", 0x08: "delay",
    0x10: "probe", 0x20: "failed", 0x80: "permanent",
}  # fmt: skip
FAMILIES: dict[Family, int] = {"ipv4": socket.AF_INET, "ipv6": socket.AF_INET6}
NOTHING = (errno.ENOENT, errno.EOPNOTSUPP, errno.EAFNOSUPPORT)  # no such table, no IPv6


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device with what only the kernel numbers: its index, its peer's or parent's (``link``)."""

    index: int
    link: int
    interface: Interface


class NodeState(NamedTuple):
    """What one namespace holds."""

    devices: Mapping[str, Device]
    routes: Mapping[Family, tuple[Route, ...]]  # of the main table, longest prefix first
    neighbours: Mapping[tuple[str, str], tuple[Neighbouring, str]]  # by interface and address
    fdb: Mapping[tuple[str, str], str]  # by bridge and MAC; the bridge itself for its own


EMPTY = NodeState({}, {}, {}, {})


def read() -> NodeState:
    """Read the namespace of the calling thread."""
    with Netlink() as link:
        link.socket.setsockopt(netlink.SOL_NETLINK, netlink.NETLINK_GET_STRICT_CHK, 1)
        devices = _devices(link)
        names = {index: device.interface.name for index, device in devices.items()}
        routes = {
            family: tuple(sorted(_routes(link, number, names), key=_specific, reverse=True))
            for family, number in FAMILIES.items()
        }
        neighbours = dict(_neighbours(link, names))
        fdb = dict(_fdb(link, names))
    by_name = {device.interface.name: device for device in devices.values()}
    return NodeState(by_name, routes, neighbours, fdb)


def _dump(link: Netlink, request: Message) -> Iterator[tuple[bytes, int, int]]:
    try:
        yield from link.dump(request)
    except OSError as error:
        if error.errno not in NOTHING:
            raise


def _devices(link: Netlink) -> dict[int, Device]:
    body = netlink.IFINFO.pack(0, 0, 0, 0, 0)
    body += netlink.attribute_u32(netlink.IFLA_EXT_MASK, netlink.RTEXT_FILTER_SKIP_STATS)
    raw = {}
    for data, at, end in _dump(link, Message(netlink.RTM_GETLINK, 0, body)):
        _, hardware, index, flags, _ = netlink.IFINFO.unpack_from(data, at + 16)
        raw[index] = (hardware, flags, attributes(data, at + 32, end))
    names = {index: _text(found[netlink.IFLA_IFNAME]) for index, (_, _, found) in raw.items()}
    devices = {index: _device(index, *raw[index], names) for index in raw}
    for index, (_, _, found) in raw.items():
        if devices[index].interface.kind == "macvlan" and netlink.IFLA_LINK_NETNSID in found:
            devices[index] = _with_parent(link, devices[index], found)
    for index, address, failed in _addresses(link):
        if device := devices.get(index):
            old = device.interface
            new = (
                replace(old, duplicates=(*old.duplicates, address.partition("/")[0]))
                if failed
                else replace(old, addresses=(*old.addresses, address))
            )
            devices[index] = replace(device, interface=new)
    return devices


def _device(
    index: int, hardware: int, flags: int, found: Mapping[int, bytes], names: Mapping[int, str]
) -> Device:
    info = _nested(found.get(netlink.IFLA_LINKINFO))
    kind = _text(info.get(netlink.IFLA_INFO_KIND)) or "ethernet"
    data = _nested(info.get(netlink.IFLA_INFO_DATA))
    master = names.get(_u32(found.get(netlink.IFLA_MASTER)), "")
    slave = _nested(info.get(netlink.IFLA_INFO_SLAVE_DATA))
    link = _u32(found.get(netlink.IFLA_LINK))
    here = netlink.IFLA_LINK_NETNSID not in found
    interface = Interface(
        name=names[index],
        kind="loopback" if hardware == ARPHRD_LOOPBACK else kind,
        mac=found.get(netlink.IFLA_ADDRESS, b"").hex(":"),
        mtu=_u32(found.get(netlink.IFLA_MTU)),
        up=bool(flags & netlink.IFF_UP),
        carrier=bool(flags & IFF_LOWER_UP),
        arp=not flags & IFF_NOARP,
        port=_port(master, slave) if master and netlink.IFLA_BRPORT_STATE in slave else None,
        parent=names.get(link, "") if here and kind != "veth" else "",
        mode=MACVLAN_MODES.get(_u32(data.get(MACVLAN_MODE)), "") if kind == "macvlan" else "",
        qdisc=_text(found.get(netlink.IFLA_QDISC)),
    )
    return Device(index=index, link=link, interface=interface)


def _with_parent(link: Netlink, child: Device, found: Mapping[int, bytes]) -> Device:
    """Return a macvlan with its parent in another namespace, which is asked for by its id here."""
    body = netlink.IFINFO.pack(0, 0, child.link, 0, 0)
    body += attribute_u32(netlink.IFLA_TARGET_NETNSID, _u32(found[netlink.IFLA_LINK_NETNSID]))
    (answer,), _ = link.ask([Message(netlink.RTM_GETLINK, 0, body)])
    if answer is None:
        return child
    parent = attributes(answer, 32, len(answer))
    interface = replace(
        child.interface,
        parent=_text(parent[netlink.IFLA_IFNAME]),
        parent_mac=parent.get(netlink.IFLA_ADDRESS, b"").hex(":"),
    )
    return replace(child, interface=interface)


def _port(bridge: str, found: Mapping[int, bytes]) -> Port:
    def flag(kind: int, default: bytes = b"\0") -> bool:
        return bool(found.get(kind, default)[0])

    return Port(
        bridge=bridge,
        state=PORT_STATES[found[netlink.IFLA_BRPORT_STATE][0]],
        isolated=flag(BRPORT_ISOLATED),
        locked=flag(BRPORT_LOCKED),
        flood=flag(BRPORT_UNICAST_FLOOD, b"\1"),
        learning=flag(BRPORT_LEARNING, b"\1"),
        hairpin=flag(BRPORT_MODE),
    )


def _addresses(link: Netlink) -> Iterator[tuple[int, str, bool]]:
    """Yield ifindex, address with prefix length, and whether it is a duplicate."""
    request = Message(netlink.RTM_GETADDR, 0, netlink.IFADDR.pack(0, 0, 0, 0, 0))
    for data, at, end in _dump(link, request):
        family, length, flags, _, index = netlink.IFADDR.unpack_from(data, at + 16)
        found = attributes(data, at + 24, end)
        flags = _u32(found.get(netlink.IFA_FLAGS), flags)
        packed = found.get(netlink.IFA_LOCAL) or found.get(netlink.IFA_ADDRESS)
        failed = bool(flags & IFA_F_DADFAILED)
        if packed and (failed or not flags & IFA_F_TENTATIVE):
            yield index, f"{address_text(family, packed)}/{length}", failed


def _routes(link: Netlink, family: int, names: Mapping[int, str]) -> Iterator[Route]:
    body = netlink.ROUTE.pack(family, 0, 0, 0, netlink.RT_TABLE_MAIN, 0, 0, 0, 0)
    for data, at, end in _dump(link, Message(netlink.RTM_GETROUTE, 0, body)):
        header = netlink.ROUTE.unpack_from(data, at + 16)
        length, table, kind, flags = (header[field] for field in (1, 4, 7, 8))
        found = attributes(data, at + 28, end)
        main = _u32(found.get(netlink.RTA_TABLE), table) == netlink.RT_TABLE_MAIN
        if not main or kind not in ROUTE_KINDS or flags & RTM_F_CLONED:
            continue
        packed = found.get(netlink.RTA_DST, bytes(4 if family == socket.AF_INET else 16))
        for index, hop in hops(found):
            yield Route(
                kind=ROUTE_KINDS[kind],
                interface=names.get(index, ""),
                gateway=gateway(family, hop),
                source=address(family, found.get(RTA_PREFSRC)),
                prefix=f"{address_text(family, packed)}/{length}",
                mtu=mtu(found),
            )


def hops(found: Mapping[int, bytes]) -> Iterator[tuple[int, Mapping[int, bytes]]]:
    """Yield (ifindex, attributes) of each path of a route."""
    paths = found.get(RTA_MULTIPATH)
    if paths is None:
        yield _u32(found.get(netlink.RTA_OIF)), found
        return
    at = 0
    while at + NEXT_HOP.size <= len(paths):
        size, _, _, index = NEXT_HOP.unpack_from(paths, at)
        yield index, attributes(paths, at + NEXT_HOP.size, at + size)
        at += max((size + 3) & ~3, NEXT_HOP.size)


def gateway(family: int, found: Mapping[int, bytes]) -> str:
    """Return a path's next hop, "" when the destination is on-link."""
    if netlink.RTA_VIA in found:  # RFC 5549: an IPv4 route by an IPv6 next hop
        via = found[netlink.RTA_VIA]
        return address_text(int.from_bytes(via[:2], "little"), via[2:])
    return address(family, found.get(netlink.RTA_GATEWAY))


def mtu(found: Mapping[int, bytes]) -> int:
    """Return the MTU that a route itself sets or has learned, 0 for none."""
    return _u32(_nested(found.get(RTA_METRICS)).get(RTAX_MTU))


def address(family: int, packed: bytes | None) -> str:
    """Return an address as text, "" for none."""
    return address_text(family, packed) if packed else ""


def _specific(route: Route) -> int:
    return int(route.prefix.rpartition("/")[2])


def _neighbours(
    link: Netlink, names: Mapping[int, str]
) -> Iterator[tuple[tuple[str, str], tuple[Neighbouring, str]]]:
    for data, at, end in _dump(link, Message(RTM_GETNEIGH, 0, NDMSG.pack(0, 0, 0, 0, 0))):
        family, index, state, _, _ = NDMSG.unpack_from(data, at + 16)
        found = attributes(data, at + 28, end)
        if NDA_DST in found and index in names:
            key = names[index], address_text(family, found[NDA_DST])
            known = "noarp" if state & NUD_NOARP else NEIGHBOURING.get(state, "none")
            yield key, (known, found.get(NDA_LLADDR, b"").hex(":"))


def _fdb(link: Netlink, names: Mapping[int, str]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield ((bridge, MAC), port). A bridge's own addresses lead to the bridge."""
    for data, at, end in _dump(link, Message(RTM_GETNEIGH, 0, NDMSG.pack(AF_BRIDGE, 0, 0, 0, 0))):
        _, index, state, _, _ = NDMSG.unpack_from(data, at + 16)
        found = attributes(data, at + 28, end)
        bridge = names.get(_u32(found.get(NDA_MASTER)), "")
        if bridge and NDA_LLADDR in found and index in names:
            port = bridge if state & NUD_PERMANENT else names[index]
            yield (bridge, found[NDA_LLADDR].hex(":")), port


def _nested(data: bytes | None) -> dict[int, bytes]:
    return attributes(data, 0, len(data)) if data else {}


def _text(data: bytes | None) -> str:
    return data.rstrip(b"\0").decode(errors="replace") if data else ""


def _u32(data: bytes | None, default: int = 0) -> int:
    return int.from_bytes(data[:4], "little") if data else default
