"""Drawings of a thousand nodes, as documents with places on the canvas."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from tests.benchmarks._topologies import Drawing
from topoweb.core.topology.document import dump

STEP = 110.0  # px between neighbours
ROUTERS, LANS, CABLES = 200, 50, 1500


def switched(hosts: int = 1000, ports: int = 100) -> dict[str, Any]:
    """Draw hosts in one /16, ``ports`` a switch, the switches on one more."""
    drawing = Drawing()
    core = drawing.node("core", "switch")
    for number in range(math.ceil(hosts / ports)):
        drawing.cable(core, drawing.node(f"s{number}", "switch"))
    for number in range(hosts):
        host = drawing.node(f"h{number}", "host")
        drawing.cable(f"s{number // ports}", host, "", f"{host_address(number)}/16")
    return _document("switched", drawing)


def host_address(number: int) -> str:
    """Return the address of host ``number`` of `switched`."""
    return f"10.0.{number + 2 >> 8}.{number + 2 & 255}"


def routed(nodes: int = 1000) -> dict[str, Any]:
    """Draw a tree of 200 routers with 50 LANs of hosts and cross cables: 1,500 cables in all.

    Default routes lead up the tree, one route a LAN leads down at each router above it.
    """
    drawing = Drawing()
    transfer = iter(range(0xAC100000, 0xAC200000, 4))
    parents = {number: (number - 1) // 3 for number in range(1, ROUTERS)}
    down: dict[int, str] = {}
    for number in range(ROUTERS):
        drawing.node(f"r{number}", "router")
    for number, parent in parents.items():
        up, down[number] = _between(drawing, f"r{parent}", f"r{number}", next(transfer))
        drawing.route(f"r{number}", "0.0.0.0/0", up)
    for lan in range(LANS):
        at = ROUTERS - 1 - lan
        drawing.node(f"s{lan}", "switch")
        drawing.cable(f"r{at}", f"s{lan}", f"10.1.{lan}.1/24")
        while at:
            drawing.route(f"r{parents[at]}", f"10.1.{lan}.0/24", down[at])
            at = parents[at]
    for number in range(nodes - ROUTERS - LANS):
        lan, place = number % LANS, number // LANS + 2
        drawing.node(f"h{number}", "host")
        drawing.cable(f"s{lan}", f"h{number}", "", f"10.1.{lan}.{place}/24")
        drawing.route(f"h{number}", "0.0.0.0/0", f"10.1.{lan}.1")
    for number in range(CABLES - len(drawing.links)):
        a, b = number % ROUTERS, (number * 7 + 11 + number // ROUTERS) % ROUTERS
        _between(drawing, f"r{a}", f"r{b}" if a != b else f"r{a - 1}", next(transfer))
    return _document("routed", drawing)


def _between(drawing: Drawing, a: str, b: str, net: int) -> tuple[str, str]:
    ends = [".".join(str(net + at >> shift & 255) for shift in (24, 16, 8, 0)) for at in (1, 2)]
    drawing.cable(a, b, f"{ends[0]}/30", f"{ends[1]}/30")
    return ends[0], ends[1]


def _document(name: str, drawing: Drawing) -> dict[str, Any]:
    """Return the drawing as a document: nodes in a square, no automatic addresses."""
    topology = drawing.topology()
    side = math.ceil(math.sqrt(len(topology.nodes)))
    nodes = {
        key: replace(node, x=STEP * (at % side), y=STEP * (at // side))
        for at, (key, node) in enumerate(topology.nodes.items())
    }
    return dump(replace(topology, name=name, auto_address=False, nodes=nodes))
