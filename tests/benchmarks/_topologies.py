"""The topologies that benchmarks are measured on, as drawings and as plans."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.plan.state import LabState
from topoweb.core.topology.model import Interface, Link, Node, Route, Topology

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Step

LAB = 7


class Drawing:
    """Collects nodes, cables and routes; ids are counted."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}
        self.interfaces: dict[str, Interface] = {}
        self.links: dict[str, Link] = {}
        self.routes: dict[str, Route] = {}
        self._ports: Counter[str] = Counter()

    def node(self, name: str, kind: str) -> str:
        """Add a node; routers forward both families."""
        forwards = kind == "router"
        self.nodes[name] = Node(
            kind=kind,
            name=name,
            forward_ipv4=forwards,
            forward_ipv6=forwards,  # type: ignore[arg-type]
        )
        return name

    def cable(self, a: str, b: str, a_address: str = "", b_address: str = "") -> None:
        """Add a cable between new interfaces with these addresses."""
        ends = [self._interface(a, a_address), self._interface(b, b_address)]
        self.links[f"l{len(self.links)}"] = Link(a=ends[0], b=ends[1])

    def _interface(self, node: str, address: str) -> str:
        key = f"i{len(self.interfaces)}"
        name = f"eth{self._ports[node]}"
        self._ports[node] += 1
        addresses = (address,) if address else ()
        self.interfaces[key] = Interface(node=node, name=name, addresses=addresses)
        return key

    def route(self, node: str, prefix: str, via: str) -> None:
        """Add a static route."""
        self.routes[f"r{len(self.routes)}"] = Route(node=node, prefix=prefix, via=via)

    def topology(self) -> Topology:
        """Return the drawing."""
        return Topology(
            nodes=self.nodes, interfaces=self.interfaces, links=self.links, routes=self.routes
        )


def hosts(count: int) -> Topology:
    """Draw ``count`` hosts on one switch, each with a /16 address and a default route."""
    drawing = Drawing()
    switch = drawing.node("s0", "switch")
    for number in range(count):
        host = drawing.node(f"h{number}", "host")
        at = number + 2
        drawing.cable(switch, host, "", f"10.0.{at >> 8}.{at & 255}/16")
        drawing.route(host, "0.0.0.0/0", "10.0.0.1")
    return drawing.topology()


class _FatTree:
    """Draws the tree pod by pod; transfer networks are counted up from 172.16.0.0/30."""

    def __init__(self, k: int) -> None:
        self.half = k // 2
        self.drawing = Drawing()
        self._transfer = iter(range(0xAC100000, 0xAC200000, 4))
        both = [(i, j) for i in range(self.half) for j in range(self.half)]
        self.core = {at: self.drawing.node(f"c{at[0]}_{at[1]}", "router") for at in both}
        for pod in range(k):
            self._pod(pod)

    def _between(self, a: str, b: str) -> tuple[str, str]:
        net = next(self._transfer)
        ends = _text(net + 1), _text(net + 2)
        self.drawing.cable(a, b, f"{ends[0]}/30", f"{ends[1]}/30")
        return ends

    def _pod(self, pod: int) -> None:
        upper = [self.drawing.node(f"a{pod}_{j}", "router") for j in range(self.half)]
        lower = [self.drawing.node(f"e{pod}_{j}", "router") for j in range(self.half)]
        for (i, j), core in self.core.items():
            up, down = self._between(core, upper[i])
            self.drawing.route(core, f"10.{pod}.0.0/16", down)
            if j == 0:
                self.drawing.route(upper[i], "0.0.0.0/0", up)
        for number, edge in enumerate(lower):
            self._edge(pod, number, edge, upper)

    def _edge(self, pod: int, number: int, edge: str, upper: list[str]) -> None:
        for j, above in enumerate(upper):
            up, down = self._between(above, edge)
            self.drawing.route(above, f"10.{pod}.{number}.0/24", down)
            if j == number % self.half:
                self.drawing.route(edge, "0.0.0.0/0", up)
        for last in range(self.half):
            host = self.drawing.node(f"h{pod}_{number}_{last}", "host")
            net = (10 << 24) + (pod << 16) + (number << 8) + 4 * last
            self.drawing.cable(edge, host, f"{_text(net + 1)}/30", f"{_text(net + 2)}/30")
            self.drawing.route(host, "0.0.0.0/0", _text(net + 1))


def fat_tree(k: int) -> Topology:
    """Draw a k-ary fat tree of routers with k**3 / 4 hosts: k = 8 is 208 nodes and 384 cables."""
    return _FatTree(k).drawing.topology()


def _text(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def plan(topology: Topology) -> tuple[Step, ...]:
    """Return the steps from nothing to a drawing."""
    return diff(expand(LAB, topology), LabState()).steps
