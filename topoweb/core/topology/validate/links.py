"""Cables: interfaces without one, and ends that do not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.onlink import OnLink
    from topoweb.core.topology.problem import Problem


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check each interface for its cable and each cable for its MTUs."""
    topology = drawing.topology
    for key, item in topology.interfaces.items():
        if item.kind == "port" and key not in drawing.index.link_of:
            name = f"{topology.nodes[item.node].name}:{item.name}"
            yield problem("interface-without-cable", f"/interfaces/{key}", name=name)
    for key, link in topology.links.items():
        a, b = topology.interfaces[link.a].mtu, topology.interfaces[link.b].mtu
        if a != b:
            yield problem("mtu-mismatch", f"/links/{key}", a=a, b=b)
