"""ipvlan: a child that shares its parent's MAC address (drivers/net/ipvlan)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from topoweb.core.topology import fields as check
from topoweb.core.topology.interfaces.kind import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.interfaces.kind import Family

IPVLAN_MODES = ("l2", "l3", "l3s")
IPVLAN_FLAGS = ("bridge", "private", "vepa")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ipvlan:
    """All children of one parent have the same options: the kernel keeps them once a parent.

    l2: frames are switched by address inside the card, ARP works; l3: packets are routed by the
    parent's namespace, no ARP and no broadcasts; l3s: as l3, and its netfilter sees them.
    """

    mode: Literal["l2", "l3", "l3s"] = "l2"
    flag: Literal["bridge", "private", "vepa"] = "bridge"


def _shared_mac(options: Ipvlan) -> bool:  # noqa: ARG001 - one signature for all kinds
    return False


def _morphs(old: Ipvlan, new: Ipvlan) -> bool:  # noqa: ARG001 - one signature for all kinds
    return True


def _words(options: Ipvlan) -> tuple[str, ...]:
    return ("mode", options.mode, options.flag)


def _faults(options: Ipvlan, family: Family) -> Iterable[Fault]:
    for other, item in family.siblings.items():
        if item.kind == "ipvlan" and item.options != options:
            words = {"name": family.name, "other": other, "parent": family.parent_name}
            yield Fault("ipvlan-options-differ", "/options", words)
            return
    if family.child.mtu != family.parent.mtu:  # ipvlan_adjust_mtu: it follows its parent
        yield Fault("ipvlan-mtu", "/mtu", {"name": family.name, "mtu": family.parent.mtu})


KIND = Kind(
    Ipvlan,
    {"mode": check.choice(*IPVLAN_MODES), "flag": check.choice(*IPVLAN_FLAGS)},
    parents=frozenset({"port", "vlan"}),
    same_segment=True,
    own_mac=_shared_mac,
    morphs=_morphs,
    words=_words,
    faults=_faults,
)
