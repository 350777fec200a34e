"""The differences inside one namespace: properties, addresses, forwarding, routes."""

from __future__ import annotations

from dataclasses import dataclass, field

from topoweb.core.plan.actions import (
    AddAddress,
    AddRoute,
    RemoveAddress,
    RemoveRoute,
    SetDevice,
    SetForwarding,
    SetOffloads,
    SetRate,
)
from topoweb.core.plan.port_diff import child_steps, port_steps
from topoweb.core.plan.state import DeviceState, Endpoint, NamespaceState, RouteState
from topoweb.core.plan.steps import Phase, Steps
from topoweb.core.topology import prefixes

IPV6_MIN_MTU = 1280  # RFC 8200 §5; below it the kernel takes IPv6 from the device
_WORDS = {
    "mtu": "MTU {}",
    "mac": "MAC {}",
    "ageing": "FDB ageing {} s",
    "priority": "priority {}",
}


@dataclass(slots=True)
class _Losses:
    """What the kernel takes along by itself when the steps before are done."""

    ipv4: set[str] = field(default_factory=set)  # devices whose IPv4 routes go
    ipv6: set[str] = field(default_factory=set)

    def takes(self, route: RouteState) -> bool:
        return route.device in (self.ipv6 if ":" in route.prefix else self.ipv4)


def node_steps(
    key: str, want: NamespaceState, have: NamespaceState | None, gone: set[Endpoint], steps: Steps
) -> None:
    """Add the steps for namespace ``key``; ``gone`` are the observed devices that are removed.

    Devices of ``want`` that are not there (or ``gone``) are taken as made with all properties
    but their addresses.
    """
    losses = _Losses()
    for name, device in want.devices.items():
        at = Endpoint(namespace=key, name=name)
        old = have.devices.get(name) if have and at not in gone else None
        if old is None and device.kind == "loopback":
            old = DeviceState(name=name, kind="loopback", up=False, mtu=device.mtu)
        if old is not None:
            bridge = old.master and Endpoint(namespace=key, name=old.master)
            unbridged = bridge in gone
            if device is old and not unbridged:
                continue
            _set(at, device, old, unbridged, steps)
        _rate(at, device, old, steps)
        _offloads(at, device, old, steps)
        if device.master is not None:
            port_steps(at, device, old, steps)
        _addresses(at, device, old, losses, steps)
    _forwarding(key, want, have, steps)
    lost = {at.name for at in gone if at.namespace == key}
    losses.ipv4 |= lost
    losses.ipv6 |= lost
    _routes(key, want, have, lost, losses, steps)


def _set(at: Endpoint, want: DeviceState, have: DeviceState, unbridged: bool, steps: Steps) -> None:
    if want.options is not None:
        child_steps(at, want, have, steps)
        return
    changes: dict[str, bool | int | str] = {}
    for name in ("mtu", "mac", "stp", "ageing", "priority", "vlan_filtering", "up"):
        wanted, actual = getattr(want, name), getattr(have, name)
        if None not in (wanted, actual) and wanted != actual:  # no wish; not told
            changes[name] = wanted
    if want.master != (None if unbridged else have.master):
        changes["master"] = want.master or ""
    if not changes:
        return
    words = ", ".join(_property_words(name, value) for name, value in changes.items())
    phase = Phase.SET_DOWN if changes.get("up") is False else Phase.SET_DEVICES
    action = SetDevice(at=at, **changes)  # type: ignore[arg-type]
    steps.add(phase, action, f"{steps.port(at)}: drawn {words}", steps.owner(at))


def _rate(at: Endpoint, want: DeviceState, have: DeviceState | None, steps: Steps) -> None:
    if want.rate == (have.rate if have else None):
        return
    why = f"is held to {want.rate} bit/s" if want.rate else "may send as fast as it can"
    action = SetRate(at=at, rate=want.rate)
    steps.add(Phase.SET_DEVICES, action, f"{steps.port(at)} {why}", steps.owner(at))


def _offloads(at: Endpoint, want: DeviceState, have: DeviceState | None, steps: Steps) -> None:
    now = have.offloads if have else True  # a new cable has them
    if None in (want.offloads, now) or want.offloads == now:
        return
    assert want.offloads is not None
    words = "may leave work to hardware" if want.offloads else "sends packets as a wire has them"
    action = SetOffloads(at=at, on=want.offloads)
    steps.add(Phase.SET_DEVICES, action, f"{steps.port(at)} {words}", steps.owner(at))


def _property_words(name: str, value: bool | int | str) -> str:
    if name == "up":
        return "up" if value else "down"
    if name == "stp":
        return f"with spanning tree {'on' if value else 'off'}"
    if name == "vlan_filtering":
        return f"with VLANs {'kept apart' if value else 'mixed'}"
    if name == "master":
        return f"as a port of {value}" if value else "outside the bridge"
    return _WORDS[name].format(value)


