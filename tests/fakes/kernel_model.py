"""One lab inside the fake kernel: what each action does to it, by Linux's rules."""

from __future__ import annotations

import errno
from dataclasses import fields, replace
from functools import singledispatchmethod
from ipaddress import ip_address, ip_network

from tests.fakes.kernel_devices import Device, Namespace, RefusedError, interface, seen
from topoweb.core.plan.actions import (
    Action,
    AddAddress,
    AddBridge,
    AddChild,
    AddNamespace,
    AddRoute,
    AddVeth,
    CloseUplink,
    OpenUplink,
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
    VethEnd,
)
from topoweb.core.plan.state import (
    CLOSED,
    Endpoint,
    LabState,
    PortState,
    RouteState,
)
from topoweb.core.topology.interfaces import INTERFACE_KINDS, InterfaceOptions, Ipvlan, kind_of

BRIDGE_PORTS = 1023
IPV6_MIN_MTU = 1280


class LabModel:
    """All namespaces of one lab. ``run`` does an action or raises `RefusedError`."""

    def __init__(self, *, host_forwards: bool = False) -> None:
        self.namespaces: dict[str, Namespace] = {}
        self.host_forwards = host_forwards
        self._macs = 0

    @singledispatchmethod
    def run(self, action: Action) -> None:
        raise TypeError(f"no such action: {action!r}")

    @run.register
    def _(self, action: AddNamespace) -> None:
        if action.namespace in self.namespaces:
            raise RefusedError(errno.EEXIST, "File exists")
        # A new namespace copies init_net's IPv4 settings: forwarding is what the host has.
        uplink = CLOSED if action.uplink else None
        new = Namespace(forward_ipv4=self.host_forwards, uplink=uplink)
        new.devices["lo"] = Device("lo", "loopback", mac="00:00:00:00:00:00", mtu=65536)
        self.namespaces[action.namespace] = new

    @run.register
    def _(self, action: OpenUplink) -> None:
        namespace = self._namespace(action.namespace)
        if namespace.uplink is None:
            raise RefusedError(errno.EPERM, "the namespace belongs to the lab")
        namespace.uplink = action.until

    @run.register
    def _(self, action: CloseUplink) -> None:
        self._namespace(action.namespace).uplink = CLOSED

    @run.register
    def _(self, action: RemoveNamespace) -> None:
        if self._namespace(action.namespace).uplink not in (None, CLOSED):
            raise RefusedError(errno.EBUSY, "the way out was not closed")
        for name in list(self._namespace(action.namespace).devices):
            if name != "lo":
                self.delete(Endpoint(namespace=action.namespace, name=name))
        del self.namespaces[action.namespace]

    @run.register
    def _(self, action: AddBridge) -> None:
        self._free_name(action.namespace, action.name)
        self._namespace(action.namespace).devices[action.name] = Device(
            action.name,
            "bridge",
            up=action.up,
            mac=action.mac or self._mac(),
            mtu=action.mtu,
            stp=action.stp,
            ageing=action.ageing,
            tag=action.tag,
            priority=action.priority,
            vlan_filtering=action.vlan_filtering,
        )

    @run.register
    def _(self, action: AddChild) -> None:
        self._free_name(action.at.namespace, action.at.name)
        parent, kind = self._device(action.parent), kind_of(action.options)
        siblings = self._children(action.parent)
        if action.mtu > parent.mtu:
            raise RefusedError(errno.EINVAL, "the MTU is over the parent's")
        if kind != "vlan" and (
            parent.master or any(d.kind not in ("vlan", kind) for d in siblings)
        ):
            raise RefusedError(errno.EBUSY, "Device or resource busy")
        if any(d.options == action.options for d in siblings) and kind == "vlan":
            raise RefusedError(errno.EEXIST, "VLAN device already exists")
        own = INTERFACE_KINDS[kind].own_mac(action.options)
        if kind == "macvlan" and any(d.kind == kind for d in siblings) and not own:
            raise RefusedError(errno.EINVAL, "passthru is alone")
        self._namespace(action.at.namespace).devices[action.at.name] = Device(
            action.at.name,
            kind,  # type: ignore[arg-type]
            up=action.up,
            mac=action.mac if own and action.mac else parent.mac,
            mtu=action.mtu,
            parent=action.parent,
            options=action.options,
            tag=action.tag,
        )
        self._share(action.parent, action.options)

    @run.register
    def _(self, action: SetChild) -> None:
        device = self._device(action.at)
        assert device.parent is not None
        if action.options is not None:
            morphs = INTERFACE_KINDS[device.kind].morphs
            if device.options is None or not morphs(device.options, action.options):
                raise RefusedError(errno.EINVAL, "Invalid argument")
            device.options = action.options
            self._share(device.parent, action.options)
        if action.up and device.kind == "vlan" and not self._device(device.parent).up:
            raise RefusedError(errno.ENETDOWN, "Network is down")
        if action.mac is not None and device.kind == "ipvlan":
            raise RefusedError(errno.EOPNOTSUPP, "Operation not supported")
        if action.mtu is not None and action.mtu > self._device(device.parent).mtu:
            raise RefusedError(errno.EINVAL, "the MTU is over the parent's")
        self.run(SetDevice(at=action.at, up=action.up, mtu=action.mtu, mac=action.mac))

    @run.register
    def _(self, action: SetPort) -> None:
        device = self._device(action.at)
        if device.port is None:
            raise RefusedError(errno.EINVAL, "no bridge port")
        names = (one.name for one in fields(PortState))
        given = {name: value for name in names if (value := getattr(action, name)) is not None}
        device.port = replace(device.port, **given)

    @run.register
    def _(self, action: SetVlans) -> None:
        device = self._device(action.at)
        if device.vlans is None or not device.vlans.issuperset(action.remove):
            raise RefusedError(errno.ENOENT, "No such file or directory")
        device.vlans = device.vlans.difference(action.remove).union(action.add)

    def _children(self, parent: Endpoint) -> list[Device]:
        return [
            device
            for namespace in self.namespaces.values()
            for device in namespace.devices.values()
            if device.parent == parent
        ]

    def _narrow(self, parent: Endpoint, mtu: int) -> None:
        for child in self._children(parent):
            child.mtu = mtu if child.kind == "ipvlan" else min(child.mtu, mtu)

    def _share(self, parent: Endpoint, options: InterfaceOptions) -> None:
        """ipvlan keeps its options once a parent."""
        for device in self._children(parent) if isinstance(options, Ipvlan) else ():
            if device.kind == "ipvlan":
                device.options = options

    @run.register
    def _(self, action: AddVeth) -> None:
        for end in (action.a, action.b):
            self._free_name(end.at.namespace, end.at.name)
            self._check_master(end.at.namespace, end.master)
        if action.a.at == action.b.at:
            raise RefusedError(errno.EEXIST, "File exists")
        self._born(action.a, action.b.at)
        self._born(action.b, action.a.at)

    @run.register
    def _(self, action: RemoveDevice) -> None:
        if self._device(action.at).kind == "loopback":
            raise RefusedError(errno.EOPNOTSUPP, "Operation not supported")
        self.delete(action.at)

    @run.register
    def _(self, action: SetDevice) -> None:
        device, namespace = self._device(action.at), self._namespace(action.at.namespace)
        if action.master is not None:
            self._check_master(action.at.namespace, action.master or None)
            device.plug(action.master or None)
        if action.mtu is not None:
            if not 68 <= action.mtu <= 65535:
                raise RefusedError(errno.EINVAL, "mtu out of range")
            device.mtu = action.mtu
            self._narrow(action.at, action.mtu)
            if action.mtu < IPV6_MIN_MTU:
                self._lose(namespace, device, ipv4=False)
        for name in ("mac", "stp", "ageing", "priority", "vlan_filtering"):
            if getattr(action, name) is not None:
                setattr(device, name, getattr(action, name))
        if action.up is not None and action.up != device.up:
            self._switch(action.at, action.up)

    def _switch(self, at: Endpoint, up: bool) -> None:
        device = self._device(at)
        if device.up:
            self._lose(self._namespace(at.namespace), device, ipv4=True)
        device.up = up
        self._follow(at, up)

    def _follow(self, parent: Endpoint, up: bool) -> None:
        """VLAN sub-interfaces go down and up with their parent (net/8021q/vlan.c)."""
        for key, namespace in self.namespaces.items():
            for device in namespace.devices.values():
                if device.parent == parent and device.kind == "vlan" and device.up != up:
                    self.run(SetDevice(at=Endpoint(namespace=key, name=device.name), up=up))

    @run.register
    def _(self, action: AddAddress) -> None:
        device = self._device(action.at)
        if ":" in action.address and device.mtu < IPV6_MIN_MTU:
            raise RefusedError(errno.EINVAL, "IPv6 is disabled on this device")
        if action.address not in device.addresses:
            device.addresses.append(action.address)

    @run.register
    def _(self, action: RemoveAddress) -> None:
        device, namespace = self._device(action.at), self._namespace(action.at.namespace)
        if action.address not in device.addresses:
            return  # went with its primary: the applier takes EADDRNOTAVAIL for done
        gone = interface(action.address)
        index = device.addresses.index(action.address)
        same = [a for a in device.addresses if interface(a).network == gone.network]
        device.addresses.remove(action.address)
        if gone.version == 4 and same[0] == action.address:  # a primary takes its secondaries
            device.addresses = device.addresses[:index] + [
                a for a in device.addresses[index:] if a not in same
            ]
        if gone.version == 4 and all(":" in a for a in device.addresses):
            namespace.routes = {
                r for r in namespace.routes if r.device != device.name or ":" in r.prefix
            }

    @run.register
    def _(self, action: AddRoute) -> None:
        namespace = self._namespace(action.namespace)
        route = self._resolve(namespace, action.route)
        if route in namespace.routes:
            return
        if any((r.prefix, r.metric) == (route.prefix, route.metric) for r in namespace.routes):
            raise RefusedError(errno.EEXIST, "File exists")
        namespace.routes.add(route)

    @run.register
    def _(self, action: RemoveRoute) -> None:
        namespace, wanted = self._namespace(action.namespace), action.route
        for route in namespace.routes:
            if (route.prefix, route.via, route.metric) == (
                wanted.prefix,
                wanted.via,
                wanted.metric,
            ) and wanted.device in (None, route.device):
                namespace.routes.remove(route)
                return
        raise RefusedError(errno.ESRCH, "No such process")

    @run.register
    def _(self, action: SetForwarding) -> None:
        namespace = self._namespace(action.namespace)
        if action.ipv4 is not None:
            namespace.forward_ipv4 = action.ipv4
        if action.ipv6 is not None:
            namespace.forward_ipv6 = action.ipv6

    @run.register
    def _(self, action: SetOffloads) -> None:
        self._device(action.at).offloads = action.on

    @run.register
    def _(self, action: SetRate) -> None:
        self._device(action.at).rate = action.rate

    def _namespace(self, key: str) -> Namespace:
        if key not in self.namespaces:
            raise RefusedError(errno.ENOENT, f"no namespace {key}")
        return self.namespaces[key]

    def _device(self, at: Endpoint) -> Device:
        devices = self._namespace(at.namespace).devices
        if at.name not in devices:
            raise RefusedError(errno.ENODEV, f'Cannot find device "{at.name}"')
        return devices[at.name]

    def _free_name(self, namespace: str, name: str) -> None:
        if name in self._namespace(namespace).devices:
            raise RefusedError(errno.EEXIST, "File exists")

    def _check_master(self, namespace: str, master: str | None) -> None:
        if master is None:
            return
        devices = self._namespace(namespace).devices
        if master not in devices or devices[master].kind != "bridge":
            raise RefusedError(errno.ENODEV, f'Device "{master}" is no bridge')
        if sum(d.master == master for d in devices.values()) >= BRIDGE_PORTS:
            raise RefusedError(errno.EXFULL, "Exchange full")

    def _mac(self) -> str:
        self._macs += 1
        return "0a:00:" + ":".join(f"{byte:02x}" for byte in self._macs.to_bytes(4, "big"))

    def _born(self, end: VethEnd, peer: Endpoint) -> None:
        device = Device(
            end.at.name,
            "veth",
            up=end.up,
            mac=end.mac or self._mac(),
            mtu=end.mtu,
            peer=peer,
            tag=end.tag,
            offloads=True,
        )
        device.plug(end.master)
        self._namespace(end.at.namespace).devices[end.at.name] = device

    def delete(self, at: Endpoint) -> None:
        namespace = self._namespace(at.namespace)
        device = namespace.devices.pop(at.name, None)
        if device is None:
            return
        namespace.routes = {r for r in namespace.routes if r.device != at.name}
        for other in namespace.devices.values():
            if other.master == at.name:
                other.plug(None)
        for key, inner in list(self.namespaces.items()):
            for name in [one.name for one in inner.devices.values() if one.parent == at]:
                self.delete(Endpoint(namespace=key, name=name))
        if device.peer is not None and device.peer.namespace in self.namespaces:
            self.delete(device.peer)

    @staticmethod
    def _lose(namespace: Namespace, device: Device, *, ipv4: bool) -> None:
        """Going down costs routes and IPv6 addresses; an MTU under 1280 only those of IPv6."""
        device.addresses = [a for a in device.addresses if ":" not in a]
        namespace.routes = {
            r
            for r in namespace.routes
            if r.device != device.name or (not ipv4 and ":" not in r.prefix)
        }

    def _resolve(self, namespace: Namespace, route: RouteState) -> RouteState:
        device = route.device
        if device is not None and device not in namespace.devices:
            raise RefusedError(errno.ENODEV, f'Cannot find device "{device}"')
        if device is not None and not namespace.devices[device].up:
            raise RefusedError(errno.ENETDOWN, "Network is down")
        if route.via is not None:
            device = self._on_link(namespace, route.via, device)
        metric = route.metric or (1024 if ":" in route.prefix else 0)
        return RouteState(prefix=route.prefix, via=route.via, device=device, metric=metric)

    @staticmethod
    def _on_link(namespace: Namespace, via: str, device: str | None) -> str:
        hop = ip_address(via)
        found: list[tuple[int, str]] = []
        for candidate in namespace.devices.values():
            if candidate.up and device in (None, candidate.name):
                networks = [interface(a).network for a in candidate.addresses]
                networks += [
                    ip_network(r.prefix)
                    for r in namespace.routes
                    if r.via is None and r.device == candidate.name
                ]
                found += [(n.prefixlen, candidate.name) for n in networks if hop in n]
                if hop.is_link_local and device == candidate.name:
                    found.append((128, candidate.name))
        if not found:
            raise RefusedError(errno.ENETUNREACH, "Nexthop has invalid gateway")
        return max(found)[1]

    def state(self) -> LabState:
        return seen(self.namespaces)
