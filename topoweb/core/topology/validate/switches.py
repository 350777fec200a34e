"""Switches: the number of ports, and loops that no spanning tree opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology.index import is_port
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.onlink import OnLink
    from topoweb.core.topology.problem import Problem

PORTS = 1023  # BR_MAX_PORTS - 1, net/bridge/br_private.h: number 0 is not used


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check ports and loops."""
    topology = drawing.topology
    for key, node in topology.nodes.items():
        if node.kind == "switch":
            mine = drawing.index.interfaces_of.get(key, ())
            count = sum(port in drawing.index.link_of and is_port(topology, port) for port in mine)
            if count > PORTS:
                words = {"name": node.name, "count": count, "limit": PORTS}
                yield problem("bridge-ports", f"/nodes/{key}", **words)
    yield from _loops(drawing)


def _loops(drawing: OnLink) -> Iterator[Problem]:
    """Report the cables that close a loop.

    Only switches with STP off count: they pass BPDUs on, so one bridge with STP on in a loop
    opens it.
    """
    topology = drawing.topology
    root: dict[str, str] = {}

    def find(key: str) -> str:
        while root.setdefault(key, key) != key:
            root[key] = root[root[key]]
            key = root[key]
        return key

    for key, link in topology.links.items():
        ends = [topology.interfaces[end] for end in (link.a, link.b)]
        joins = all(
            item.up and is_port(topology, end) and not topology.nodes[item.node].stp
            for end, item in zip((link.a, link.b), ends, strict=True)
        )
        if not (joins and link.up):
            continue
        a, b = (find(item.node) for item in ends)
        if a == b:
            yield problem("switch-loop", f"/links/{key}")
        root[a] = b
