"""What an interface is as a port of its switch's bridge (bridge(8), net/bridge/br_netlink.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.topology import fields as check
from topoweb.core.topology.interfaces.vlan import VLAN_IDS

if TYPE_CHECKING:
    from collections.abc import Mapping

VLANS = 128  # tagged on one port
VETH_COST = 2  # port_cost in net/bridge/br_if.c, of a veth's nominal 10 Gbit/s


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgePort:
    """The kernel's defaults, and its words."""

    hairpin: bool = False  # a frame may leave by the port that it came in by
    isolated: bool = False  # no frames to and from other isolated ports
    learning: bool = True  # senders' MAC addresses go into the FDB
    flood: bool = True  # frames to unknown unicast addresses leave by it
    cost: int = VETH_COST  # of the spanning tree's path
    priority: int = 32  # of the spanning tree, the upper 6 bits of the port's id
    untagged: int | None = 1  # VLAN of untagged frames; None: they are dropped
    tagged: tuple[int, ...] = ()  # VLANs that cross it with their tag: with some it is a trunk


def _vlans(value: object) -> tuple[int, ...]:
    return tuple(sorted(set(check.listing(check.integer(*VLAN_IDS), VLANS)(value))))


BRIDGE_PORT_CHECKS: Mapping[str, check.Check] = {
    "hairpin": check.boolean,
    "isolated": check.boolean,
    "learning": check.boolean,
    "flood": check.boolean,
    "cost": check.integer(1, 65535),  # BR_MAX_PATH_COST
    "priority": check.integer(0, 63),  # BR_MAX_PORT_PRIORITY
    "untagged": check.optional(check.integer(*VLAN_IDS)),
    "tagged": _vlans,
}
bridge_port = check.record(BridgePort, BRIDGE_PORT_CHECKS)


def vlan_words(port: BridgePort) -> frozenset[str]:
    """Return the VLANs of a port as `bridge vlan` has them: "10 pvid untagged", "20"."""
    words = {str(vlan) for vlan in port.tagged if vlan != port.untagged}
    if port.untagged is not None:
        words.add(f"{port.untagged} pvid untagged")
    return frozenset(words)
