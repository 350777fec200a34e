"""A switch: a namespace with one bridge, whose ports are the interfaces with a cable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.plan.expand import host
from topoweb.core.plan.state import DeviceState
from topoweb.core.topology.index import bridge_mtu
from topoweb.core.topology.names import kernel_tag
from topoweb.core.topology.onlink import BRIDGE

if TYPE_CHECKING:
    from topoweb.core.plan.expand.view import View
    from topoweb.core.topology.model import Interface


def devices(view: View, node: str) -> list[DeviceState]:
    """Return loopback and bridge.

    The bridge has no MAC of its own, as a bridge by hand has none: it shows its lowest port's.
    """
    item = view.topology.nodes[node]
    bridge = DeviceState(
        name=BRIDGE,
        kind="bridge",
        up=True,
        mtu=bridge_mtu(view.topology, view.index, node),
        addresses=frozenset(item.addresses),
        stp=item.stp,
        ageing=item.ageing,
        priority=item.priority,
        vlan_filtering=item.vlan_filtering,
        tag=kernel_tag(view.lab, node, BRIDGE),
    )
    return [*host.devices(view, node), bridge]


def master(interface: Interface) -> str | None:
    """Return the bridge of an interface unless it is drawn beside the bridge."""
    return BRIDGE if interface.bridged else None
