"""Routes of the main table, marked with our own protocol number."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from topoweb.core.plan.actions import AddRoute, RemoveRoute
from topoweb.kernel import netlink, rtnl

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Step
    from topoweb.kernel.apply.site import Site


def add_route(site: Site, step: Step) -> None:
    """Add a route beside what is there."""
    _queue(site, step, netlink.RTM_NEWROUTE)


def remove_route(site: Site, step: Step) -> None:
    """Remove a route, whoever made it."""
    _queue(site, step, netlink.RTM_DELROUTE)


def _queue(site: Site, step: Step, kind: int) -> None:
    route = cast(AddRoute | RemoveRoute, step.action).route
    device = site.index(route.device) if route.device else 0
    spec = rtnl.RouteSpec(route.prefix, route.via, device, route.metric)
    site.queue(step, rtnl.route(kind, spec))
