"""Devices: bridges, veth pairs, properties, removal.

A device is never moved, renamed or deleted one by one: each of these waits for RCU, 15 to 40 ms.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, cast

from topoweb.core.plan.actions import (
    DEFAULT_PRIORITY,
    AddBridge,
    AddVeth,
    RemoveDevice,
    SetDevice,
    VethEnd,
)
from topoweb.kernel import netlink, netns, rtnl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.core.plan.actions import Step
    from topoweb.kernel.apply.site import Devices, Site

DOOMED_GROUP = 0x746F7077  # devices about to be deleted together


def add_bridge(site: Site, step: Step) -> None:
    """Create a bridge, then tag and raise it.

    Ports that speak IPv6 by themselves flood the segment (a thousand ports: millions of packets),
    so devices made in a bridge's namespace start without it.
    """
    action = cast(AddBridge, step.action)
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        netns.write_sysctl("net/ipv6/conf/default/disable_ipv6", "1")
    index = site.devices.allot(action.name)
    bridge = rtnl.BridgeSpec(
        name=action.name,
        ifindex=index,
        mac=action.mac,
        mtu=action.mtu,
        stp=action.stp,
        ageing=action.ageing,
        priority=None if action.priority == DEFAULT_PRIORITY else action.priority,
        vlan_filtering=action.vlan_filtering or None,
    )
    site.queue(step, rtnl.add_bridge(bridge))
    site.queue(step, rtnl.set_link(index, action.name, action.up, alias(action.tag)))


def oriented(action: AddVeth) -> tuple[VethEnd, VethEnd]:
    """Return (near, far): only the near end can join a bridge in the creating message."""
    return (action.b, action.a) if action.b.master and not action.a.master else (action.a, action.b)


def add_veth(site: Site, step: Step, far_devices: Devices, far_fd: int) -> None:
    """Create a cable from the namespace of its near end."""
    near, far = oriented(cast(AddVeth, step.action))
    master = site.index(near.master) if near.master else 0
    near_index = site.devices.allot(near.at.name)
    if not near_index:  # the kernel ignores the far index then (drivers/net/veth.c)
        far_devices.fresh = False
    far_index = far_devices.allot(far.at.name)
    message = rtnl.add_veth(
        rtnl.VethEndSpec(near.at.name, near_index, near.mac, near.mtu),
        rtnl.VethEndSpec(far.at.name, far_index, far.mac, far.mtu),
        far_fd,
        up=near.up,
        master=master,
    )
    site.queue(step, message)


def finish_near(site: Site, step: Step) -> None:
    """Tag the near end: an alias cannot be given at birth."""
    near, _ = oriented(cast(AddVeth, step.action))
    index = site.known_index(near.at.name)
    site.queue(step, rtnl.set_link(index, near.at.name, None, alias(near.tag)))


def finish_far(site: Site, step: Step) -> None:
    """Tag and raise the far end, and plug it into its bridge."""
    _, far = oriented(cast(AddVeth, step.action))
    changes = alias(far.tag)
    if far.master:
        changes += netlink.attribute_u32(netlink.IFLA_MASTER, site.index(far.master))
    index = site.known_index(far.at.name)
    site.queue(step, rtnl.set_link(index, far.at.name, far.up, changes))


def set_device(site: Site, step: Step) -> None:
    """Change what can be changed in place."""
    action = cast(SetDevice, step.action)
    changes = b""
    if action.mac is not None:
        changes += netlink.attribute(netlink.IFLA_ADDRESS, rtnl.mac_bytes(action.mac))
    if action.mtu is not None:
        changes += netlink.attribute_u32(netlink.IFLA_MTU, action.mtu)
    if action.master is not None:
        master = site.index(action.master) if action.master else 0
        changes += netlink.attribute_u32(netlink.IFLA_MASTER, master)
    settings = (action.stp, action.ageing, action.priority, action.vlan_filtering)
    if any(setting is not None for setting in settings):
        changes += rtnl.bridge_info(*settings)
    index = site.known_index(action.at.name)
    site.queue(step, rtnl.set_link(index, action.at.name, action.up, changes))


def remove_devices(site: Site, steps: Sequence[Step]) -> None:
    """Delete devices; several of one namespace go as a group, in one RCU period."""
    names = [cast(RemoveDevice, step.action).at.name for step in steps]
    if len(names) == 1:
        site.queue(steps[0], rtnl.delete_link(site.known_index(names[0]), names[0]))
    else:
        group = netlink.attribute_u32(netlink.IFLA_GROUP, DOOMED_GROUP)
        for step, name in zip(steps, names, strict=True):
            site.queue(step, rtnl.set_link(site.known_index(name), name, None, group))
        body = netlink.IFINFO.pack(0, 0, 0, 0, 0) + group
        site.queue(steps[-1], netlink.Message(netlink.RTM_DELLINK, 0, body))
    for name in names:
        site.devices.known.pop(name, None)


def alias(tag: str) -> bytes:
    """Return IFLA_IFALIAS; nothing without a tag."""
    return netlink.attribute(netlink.IFLA_IFALIAS, tag.encode()) if tag else b""
