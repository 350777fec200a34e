"""Whose address or MAC it is, among all nodes of a lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.topology import prefixes
from topoweb.core.tracing.explain import macvlans
from topoweb.core.tracing.explain.dryrun.segment import Way, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.tracing.explain.facts import Facts, Interface


class Owner(NamedTuple):
    """An interface that has an address. ``address`` is with its length, as "10.0.1.11/24"."""

    node: str
    interface: str
    address: str = ""
    failed: bool = False  # IPv6: duplicate detection found another owner first

    @property
    def plain(self) -> str:
        """The address without its length."""
        return self.address.partition("/")[0]


def _interfaces(facts: Facts, what: str) -> Iterator[tuple[str, Interface]]:
    """Yield the interfaces of the nodes that have an address or a MAC."""
    for node in facts.holders(what):
        for item in facts.interfaces(node).values():
            yield node, item


def owners(facts: Facts, address: str) -> tuple[Owner, ...]:
    """Return who has an address, sorted: two or more for a duplicate."""
    found = []
    for node, item in _interfaces(facts, address):
        if address in item.duplicates:
            found.append(Owner(node, item.name, address, failed=True))
        found += [
            Owner(node, item.name, text)
            for text in item.addresses
            if text.partition("/")[0] == address
        ]
    return tuple(sorted(found))


def owner(facts: Facts, address: str) -> Owner | None:
    """Return the first who has an address."""
    found = owners(facts, address) if address else ()
    return found[0] if found else None


def of_mac(facts: Facts, mac: str) -> Owner | None:
    """Return the node whose interface has a MAC; a bridge's own, last (it borrows a port's)."""
    items = _interfaces(facts, mac) if mac else ()
    found = [(item.kind == "bridge", node, item) for node, item in items]
    for _, node, item in sorted(found, key=lambda entry: entry[:2]):
        if item.mac == mac and item.port is None:
            return Owner(node, item.name, item.addresses[0] if item.addresses else "")
    return None


def reachable(facts: Facts, node: str, interface: str) -> dict[tuple[str, str], Way]:
    """Return the best way to each interface that cables and switches lead to.

    A macvlan child is on its parent's cable.
    """
    item = facts.interfaces(node).get(interface)
    parent = macvlans.parent_of(facts, node, item) if item is not None else None
    start = parent or (node, interface)
    found: dict[tuple[str, str], Way] = {}
    for way in ways(facts, *start):
        found.setdefault((way.node, way.interface), way)
    for place, child, above in macvlans.children(facts):
        if above in found:
            found.setdefault(place, found[above]._replace(node=place[0], interface=place[1]))
        elif above == parent and place != (node, interface) and child.mode == "bridge":
            found.setdefault(place, Way(*place, (), None))
    return found


def covering(item: Interface, address: str) -> str:
    """Return the interface's address whose network holds ``address``; "" for none."""
    wanted = prefixes.host(address)
    for text in item.addresses:
        network = prefixes.interface(text).network
        if network.version == wanted.version and wanted in network:
            return text
    return ""


def network_of(address: str) -> str:
    """Return "10.0.1.0/24" for "10.0.1.11/24"."""
    return str(prefixes.interface(address).network)


def claims(facts: Facts, address: str) -> tuple[Owner, Owner] | None:
    """Return two nodes on one cable or switch that have the same address; None without."""
    if not address or address.startswith(("127.", "fe80:", "::1", "0.")):
        return None
    found = owners(facts, address)
    for index, first in enumerate(found):
        near = reachable(facts, first.node, first.interface) if found[index + 1 :] else {}
        for second in found[index + 1 :]:
            if second.node != first.node and (second.node, second.interface) in near:
                return first, second
    return None
