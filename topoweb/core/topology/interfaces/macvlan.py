"""macvlan: a child with a MAC address of its own on its parent's cable (drivers/net/macvlan.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from topoweb.core.topology import fields as check
from topoweb.core.topology.interfaces.kind import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.interfaces.kind import Family

MACVLAN_MODES = ("bridge", "private", "vepa", "passthru")


@dataclass(frozen=True, slots=True, kw_only=True)
class Macvlan:
    """How children of one parent meet.

    bridge: inside the card; vepa: by way of the switch outside, if its port hairpins; private:
    not at all; passthru: one child alone, with the parent's MAC address.
    """

    mode: Literal["bridge", "private", "vepa", "passthru"] = "bridge"


def _own_mac(options: Macvlan) -> bool:
    return options.mode != "passthru"


def _morphs(old: Macvlan, new: Macvlan) -> bool:
    # macvlan_changelink: passthru cannot be entered or left
    return (old.mode == "passthru") == (new.mode == "passthru")


def _words(options: Macvlan) -> tuple[str, ...]:
    return ("mode", options.mode)


def _faults(options: Macvlan, family: Family) -> Iterable[Fault]:
    rivals = [name for name, item in family.siblings.items() if item.kind == "macvlan"]
    if options.mode == "passthru" and rivals:
        words = {"name": family.name, "parent": family.parent_name, "other": rivals[0]}
        yield Fault("passthru-alone", "/options/mode", words)


KIND = Kind(
    Macvlan,
    {"mode": check.choice(*MACVLAN_MODES)},
    parents=frozenset({"port", "vlan"}),
    same_segment=True,
    own_mac=_own_mac,
    morphs=_morphs,
    words=_words,
    faults=_faults,
)
