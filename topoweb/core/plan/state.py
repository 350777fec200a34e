"""The one shape for what a lab should be in the kernel and for what it is.

`expand` makes it from the drawing, `kernel.observe` from the kernel, `diff` compares the two.
Interfaces are named by (namespace key, interface name); ifindexes stay inside `kernel`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from topoweb.core.topology.bridge_port import VETH_COST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.interfaces import InterfaceOptions

DeviceKind = Literal["loopback", "veth", "bridge", "macvlan", "ipvlan", "vlan", "other"]
NEW_PORT_VLANS = frozenset({"1 pvid untagged"})  # the kernel's default_pvid
CLOSED, BROKEN = 0, -1  # of an uplink
STP_STATES = ("disabled", "listening", "learning", "forwarding", "blocking")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """An interface by namespace key (the node id) and interface name."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PortState:
    """A bridge port's options, at first the kernel's defaults; `core.topology.bridge_port`."""

    hairpin: bool = False
    isolated: bool = False
    learning: bool = True
    flood: bool = True
    cost: int = VETH_COST
    priority: int = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceState:
    """A network device. In a desired state ``oper`` and ``stp_state`` are None: not wished for."""

    name: str
    kind: DeviceKind
    up: bool  # IFF_UP
    mac: str | None = None  # None in a desired state: whatever the kernel has
    mtu: int = 1500
    master: str | None = None  # name of the bridge in the same namespace
    peer: Endpoint | None = None  # veth: the other end; None when it is outside the lab
    addresses: frozenset[str] = frozenset()  # global ones only; kernel-made link-locals left out
    stp: bool | None = None  # bridges
    ageing: int | None = None  # bridges, seconds; None observed: not told, during a topology change
    tag: str = ""  # ifalias: topoweb:<lab>:<link>:<end>
    priority: int | None = None  # bridges, of the spanning tree
    vlan_filtering: bool | None = None  # bridges
    port: PortState | None = None  # ports of a bridge
    vlans: frozenset[str] | None = None  # of a port: "10 pvid untagged"; None: no wish, not told
    parent: Endpoint | None = None  # children: None observed: outside the lab
    options: InterfaceOptions | None = None  # children: None observed: what cannot be drawn
    rate: int | None = None  # bit/s that it may send: a token bucket (tbf) at its root
    offloads: bool | None = None  # veth: leaves anything to hardware; None: no wish, not told
    oper: str | None = None  # IFLA_OPERSTATE in words: up, down, lowerlayerdown, unknown …
    stp_state: str | None = None  # bridge port, one of STP_STATES


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteState:
    """A unicast route of the main table. Identity: prefix, metric, next hop, device."""

    prefix: str  # canonical network, "0.0.0.0/0"
    via: str | None = None
    device: str | None = None  # interface name
    metric: int = 0  # IPv6: 1024 is the kernel's default


@dataclass(frozen=True, slots=True, kw_only=True)
class NamespaceState:
    """One node's network namespace. Routes made by the kernel itself are left out."""

    forward_ipv4: bool = False
    forward_ipv6: bool = False
    devices: Mapping[str, DeviceState] = field(default_factory=dict)  # by name, "lo" included
    routes: frozenset[RouteState] = frozenset()
    # Not None: an uplink's, which belongs to the host. `CLOSED`, `BROKEN` (in part there) or the
    # second since the epoch until which its way out is open.
    uplink: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabState:
    """All namespaces of a lab by key (node id). ``LabState()``: nothing exists."""

    namespaces: Mapping[str, NamespaceState] = field(default_factory=dict)
