"""A child: a device that hangs on another one, in the same namespace or in another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.plan.state import DeviceState, Endpoint
from topoweb.core.topology.interfaces import INTERFACE_KINDS
from topoweb.core.topology.names import derived_mac, kernel_tag

if TYPE_CHECKING:
    from topoweb.core.plan.expand.view import View
    from topoweb.core.topology.model import Interface

TAG_END = "child"


def device(view: View, key: str) -> tuple[str, DeviceState] | None:
    """Return a child with its namespace; None when its parent cannot exist or be used."""
    item = view.topology.interfaces[key]
    if item.parent is None or item.kind == "port" or not view.onlink.exists(key):
        return None
    parent = view.topology.interfaces[item.parent]
    if "uplink" in (view.topology.nodes[end.node].kind for end in (item, parent)):
        return None
    state = DeviceState(
        name=item.name,
        kind=item.kind,
        up=view.onlink.live(key),
        mac=_mac(view, key, item),
        mtu=item.mtu,
        parent=Endpoint(namespace=parent.node, name=parent.name),
        options=item.options,
        addresses=frozenset(item.addresses),
        tag=kernel_tag(view.lab, key, TAG_END),
    )
    return item.node, state


def _mac(view: View, key: str, item: Interface) -> str | None:
    kind = INTERFACE_KINDS[item.kind]
    if not kind.own_mac(item.options):
        return None
    return item.mac or (derived_mac(view.lab, key) if kind.new_mac else None)
