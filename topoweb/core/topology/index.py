"""Who hangs on whom: the reverse of the references that a drawing stores."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topoweb.core.topology.interfaces import INTERFACE_KINDS
from topoweb.core.topology.model import Interface, Link, Route, Service, Topology

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.schema import Item

ETHERNET_MTU = 1500


def _groups() -> defaultdict[str, dict[str, None]]:
    return defaultdict(dict)


@dataclass(slots=True)
class Index:
    """Reverse references, kept up to date by `add` and `drop` (sets that keep their order)."""

    link_of: dict[str, str] = field(default_factory=dict)  # interface → link
    interfaces_of: defaultdict[str, dict[str, None]] = field(default_factory=_groups)  # node →
    children_of: defaultdict[str, dict[str, None]] = field(default_factory=_groups)  # interface →
    routes_of: defaultdict[str, dict[str, None]] = field(default_factory=_groups)  # node →
    routes_by: defaultdict[str, dict[str, None]] = field(default_factory=_groups)  # interface →
    services_of: defaultdict[str, dict[str, None]] = field(default_factory=_groups)  # node →

    @classmethod
    def of(cls, topology: Topology) -> Index:
        """Read a whole drawing."""
        index = cls()
        for objects in (
            topology.interfaces,
            topology.links,
            topology.routes,
            topology.services,
        ):
            for key, item in objects.items():
                index.add(key, item)
        return index

    def add(self, key: str, item: Item) -> None:
        """Note an object that is now drawn."""
        if isinstance(item, Interface):
            self.interfaces_of[item.node][key] = None
            if item.parent is not None:
                self.children_of[item.parent][key] = None
        elif isinstance(item, Link):
            self.link_of[item.a] = self.link_of[item.b] = key
        elif isinstance(item, Route):
            self.routes_of[item.node][key] = None
            if item.device is not None:
                self.routes_by[item.device][key] = None
        elif isinstance(item, Service):
            self.services_of[item.node][key] = None

    def drop(self, key: str, item: Item) -> None:
        """Forget an object that was drawn."""
        if isinstance(item, Interface):
            del self.interfaces_of[item.node][key]
            if item.parent is not None:
                del self.children_of[item.parent][key]
        elif isinstance(item, Link):
            del self.link_of[item.a], self.link_of[item.b]
        elif isinstance(item, Route):
            del self.routes_of[item.node][key]
            if item.device is not None:
                del self.routes_by[item.device][key]
        elif isinstance(item, Service):
            del self.services_of[item.node][key]


def peer_of(topology: Topology, index: Index, interface: str) -> str | None:
    """Return the interface at the other end of the cable; None without a cable."""
    key = index.link_of.get(interface)
    if key is None:
        return None
    link = topology.links[key]
    return link.b if link.a == interface else link.a


def is_port(topology: Topology, interface: str) -> bool:
    """Tell whether an interface is a bridge port: frames pass on, addresses do not belong."""
    item = topology.interfaces[interface]
    switch = topology.nodes[item.node].kind == "switch"
    return switch and item.bridged and item.kind == "port"


def bridge_mtu(topology: Topology, index: Index, node: str) -> int:
    """Return the MTU of a switch's bridge: its smallest port's (br_mtu_auto_adjust)."""
    ports = [
        topology.interfaces[key].mtu
        for key in index.interfaces_of.get(node, ())
        if key in index.link_of and is_port(topology, key)
    ]
    return min(ports, default=ETHERNET_MTU)


def segment(topology: Topology, index: Index, start: str) -> list[str]:
    """Return the interfaces of the layer-2 segment of ``start``, switch ports included.

    Children that share their parent's segment belong to it; tagged ones begin one of their own.
    Cables that are drawn off still belong: an address plan does not change with a switch.
    """
    seen, queue = {start: None}, [start]
    while queue:
        for near in _near(topology, index, queue.pop()):
            if near not in seen:
                seen[near] = None
                queue.append(near)
    return list(seen)


def _near(topology: Topology, index: Index, interface: str) -> Iterator[str]:
    peer = peer_of(topology, index, interface)
    if peer is not None:
        yield peer
    item = topology.interfaces[interface]
    if item.parent is not None and INTERFACE_KINDS[item.kind].same_segment:
        yield item.parent
    for child in index.children_of.get(interface, ()):
        if INTERFACE_KINDS[topology.interfaces[child].kind].same_segment:
            yield child
    if is_port(topology, interface):
        for other in index.interfaces_of[topology.interfaces[interface].node]:
            if is_port(topology, other):
                yield other
