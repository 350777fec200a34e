"""A cable: a veth pair with an end in each of two namespaces, or both in one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from topoweb.core.plan.state import DeviceState, Endpoint
from topoweb.core.topology.model import Interface
from topoweb.core.topology.names import derived_mac, kernel_tag

if TYPE_CHECKING:
    from topoweb.core.plan.expand.view import View

Master = Callable[[Interface], str | None]


def devices(view: View, link: str, masters: Mapping[str, Master]) -> list[tuple[str, DeviceState]]:
    """Return both ends, each with its namespace. A cable that is drawn off has both ends down."""
    drawn = view.topology.links[link]
    ends = []
    for end, key, far in (("a", drawn.a, drawn.b), ("b", drawn.b, drawn.a)):
        item = view.topology.interfaces[key]
        peer = view.topology.interfaces[far]
        state = DeviceState(
            name=item.name,
            kind="veth",
            up=item.up and drawn.up,
            mac=item.mac or derived_mac(view.lab, key),
            mtu=item.mtu,
            master=masters[view.topology.nodes[item.node].kind](item),
            peer=Endpoint(namespace=peer.node, name=peer.name),
            addresses=frozenset(item.addresses),
            tag=kernel_tag(view.lab, link, end),
            rate=view.link_rate,
        )
        ends.append((item.node, state))
    return ends
