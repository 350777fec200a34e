"""Reading a lab in full: what exists, in the shape that the planner compares.

Dumps are parsed with struct: 1,000 namespaces take a fraction of a second.
"""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import socket
import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topoweb.core.plan.state import (
    STP_STATES,
    DeviceKind,
    LabState,
    PortState,
    RouteState,
)
from topoweb.core.topology.interfaces import CHILD_KINDS, InterfaceOptions
from topoweb.kernel import bridgeport, netlink, netns, offload, qdisc
from topoweb.kernel.apply.forwarding import read_forwarding
from topoweb.kernel.assemble import assemble
from topoweb.kernel.interfaces import parse_options

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from topoweb.kernel.manifest import Manifest

ARPHRD_LOOPBACK = 772
OPER_STATES = ("unknown", "notpresent", "down", "lowerlayerdown", "testing", "dormant", "up")
KERNEL_ADDRESSES = (1, 2, 3)  # IFAPROT_KERNEL_LO, _RA, _LL: IFA_PROTO since Linux 5.18
IFA_F_PERMANENT = 0x80  # without it the address has a lifetime: it was leased or advertised
SCOPE_LINK, SCOPE_HOST = 253, 254
# Routes that nobody drew, include/uapi/linux/rtnetlink.h and FRR's zebra/rt_netlink.h.
LEARNED_ROUTES = {
    netlink.RTPROT_REDIRECT: "redirect",
    netlink.RTPROT_KERNEL: "kernel",
    netlink.RTPROT_RA: "ra",
    11: "zebra",
    16: "dhcp",
    42: "babel",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    190: "rip",  # next generation: RIP for IPv6
    192: "eigrp",
    196: "zebra",  # static, by FRR
}
RTA_MULTIPATH = 9
NEXT_HOP = struct.Struct("=HBBi")  # struct rtnexthop: length, flags, hops, ifindex
CLONED = 0x200  # RTM_F_CLONED: a cache entry
_KINDS: Mapping[str, DeviceKind] = {
    **{"veth": "veth", "bridge": "bridge"},
    **{"macvlan": "macvlan", "ipvlan": "ipvlan", "vlan": "vlan"},
}
HZ = 100  # USER_HZ, in which bridge times are given


@dataclass(slots=True)
class RawDevice:
    """A device as the kernel says it, by indexes."""

    index: int
    name: str
    kind: DeviceKind
    up: bool
    mac: str | None
    mtu: int
    master: int
    link: int  # index of the peer, or of the parent; 0 without
    elsewhere: bool  # the peer, or parent, is in another namespace
    tag: str
    oper: str
    stp_state: str | None
    stp: bool | None
    ageing: int | None
    priority: int | None = None  # of a bridge
    vlan_filtering: bool | None = None  # of a bridge
    vlan_aware: bool = False  # the kernel has VLANs in bridges (CONFIG_BRIDGE_VLAN_FILTERING)
    port: PortState | None = None
    vlans: frozenset[str] | None = None
    options: InterfaceOptions | None = None
    space: int = 0  # of a child whose parent is elsewhere: that namespace's id here
    parent_mac: str | None = None  # of that parent
    parent_tag: str = ""
    queue: str = ""  # kind of the queueing discipline at its root
    rate: int | None = None  # bit/s
    offloads: bool | None = None  # of a veth
    addresses: set[str] = field(default_factory=set)


@dataclass(slots=True)
class RawNamespace:
    """A namespace as the kernel says it."""

    devices: dict[int, RawDevice]
    routes: frozenset[RouteState]
    forward_ipv4: bool
    forward_ipv6: bool


def observe(manifest: Manifest) -> LabState:
    """Return what exists of a lab. TopowebError LOST when its holder dies meanwhile."""
    return assemble(manifest.lab, read(manifest, manifest.namespaces))


