"""From what is to what should be: the ordered steps, each with its reason.

Order: stale routes and addresses go first, then stale devices (before new ones: a name may be
needed again, and two cables where one is drawn could close a switching loop), then namespaces,
bridges, cables, properties, children (of any namespace's devices), addresses, forwarding, routes,
and last the namespaces that are not drawn. A way out is closed before all else, and opened when
all else stands. What the kernel takes away by itself on the way (routes of a device that goes
down …) is foreseen and added again.
"""

from __future__ import annotations

from topoweb.core.plan.actions import (
    DEFAULT_PRIORITY,
    AddBridge,
    AddChild,
    AddNamespace,
    AddVeth,
    Plan,
    RemoveDevice,
    RemoveNamespace,
    SetChild,
    VethEnd,
)
from topoweb.core.plan.drift import Drift, drift
from topoweb.core.plan.merge import intact, merge
from topoweb.core.plan.node_diff import node_steps
from topoweb.core.plan.state import DeviceState, Endpoint, LabState, NamespaceState
from topoweb.core.plan.steps import Phase, Steps
from topoweb.core.plan.subjects import Subjects
from topoweb.core.plan.uplink_diff import close, open_, without_changed
from topoweb.core.topology.interfaces import INTERFACE_KINDS

__all__ = ["Drift", "diff", "drift"]


def diff(
    desired: LabState,
    observed: LabState,
    subjects: Subjects | None = None,
    *,
    previous: LabState | None = None,
    restore: bool = False,
) -> Plan:
    """Return the steps that bring ``observed`` to ``desired``.

    ``previous`` is the desired state last applied without failure: what the drawing did not
    change since then is left as users set it in a terminal (drift). None enforces all that is
    drawn. ``restore`` enforces it too and removes the veths and bridges that users made.
    """
    steps = Steps(subjects or Subjects())
    close(desired, observed, steps)
    observed = without_changed(desired, observed, steps)
    target = merge(desired, observed, previous, restore=restore)
    kept = intact(target, observed)
    gone = _remove(target, observed, kept, steps)
    _add(target, observed, kept, steps)
    for key, want in target.namespaces.items():
        node_steps(key, want, observed.namespaces.get(key), gone, steps)
    _hold_down(target, observed, kept, steps)
    open_(target, observed, steps)
    return steps.plan()


def _remove(
    target: LabState, observed: LabState, kept: set[Endpoint], steps: Steps
) -> set[Endpoint]:
    """Add the removals; return the devices that are gone after them."""
    dead = [
        Endpoint(namespace=key, name=name)
        for key, namespace in observed.namespaces.items()
        for name, device in namespace.devices.items()
        if key in target.namespaces
        and device.kind != "loopback"
        and Endpoint(namespace=key, name=name) not in kept
    ]
    gone: set[Endpoint] = set()
    peers = (observed.namespaces[at.namespace].devices[at.name].peer for at in dead)
    doomed = {*dead, *(peer for peer in peers if peer is not None)}
    for at in dead:
        device = observed.namespaces[at.namespace].devices[at.name]
        needed = at.name in target.namespaces[at.namespace].devices
        falls = [
            end.namespace not in target.namespaces and not needed
            for end in (device.peer, device.parent)
            if end is not None
        ]
        if not (device.peer in gone or device.parent in doomed or any(falls)):
            why = "is not as drawn and is made again" if needed else "is not drawn"
            reason = f"{steps.port(at)} {why}"
            subject = steps.owner(at) if needed else ""
            steps.add(Phase.REMOVE_DEVICES, RemoveDevice(at=at), reason, subject)
        gone.add(at)
    for key, namespace in observed.namespaces.items():
        if key not in target.namespaces:
            _release_parents(key, namespace, target, doomed, steps)
            reason = f"{steps.node(key)} is not drawn"
            steps.add(Phase.REMOVE_NAMESPACES, RemoveNamespace(namespace=key), reason)
    return gone


def _release_parents(
    key: str, leaving: NamespaceState, target: LabState, doomed: set[Endpoint], steps: Steps
) -> None:
    """Add the removals of children in a leaving namespace whose parents stay.

    The namespace itself goes last and not at once: until then a parent is held, and would refuse
    a child that must be alone (macvlan passthru).
    """
    for name, device in leaving.devices.items():
        parent = device.parent
        if parent is not None and parent.namespace in target.namespaces and parent not in doomed:
            at = Endpoint(namespace=key, name=name)
            reason = f"{steps.port(at)} lets go of {steps.port(parent)}"
            steps.add(Phase.REMOVE_DEVICES, RemoveDevice(at=at), reason)


