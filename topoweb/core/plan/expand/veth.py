"""A cable: a veth pair with an end in each of two namespaces, or both in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from topoweb.core.plan.state import NEW_PORT_VLANS, DeviceState, Endpoint, PortState
from topoweb.core.topology.bridge_port import BridgePort, vlan_words
from topoweb.core.topology.model import Interface
from topoweb.core.topology.names import derived_mac, kernel_tag

if TYPE_CHECKING:
    from topoweb.core.plan.expand.view import View
    from topoweb.core.topology.model import Node

Master = Callable[[Interface], str | None]


def devices(view: View, link: str, masters: Mapping[str, Master]) -> list[tuple[str, DeviceState]]:
    """Return both ends, each with its namespace. A cable that is drawn off has both ends down."""
    drawn = view.topology.links[link]
    if any(view.topology.interfaces[end].kind != "port" for end in (drawn.a, drawn.b)):
        return []  # `validate` has said so
    ends = []
    for end, key, far in (("a", drawn.a, drawn.b), ("b", drawn.b, drawn.a)):
        item = view.topology.interfaces[key]
        peer = view.topology.interfaces[far]
        node = view.topology.nodes[item.node]
        master = masters[node.kind](item)
        state = DeviceState(
            name=item.name,
            kind="veth",
            up=item.up and drawn.up,
            mac=item.mac or derived_mac(view.lab, key),
            mtu=item.mtu,
            master=master,
            port=_port(item.bridge_port) if master else None,
            vlans=_vlans(node, item) if master else None,
            peer=Endpoint(namespace=peer.node, name=peer.name),
            addresses=frozenset(item.addresses),
            tag=kernel_tag(view.lab, link, end),
            rate=view.link_rate,
            offloads=view.topology.offloads,
        )
        ends.append((item.node, state))
    return ends


def _port(drawn: BridgePort) -> PortState:
    return PortState(
        hairpin=drawn.hairpin,
        isolated=drawn.isolated,
        learning=drawn.learning,
        flood=drawn.flood,
        cost=drawn.cost,
        priority=drawn.priority,
    )


def _vlans(switch: Node, item: Interface) -> frozenset[str]:
    return vlan_words(item.bridge_port) if switch.vlan_filtering else NEW_PORT_VLANS