def read(manifest: Manifest, nodes: Iterable[str]) -> dict[str, RawNamespace]:
    """Read namespaces of a lab, by node. TopowebError LOST when its holder dies meanwhile."""

    def tour() -> dict[str, RawNamespace]:
        found = {}
        with manifest.holder.lease() as open_slot:
            for node in nodes:
                netns.enter_closing(open_slot(manifest.namespaces[node].slot))
                found[node] = read_namespace()
        return found

    return netns.run_apart(tour)


def read_namespace() -> RawNamespace:
    """Read the namespace of the calling thread."""
    with netlink.Netlink() as link:
        with contextlib.suppress(OSError):  # before Linux 4.20; we filter again ourselves
            link.socket.setsockopt(netlink.SOL_NETLINK, netlink.NETLINK_GET_STRICT_CHK, 1)
        devices = _read_devices(link)
        _read_relations(link, devices)
        for device in devices.values():
            if device.kind == "veth":
                with contextlib.suppress(OSError):  # it has just gone
                    device.offloads = offload.offloads(link.socket, device.name)
        if any(device.queue == "tbf" for device in devices.values()):
            for index, rate in qdisc.rates(link):
                if index in devices:
                    devices[index].rate = rate
        _read_addresses(link, devices)
        names = {index: device.name for index, device in devices.items()}
        routes: list[RouteState] = []
        for family in (socket.AF_INET, socket.AF_INET6):
            routes += _read_routes(link, family, names)
        forwarding = read_forwarding(link)
    return RawNamespace(
        devices, frozenset(routes), forwarding[socket.AF_INET], forwarding[socket.AF_INET6]
    )


def _read_devices(link: netlink.Netlink) -> dict[int, RawDevice]:
    body = netlink.IFINFO.pack(0, 0, 0, 0, 0)
    body += netlink.attribute_u32(netlink.IFLA_EXT_MASK, netlink.RTEXT_FILTER_SKIP_STATS)
    request = netlink.Message(netlink.RTM_GETLINK, 0, body)
    devices = (parse_device(data, at, end) for data, at, end in link.dump(request))
    return {device.index: device for device in devices}


def _read_relations(link: netlink.Netlink, devices: Mapping[int, RawDevice]) -> None:
    """Read what takes a question of its own: VLANs of ports, and parents in other namespaces."""
    if any(device.vlan_aware for device in devices.values()):
        for index, vlans in bridgeport.vlans(link).items():
            if index in devices and devices[index].port is not None:
                devices[index].vlans = vlans
    elsewhere = [one for one in devices.values() if one.elsewhere and one.kind in CHILD_KINDS]
    asked = [_parent_of(device) for device in elsewhere]
    for device, answer in zip(elsewhere, link.ask(asked)[0] if asked else (), strict=True):
        if answer:
            found = netlink.attributes(answer, 32, len(answer))
            device.parent_mac = mac_text(found.get(netlink.IFLA_ADDRESS))
            device.parent_tag = _text(found.get(netlink.IFLA_IFALIAS))


def _parent_of(child: RawDevice) -> netlink.Message:
    """Ask for a device of another namespace, by its index and the namespace's id here."""
    body = netlink.IFINFO.pack(0, 0, child.link, 0, 0)
    body += netlink.attribute_u32(netlink.IFLA_TARGET_NETNSID, child.space)
    body += netlink.attribute_u32(netlink.IFLA_EXT_MASK, netlink.RTEXT_FILTER_SKIP_STATS)
    return netlink.Message(netlink.RTM_GETLINK, 0, body)


