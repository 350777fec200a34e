"""One lab inside the fake kernel: what each action does to it, by Linux's rules."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from functools import lru_cache, singledispatchmethod
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network

from topoweb.core.plan.actions import (
    Action,
    AddAddress,
    AddBridge,
    AddNamespace,
    AddRoute,
    AddVeth,
    CloseUplink,
    OpenUplink,
    RemoveAddress,
    RemoveDevice,
    RemoveNamespace,
    RemoveRoute,
    SetDevice,
    SetForwarding,
    SetRate,
    VethEnd,
)
from topoweb.core.plan.state import (
    CLOSED,
    DeviceKind,
    DeviceState,
    Endpoint,
    LabState,
    NamespaceState,
    RouteState,
)

BRIDGE_PORTS = 1023
IPV6_MIN_MTU = 1280


class RefusedError(Exception):
    """The kernel's errno for an action."""

    def __init__(self, number: int, message: str) -> None:
        super().__init__(message)
        self.number = number
        self.message = message


@lru_cache(maxsize=8192)
def interface(text: str) -> IPv4Interface | IPv6Interface:
    return ip_interface(text)


@dataclass
class Device:
    name: str
    kind: DeviceKind
    up: bool = False
    mac: str | None = None
    mtu: int = 1500
    master: str | None = None
    peer: Endpoint | None = None
    addresses: list[str] = field(default_factory=list)  # in the order of their adding
    stp: bool | None = None
    ageing: int | None = None
    tag: str = ""
    rate: int | None = None


@dataclass
class Namespace:
    forward_ipv4: bool = False
    forward_ipv6: bool = False
    devices: dict[str, Device] = field(default_factory=dict)
    routes: set[RouteState] = field(default_factory=set)
    uplink: int | None = None


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
        )

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
            device.master = action.master or None
        if action.mtu is not None:
            if not 68 <= action.mtu <= 65535:
                raise RefusedError(errno.EINVAL, "mtu out of range")
            device.mtu = action.mtu
            if action.mtu < IPV6_MIN_MTU:
                self._lose(namespace, device, ipv4=False)
        device.mac = action.mac or device.mac
        device.stp = device.stp if action.stp is None else action.stp
        device.ageing = device.ageing if action.ageing is None else action.ageing
        if action.up is False and device.up:
            self._lose(namespace, device, ipv4=True)
        device.up = device.up if action.up is None else action.up

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
        self._namespace(end.at.namespace).devices[end.at.name] = Device(
            end.at.name,
            "veth",
            up=end.up,
            mac=end.mac or self._mac(),
            mtu=end.mtu,
            master=end.master,
            peer=peer,
            tag=end.tag,
        )

    def delete(self, at: Endpoint) -> None:
        namespace = self._namespace(at.namespace)
        device = namespace.devices.pop(at.name, None)
        if device is None:
            return
        namespace.routes = {r for r in namespace.routes if r.device != at.name}
        for other in namespace.devices.values():
            if other.master == at.name:
                other.master = None
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
        return LabState(namespaces={key: self._seen(ns) for key, ns in self.namespaces.items()})

    def _seen(self, namespace: Namespace) -> NamespaceState:
        return NamespaceState(
            forward_ipv4=namespace.forward_ipv4,
            forward_ipv6=namespace.forward_ipv6,
            devices={name: self._seen_device(d) for name, d in namespace.devices.items()},
            routes=frozenset(namespace.routes),
            uplink=namespace.uplink,
        )

    def _seen_device(self, device: Device) -> DeviceState:
        oper = "up" if device.up else "down"
        if device.kind == "loopback":
            oper = "unknown" if device.up else "down"
        elif device.peer is not None and device.up:
            peer = self.namespaces[device.peer.namespace].devices[device.peer.name]
            oper = "up" if peer.up else "lowerlayerdown"
        port_state = "forwarding" if oper == "up" else "disabled"
        return DeviceState(
            name=device.name,
            kind=device.kind,
            up=device.up,
            mac=device.mac,
            mtu=device.mtu,
            master=device.master,
            peer=device.peer,
            addresses=frozenset(device.addresses),
            stp=device.stp,
            ageing=device.ageing,
            tag=device.tag,
            rate=device.rate,
            oper=oper,
            stp_state=port_state if device.master else None,
        )
