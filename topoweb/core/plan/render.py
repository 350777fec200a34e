"""Steps as the commands a learner would type: one or two lines an action, in `ip` and `sysctl`.

Namespaces are called by their node's name. Lines are for a POSIX shell: what users wrote is
quoted.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from topoweb.core.plan.actions import (
    DEFAULT_PRIORITY,
    Action,
    AddAddress,
    AddBridge,
    AddChild,
    AddNamespace,
    AddRoute,
    AddVeth,
    CloseUplink,
    OpenUplink,
    Plan,
    RemoveAddress,
    RemoveDevice,
    RemoveNamespace,
    RemoveRoute,
    SetChild,
    SetDevice,
    SetForwarding,
    SetOffloads,
    SetPort,
    SetRate,
    SetVlans,
)
from topoweb.core.plan.port_diff import PORT_OPTIONS
from topoweb.core.plan.rate import bucket
from topoweb.core.topology.interfaces import INTERFACE_KINDS, kind_of
from topoweb.core.topology.onlink import WAN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from topoweb.core.plan.state import Endpoint, RouteState

CENTISECONDS = 100  # ageing_time of `ip link` is in USER_HZ


def render(action: Action, names: Mapping[str, str]) -> list[str]:
    """Return the command lines for one action. ``names``: namespace key → node name."""
    shell = _Shell(names)
    return list(_RENDERERS[type(action)](shell, action))


def script(plan: Plan, names: Mapping[str, str]) -> list[str]:
    """Return the command lines for a whole plan, in order."""
    shell = _Shell(names)
    return [
        line for step in plan.steps for line in _RENDERERS[type(step.action)](shell, step.action)
    ]


class _Shell:
    """Puts words together, quoted, with nodes by their names."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def node(self, namespace: str) -> str:
        return self._names.get(namespace, namespace)

    def ip(self, *words: object) -> str:
        return shlex.join(["ip", *map(str, words)])

    def inside(self, namespace: str, *words: object) -> str:
        """Return an `ip` command that acts inside a node."""
        return self.ip("-n", self.node(namespace), *words)

    def bridge(self, namespace: str, *words: object) -> str:
        """Return a `bridge` command that acts inside a node."""
        return shlex.join(["bridge", "-n", self.node(namespace), *map(str, words)])

    def sysctl(self, namespace: str, setting: str) -> str:
        return self.ip("netns", "exec", self.node(namespace), "sysctl", "-w", setting)


def _add_namespace(shell: _Shell, action: AddNamespace) -> Iterator[str]:
    yield shell.ip("netns", "add", shell.node(action.namespace))


def _remove_namespace(shell: _Shell, action: RemoveNamespace) -> Iterator[str]:
    yield shell.ip("netns", "del", shell.node(action.namespace))


def _add_bridge(shell: _Shell, action: AddBridge) -> Iterator[str]:
    words: list[object] = ["address", action.mac] if action.mac else []
    yield shell.inside(
        action.namespace,
        *("link", "add", "name", action.name, *words, "mtu", action.mtu, "type", "bridge"),
        *("stp_state", int(action.stp), "ageing_time", action.ageing * CENTISECONDS),
        *(("priority", action.priority) if action.priority != DEFAULT_PRIORITY else ()),
        *(("vlan_filtering", 1) if action.vlan_filtering else ()),
    )
    if action.up:
        yield shell.inside(action.namespace, "link", "set", "dev", action.name, "up")


def _add_veth(shell: _Shell, action: AddVeth) -> Iterator[str]:
    def words(end: Any) -> list[object]:  # noqa: ANN401
        mac = ["address", end.mac] if end.mac else []
        return ["name", end.at.name, *mac, "mtu", end.mtu, "netns", shell.node(end.at.namespace)]

    yield shell.ip("link", "add", *words(action.a), "type", "veth", "peer", *words(action.b))
    for end in (action.a, action.b):
        if end.master:
            yield _link_set(shell, end.at, "master", end.master)
        if end.up:
            yield _link_set(shell, end.at, "up")


def _add_child(shell: _Shell, action: AddChild) -> Iterator[str]:
    kind = kind_of(action.options)
    mac = ["address", action.mac] if action.mac else []
    place = (
        ["netns", shell.node(action.at.namespace)]
        if action.at.namespace != (action.parent.namespace)
        else []
    )
    words = INTERFACE_KINDS[kind].words(action.options)
    yield shell.inside(
        action.parent.namespace,
        *("link", "add", "link", action.parent.name, "name", action.at.name, *mac),
        *("mtu", action.mtu, *place, "type", kind, *words),
    )
    if action.up:
        yield _link_set(shell, action.at, "up")


def _set_child(shell: _Shell, action: SetChild) -> Iterator[str]:
    if action.options is not None:
        kind = kind_of(action.options)
        words = INTERFACE_KINDS[kind].words(action.options)
        yield _link_set(shell, action.at, "type", kind, *words)
    if action.mtu is not None:
        yield _link_set(shell, action.at, "mtu", action.mtu)
    if action.mac is not None:
        yield _link_set(shell, action.at, "address", action.mac)
    if action.up is not None:
        yield _link_set(shell, action.at, "up" if action.up else "down")


def _set_port(shell: _Shell, action: SetPort) -> Iterator[str]:
    words: list[str] = []
    for name in PORT_OPTIONS:
        value = getattr(action, name)
        if value is not None:
            word = ("on" if value else "off") if isinstance(value, bool) else str(value)
            words += [name, word]
    yield shell.bridge(action.at.namespace, "link", "set", "dev", action.at.name, *words)


