"""Static routes, as far as the kernel can hold them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.plan.state import RouteState

if TYPE_CHECKING:
    from topoweb.core.plan.expand.view import View
    from topoweb.core.topology.model import Route

IPV6_METRIC = 1024  # IP6_RT_PRIO_USER, include/uapi/linux/ipv6_route.h


def state(view: View, route: Route) -> RouteState | None:
    """Return the route with the device that the kernel will choose.

    None when its device is down or has no cable: the kernel drops such routes by itself, so they
    are no part of what can be. A next hop that is nowhere on-link stays, for the kernel to refuse.
    """
    device, live = _device(view, route)
    if not live:
        return None
    default = IPV6_METRIC if ":" in route.prefix else 0
    return RouteState(
        prefix=route.prefix, via=route.via, device=device, metric=route.metric or default
    )


def _device(view: View, route: Route) -> tuple[str | None, bool]:
    ways = view.onlink.ways(route)
    live = [way.device for way in ways if way.live]
    if live:
        return live[0], True
    if ways:
        return None, False
    if route.device is None:
        return None, True
    return view.topology.interfaces[route.device].name, view.onlink.live(route.device)
