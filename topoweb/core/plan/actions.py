"""The closed set of things the worker can do to the kernel.

Each action is undone or repeated by another plan, never by itself: the loop is level-triggered.
Adding an action means: a class here, a renderer (`render`), an applier (`kernel.apply`), a
golden line; tests hold the four together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topoweb.core.plan.state import Endpoint, RouteState
    from topoweb.core.topology.interfaces import InterfaceOptions

DEFAULT_PRIORITY = 32768  # of a bridge, IEEE 802.1D §17.14


@dataclass(frozen=True, slots=True, kw_only=True)
class AddNamespace:
    """Create a namespace. lo is down, forwarding is what the host has: both are set apart.

    An uplink's belongs to the host, not to the lab: root of the lab cannot enter it.
    """

    namespace: str
    uplink: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveNamespace:
    """Drop a namespace with all that is in it."""

    namespace: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddBridge:
    """Create a bridge, up or down, in its final namespace."""

    namespace: str
    name: str
    up: bool
    mtu: int
    stp: bool
    ageing: int
    tag: str
    mac: str | None = None
    priority: int = DEFAULT_PRIORITY
    vlan_filtering: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VethEnd:
    """One end of a cable as it is born: name, namespace, MAC, MTU, bridge, flags."""

    at: Endpoint
    mac: str | None
    mtu: int
    master: str | None
    up: bool
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddVeth:
    """Create a cable with both ends in their final namespaces, in one message."""

    a: VethEnd
    b: VethEnd


@dataclass(frozen=True, slots=True, kw_only=True)
class AddChild:
    """Create a child of a device, in its final namespace: macvlan, ipvlan, VLAN sub-interface."""

    at: Endpoint
    parent: Endpoint
    options: InterfaceOptions
    mac: str | None
    mtu: int
    up: bool
    tag: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChild:
    """Change a child in place, after its parent. None leaves a property as it is."""

    at: Endpoint
    up: bool | None = None
    mtu: int | None = None
    mac: str | None = None
    options: InterfaceOptions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveDevice:
    """Delete a device; a veth takes its peer with it, and any device its children."""

    at: Endpoint


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDevice:
    """Change what can be changed in place. None leaves a property as it is.

    ``master=""`` takes the device out of its bridge.
    """

    at: Endpoint
    up: bool | None = None
    mtu: int | None = None
    mac: str | None = None
    master: str | None = None
    stp: bool | None = None
    ageing: int | None = None
    priority: int | None = None
    vlan_filtering: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPort:
    """Change options of a bridge port. None leaves one as it is."""

    at: Endpoint
    hairpin: bool | None = None
    isolated: bool | None = None
    learning: bool | None = None
    flood: bool | None = None
    cost: int | None = None
    priority: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetVlans:
    """Take a bridge port out of VLANs and put it into others: "10 pvid untagged", "20"."""

    at: Endpoint
    remove: tuple[str, ...] = ()
    add: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAddress:
    """Add a prefix with host bits to a device."""

    at: Endpoint
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveAddress:
    """Remove a prefix from a device."""

    at: Endpoint
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRoute:
    """Add a route to the main table."""

    namespace: str
    route: RouteState


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRoute:
    """Remove a route from the main table."""

    namespace: str
    route: RouteState


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRate:
    """Hold what a device sends to ``rate`` bit/s by a token bucket at its root; None: let it go."""

    at: Endpoint
    rate: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetOffloads:
    """Switch checksum and segmentation offloads of a device off, or on as it was born."""

    at: Endpoint
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SetForwarding:
    """Write net.ipv4.ip_forward or net.ipv6.conf.all.forwarding; None leaves it."""

    namespace: str
    ipv4: bool | None = None
    ipv6: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenUplink:
    """Open the way out of an uplink until a moment (seconds since the epoch).

    Its rules are loaded before its link exists, and they end it by themselves.
    """

    namespace: str
    until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseUplink:
    """Take the way out of an uplink away: link and rules, also what is left of them."""

    namespace: str


Action = (
    AddNamespace
    | RemoveNamespace
    | OpenUplink
    | CloseUplink
    | AddBridge
    | AddVeth
    | AddChild
    | RemoveDevice
    | SetDevice
    | SetChild
    | SetPort
    | SetVlans
    | AddAddress
    | RemoveAddress
    | AddRoute
    | RemoveRoute
    | SetForwarding
    | SetRate
    | SetOffloads
)


@dataclass(frozen=True, slots=True)
class Step:
    """An action and the reason for it, in words ("h1: address 10.0.0.2/24 is drawn")."""

    action: Action
    reason: str
    subject: str = ""  # id of the drawn object that asked for it; "" for leftovers


@dataclass(frozen=True, slots=True)
class Plan:
    """Ordered steps. An empty plan means: the kernel is as drawn."""

    steps: tuple[Step, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __len__(self) -> int:
        return len(self.steps)
