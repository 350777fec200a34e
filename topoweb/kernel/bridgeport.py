"""Bridge ports and their VLANs in netlink.

Layouts: linux/if_link.h (IFLA_BRPORT_*), linux/if_bridge.h (struct bridge_vlan_info).
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from topoweb.core.plan.state import PortState
from topoweb.kernel import netlink

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

AF_BRIDGE, RTM_SETLINK = 7, 19
IFLA_AF_SPEC, IFLA_BRIDGE_VLAN_INFO, IFLA_INFO_SLAVE_KIND = 26, 2, 4
RTEXT_FILTER_BRVLAN = 2
PVID, UNTAGGED = 0x2, 0x4  # BRIDGE_VLAN_INFO_*
VLAN_INFO = struct.Struct("=HH")  # flags, vid
U16 = struct.Struct("=H")
FLAGS = {"hairpin": 4, "learning": 8, "flood": 9, "isolated": 33}  # IFLA_BRPORT_*, one byte each
IFLA_BRPORT_PRIORITY, IFLA_BRPORT_COST = 2, 3


def parse_port(data: Mapping[int, bytes]) -> PortState:
    """Return the options in a port's IFLA_INFO_SLAVE_DATA."""
    return PortState(
        **{name: data.get(kind) == b"\1" for name, kind in FLAGS.items()},
        cost=int.from_bytes(data.get(IFLA_BRPORT_COST, b""), "little"),
        priority=int.from_bytes(data.get(IFLA_BRPORT_PRIORITY, b""), "little"),
    )


def port_info(changes: Mapping[str, bool | int]) -> bytes:
    """Return IFLA_LINKINFO that changes options of a port, by their names in `PortState`."""
    data = b""
    for name, value in changes.items():
        if name in FLAGS:
            data += netlink.attribute(FLAGS[name], bytes((int(value),)))
        elif name == "cost":
            data += netlink.attribute_u32(IFLA_BRPORT_COST, int(value))
        else:
            data += netlink.attribute(IFLA_BRPORT_PRIORITY, U16.pack(int(value)))
    info = netlink.attribute(IFLA_INFO_SLAVE_KIND, b"bridge\0")
    info += netlink.attribute(netlink.IFLA_INFO_SLAVE_DATA, data)
    return netlink.attribute(netlink.IFLA_LINKINFO, info)


def set_vlans(index: int, remove: Iterable[str], add: Iterable[str]) -> Iterator[netlink.Message]:
    """Yield the requests that take a port out of VLANs and put it into others."""
    for kind, listed in ((netlink.RTM_DELLINK, remove), (RTM_SETLINK, add)):
        infos = b"".join(netlink.attribute(IFLA_BRIDGE_VLAN_INFO, _pack(vlan)) for vlan in listed)
        if infos:
            body = _header(index) + netlink.attribute(IFLA_AF_SPEC, infos)
            yield netlink.Message(kind, 0, body)


def vlans(link: netlink.Netlink) -> dict[int, frozenset[str]]:
    """Return the VLANs of each bridge port in the socket's namespace, by ifindex."""
    body = _header(0) + netlink.attribute_u32(netlink.IFLA_EXT_MASK, RTEXT_FILTER_BRVLAN)
    found = {}
    for data, at, end in link.dump(netlink.Message(netlink.RTM_GETLINK, 0, body)):
        index = netlink.IFINFO.unpack_from(data, at + 16)[2]
        spec = netlink.attributes(data, at + 32, end).get(IFLA_AF_SPEC, b"")
        found[index] = frozenset(_words(spec))
    return found


def _header(index: int) -> bytes:
    return bytes((AF_BRIDGE,)) + netlink.IFINFO.pack(0, 0, index, 0, 0)[1:]


def _pack(vlan: str) -> bytes:
    number, *words = vlan.split()
    flags = (PVID if "pvid" in words else 0) | (UNTAGGED if "untagged" in words else 0)
    return VLAN_INFO.pack(flags, int(number))


def _words(spec: bytes) -> Iterator[str]:
    at = 0
    while at + 4 <= len(spec):
        size, kind = netlink.ATTRIBUTE.unpack_from(spec, at)
        if kind == IFLA_BRIDGE_VLAN_INFO:
            flags, number = VLAN_INFO.unpack_from(spec, at + 4)
            pvid = " pvid" if flags & PVID else ""
            yield f"{number}{pvid}{' untagged' if flags & UNTAGGED else ''}"
        at += max((size + 3) & ~3, 4)
