"""VLAN sub-interface: what crosses the parent's cable with one IEEE 802.1Q tag (net/8021q)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.topology import fields as check
from topoweb.core.topology.interfaces.kind import Fault, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.topology.interfaces.kind import Family

VLAN_IDS = (1, 4094)  # IEEE 802.1Q: 0 is no VLAN, 4095 is reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class Vlan:
    """The VLAN id of its tag."""

    id: int = 1


def _words(options: Vlan) -> tuple[str, ...]:
    return ("id", str(options.id))


def _faults(options: Vlan, family: Family) -> Iterable[Fault]:
    for other, item in family.siblings.items():
        if item.kind == "vlan" and item.options == options:
            words = {"name": family.name, "other": other, "id": options.id}
            yield Fault("vlan-duplicate", "/options/id", words)
            return


KIND = Kind(
    Vlan,
    {"id": check.integer(*VLAN_IDS)},
    parents=frozenset({"port"}),
    new_mac=False,
    follows=True,
    words=_words,
    faults=_faults,
)
