"""What to aim at: the drawing, and beside it what a user typed into the running lab.

With the desired state that was applied before (``previous``) this is a three-way merge: a
property that the drawing changed since then is enforced, any other keeps the kernel's value, so
that drift stays visible until somebody keeps or restores it. Drawn things that are missing
altogether, or of a wrong kind or peer, are made again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from topoweb.core.plan.state import DeviceState, Endpoint, LabState, NamespaceState, RouteState
from topoweb.core.topology.interfaces import CHILD_KINDS, INTERFACE_KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

TAG_PREFIX = "topoweb:"
LOOPBACK_ADDRESSES = frozenset({"127.0.0.1/8", "::1/128"})
_PROPERTIES = (
    *("up", "mtu", "mac", "master", "stp", "ageing", "priority", "vlan_filtering"),
    *("port", "vlans", "options", "rate", "offloads"),
)
_WISHES = (
    "mac",
    "stp",
    "ageing",
    "priority",
    "vlan_filtering",
    "port",
    "vlans",
    "offloads",
)  # None: none
_REMOVABLE = ("veth", "bridge", *CHILD_KINDS)


def intact(wanted: LabState, observed: LabState) -> set[Endpoint]:
    """Return the wanted devices that exist as wanted in kind, peer, parent and tag.

    Both ends of a cable alike, and a child with its parent, where that is wanted too.
    """
    good = {
        Endpoint(namespace=key, name=name): device
        for key, namespace in wanted.namespaces.items()
        if key in observed.namespaces
        for name, device in namespace.devices.items()
        if _same(device, observed.namespaces[key].devices.get(name))
    }
    whole = {
        at
        for at, device in good.items()
        if device.peer is None or ((far := good.get(device.peer)) is not None and far.peer == at)
    }
    children = {at: device.parent for at, device in good.items() if device.parent is not None}
    while lost := {at for at in whole & children.keys() if children[at] not in whole}:
        whole -= lost
    return whole


def merge(
    desired: LabState, observed: LabState, previous: LabState | None, *, restore: bool
) -> LabState:
    """Return the state to aim at.

    ``restore``, or no ``previous``: all that is drawn is enforced. ``restore`` also removes the
    veths and bridges that users made; otherwise those are left alone.
    """
    kept = intact(desired, observed)
    past = {} if previous is None or restore else previous.namespaces
    result = {}
    for key, want in desired.namespaces.items():
        have = observed.namespaces.get(key)
        if have is None:
            result[key] = want
            continue
        old = past.get(key)
        devices = {
            name: _device(device, have.devices[name], old.devices.get(name) if old else None)
            if Endpoint(namespace=key, name=name) in kept
            else device
            for name, device in want.devices.items()
        }
        removed = old.devices if old else {}
        devices |= {
            name: device
            for name, device in have.devices.items()
            if name not in want.devices and name not in removed and _foreign(device, restore)
        }
        result[key] = NamespaceState(
            forward_ipv4=_pick(want, have, old, "forward_ipv4"),
            forward_ipv6=_pick(want, have, old, "forward_ipv6"),
            devices=devices,
            routes=_routes(key, want, have, old, kept, devices),
            uplink=want.uplink,
        )
    return _whole(LabState(namespaces=result), desired, kept)


def _same(want: DeviceState, have: DeviceState | None) -> bool:
    if have is None or want.kind != have.kind:
        return False
    # Somebody else's alias is drift; ours of another cable, or none yet (the worker died between
    # making and tagging), means that this is not the cable that is drawn.
    tagged = have.tag == want.tag or (have.tag != "" and not have.tag.startswith(TAG_PREFIX))
    return want.peer == have.peer and want.parent == have.parent and tagged and _morphs(want, have)


def _morphs(want: DeviceState, have: DeviceState) -> bool:
    """Tell whether the kernel can give a child the options that are wanted."""
    if want.options is None or want.options == have.options:
        return True
    if have.options is None:
        return False
    return INTERFACE_KINDS[want.kind].morphs(have.options, want.options)


def _foreign(device: DeviceState, restore: bool) -> bool:
    """Tell whether a device that is not drawn stays."""
    if device.tag.startswith(TAG_PREFIX):
        return False
    return not restore or device.kind not in _REMOVABLE


def _pick(want: Any, have: Any, old: Any, name: str) -> Any:  # noqa: ANN401 - any property
    wanted = getattr(want, name)
    enforced = old is None or getattr(old, name) != wanted
    return wanted if enforced else getattr(have, name)


def _device(want: DeviceState, have: DeviceState, old: DeviceState | None) -> DeviceState:
    if old == want and want.rate in (None, have.rate):
        return have  # the usual case, and thousands of them: nothing of it was drawn anew
    picked = {name: _pick(want, have, old, name) for name in _PROPERTIES}
    if want.rate is not None:  # a limit, not a drawing: it is never left as someone set it
        picked["rate"] = want.rate
    for name in _WISHES:
        if picked[name] is None:
            picked[name] = getattr(have, name)
    if want.kind == "loopback":
        picked["mtu"] = have.mtu
    addresses = _merged(want.addresses, have.addresses, old.addresses if old else None)
    if want.kind == "loopback":
        addresses |= have.addresses & LOOPBACK_ADDRESSES
    return replace(want, tag=have.tag, addresses=addresses, **picked)


def _merged(
    want: frozenset[Any], have: frozenset[Any], old: frozenset[Any] | None
) -> frozenset[Any]:
    if old is None:
        return want
    return (have - (old - want)) | (want - old)


def _routes(
    key: str,
    want: NamespaceState,
    have: NamespaceState,
    old: NamespaceState | None,
    kept: set[Endpoint],
    devices: Mapping[str, DeviceState],
) -> frozenset[RouteState]:
    wanted = resolved(want.routes, have.routes)
    if old is None:
        return wanted
    new = _made_anew(wanted, key, kept) | (wanted - resolved(old.routes, have.routes))
    taken = {(route.prefix, route.metric) for route in new}
    merged = _merged(wanted, have.routes, resolved(old.routes, have.routes))
    return new | {
        route
        for route in merged
        if (route.prefix, route.metric) not in taken and _can_stay(route, key, kept, devices, have)
    }


def _made_anew(
    wanted: frozenset[RouteState], key: str, kept: set[Endpoint]
) -> frozenset[RouteState]:
    """Return the routes that go away with a device which is made again."""
    return frozenset(
        route
        for route in wanted
        if route.device and Endpoint(namespace=key, name=route.device) not in kept
    )


def _can_stay(
    route: RouteState,
    key: str,
    kept: set[Endpoint],
    devices: Mapping[str, DeviceState],
    have: NamespaceState,
) -> bool:
    if route.device is None:
        return True
    device = devices.get(route.device)
    if device is None or not device.up:
        return False
    drawn_there = Endpoint(namespace=key, name=route.device) in kept
    return drawn_there or device is have.devices.get(route.device)


def resolved(
    routes: frozenset[RouteState], observed: frozenset[RouteState]
) -> frozenset[RouteState]:
    """Give each route without a device the one that the kernel chose for it."""
    if all(route.device is not None for route in routes):
        return routes
    chosen = {replace(route, device=None): route for route in observed}
    return frozenset(
        chosen.get(route, route) if route.device is None else route for route in routes
    )


def _whole(merged: LabState, desired: LabState, kept: set[Endpoint]) -> LabState:
    """Drop foreign veths whose other end goes away, foreign children whose parent does.

    And bridges that are gone, from ``master``.
    """
    result = {}
    for key, namespace in merged.namespaces.items():
        drawn = desired.namespaces[key].devices
        devices = {
            name: device
            for name, device in namespace.devices.items()
            if name in drawn
            or (_has_peer(device, merged, desired) and _has_parent(device, merged, desired, kept))
        }
        for name, device in devices.items():
            if device.master is not None and device.master not in devices:
                devices[name] = replace(device, master=None)
        result[key] = replace(namespace, devices=devices)
    return LabState(namespaces=result)


def _has_peer(device: DeviceState, merged: LabState, desired: LabState) -> bool:
    peer = device.peer
    if peer is None:
        return True
    if peer.namespace not in merged.namespaces:
        return False
    drawn = peer.name in desired.namespaces[peer.namespace].devices
    return peer.name in merged.namespaces[peer.namespace].devices and not drawn


def _has_parent(
    device: DeviceState, merged: LabState, desired: LabState, kept: set[Endpoint]
) -> bool:
    parent = device.parent
    if parent is None:
        return True
    if parent.namespace not in merged.namespaces:
        return False
    if parent.name in desired.namespaces[parent.namespace].devices:
        return parent in kept
    return parent.name in merged.namespaces[parent.namespace].devices
