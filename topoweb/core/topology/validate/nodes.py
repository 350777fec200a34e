"""Nodes: how many there are, and properties that their kind does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology.schema import SCHEMAS
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.onlink import OnLink
    from topoweb.core.topology.problem import Problem

SWITCH_PROPERTIES = ("stp", "vlan_filtering", "addresses")


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check the number of nodes, loopbacks, and switch properties elsewhere."""
    nodes = drawing.topology.nodes
    limit = SCHEMAS["nodes"].limit
    if len(nodes) > limit:
        yield problem("too-many", "/nodes", count=len(nodes), collection="nodes", limit=limit)
    for key, node in nodes.items():
        if not node.lo_up:
            yield problem("loopback-down", f"/nodes/{key}/lo_up", name=node.name)
        for name in SWITCH_PROPERTIES if node.kind != "switch" else ():
            if getattr(node, name):
                yield _without_effect(f"/nodes/{key}/{name}", name, node.kind)
    for key, item in drawing.topology.interfaces.items():
        kind = nodes[item.node].kind
        if kind != "switch" and not item.bridged:
            yield _without_effect(f"/interfaces/{key}/bridged", "bridged", kind)


def _without_effect(path: str, name: str, kind: str) -> Problem:
    return problem("property-without-effect", path, property=name, kind=kind)