def _addresses(
    at: Endpoint, want: DeviceState, have: DeviceState | None, losses: _Losses, steps: Steps
) -> None:
    present = have.addresses if have else frozenset()
    stale = present - want.addresses
    for address in sorted(stale):
        reason = f"{steps.port(at)}: address {address} is not drawn"
        action = RemoveAddress(at=at, address=address)
        steps.add(Phase.REMOVE_ADDRESSES, action, reason, steps.owner(at))
    lost = _lost_addresses(want, have, stale, losses) if have else frozenset()
    for address in sorted(want.addresses - (present - lost)):
        why = "goes away with a change before and is drawn" if address in lost else "is drawn"
        reason = f"{steps.port(at)}: address {address} {why}"
        steps.add(Phase.ADD_ADDRESSES, AddAddress(at=at, address=address), reason, steps.owner(at))


def _lost_addresses(
    want: DeviceState, have: DeviceState, stale: frozenset[str], losses: _Losses
) -> frozenset[str]:
    """Return the addresses that go with the steps before, and note the routes that go.

    An IPv4 address takes the others of its network along when it is their primary
    (promote_secondaries=0), and the last one the device's IPv4 routes (fib_disable_ip). What
    *may* go is counted as gone: adding what is still there does no harm. Going down, or an MTU
    under 1280, takes IPv6 from the device (addrconf_ifdown).
    """
    lost = set()
    rest = {a for a in have.addresses - stale if ":" not in a}
    removed = {prefixes.interface(a).network for a in stale if ":" not in a}
    if removed:
        siblings = {a for a in rest if prefixes.interface(a).network in removed}
        lost |= siblings
        if rest == siblings:
            losses.ipv4.add(have.name)
    falls = have.up and not want.up
    if falls:
        losses.ipv4.add(have.name)
    if falls or want.mtu < IPV6_MIN_MTU <= have.mtu:
        losses.ipv6.add(have.name)
        lost |= {a for a in have.addresses if ":" in a}
    return frozenset(lost)


def _forwarding(key: str, want: NamespaceState, have: NamespaceState | None, steps: Steps) -> None:
    # A new namespace copies what the host has, so both are set then, whatever they are.
    ipv4 = want.forward_ipv4 if have is None or have.forward_ipv4 != want.forward_ipv4 else None
    ipv6 = want.forward_ipv6 if have is None or have.forward_ipv6 != want.forward_ipv6 else None
    if ipv4 is None and ipv6 is None:
        return
    drawn = ", ".join(
        f"{family} {'on' if value else 'off'}"
        for family, value in (("IPv4", ipv4), ("IPv6", ipv6))
        if value is not None
    )
    action = SetForwarding(namespace=key, ipv4=ipv4, ipv6=ipv6)
    reason = f"{steps.node(key)}: forwarding is drawn {drawn}"
    steps.add(Phase.SET_FORWARDING, action, reason, steps.owner(Endpoint(namespace=key, name="")))


def _routes(
    key: str,
    want: NamespaceState,
    have: NamespaceState | None,
    removed: set[str],
    losses: _Losses,
    steps: Steps,
) -> None:
    present = have.routes if have else frozenset()
    drawn = steps.subjects.routes
    taken = {(route.prefix, route.metric) for route in want.routes}
    for route in sorted(present - want.routes, key=_order):
        # Those of a removed device go with it, some only at the end: too late for a successor.
        if route.device not in removed or (route.prefix, route.metric) in taken:
            reason = f"{steps.node(key)}: route to {route_words(route)} is not drawn"
            steps.add(Phase.REMOVE_ROUTES, RemoveRoute(namespace=key, route=route), reason)
    left = {route for route in present if not losses.takes(route)}
    for route in sorted(want.routes - left, key=_order):
        why = "goes away with a change before and is drawn" if route in present else "is drawn"
        reason = f"{steps.node(key)}: route to {route_words(route)} {why}"
        action = AddRoute(namespace=key, route=route)
        steps.add(Phase.ADD_ROUTES, action, reason, drawn.get((key, route)))


def route_words(route: RouteState) -> str:
    """Return a route as people write it: "0.0.0.0/0 via 10.0.1.1"."""
    via = f" via {route.via}" if route.via else ""
    device = f" on {route.device}" if route.device and not route.via else ""
    return f"{route.prefix}{via}{device}"


def _order(route: RouteState) -> tuple[bool, str, int, str]:
    # Routes by device first: they can make the next hops of the others on-link.
    return (route.via is not None, route.prefix, route.metric, route.via or route.device or "")
