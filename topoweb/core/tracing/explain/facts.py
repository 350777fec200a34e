"""The kernel's state as the explainer sees it: typed answers to small questions.

`topoweb.kernel.trace.facts` asks the living kernel, tests answer from recordings. An answer may
be some hundred milliseconds old. A node that has gone answers like an empty one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RouteKind = Literal[
    "unicast", "local", "broadcast", "multicast", "unreachable", "prohibit", "blackhole", "none"
]
Neighbouring = Literal[
    "reachable", "stale", "delay", "probe", "incomplete", "failed", "permanent", "noarp", "none"
]
Family = Literal["ipv4", "ipv6"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The answer of a route look-up (RTM_GETROUTE; with an incoming interface it simulates
    forwarding)."""

    kind: RouteKind  # none: the look-up failed
    error: str = ""  # name of the errno when it failed, as ENETUNREACH
    interface: str = ""
    gateway: str = ""  # "" on-link
    source: str = ""  # the address that the node would send from
    prefix: str = ""  # of the entry in the table that matched, "" where unknown
    mtu: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Port:
    """What an interface is as a port of a bridge (IFLA_BRPORT_*)."""

    bridge: str
    state: Literal["disabled", "listening", "learning", "forwarding", "blocking"] = "forwarding"
    isolated: bool = False
    locked: bool = False
    flood: bool = True
    learning: bool = True
    hairpin: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    """An interface of a node as the kernel has it."""

    name: str
    kind: str = "veth"  # veth, bridge, loopback, macvlan, vlan, vxlan …
    mac: str = ""
    mtu: int = 1500
    up: bool = True  # administratively
    carrier: bool = True
    arp: bool = True  # no NOARP flag
    addresses: tuple[str, ...] = ()  # "10.0.1.11/24", tentative and failed ones left out
    duplicates: tuple[str, ...] = ()  # IPv6 addresses that failed duplicate detection
    port: Port | None = None  # of a bridge
    parent: str = ""  # of a macvlan or vlan
    parent_mac: str = ""  # of a macvlan whose parent is in another node: its MAC
    mode: str = ""  # of a macvlan: private, vepa, bridge, passthru
    qdisc: str = ""  # kind of its root qdisc


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A packet filter's rule or policy that decides (nftables, iptables-nft)."""

    table: str  # "inet filter"
    chain: str
    hook: str  # prerouting, input, forward, output, postrouting, ingress; "" of a jumped-to chain
    text: str  # as `nft list` prints it: "ip protocol icmp drop"
    verdict: Literal["drop", "reject", "accept", "other"]
    comment: str = ""
    packets: int = -1  # its counter, -1 where it has none
    policy: bool = False  # the chain's policy, not a rule


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A rule or policy that a traced packet was held against (nft "monitor trace")."""

    node: str
    table: str  # "inet filter"
    chain: str
    rule: str  # as nft prints it, or "policy drop"
    verdict: str  # continue, accept, drop, jump <chain> …


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """An end of a cable, or of any pair of interfaces that hand packets to each other."""

    node: str
    interface: str
    link: str = ""
    side: Literal["", "a", "b"] = ""  # which end of the drawn cable this is


class Facts(Protocol):
    """Questions about a running lab. Nodes are ids, addresses are texts without a prefix length."""

    def holders(self, what: str) -> Sequence[str]:
        """Return the nodes with an interface of this IP address, MAC or kind ("macvlan").

        They are found without asking each node for all that it is: a lab may have thousands.
        """

    def interfaces(self, node: str) -> Mapping[str, Interface]:
        """Return a node's interfaces by name."""

    def peer(self, node: str, interface: str) -> End | None:
        """Return what is at the other end of the cable, drawn or not; None without one."""

    def route(self, node: str, destination: str, *, source: str = "", arriving: str = "") -> Route:
        """Look a route up; ``arriving``: for a packet that came in at this interface."""

    def routes(self, node: str, family: Family) -> Sequence[Route]:
        """Return a node's main table."""

    def sysctl(self, node: str, name: str) -> str:
        """Return a setting, as of "net.ipv4.ip_forward"; "" where it does not exist."""

    def neighbour(self, node: str, interface: str, address: str) -> tuple[Neighbouring, str]:
        """Return a neighbour entry's state and MAC; ("none", "") without an entry."""

    def fdb(self, node: str, bridge: str, mac: str) -> str:
        """Return the port behind which a bridge believes a MAC; "" where it would flood."""

    def rules(self, node: str) -> Sequence[Rule]:
        """Return the packet filter's rules and policies, in the order of evaluation."""

    def listens(self, node: str, protocol: Literal["tcp", "udp"], port: int) -> tuple[str, ...]:
        """Return the addresses that sockets listen on ("0.0.0.0", "::" for any); () for none."""

    def accept_queue(self, node: str, port: int) -> tuple[int, int]:
        """Return how many connections wait at a TCP port to be accepted, and how many may."""

    def counters(self, node: str) -> Mapping[str, int]:
        """Return /proc/net/snmp, snmp6 and netstat as {"IpOutNoRoutes": 3, …}."""
