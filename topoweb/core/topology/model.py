"""The drawing as frozen values.

Seven flat collections keyed by id. An interface names its node, a link its two interfaces, a
route its node: so one property of one object can change without rewriting another, which is
what makes last-writer-wins per property (`operations`) and cheap diffs possible.

Ids are chosen by whoever draws (browser, CLI, API), match ``[A-Za-z0-9_-]{1,40}`` and never
reach the kernel: the worker names kernel objects itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from topoweb.core.topology.bridge_port import BridgePort
from topoweb.core.topology.interfaces import InterfaceOptions, Port
from topoweb.core.topology.services import Options  # noqa: TC001 - read by generators of schemas

if TYPE_CHECKING:
    from collections.abc import Mapping

NodeKind = Literal["host", "router", "switch", "uplink"]
InterfaceKind = Literal["port", "macvlan", "ipvlan", "vlan"]
LinkKind = Literal["veth"]
ServiceKind = Literal[
    "dhcp-server", "dns", "http", "echo", "iperf3", "router-advertisements", "frr", "command"
]
PLAIN, UNTOUCHED = Port(), BridgePort()
COLLECTIONS = ("nodes", "interfaces", "links", "routes", "notes", "groups", "services")


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A namespace to be: host, router, switch (it holds one bridge ``br0``), or uplink.

    An uplink is the way out of the lab. It belongs to the host: nobody in the lab can enter it.
    """

    kind: NodeKind
    name: str
    x: float = 0.0
    y: float = 0.0
    forward_ipv4: bool = False  # drawing a router sets both; any node may forward
    forward_ipv6: bool = False
    stp: bool = False  # switch only: IEEE 802.1D spanning tree of the kernel's bridge
    ageing: int = 300  # switch only: seconds an FDB entry lives
    priority: int = 32768  # switch only: of the spanning tree, the lowest becomes the root
    vlan_filtering: bool = False  # switch only: ports keep the VLANs of `bridge_port` apart
    addresses: tuple[str, ...] = ()  # switch only: prefixes on br0 itself, "10.0.0.1/24"
    lo_up: bool = True  # loopback up; the seed's lesson needs a namespace with lo down


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """An interface of a node: a port, or a child that hangs on another one, its ``parent``.

    A port has a cable, and on a switch it is a bridge port unless ``bridged`` is False. A child
    may stand in another node than its parent. ``options`` are those of its ``kind``.
    """

    node: str
    name: str
    mac: str | None = None  # "02:00:00:00:00:01"; None: derived from lab and interface id
    mtu: int = 1500
    up: bool = True
    addresses: tuple[str, ...] = ()  # prefixes with host bits: "10.0.0.1/24", "2001:db8::1/64"
    bridged: bool = True
    dhcp: bool = False  # IPv4 address, default route and name servers come from a DHCP server
    kind: InterfaceKind = "port"
    parent: str | None = None  # interface id
    options: InterfaceOptions = PLAIN
    bridge_port: BridgePort = UNTOUCHED


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A cable between two interfaces."""

    kind: LinkKind = "veth"
    a: str  # interface id
    b: str  # interface id
    up: bool = True  # False: both ends are set down


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A static route of a node. At least one of next hop and device is given."""

    node: str
    prefix: str  # "10.0.2.0/24", "0.0.0.0/0", "::/0"
    via: str | None = None  # next hop address
    device: str | None = None  # interface id
    metric: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A sticky note. Text is shown as text, never as markup."""

    text: str
    x: float = 0.0
    y: float = 0.0
    width: float = 180.0
    height: float = 90.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A coloured frame behind the nodes, for people only."""

    name: str
    x: float = 0.0
    y: float = 0.0
    width: float = 320.0
    height: float = 240.0
    color: str = "blue"  # blue, orange, teal, violet, grey


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A program that is kept running in a node. ``options`` are those of its ``kind``."""

    node: str
    kind: ServiceKind
    options: Options
    up: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole drawing."""

    name: str = ""
    description: str = ""
    auto_address: bool = True  # a new cable gets a subnet, a gateway and default routes
    offloads: bool = True  # cables pass segments of up to 64 KiB whole, without checksums
    nodes: Mapping[str, Node] = field(default_factory=dict)
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    routes: Mapping[str, Route] = field(default_factory=dict)
    notes: Mapping[str, Note] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)
