"""One state of a lab out of what each of its namespaces says by indexes."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from topoweb.core.plan.state import DeviceState, Endpoint, LabState, NamespaceState
from topoweb.core.topology.interfaces import CHILD_KINDS
from topoweb.kernel import ownership

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.kernel.observe import RawDevice, RawNamespace


def assemble(lab: int, raw: Mapping[str, RawNamespace]) -> LabState:
    """Return a lab's state from all its namespaces."""
    peers, parents = _peers(lab, raw), _parents(raw)
    return LabState(
        namespaces={
            node: _state(node, namespace, peers, parents) for node, namespace in raw.items()
        }
    )


def _peers(lab: int, raw: Mapping[str, RawNamespace]) -> dict[tuple[str, int], Endpoint]:
    """Return the other end of each veth by (namespace, index).

    A veth knows its peer's index and that it is in another namespace, not in which: two ends
    belong together when each names the other's index, and among several such when their tags
    name the same cable.
    """
    ends: defaultdict[tuple[int, int], list[tuple[str, RawDevice]]] = defaultdict(list)
    for node, namespace in raw.items():
        for device in namespace.devices.values():
            if device.kind == "veth" and device.link:
                ends[device.index, device.link].append((node, device))
    peers = {}
    for (index, link), owners in ends.items():
        for node, device in owners:
            match = _match(lab, node, device, ends.get((link, index), []))
            if match:
                peers[node, index] = match
    return peers


def _match(
    lab: int, node: str, device: RawDevice, candidates: list[tuple[str, RawDevice]]
) -> Endpoint | None:
    found = [
        (other, peer)
        for other, peer in candidates
        if (other != node) == device.elsewhere and peer is not device
    ]
    if len(found) > 1:
        cable = ownership.tag_of(lab, device.tag)
        found = [
            (other, peer)
            for other, peer in found
            if cable and (ownership.tag_of(lab, peer.tag) or ("",))[0] == cable[0]
        ]
    if len(found) != 1:
        return None
    other, peer = found[0]
    return Endpoint(namespace=other, name=peer.name)


def _parents(raw: Mapping[str, RawNamespace]) -> dict[tuple[str, int], Endpoint]:
    """Return the parent of each child by (namespace, index); those that belong to the lab."""
    parents = {}
    for node, namespace in raw.items():
        for device in namespace.devices.values():
            if device.kind in CHILD_KINDS:
                found = _distant(node, device, raw) if device.elsewhere else node
                if found is not None and device.link in raw[found].devices:
                    name = raw[found].devices[device.link].name
                    parents[node, device.index] = Endpoint(namespace=found, name=name)
    return parents


def _distant(node: str, child: RawDevice, raw: Mapping[str, RawNamespace]) -> str | None:
    """Return the node in which the parent of a child is.

    A child knows the index of its parent, and by an id of its own namespace where that is. So of
    the devices with that index it is the one that has the MAC or the tag that was read there.
    """
    candidates = [
        (other, namespace.devices[child.link])
        for other, namespace in raw.items()
        if other != node and child.link in namespace.devices
    ]
    alike = [
        (other, parent)
        for other, parent in candidates
        if parent.mac == child.parent_mac or (parent.tag and parent.tag == child.parent_tag)
    ]
    found = alike or candidates
    return found[0][0] if len(found) == 1 else None


def _state(
    node: str,
    raw: RawNamespace,
    peers: Mapping[tuple[str, int], Endpoint],
    parents: Mapping[tuple[str, int], Endpoint],
) -> NamespaceState:
    devices = {}
    for device in raw.devices.values():
        master = raw.devices.get(device.master)
        devices[device.name] = DeviceState(
            name=device.name,
            kind=device.kind,
            up=device.up,
            mac=device.mac,
            mtu=device.mtu,
            master=master.name if master else None,
            peer=peers.get((node, device.index)),
            addresses=frozenset(device.addresses),
            stp=device.stp,
            ageing=device.ageing,
            priority=device.priority,
            vlan_filtering=device.vlan_filtering,
            port=device.port,
            vlans=device.vlans,
            parent=parents.get((node, device.index)),
            options=device.options,
            tag=device.tag,
            rate=device.rate,
            offloads=device.offloads,
            oper=device.oper,
            stp_state=device.stp_state,
        )
    return NamespaceState(
        forward_ipv4=raw.forward_ipv4,
        forward_ipv6=raw.forward_ipv6,
        devices=devices,
        routes=raw.routes,
    )
