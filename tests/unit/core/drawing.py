"""Drawings for tests, made in a few words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.topology.document import parse

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology

SHORT = {"h": "host", "r": "router", "s": "switch"}


class Drawing:
    """A document in the making. Node ids are names; interface "h1.eth0" has the id "h1-eth0"."""

    def __init__(self, **settings: Any) -> None:
        self.document: dict[str, Any] = {
            "format": "topoweb",
            "version": 1,
            **settings,
            **{name: {} for name in ("nodes", "interfaces", "links", "routes")},
        }

    def node(self, name: str, **properties: Any) -> Drawing:
        kind = SHORT[name[0]]
        if kind == "router":
            properties = {"forward_ipv4": True, "forward_ipv6": True, **properties}
        self.document["nodes"][name] = {"kind": kind, "name": name, **properties}
        return self

    def interface(self, at: str, *addresses: str, **properties: Any) -> Drawing:
        node, _, name = at.partition(".")
        if node not in self.document["nodes"]:
            self.node(node)
        self.document["interfaces"][f"{node}-{name}"] = {
            "node": node,
            "name": name,
            "addresses": list(addresses),
            **properties,
        }
        return self

    def cable(self, a: str, b: str, **properties: Any) -> Drawing:
        """Draw a cable; "h1.eth0 10.0.0.1/24" gives the end an address as well."""
        ends = []
        for end in (a, b):
            at, *addresses = end.split()
            key = at.replace(".", "-")
            if key not in self.document["interfaces"]:
                self.interface(at, *addresses)
            ends.append(key)
        link = {"a": ends[0], "b": ends[1], **properties}
        self.document["links"][f"l{len(self.document['links']) + 1}"] = link
        return self

    def route(self, node: str, prefix: str, via: str | None = None, **properties: Any) -> Drawing:
        key = f"t{len(self.document['routes']) + 1}"
        self.document["routes"][key] = {"node": node, "prefix": prefix, "via": via, **properties}
        return self

    def parse(self) -> Topology:
        return parse(self.document)


def two_hosts() -> Drawing:
    return Drawing().cable("h1.eth0 10.0.0.1/24", "h2.eth0 10.0.0.2/24")


def routed() -> Drawing:
    """Two hosts, a switch and a router on each side."""
    drawing = Drawing()
    for side in (1, 2):
        for number in (1, 2):
            host = f"h{side}{number}"
            drawing.cable(f"{host}.eth0 10.0.{side}.{10 + number}/24", f"s{side}.p{number}")
            drawing.route(host, "0.0.0.0/0", f"10.0.{side}.1")
        drawing.cable(f"s{side}.p9", f"r1.eth{side} 10.0.{side}.1/24")
    return drawing