def parse_device(data: bytes, at: int, end: int) -> RawDevice:
    """Return the device in one RTM_NEWLINK message."""
    _, hardware, index, flags, _ = netlink.IFINFO.unpack_from(data, at + 16)
    found = netlink.attributes(data, at + 32, end)
    info = nested(found.get(netlink.IFLA_LINKINFO))
    kind = _text(info.get(netlink.IFLA_INFO_KIND))
    device = RawDevice(
        index=index,
        name=_text(found[netlink.IFLA_IFNAME]),
        kind=_kind(hardware, kind),
        up=bool(flags & netlink.IFF_UP),
        mac=mac_text(found.get(netlink.IFLA_ADDRESS)),
        mtu=u32(found.get(netlink.IFLA_MTU)),
        master=u32(found.get(netlink.IFLA_MASTER)),
        link=u32(found.get(netlink.IFLA_LINK)),
        elsewhere=netlink.IFLA_LINK_NETNSID in found,
        tag=_text(found.get(netlink.IFLA_IFALIAS)),
        oper=OPER_STATES[found.get(netlink.IFLA_OPERSTATE, b"\0")[0]],
        stp_state=None,
        stp=None,
        ageing=None,
        queue=_text(found.get(netlink.IFLA_QDISC)),
        space=u32(found.get(netlink.IFLA_LINK_NETNSID)),
    )
    if kind == "bridge":
        bridge = nested(info.get(netlink.IFLA_INFO_DATA))
        device.stp = bool(u32(bridge.get(netlink.IFLA_BR_STP_STATE)))
        device.ageing = bridge_ageing(bridge)
        device.priority = u32(bridge.get(netlink.IFLA_BR_PRIORITY))
        device.vlan_filtering = bridge.get(netlink.IFLA_BR_VLAN_FILTERING, b"\0") != b"\0"
        device.vlan_aware = netlink.IFLA_BR_VLAN_DEFAULT_PVID in bridge
    elif device.kind in CHILD_KINDS:
        device.options = parse_options(kind, nested(info.get(netlink.IFLA_INFO_DATA)))
    port = nested(info.get(netlink.IFLA_INFO_SLAVE_DATA))
    if device.master and netlink.IFLA_BRPORT_STATE in port:
        device.stp_state = STP_STATES[port[netlink.IFLA_BRPORT_STATE][0]]
        device.port = bridgeport.parse_port(port)
    return device


def _read_addresses(link: netlink.Netlink, devices: Mapping[int, RawDevice]) -> None:
    request = netlink.Message(netlink.RTM_GETADDR, 0, netlink.IFADDR.pack(0, 0, 0, 0, 0))
    for data, at, end in link.dump(request):
        family, length, flags, scope, index = netlink.IFADDR.unpack_from(data, at + 16)
        found = netlink.attributes(data, at + 24, end)
        protocol = found.get(netlink.IFA_PROTO, b"\0")[0]
        if index not in devices or learned(family, flags, scope, protocol):
            continue
        packed = found.get(netlink.IFA_LOCAL) or found[netlink.IFA_ADDRESS]
        devices[index].addresses.add(f"{address_text(family, packed)}/{length}")


def learned(family: int, flags: int, scope: int, protocol: int) -> bool:
    """Tell whether an address is one that nobody set: the kernel's own, advertised, or leased."""
    if scope == SCOPE_HOST or protocol in KERNEL_ADDRESSES or not flags & IFA_F_PERMANENT:
        return True
    # Before Linux 5.18 nothing tells an IPv6 link-local address of a user from the kernel's own.
    return family == socket.AF_INET6 and scope == SCOPE_LINK and protocol == 0


def _read_routes(link: netlink.Netlink, family: int, names: Mapping[int, str]) -> list[RouteState]:
    table, kind = netlink.RT_TABLE_MAIN, netlink.RTN_UNICAST
    body = netlink.ROUTE.pack(family, 0, 0, 0, table, 0, 0, kind, 0)
    routes: list[RouteState] = []
    try:
        for data, at, end in link.dump(netlink.Message(netlink.RTM_GETROUTE, 0, body)):
            routes += _routes(data, at, end, names)
    except OSError as error:  # no table yet, or no IPv6
        if error.errno not in (errno.ENOENT, errno.EOPNOTSUPP, errno.EAFNOSUPPORT):
            raise
    return routes


