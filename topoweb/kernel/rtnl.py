"""The requests that change devices, addresses and routes, packed by hand.

Byte-equal to what pyroute2 encodes (``tests/kernel/test_encoder.py``), at about a hundredth of
its time.
"""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from topoweb.kernel.netlink import (
    IFA_ADDRESS,
    IFA_BROADCAST,
    IFA_F_NODAD,
    IFA_FLAGS,
    IFA_LOCAL,
    IFA_PROTO,
    IFADDR,
    IFAPROT_TOPOWEB,
    IFF_UP,
    IFINFO,
    IFLA_ADDRESS,
    IFLA_BR_AGEING_TIME,
    IFLA_BR_PRIORITY,
    IFLA_BR_STP_STATE,
    IFLA_BR_VLAN_FILTERING,
    IFLA_INFO_DATA,
    IFLA_INFO_KIND,
    IFLA_LINK,
    IFLA_LINKINFO,
    IFLA_MASTER,
    IFLA_MTU,
    IFLA_NET_NS_FD,
    IFLA_NUM_RX_QUEUES,
    IFLA_NUM_TX_QUEUES,
    NLM_F_CREATE,
    NLM_F_EXCL,
    ROUTE,
    RT_SCOPE_LINK,
    RT_SCOPE_NOWHERE,
    RT_SCOPE_UNIVERSE,
    RT_TABLE_MAIN,
    RTA_DST,
    RTA_GATEWAY,
    RTA_OIF,
    RTA_PRIORITY,
    RTA_VIA,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    RTN_UNICAST,
    RTN_UNSPEC,
    RTPROT_TOPOWEB,
    RTPROT_UNSPEC,
    VETH_INFO_PEER,
    Message,
    attribute,
    attribute_u32,
    name_attribute,
)


def mac_bytes(mac: str) -> bytes:
    """Return the six bytes of "02:00:00:00:00:01"."""
    return bytes.fromhex(mac.replace(":", ""))


ONE_QUEUE = attribute_u32(IFLA_NUM_TX_QUEUES, 1) + attribute_u32(IFLA_NUM_RX_QUEUES, 1)


class VethEndSpec(NamedTuple):
    """One end of a veth pair, or a child, at birth. Index 0: the kernel chooses."""

    name: str
    ifindex: int
    mac: str | None
    mtu: int


def _end_attributes(end: VethEndSpec) -> bytes:
    data = name_attribute(end.name) + attribute_u32(IFLA_MTU, end.mtu) + ONE_QUEUE
    return data + attribute(IFLA_ADDRESS, mac_bytes(end.mac)) if end.mac else data


def add_veth(near: VethEndSpec, far: VethEndSpec, far_fd: int, *, up: bool, master: int) -> Message:
    """Create a pair: ``near`` in the socket's namespace, ``far`` in that of ``far_fd``.

    Only the near end can be up and in a bridge (``master``, 0: none) from birth: the far end
    has no peer yet when it is registered (drivers/net/veth.c).
    """
    peer = IFINFO.pack(0, 0, far.ifindex, 0, 0) + _end_attributes(far)
    peer += attribute_u32(IFLA_NET_NS_FD, far_fd)
    info = attribute(IFLA_INFO_KIND, b"veth\0")
    info += attribute(IFLA_INFO_DATA, attribute(VETH_INFO_PEER, peer))
    flags = IFF_UP if up else 0
    body = IFINFO.pack(0, 0, near.ifindex, flags, flags) + _end_attributes(near)
    if master:
        body += attribute_u32(IFLA_MASTER, master)
    return Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body + attribute(IFLA_LINKINFO, info))


class BridgeSpec(NamedTuple):
    """A bridge at birth. ``ageing`` in seconds."""

    name: str
    ifindex: int
    mac: str | None
    mtu: int
    stp: bool
    ageing: int
    priority: int | None = None  # None: the kernel's
    vlan_filtering: bool | None = None


def bridge_info(
    stp: bool | None,
    ageing: int | None,
    priority: int | None = None,
    vlan_filtering: bool | None = None,
) -> bytes:
    """Return IFLA_LINKINFO of a bridge with what is given."""
    data = b""
    if ageing is not None:
        data += attribute_u32(IFLA_BR_AGEING_TIME, ageing * 100)  # USER_HZ
    if stp is not None:
        data += attribute_u32(IFLA_BR_STP_STATE, int(stp))
    if priority is not None:
        data += attribute(IFLA_BR_PRIORITY, struct.pack("=H", priority))
    if vlan_filtering is not None:
        data += attribute(IFLA_BR_VLAN_FILTERING, bytes((vlan_filtering,)))
    info = attribute(IFLA_INFO_KIND, b"bridge\0") + attribute(IFLA_INFO_DATA, data)
    return attribute(IFLA_LINKINFO, info)


