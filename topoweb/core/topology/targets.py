"""From "ping that node" to an address: the one that a person at the source would type."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.model import Topology

Prefix = ipaddress.IPv4Interface | ipaddress.IPv6Interface


def resolve(topology: Topology, source: str, target: str) -> str:
    """Return the address to probe for ``target``, an address or a node id.

    Of a node's addresses one that shares a prefix with the source comes first, then one of a
    family that the source has, then the first drawn. TopowebError(NOT_FOUND) without any.
    """
    if source in topology.nodes and topology.nodes[source].kind == "uplink":
        raise TopowebError(ErrorKind.FORBIDDEN, "Nothing runs in an uplink.")
    if target not in topology.nodes:
        return _address(target)
    own = tuple(_prefixes(topology, source))
    candidates = tuple(_prefixes(topology, target))
    if not candidates:
        name = topology.nodes[target].name
        raise TopowebError(
            ErrorKind.NOT_FOUND, f"{name} has no address.", hint="Give one of its interfaces one."
        )
    networks = {prefix.network for prefix in own}
    families = {prefix.version for prefix in own}
    best = min(candidates, key=lambda p: (p.network not in networks, p.version not in families))
    return str(best.ip)


def _prefixes(topology: Topology, node: str) -> Iterator[Prefix]:
    """Yield a node's drawn addresses in the order drawn: its own, then its interfaces'."""
    drawn = topology.nodes.get(node)
    if drawn is not None:
        yield from map(ipaddress.ip_interface, drawn.addresses)
    for interface in topology.interfaces.values():
        if interface.node == node:
            yield from map(ipaddress.ip_interface, interface.addresses)


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise TopowebError(
            ErrorKind.NOT_FOUND, f"{text} is neither a node of this lab nor an address."
        ) from None
