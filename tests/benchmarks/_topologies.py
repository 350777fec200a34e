"""The topologies that benchmarks are measured on, as drawings and as plans."""

from __future__ import annotations

from collections import Counter

from topoweb.core.plan.actions import Step
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.plan.state import LabState
from topoweb.core.topology.model import Interface, Link, Node, Route, Topology

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
            kind=kind, name=name, forward_ipv4=forwards, forward_ipv6=forwards  # type: ignore[arg-type]
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


def fat_tree(k: int) -> Topology:
    """Draw a k-ary fat tree of routers with k**3 / 4 hosts: k = 8 is 208 nodes and 384 cables."""
    half = k // 2
    drawing = Drawing()
    core = [[drawing.node(f"c{i}_{j}", "router") for j in range(half)] for i in range(half)]
    transfer = iter(range(0xAC100000, 0xAC200000, 4))

    def between(a: str, b: str) -> tuple[str, str]:
        net = next(transfer)
        ends = _text(net + 1), _text(net + 2)
        drawing.cable(a, b, f"{ends[0]}/30", f"{ends[1]}/30")
        return ends

    for pod in range(k):
        upper = [drawing.node(f"a{pod}_{j}", "router") for j in range(half)]
        lower = [drawing.node(f"e{pod}_{j}", "router") for j in range(half)]
        for j in range(half):
            for i in range(half):
                up, down = between(core[j][i], upper[j])
                drawing.route(core[j][i], f"10.{pod}.0.0/16", down)
                if i == 0:
                    drawing.route(upper[j], "0.0.0.0/0", up)
        for edge in range(half):
            for j in range(half):
                up, down = between(upper[j], lower[edge])
                drawing.route(upper[j], f"10.{pod}.{edge}.0/24", down)
                if j == edge % half:
                    drawing.route(lower[edge], "0.0.0.0/0", up)
            for number in range(half):
                host = drawing.node(f"h{pod}_{edge}_{number}", "host")
                net = (10 << 24) + (pod << 16) + (edge << 8) + 4 * number
                drawing.cable(lower[edge], host, f"{_text(net + 1)}/30", f"{_text(net + 2)}/30")
                drawing.route(host, "0.0.0.0/0", _text(net + 1))
    return drawing.topology()


def _text(address: int) -> str:
    return ".".join(str(address >> shift & 255) for shift in (24, 16, 8, 0))


def plan(topology: Topology) -> tuple[Step, ...]:
    """Return the steps from nothing to a drawing."""
    return diff(expand(LAB, topology), LabState()).steps