def add_bridge(bridge: BridgeSpec) -> Message:
    """Create a bridge, down: it is raised by the message that tags it."""
    body = IFINFO.pack(0, 0, bridge.ifindex, 0, 0) + name_attribute(bridge.name)
    body += attribute_u32(IFLA_MTU, bridge.mtu)
    if bridge.mac:
        body += attribute(IFLA_ADDRESS, mac_bytes(bridge.mac))
    body += bridge_info(bridge.stp, bridge.ageing, bridge.priority, bridge.vlan_filtering)
    return Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)


def add_child(child: VethEndSpec, parent: int, target_fd: int, link_info: bytes) -> Message:
    """Create a child of a device of the socket's namespace in the namespace of ``target_fd``.

    ``parent``: ifindex; ``link_info``: IFLA_LINKINFO of its kind (`kernel.interfaces`). Born down.
    """
    body = IFINFO.pack(0, 0, child.ifindex, 0, 0) + name_attribute(child.name)
    body += attribute_u32(IFLA_MTU, child.mtu) + attribute_u32(IFLA_LINK, parent)
    if child.mac:
        body += attribute(IFLA_ADDRESS, mac_bytes(child.mac))
    body += attribute_u32(IFLA_NET_NS_FD, target_fd) + link_info
    return Message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, body)


def set_link(index: int, name: str, up: bool | None, changes: bytes = b"") -> Message:
    """Change a device found by index, or by name when the index is 0."""
    found = b"" if index else name_attribute(name)
    change = 0 if up is None else IFF_UP
    flags = IFF_UP if up else 0
    return Message(RTM_NEWLINK, 0, IFINFO.pack(0, 0, index, flags, change) + found + changes)


def delete_link(index: int, name: str) -> Message:
    """Delete a device found by index, or by name when the index is 0."""
    return Message(
        RTM_DELLINK, 0, IFINFO.pack(0, 0, index, 0, 0) + (b"" if index else name_attribute(name))
    )


def split_prefix(text: str) -> tuple[int, bytes, int]:
    """Return family, address bytes and prefix length of "10.0.0.1/24". ValueError if malformed."""
    address, slash, length = text.partition("/")
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        packed = socket.inet_pton(family, address)
    except OSError:
        raise ValueError(f"{text!r} is no address") from None
    return family, packed, int(length) if slash else len(packed) * 8


def address(kind: int, index: int, text: str) -> Message:
    """Add (RTM_NEWADDR) or delete (RTM_DELADDR) a prefix with host bits.

    IPv6 addresses skip duplicate address detection so that they work at once.
    """
    family, packed, length = split_prefix(text)
    body = IFADDR.pack(family, length, 0, 0, index) + attribute(IFA_LOCAL, packed)
    body += attribute(IFA_ADDRESS, packed)
    if kind == RTM_DELADDR:
        return Message(kind, 0, body)
    if family == socket.AF_INET6:
        body += attribute_u32(IFA_FLAGS, IFA_F_NODAD)
    elif length < 31:  # RFC 3021: /31 and /32 have no broadcast address
        broadcast = int.from_bytes(packed, "big") | (0xFFFFFFFF >> length)
        body += attribute(IFA_BROADCAST, broadcast.to_bytes(4, "big"))
    body += attribute(IFA_PROTO, bytes((IFAPROT_TOPOWEB,)))
    return Message(kind, NLM_F_CREATE | NLM_F_EXCL, body)


class RouteSpec(NamedTuple):
    """A unicast route of the main table. Device index 0: the kernel finds it."""

    prefix: str
    via: str | None
    device: int
    metric: int


def route(kind: int, spec: RouteSpec) -> Message:
    """Add (RTM_NEWROUTE) or delete (RTM_DELROUTE) a route."""
    family, packed, length = split_prefix(spec.prefix)
    adding = kind == RTM_NEWROUTE
    if not adding:
        scope, protocol, unicast = RT_SCOPE_NOWHERE, RTPROT_UNSPEC, RTN_UNSPEC
    else:
        link = not spec.via and family == socket.AF_INET
        scope = RT_SCOPE_LINK if link else RT_SCOPE_UNIVERSE
        protocol, unicast = RTPROT_TOPOWEB, RTN_UNICAST
    body = ROUTE.pack(family, length, 0, 0, RT_TABLE_MAIN, protocol, scope, unicast, 0)
    if length:
        body += attribute(RTA_DST, packed)
    if spec.via:
        body += _next_hop(family, spec.via)
    if spec.device:
        body += attribute_u32(RTA_OIF, spec.device)
    if spec.metric:
        body += attribute_u32(RTA_PRIORITY, spec.metric)
    return Message(kind, NLM_F_CREATE if adding else 0, body)


def _next_hop(family: int, via: str) -> bytes:
    hop_family, packed, _ = split_prefix(via)
    if hop_family == family:
        return attribute(RTA_GATEWAY, packed)
    return attribute(RTA_VIA, struct.pack("=H", hop_family) + packed)  # RFC 5549