def _set_vlans(shell: _Shell, action: SetVlans) -> Iterator[str]:
    for verb, vlans in (("del", action.remove), ("add", action.add)):
        for vlan in vlans:
            words = vlan.split() if verb == "add" else vlan.split()[:1]
            yield shell.bridge(
                action.at.namespace, "vlan", verb, "dev", action.at.name, "vid", *words
            )


def _remove_device(shell: _Shell, action: RemoveDevice) -> Iterator[str]:
    yield shell.inside(action.at.namespace, "link", "del", "dev", action.at.name)


def _set_device(shell: _Shell, action: SetDevice) -> Iterator[str]:
    if action.mtu is not None:
        yield _link_set(shell, action.at, "mtu", action.mtu)
    if action.mac is not None:
        yield _link_set(shell, action.at, "address", action.mac)
    if action.master is not None:
        yield _link_set(
            shell, action.at, *(("master", action.master) if action.master else ("nomaster",))
        )
    ageing = None if action.ageing is None else action.ageing * CENTISECONDS
    for name, value in (
        ("stp_state", action.stp),
        ("ageing_time", ageing),
        ("priority", action.priority),
        ("vlan_filtering", action.vlan_filtering),
    ):
        if value is not None:
            yield _link_set(shell, action.at, "type", "bridge", name, int(value))
    if action.up is not None:
        yield _link_set(shell, action.at, "up" if action.up else "down")


def _link_set(shell: _Shell, at: Endpoint, *words: object) -> str:
    return shell.inside(at.namespace, "link", "set", "dev", at.name, *words)


def _add_address(shell: _Shell, action: AddAddress) -> Iterator[str]:
    yield shell.inside(action.at.namespace, "addr", "add", action.address, "dev", action.at.name)


def _remove_address(shell: _Shell, action: RemoveAddress) -> Iterator[str]:
    yield shell.inside(action.at.namespace, "addr", "del", action.address, "dev", action.at.name)


def _add_route(shell: _Shell, action: AddRoute) -> Iterator[str]:
    yield shell.inside(action.namespace, "route", "add", *_route(action.route))


def _remove_route(shell: _Shell, action: RemoveRoute) -> Iterator[str]:
    yield shell.inside(action.namespace, "route", "del", *_route(action.route))


def _route(route: RouteState) -> list[object]:
    words: list[object] = [route.prefix]
    words += ["via", route.via] if route.via else []
    words += ["dev", route.device] if route.device else []
    usual = 1024 if ":" in route.prefix else 0
    return words + (["metric", route.metric] if route.metric != usual else [])


def _set_forwarding(shell: _Shell, action: SetForwarding) -> Iterator[str]:
    if action.ipv4 is not None:
        yield shell.sysctl(action.namespace, f"net.ipv4.ip_forward={int(action.ipv4)}")
    if action.ipv6 is not None:
        setting = f"net.ipv6.conf.all.forwarding={int(action.ipv6)}"
        yield shell.sysctl(action.namespace, setting)


def _set_rate(shell: _Shell, action: SetRate) -> Iterator[str]:
    tc = ["tc", "-n", shell.node(action.at.namespace), "qdisc"]
    if action.rate is None:
        yield shlex.join([*tc, "del", "dev", action.at.name, "root"])
        return
    burst, limit = bucket(action.rate)
    words = ("rate", f"{action.rate}bit", "burst", str(burst), "limit", str(limit))
    yield shlex.join([*tc, "replace", "dev", action.at.name, "root", "tbf", *words])


def _set_offloads(shell: _Shell, action: SetOffloads) -> Iterator[str]:
    names = ("tx", "sg", "tso", "gso") if action.on else ("tx", "sg", "tso", "gso", "gro")
    words = [word for name in names for word in (name, "on" if action.on else "off")]
    ethtool = ("ethtool", "-K", action.at.name, *words)
    yield shell.ip("netns", "exec", shell.node(action.at.namespace), *ethtool)


def _open_uplink(shell: _Shell, action: OpenUplink) -> Iterator[str]:
    # An outline: the rules (docs/classroom.md), the name and the addresses are the host's choice.
    node = shell.node(action.namespace)
    yield shell.ip("netns", "exec", node, "nft", "-f", "uplink.nft")
    yield shell.ip("link", "add", "name", WAN, "netns", node, "type", "veth")
    yield shell.inside(action.namespace, "link", "set", "dev", WAN, "up")


def _close_uplink(shell: _Shell, action: CloseUplink) -> Iterator[str]:
    yield shell.inside(action.namespace, "link", "del", "dev", WAN)


_RENDERERS: Mapping[type[Any], Callable[[_Shell, Any], Iterator[str]]] = {
    AddNamespace: _add_namespace,
    RemoveNamespace: _remove_namespace,
    AddBridge: _add_bridge,
    AddVeth: _add_veth,
    AddChild: _add_child,
    SetChild: _set_child,
    SetPort: _set_port,
    SetVlans: _set_vlans,
    RemoveDevice: _remove_device,
    SetDevice: _set_device,
    AddAddress: _add_address,
    RemoveAddress: _remove_address,
    AddRoute: _add_route,
    RemoveRoute: _remove_route,
    SetForwarding: _set_forwarding,
    SetRate: _set_rate,
    SetOffloads: _set_offloads,
    OpenUplink: _open_uplink,
    CloseUplink: _close_uplink,
}
