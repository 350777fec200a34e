"""Drawing in, desired state out: one file a node kind, one a link kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.plan.expand import child, host, router, routes, switch, uplink, veth
from topoweb.core.plan.expand.view import View
from topoweb.core.plan.state import DeviceState, Endpoint, LabState, NamespaceState, RouteState
from topoweb.core.plan.subjects import Subjects

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology

NODE_KINDS = {"host": host, "router": router, "switch": switch, "uplink": uplink}
LINK_KINDS = {"veth": veth}
_MASTERS = {kind: module.master for kind, module in NODE_KINDS.items()}


def expand(
    lab: int,
    topology: Topology,
    *,
    uplink_until: int | None = None,
    link_rate: int | None = None,
) -> LabState:
    """Return what the kernel should hold for a drawing, keyed by node id.

    ``uplink_until``: the second since the epoch until which the lab's uplink is granted.
    ``link_rate``: the bit/s that every cable is held to in each direction; None: none.

    Works for drawings with problems too; what cannot exist is left out: an interface without a
    cable (a veth end needs a peer), a route whose device is down.
    """
    view = View.of(lab, topology, link_rate=link_rate)
    devices: dict[str, dict[str, DeviceState]] = {
        key: {d.name: d for d in NODE_KINDS[node.kind].devices(view, key)}
        for key, node in topology.nodes.items()
    }
    for key, link in topology.links.items():
        for namespace, device in LINK_KINDS[link.kind].devices(view, key, _MASTERS):
            devices[namespace][device.name] = device
    for key in topology.interfaces:
        if (found := child.device(view, key)) is not None:
            devices[found[0]][found[1].name] = found[1]
    return LabState(
        namespaces={
            key: NamespaceState(
                forward_ipv4=node.forward_ipv4 or node.kind == "uplink",
                forward_ipv6=node.forward_ipv6 and node.kind != "uplink",
                devices=devices[key],
                routes=_routes(view, key),
                uplink=uplink.state(node, uplink_until),
            )
            for key, node in topology.nodes.items()
        }
    )


def subjects(topology: Topology) -> Subjects:
    """Return the drawn objects behind the devices and routes that `expand` makes."""
    view = View.of(0, topology)
    devices = {
        Endpoint(namespace=item.node, name=item.name): key
        for key, item in topology.interfaces.items()
    }
    links = {
        Endpoint(namespace=topology.interfaces[end].node, name=topology.interfaces[end].name): key
        for key, link in topology.links.items()
        for end in (link.a, link.b)
    }
    drawn = {
        (route.node, state): key
        for key, route in topology.routes.items()
        if (state := routes.state(view, route)) is not None
    }
    names = {key: node.name for key, node in topology.nodes.items()}
    return Subjects(names, devices, links, drawn)


def _routes(view: View, node: str) -> frozenset[RouteState]:
    drawn = (view.topology.routes[key] for key in view.index.routes_of.get(node, ()))
    states = (routes.state(view, route) for route in drawn)
    return frozenset(state for state in states if state is not None)
