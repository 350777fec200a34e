"""Children of devices: made from their parent's namespace, finished in their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from topoweb.core.plan.actions import AddChild, SetChild
from topoweb.kernel import netlink, rtnl
from topoweb.kernel.apply.links import alias
from topoweb.kernel.interfaces import link_info

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Step
    from topoweb.kernel.apply.site import Devices, Site


def add_child(site: Site, step: Step, devices: Devices, target_fd: int) -> None:
    """Create a child from the namespace of its parent. ``devices``: of its own namespace."""
    action = cast(AddChild, step.action)
    parent = site.index(action.parent.name)
    name = action.at.name
    index = devices.allot(name)
    if index == parent:  # an ipvlan child with its parent's number is refused
        index = devices.allot(name)
    spec = rtnl.VethEndSpec(name, index, action.mac, action.mtu)
    site.queue(step, rtnl.add_child(spec, parent, target_fd, link_info(action.options)))


def finish_child(site: Site, step: Step) -> None:
    """Tag and raise a child: an alias cannot be given at birth."""
    action = cast(AddChild, step.action)
    index = site.known_index(action.at.name)
    site.queue(step, rtnl.set_link(index, action.at.name, action.up, alias(action.tag)))


def set_child(site: Site, step: Step) -> None:
    """Change what can be changed in place."""
    action = cast(SetChild, step.action)
    changes = link_info(action.options) if action.options is not None else b""
    if action.mac is not None:
        changes += netlink.attribute(netlink.IFLA_ADDRESS, rtnl.mac_bytes(action.mac))
    if action.mtu is not None:
        changes += netlink.attribute_u32(netlink.IFLA_MTU, action.mtu)
    index = site.known_index(action.at.name)
    site.queue(step, rtnl.set_link(index, action.at.name, action.up, changes))