def _add(target: LabState, observed: LabState, kept: set[Endpoint], steps: Steps) -> None:
    made: set[Endpoint] = set()
    for key, namespace in target.namespaces.items():
        if key not in observed.namespaces:
            reason = f"{steps.node(key)} is drawn"
            action = AddNamespace(namespace=key, uplink=namespace.uplink is not None)
            steps.add(Phase.ADD_NAMESPACES, action, reason, key)
        for name, device in namespace.devices.items():
            at = Endpoint(namespace=key, name=name)
            if at in kept or at in made:
                continue
            if device.kind == "bridge":
                _add_bridge(at, device, steps)
            elif device.peer is not None:
                made |= {at, device.peer}
                _add_veth(at, device, target, steps)
    _add_children(target, kept, steps)


def _add_children(target: LabState, kept: set[Endpoint], steps: Steps) -> None:
    missing = [
        (at, device)
        for key, namespace in target.namespaces.items()
        for name, device in namespace.devices.items()
        if device.parent is not None and (at := Endpoint(namespace=key, name=name)) not in kept
    ]
    for at, device in sorted(missing, key=lambda one: _depth(one[1], target)):
        _add_child(at, device, steps)


def _hold_down(target: LabState, observed: LabState, kept: set[Endpoint], steps: Steps) -> None:
    """Add what keeps children down that the kernel raises with their parent (vlan_device_event)."""
    for key, namespace in target.namespaces.items():
        for name, device in namespace.devices.items():
            parent, at = device.parent, Endpoint(namespace=key, name=name)
            if parent is None or device.up or not {at, parent} <= kept:
                continue
            if not INTERFACE_KINDS[device.kind].follows:
                continue
            rises = target.namespaces[parent.namespace].devices[parent.name].up
            if rises and not observed.namespaces[parent.namespace].devices[parent.name].up:
                reason = f"{steps.port(at)} comes up with {steps.port(parent)} and is drawn down"
                action = SetChild(at=at, up=False)
                steps.add(Phase.SET_CHILDREN, action, reason, steps.owner(at))


def _depth(child: DeviceState, target: LabState) -> int:
    """Return how many parents a child has: a parent is made first."""
    depth, parent = 0, child.parent
    while parent is not None:
        depth += 1
        devices = target.namespaces[parent.namespace].devices
        parent = devices[parent.name].parent if parent.name in devices else None
    return depth


def _add_child(at: Endpoint, device: DeviceState, steps: Steps) -> None:
    assert device.parent is not None
    assert device.options is not None
    action = AddChild(
        at=at,
        parent=device.parent,
        options=device.options,
        mac=device.mac,
        mtu=device.mtu,
        up=device.up,
        tag=device.tag,
    )
    reason = f"{steps.port(at)} is drawn on {steps.port(device.parent)} ({device.kind})"
    steps.add(Phase.ADD_CHILDREN, action, reason, steps.owner(at))


def _add_bridge(at: Endpoint, device: DeviceState, steps: Steps) -> None:
    action = AddBridge(
        namespace=at.namespace,
        name=at.name,
        up=device.up,
        mtu=device.mtu,
        stp=bool(device.stp),
        ageing=300 if device.ageing is None else device.ageing,
        tag=device.tag,
        mac=device.mac,
        priority=DEFAULT_PRIORITY if device.priority is None else device.priority,
        vlan_filtering=bool(device.vlan_filtering),
    )
    reason = f"{steps.node(at.namespace)} switches by its bridge {at.name}"
    steps.add(Phase.ADD_BRIDGES, action, reason, steps.owner(at))


def _add_veth(at: Endpoint, device: DeviceState, target: LabState, steps: Steps) -> None:
    far = device.peer
    if far is None or far.namespace not in target.namespaces:
        return
    peer = target.namespaces[far.namespace].devices.get(far.name)
    if peer is None or peer.peer != at:  # two interfaces of one name: `validate` has said so
        return
    ends = [_veth_end(at, device), _veth_end(far, peer)]
    if peer.tag.endswith(":a"):
        ends.reverse()
    reason = f"the cable {steps.port(ends[0].at)} – {steps.port(ends[1].at)} is drawn"
    subject = steps.subjects.links.get(at)
    steps.add(Phase.ADD_CABLES, AddVeth(a=ends[0], b=ends[1]), reason, subject)


def _veth_end(at: Endpoint, device: DeviceState) -> VethEnd:
    return VethEnd(
        at=at, mac=device.mac, mtu=device.mtu, master=device.master, up=device.up, tag=device.tag
    )
