"""Options and VLANs of bridge ports."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from topoweb.core.plan.actions import SetPort, SetVlans
from topoweb.core.plan.port_diff import PORT_OPTIONS
from topoweb.kernel import bridgeport, rtnl

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Step
    from topoweb.kernel.apply.site import Site


def set_port(site: Site, step: Step) -> None:
    """Change options of a port."""
    action = cast(SetPort, step.action)
    given = {name: getattr(action, name) for name in PORT_OPTIONS}
    info = bridgeport.port_info({name: one for name, one in given.items() if one is not None})
    index = site.known_index(action.at.name)
    site.queue(step, rtnl.set_link(index, action.at.name, None, info))


def set_vlans(site: Site, step: Step) -> None:
    """Take a port out of VLANs and put it into others."""
    action = cast(SetVlans, step.action)
    for message in bridgeport.set_vlans(site.index(action.at.name), action.remove, action.add):
        site.queue(step, message)
