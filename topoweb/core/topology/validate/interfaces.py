"""Interfaces by kind: children and what they hang on, and options of bridge ports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.topology.bridge_port import BridgePort
from topoweb.core.topology.index import is_port, peer_of
from topoweb.core.topology.interfaces import INTERFACE_KINDS, Vlan
from topoweb.core.topology.interfaces.kind import Family
from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.model import Interface, Topology
    from topoweb.core.topology.onlink import OnLink
    from topoweb.core.topology.problem import Problem

NO_OPTIONS = BridgePort()
RECEIVERS = ("macvlan", "ipvlan")  # each wants all that its parent receives (rx_handler)


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check each interface by its kind."""
    for key, item in drawing.topology.interfaces.items():
        if item.bridge_port != NO_OPTIONS:
            yield from _bridge_port(drawing.topology, key, item)
        if item.kind != "port":
            yield from _child(drawing, key, item)
        elif item.parent is not None:
            name = place(drawing.topology, key)
            yield problem("parent-without-effect", f"/interfaces/{key}/parent", name=name)


def place(topology: Topology, key: str) -> str:
    """Return an interface as people write it: "h1:eth0"."""
    item = topology.interfaces[key]
    return f"{topology.nodes[item.node].name}:{item.name}"


def _bridge_port(topology: Topology, key: str, item: Interface) -> Iterator[Problem]:
    path, name = f"/interfaces/{key}/bridge_port", place(topology, key)
    if not is_port(topology, key):
        yield problem("bridge-port-without-effect", path, name=name)
        return
    vlans = (item.bridge_port.untagged, item.bridge_port.tagged)
    filtering = topology.nodes[item.node].vlan_filtering
    if vlans != (NO_OPTIONS.untagged, NO_OPTIONS.tagged) and not filtering:
        switch = topology.nodes[item.node].name
        yield problem("vlan-filtering-off", path, name=name, switch=switch)


def _child(drawing: OnLink, key: str, item: Interface) -> Iterator[Problem]:
    topology, path = drawing.topology, f"/interfaces/{key}"
    name, kind = place(topology, key), INTERFACE_KINDS[item.kind]
    if key in drawing.index.link_of:
        yield problem("child-with-cable", path, name=name, kind=item.kind)
    if item.parent is None:
        yield problem("parent-missing", f"{path}/parent", name=name, kind=item.kind)
        return
    parent = topology.interfaces[item.parent]
    words = {"name": name, "kind": item.kind, "parent": place(topology, item.parent)}
    if parent.kind not in kind.parents:
        yield problem("parent-kind", f"{path}/parent", **words, parent_kind=parent.kind)
    yield from _standing(drawing, item, parent, path, words)
    family = _family(drawing, key, item.parent)
    if item.mtu > parent.mtu:
        yield problem("child-mtu", f"{path}/mtu", name=name, mtu=item.mtu, limit=parent.mtu)
    if item.mac is not None and not kind.own_mac(item.options):
        yield problem("child-mac", f"{path}/mac", name=name, parent=words["parent"])
    for fault in kind.faults(item.options, family):
        yield problem(fault.code, path + fault.where, **fault.params)
    if isinstance(item.options, Vlan):
        yield from _carried(drawing, item.parent, item.options.id, path, name)


def _standing(
    drawing: OnLink, item: Interface, parent: Interface, path: str, words: dict[str, str]
) -> Iterator[Problem]:
    """Check where child and parent stand, and what else hangs on the parent."""
    topology = drawing.topology
    assert item.parent is not None
    if "uplink" in (topology.nodes[item.node].kind, topology.nodes[parent.node].kind):
        yield problem("child-at-uplink", f"{path}/parent", **words)
    if item.kind not in RECEIVERS:
        return
    if is_port(topology, item.parent):
        yield problem("parent-is-bridge-port", f"{path}/parent", **words)
    others = (topology.interfaces[key] for key in drawing.index.children_of[item.parent])
    if any(other.kind in RECEIVERS and other.kind != item.kind for other in others):
        yield problem("parent-shared", f"{path}/kind", **words)
    networks = {prefixes.interface(text).network for text in parent.addresses}
    if any(prefixes.interface(text).network in networks for text in item.addresses):
        yield problem("child-apart-from-parent", f"{path}/addresses", **words)


def _family(drawing: OnLink, key: str, parent: str) -> Family:
    topology = drawing.topology
    return Family(
        name=place(topology, key),
        child=topology.interfaces[key],
        parent_name=place(topology, parent),
        parent=topology.interfaces[parent],
        siblings={
            place(topology, other): topology.interfaces[other]
            for other in drawing.index.children_of[parent]
            if other != key
        },
    )


def _carried(drawing: OnLink, parent: str, vlan: int, path: str, name: str) -> Iterator[Problem]:
    """Check that the switch at the other end of the parent's cable passes the tag."""
    topology = drawing.topology
    peer = peer_of(topology, drawing.index, parent)
    if peer is None or not is_port(topology, peer):
        return
    port = topology.interfaces[peer]
    if topology.nodes[port.node].vlan_filtering and vlan not in port.bridge_port.tagged:
        words = {"name": name, "port": place(topology, peer), "id": vlan}
        yield problem("vlan-not-carried", f"{path}/options/id", **words)
