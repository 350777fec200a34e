"""What the fake kernel's namespaces and devices are, and how an observer sees them."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Interface, IPv6Interface, ip_interface
from typing import TYPE_CHECKING

from topoweb.core.plan.state import (
    NEW_PORT_VLANS,
    DeviceKind,
    DeviceState,
    Endpoint,
    LabState,
    NamespaceState,
    PortState,
    RouteState,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.interfaces import InterfaceOptions


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
    offloads: bool | None = None
    priority: int | None = None
    vlan_filtering: bool | None = None
    port: PortState | None = None
    vlans: frozenset[str] | None = None
    parent: Endpoint | None = None
    options: InterfaceOptions | None = None

    def plug(self, master: str | None) -> None:
        """Leave a bridge and join another: a new port has the kernel's defaults."""
        if master != self.master:
            self.master = master
            self.port = PortState() if master else None
            self.vlans = NEW_PORT_VLANS if master else None


@dataclass
class Namespace:
    forward_ipv4: bool = False
    forward_ipv6: bool = False
    devices: dict[str, Device] = field(default_factory=dict)
    routes: set[RouteState] = field(default_factory=set)
    uplink: int | None = None


def seen(lab: Mapping[str, Namespace]) -> LabState:
    """Return a lab as `kernel.observe` would."""
    return LabState(namespaces={key: _seen(one, lab) for key, one in lab.items()})


def _seen(namespace: Namespace, lab: Mapping[str, Namespace]) -> NamespaceState:
    return NamespaceState(
        forward_ipv4=namespace.forward_ipv4,
        forward_ipv6=namespace.forward_ipv6,
        devices={name: _seen_device(d, lab) for name, d in namespace.devices.items()},
        routes=frozenset(namespace.routes),
        uplink=namespace.uplink,
    )


def _seen_device(device: Device, lab: Mapping[str, Namespace]) -> DeviceState:
    oper = "up" if device.up else "down"
    if device.kind == "loopback":
        oper = "unknown" if device.up else "down"
    elif device.peer is not None and device.up:
        peer = lab[device.peer.namespace].devices[device.peer.name]
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
        offloads=device.offloads,
        priority=device.priority,
        vlan_filtering=device.vlan_filtering,
        port=device.port,
        vlans=device.vlans,
        parent=device.parent,
        options=device.options,
        oper=oper,
        stp_state=port_state if device.master else None,
    )
