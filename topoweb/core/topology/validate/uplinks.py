"""Uplinks: one a lab, IPv4 alone, nothing runs in them, and the default route is their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.onlink import OnLink
    from topoweb.core.topology.problem import Problem


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check every uplink. Whether it is granted is no matter of the drawing."""
    topology = drawing.topology
    first: str | None = None
    for key, node in topology.nodes.items():
        if node.kind != "uplink":
            continue
        if first is not None:
            yield problem("uplink-second", f"/nodes/{key}", name=node.name, other=first)
        first = first or node.name
        yield from _inside(drawing, key)
        yield from _routes(drawing, key)


def _inside(drawing: OnLink, node: str) -> Iterator[Problem]:
    name = drawing.topology.nodes[node].name
    for key in drawing.index.interfaces_of.get(node, ()):
        item = drawing.topology.interfaces[key]
        if any(":" in address for address in item.addresses):
            yield problem("uplink-ipv6", f"/interfaces/{key}/addresses", name=name)
        if item.dhcp:
            yield problem("uplink-service", f"/interfaces/{key}/dhcp", name=name)
    for key in drawing.index.services_of.get(node, ()):
        yield problem("uplink-service", f"/services/{key}", name=name)


def _routes(drawing: OnLink, node: str) -> Iterator[Problem]:
    name = drawing.topology.nodes[node].name
    for key in drawing.index.routes_of.get(node, ()):
        prefix = drawing.topology.routes[key].prefix
        if ":" in prefix:
            yield problem("uplink-ipv6", f"/routes/{key}/prefix", name=name)
        elif prefixes.network(prefix).prefixlen == 0:
            yield problem("uplink-default-route", f"/routes/{key}/prefix", name=name)
