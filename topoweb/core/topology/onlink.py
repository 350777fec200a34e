"""Which next hops a node can reach directly, by the kernel's rule.

A next hop must lie in a network that is attached to an interface which is up: an address's own
network, or a route by device without a next hop (net/ipv4/fib_semantics.c, fib_check_nh). An
interface exists only with a cable, because a veth end needs a peer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.topology.interfaces import INTERFACE_KINDS

if TYPE_CHECKING:
    from topoweb.core.topology.index import Index
    from topoweb.core.topology.model import Route, Topology

BRIDGE = "br0"
WAN = "wan0"  # an uplink's side of its way out; nobody draws it


@dataclass(frozen=True, slots=True)
class Attached:
    """A directly attached network of a node. ``live``: the device exists and is up."""

    network: prefixes.Network
    device: str  # interface name
    live: bool


@dataclass(slots=True)
class OnLink:
    """The attached networks of every node, read node by node on first use."""

    topology: Topology
    index: Index
    _known: dict[str, list[Attached]] = field(default_factory=dict)

    def exists(self, interface: str) -> bool:
        """Tell whether the kernel has an interface: a port with a cable, or a child of one."""
        item = self.topology.interfaces[interface]
        while item.kind != "port":
            if item.parent is None:
                return False
            interface = item.parent
            item = self.topology.interfaces[interface]
        return interface in self.index.link_of

    def live(self, interface: str) -> bool:
        """Tell whether an interface exists and is drawn up, a port with its cable."""
        topology = self.topology
        item = topology.interfaces[interface]
        if item.kind != "port":
            leads = item.parent if INTERFACE_KINDS[item.kind].follows else None
            return item.up and self.exists(interface) and (leads is None or self.live(leads))
        link = self.index.link_of.get(interface)
        return link is not None and item.up and topology.links[link].up

    def attached(self, node: str) -> list[Attached]:
        """Return a node's networks, longest prefix first."""
        if node not in self._known:
            found = [*self.by_address(node), *self._by_route(node)]
            self._known[node] = sorted(found, key=lambda a: -a.network.prefixlen)
        return self._known[node]

    def ways(self, route: Route) -> list[Attached]:
        """Return the attached networks that hold the route's next hop, the best first."""
        if route.via is None:
            return []
        hop, name = prefixes.host(route.via), None
        if route.device is not None:
            name = self.topology.interfaces[route.device].name
        found = [
            attached
            for attached in self.attached(route.node)
            if name in (None, attached.device) and hop in attached.network
        ]
        if hop.is_link_local and hop.version == 6 and route.device is not None and name:
            found.append(Attached(prefixes.network("fe80::/64"), name, self.live(route.device)))
        return found

    def addresses(self, node: str) -> set[str]:
        """Return a node's own addresses, without their lengths."""
        mine = self.index.interfaces_of.get(node, ())
        texts = [*self.topology.nodes[node].addresses]
        for key in mine:
            texts += self.topology.interfaces[key].addresses
        return {text.partition("/")[0] for text in texts}

    def by_address(self, node: str) -> list[Attached]:
        """Return the networks that come with a node's addresses."""
        found = []
        for key in self.index.interfaces_of.get(node, ()):
            item = self.topology.interfaces[key]
            for text in item.addresses:
                network = prefixes.interface(text).network
                found.append(Attached(network, item.name, self.live(key)))
        if self.topology.nodes[node].kind == "switch":
            found += [
                Attached(prefixes.interface(text).network, BRIDGE, live=True)
                for text in self.topology.nodes[node].addresses
            ]
        return found

    def _by_route(self, node: str) -> list[Attached]:
        found = []
        for key in self.index.routes_of.get(node, ()):
            route = self.topology.routes[key]
            if route.via is None and route.device is not None:
                name = self.topology.interfaces[route.device].name
                network = prefixes.network(route.prefix)
                found.append(Attached(network, name, self.live(route.device)))
        return found
