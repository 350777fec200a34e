"""Routes: what the kernel would refuse, and what would lead packets in circles."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.model import Route
    from topoweb.core.topology.onlink import OnLink
    from topoweb.core.topology.problem import Problem

_MANY = 4  # networks named in a hint


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check every route by itself, then those of one node and of neighbours together."""
    for key, route in drawing.topology.routes.items():
        yield from _target(drawing, f"/routes/{key}", route)
    yield from _duplicates(drawing)
    yield from _loops(drawing)


def _target(drawing: OnLink, path: str, route: Route) -> Iterator[Problem]:
    topology = drawing.topology
    node = topology.nodes[route.node].name
    if route.device is not None and topology.interfaces[route.device].node != route.node:
        device = topology.interfaces[route.device]
        words = {"device": device.name, "owner": topology.nodes[device.node].name, "node": node}
        yield problem("route-foreign-device", f"{path}/device", **words)
    elif route.via is not None:
        yield from _next_hop(drawing, path, route, route.via)
    elif route.device is None:
        yield problem("route-without-target", path, prefix=route.prefix)
    elif not drawing.live(route.device):
        yield problem("route-inactive", path, prefix=route.prefix)


def _next_hop(drawing: OnLink, path: str, route: Route, via: str) -> Iterator[Problem]:
    node, hop = drawing.topology.nodes[route.node].name, prefixes.host(via)
    ways = drawing.ways(route)
    if (":" in via) != (":" in route.prefix):
        yield problem("route-family", f"{path}/via", via=via, prefix=route.prefix)
    elif via in drawing.addresses(route.node):
        yield problem("route-via-self", f"{path}/via", via=via, node=node)
    elif hop.version == 6 and hop.is_link_local and route.device is None:
        yield problem("route-device-needed", f"{path}/via", via=via)
    elif not ways:
        attached = dict.fromkeys(str(a.network) for a in drawing.attached(route.node))
        networks = ", ".join(list(attached)[:_MANY]) or "no network"
        words = {"via": via, "node": node, "networks": networks}
        yield problem("route-off-link", f"{path}/via", **words)
    elif _is_broadcast(hop, ways[0].network):
        yield problem("next-hop-unusable", f"{path}/via", via=via)
    elif not any(way.live for way in ways):
        yield problem("route-inactive", path, prefix=route.prefix)


def _is_broadcast(hop: prefixes.Address, network: prefixes.Network) -> bool:
    if hop.is_multicast:
        return True
    return hop.version == 4 and network.prefixlen < 31 and hop == network.broadcast_address


def _duplicates(drawing: OnLink) -> Iterator[Problem]:
    topology = drawing.topology
    seen: dict[tuple[str, str, int], str] = {}
    for node in {route.node for route in topology.routes.values()}:
        for attached in drawing.by_address(node):
            # The kernel's own route to an attached network has metric 0 in IPv4, 256 in IPv6.
            if attached.live and attached.network.version == 4:
                seen[node, str(attached.network), 0] = f"by its address on {attached.device}"
    for key, route in topology.routes.items():
        metric = route.metric or 0
        place = (route.node, route.prefix, metric)
        if place in seen:
            words = {"node": topology.nodes[route.node].name, "prefix": route.prefix}
            yield problem(
                "route-duplicate", f"/routes/{key}", **words, metric=metric, other=seen[place]
            )
        seen.setdefault(place, f"via {route.via}" if route.via else "by a device")


def _loops(drawing: OnLink) -> Iterator[Problem]:
    """Report two nodes that send the same prefix to each other."""
    topology = drawing.topology
    owner: dict[str, str] = {}
    for node in {route.node for route in topology.routes.values()}:
        owner.update(dict.fromkeys(drawing.addresses(node), node))
    toward = {
        (route.node, route.prefix): (key, owner[route.via])
        for key, route in topology.routes.items()
        if route.via in owner and owner[route.via] != route.node
    }
    for (node, prefix), (key, other) in toward.items():
        if toward.get((other, prefix), ("", ""))[1] == node and node < other:
            names = {"node": topology.nodes[node].name, "other": topology.nodes[other].name}
            yield problem("route-loop", f"/routes/{key}", **names, prefix=prefix)
