"""Small drawings for the engine's tests."""

from __future__ import annotations

from dataclasses import replace

from topoweb.core.topology.model import Interface, Link, Node, Route, Topology

LAB = 3


def two_hosts() -> Topology:
    """h1 —— h2 on 10.0.0.0/24."""
    return Topology(
        auto_address=False,
        nodes={"n1": Node(kind="host", name="h1"), "n2": Node(kind="host", name="h2")},
        interfaces={
            "i1": Interface(node="n1", name="eth0", addresses=("10.0.0.1/24",)),
            "i2": Interface(node="n2", name="eth0", addresses=("10.0.0.2/24",)),
        },
        links={"l1": Link(a="i1", b="i2")},
        routes={"r1": Route(node="n1", prefix="10.9.0.0/24", via="10.0.0.2")},
    )


def with_address(topology: Topology, interface: str, *addresses: str) -> Topology:
    """Return the drawing with other addresses on one interface."""
    changed = replace(topology.interfaces[interface], addresses=addresses)
    return replace(topology, interfaces={**topology.interfaces, interface: changed})


def hosts(count: int) -> Topology:
    """Return ``count`` hosts without a cable."""
    nodes = {f"n{i}": Node(kind="host", name=f"h{i}") for i in range(count)}
    return Topology(auto_address=False, nodes=nodes)
