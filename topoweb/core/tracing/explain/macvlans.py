"""macvlan: devices with MACs of their own on another one's cable (drivers/net/macvlan.c).

A child never talks to its own parent, whatever its mode. Two children of one parent talk inside
the card in mode bridge; in mode vepa only by way of a switch that sends frames back (hairpin), in
mode private not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import remedy
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.facts import Facts, Interface
    from topoweb.core.tracing.explain.owners import Owner
    from topoweb.core.tracing.explain.verdict import Evidence, Verdict

Place = tuple[str, str]  # node, interface


def parent_of(facts: Facts, node: str, item: Interface) -> Place | None:
    """Return where a macvlan child hangs; None for other devices."""
    if item.kind != "macvlan" or not item.parent:
        return None
    if not item.parent_mac:
        return node, item.parent
    for there in facts.holders(item.parent_mac):
        found = facts.interfaces(there).get(item.parent)
        if found is not None and found.mac == item.parent_mac and found.kind != "macvlan":
            return there, item.parent
    return None


def children(facts: Facts) -> Iterator[tuple[Place, Interface, Place]]:
    """Yield each macvlan child of a lab with its parent."""
    for node in facts.holders("macvlan"):
        for item in facts.interfaces(node).values():
            parent = parent_of(facts, node, item)
            if parent is not None:
                yield (node, item.name), item, parent


def apart(case: Case, interface: str, owner: Owner) -> Verdict | None:
    """Return the verdict for two on one macvlan parent that cannot talk; None for any others."""
    mine = case.items[interface]
    there = case.facts.interfaces(owner.node)[owner.interface]
    parent = parent_of(case.facts, case.node, mine)
    others = parent_of(case.facts, owner.node, there)
    here = case.node, interface
    words: Params = {
        "interface": interface,
        "owner": owner.node,
        "other_interface": owner.interface,
        "address": owner.plain,
    }
    if parent == (owner.node, owner.interface) or others == here:
        place = parent if others is None else others
        assert place is not None
        seen = [_seen(case.node, mine), _seen(owner.node, there)]
        mend = remedy.of("hang-host-on-macvlan", place[0], interface=place[1])
        return case.verdict("macvlan-parent", [one for one in seen if one], mend, **words)
    if parent is None or parent != others:
        return None
    closed = next((one for one in (mine, there) if one.mode != "bridge"), None)
    if closed is None:
        return None
    node = case.node if closed is mine else owner.node
    seen = [_seen(case.node, mine), _seen(owner.node, there)]
    command = f"ip link set {closed.name} type macvlan mode bridge"
    operation = remedy.setting("interfaces", f"{node}/{closed.name}", options={"mode": "bridge"})
    mend = remedy.drawn("set-macvlan-bridge", node, operation, [command], interface=closed.name)
    evidence = [one for one in seen if one]
    return case.verdict("macvlan-apart", evidence, mend, value=closed.mode, **words)


def _seen(node: str, item: Interface) -> Evidence | None:
    if item.kind != "macvlan":
        return None
    words: Params = {"node": node, "interface": item.name, "other_interface": item.parent}
    text = f"macvlan mode {item.mode}"
    return witness("state", "macvlan-is", f"ip -d link show {item.name}", text,
                   value=item.mode, **words)  # fmt: skip
