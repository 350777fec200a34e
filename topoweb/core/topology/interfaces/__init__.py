"""Interfaces by kind: ports with a cable, and children that hang on another interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology.interfaces import ipvlan, macvlan, port, vlan
from topoweb.core.topology.interfaces.ipvlan import Ipvlan
from topoweb.core.topology.interfaces.macvlan import Macvlan
from topoweb.core.topology.interfaces.port import Port
from topoweb.core.topology.interfaces.vlan import Vlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.interfaces.kind import Kind

__all__ = [
    "CHILD_KINDS",
    "INTERFACE_KINDS",
    "InterfaceOptions",
    "Ipvlan",
    "Macvlan",
    "Port",
    "Vlan",
    "kind_of",
]

InterfaceOptions = Port | Macvlan | Ipvlan | Vlan

INTERFACE_KINDS: Mapping[str, Kind] = {
    "port": port.KIND,
    "macvlan": macvlan.KIND,
    "ipvlan": ipvlan.KIND,
    "vlan": vlan.KIND,
}
CHILD_KINDS = tuple(name for name, kind in INTERFACE_KINDS.items() if kind.parents)
_NAMES = {kind.options: name for name, kind in INTERFACE_KINDS.items()}


def kind_of(options: InterfaceOptions) -> str:
    """Return the name of the kind whose options these are."""
    return _NAMES[type(options)]