def _routes(data: bytes, at: int, end: int, names: Mapping[int, str]) -> list[RouteState]:
    header = netlink.ROUTE.unpack_from(data, at + 16)
    family, length, table, protocol, kind, flags = (header[i] for i in (0, 1, 4, 5, 7, 8))
    if protocol in LEARNED_ROUTES or kind != netlink.RTN_UNICAST or flags & CLONED:
        return []
    found = netlink.attributes(data, at + 28, end)
    if u32(found.get(netlink.RTA_TABLE), table) != netlink.RT_TABLE_MAIN:
        return []
    packed = found.get(netlink.RTA_DST, bytes(4 if family == socket.AF_INET else 16))
    prefix = f"{address_text(family, packed)}/{length}"
    metric = u32(found.get(netlink.RTA_PRIORITY))
    return [
        RouteState(prefix=prefix, via=via, device=names.get(index), metric=metric)
        for index, via in paths(family, found)
    ]


def paths(family: int, found: Mapping[int, bytes]) -> list[tuple[int, str | None]]:
    """Return (interface index, next hop) of a route, one for each of its paths."""
    hops = found.get(RTA_MULTIPATH)
    if hops is None:
        return [(u32(found.get(netlink.RTA_OIF)), _via(family, found))]
    listed = []
    at = 0
    while at + NEXT_HOP.size <= len(hops):
        size, _, _, index = NEXT_HOP.unpack_from(hops, at)
        hop = netlink.attributes(hops, at + NEXT_HOP.size, at + size)
        listed.append((index, _via(family, hop)))
        at += max((size + 3) & ~3, NEXT_HOP.size)
    return listed


def _via(family: int, found: Mapping[int, bytes]) -> str | None:
    if netlink.RTA_VIA in found:
        via = found[netlink.RTA_VIA]
        return address_text(struct.unpack_from("=H", via)[0], via[2:])
    gateway = found.get(netlink.RTA_GATEWAY)
    return address_text(family, gateway) if gateway else None


def address_text(family: int, packed: bytes) -> str:
    """Return an address as text, in RFC 5952 form without embedded IPv4."""
    text = socket.inet_ntop(family, packed)
    if family == socket.AF_INET6 and "." in text:
        return str(ipaddress.IPv6Address(packed))
    return text


def _kind(hardware: int, kind: str) -> DeviceKind:
    if hardware == ARPHRD_LOOPBACK:
        return "loopback"
    return _KINDS.get(kind, "other")


def nested(data: bytes | None) -> dict[int, bytes]:
    """Return the attributes inside an attribute."""
    return netlink.attributes(data, 0, len(data)) if data else {}


def _text(data: bytes | None) -> str:
    return data.rstrip(b"\0").decode(errors="replace") if data else ""


def bridge_ageing(bridge: Mapping[int, bytes]) -> int | None:
    """Return the ageing time of a bridge's IFLA_INFO_DATA, seconds; None while it is not told.

    For the length of a topology change the kernel shows the spanning tree's own shorter time, twice
    the forward delay, in its place (__br_set_topology_change in net/bridge/br_stp.c).
    """
    ticks = u32(bridge.get(netlink.IFLA_BR_AGEING_TIME))
    changing = bridge.get(netlink.IFLA_BR_TOPOLOGY_CHANGE, b"\0")[0]
    if changing and ticks == 2 * u32(bridge.get(netlink.IFLA_BR_FORWARD_DELAY)):
        return None
    return ticks // HZ


def u32(data: bytes | None, default: int = 0) -> int:
    """Return the number of an attribute."""
    return int.from_bytes(data[:4], "little") if data else default


def mac_text(data: bytes | None) -> str | None:
    """Return an Ethernet address as text; None for another link layer's."""
    return data.hex(":") if data and len(data) == 6 else None
