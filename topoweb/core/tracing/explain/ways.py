"""Where packets should go instead: next hops that know the way, and networks that were meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.tracing.explain import links, owners, remedy
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.facts import Facts, Interface
    from topoweb.core.tracing.explain.verdict import Evidence, Verdict

CANDIDATES = 8  # routers of one network that are asked whether they know the way


def misdirected(case: Case) -> Verdict | None:
    """Return the verdict for a packet that should never have come to this node; else None.

    Whoever sent it here took the node for a router that it is not, or for somebody else.
    """
    sender = owners.of_mac(case.facts, case.packet.source_mac)
    if sender is None or sender.node == case.node or not case.packet.target:
        return None
    route = case.facts.route(sender.node, case.packet.target)
    hop = route.gateway or case.packet.target
    if route.kind != "unicast":
        return None
    if not case.owns(hop):
        return wrong_neighbour(case, sender.node, route.interface, hop)
    if not route.gateway or not _dead_end(case):
        return None
    better = _router(case.facts, sender.node, route.interface, case.packet.target, case.node)
    if better is None:
        return None
    entry = route.prefix or "0.0.0.0/0"
    mend = remedy.other_hop(sender.node, entry, better.plain)
    seen = [
        owned(case.facts, hop),
        witness("state", "address-owned", address=better.plain, owner=better.node,
                owner_interface=better.interface),
    ]  # fmt: skip
    words: Params = {
        "previous": sender.node,
        "target": case.packet.target,
        "gateway": hop,
        "owner": better.node,
    }
    return case.verdict("wrong-next-hop", [one for one in seen if one], mend, **words)


def wrong_neighbour(case: Case, sender: str, interface: str, address: str) -> Verdict | None:
    """Return the verdict for a sender whose neighbour entry leads to a wrong MAC; else None."""
    state, mac = case.facts.neighbour(sender, interface, address)
    right = owners.owner(case.facts, address)
    if right is None or mac != case.packet.target_mac:
        return None
    item = case.facts.interfaces(right.node)[right.interface]
    if not mac or item.mac == mac:
        return None
    seen = [
        witness("state", "neighbour-is", f"ip neigh show {address}",
                f"{address} dev {interface} lladdr {mac} {state.upper()}",
                node=sender, interface=interface, address=address, state=state),
        owned(case.facts, address),
    ]  # fmt: skip
    command = f"ip neigh del {address} dev {interface}"
    mend = remedy.of("forget-neighbour", sender, command, address=address)
    words: Params = {"node": sender, "address": address, "mac": mac, "other_mac": item.mac}
    found = case.verdict("neighbour-wrong", [one for one in seen if one], mend, **words)
    return replace(found, node=sender, interface=interface)  # copies may have ended anywhere


def too_narrow(case: Case, address: str) -> Verdict | None:
    """Return the verdict for an address on the same cable that a narrow prefix hides; else None."""
    target = owners.owner(case.facts, address)
    if target is None:
        return None
    for item in _addressed(case.facts, case.node, case.family):
        near = owners.reachable(case.facts, case.node, item.name)
        if (target.node, target.interface) not in near:
            continue
        return _too_narrow(case, item, target)
    return None


def _too_narrow(case: Case, item: Interface, target: owners.Owner) -> Verdict | None:
    mine = next((text for text in item.addresses if _version(text) == case.family), "")
    wide = prefixes.interface(target.address).network.prefixlen
    widened = f"{mine.partition('/')[0]}/{wide}"
    network = prefixes.interface(widened).network
    if prefixes.host(target.plain) not in network:
        return None
    words: Params = {
        "owner": target.node,
        "address": target.plain,
        "interface": item.name,
        "prefix": owners.network_of(mine),
    }
    seen = [
        witness("state", "interface-address", f"ip addr show {item.name}", mine,
                node=case.node, interface=item.name, address=mine),
        witness("state", "same-segment", owner=target.node, node=case.node, interface=item.name),
    ]  # fmt: skip
    mend = remedy.address("change-mask", case.node, item.name, item.addresses, mine, widened)
    return case.verdict("wrong-mask-narrow", seen, mend, **words)


def gone_with_interface(case: Case, address: str) -> Verdict | None:
    """Return the verdict for a way to ``address`` that went with an interface; else None."""
    off = [item for item in _addressed(case.facts, case.node, case.family) if not item.up]
    holding = [item for item in off if owners.covering(item, address)]
    left = [item for item in _addressed(case.facts, case.node, case.family) if item.up]
    chosen = holding or (off if not left else [])
    return links.passable(case, case.node, chosen[0].name) if chosen else None


def onward(facts: Facts, node: str, target: str) -> str:
    """Return the address of a router next to ``node`` that knows the way to ``target``."""
    version = 6 if ":" in target else 4
    for item in _addressed(facts, node, version):
        found = _router(facts, node, item.name, target, node)
        if found is not None:
            return found.plain
    return ""


def network_of_target(facts: Facts, target: str) -> str:
    """Return the network that a target is in, by who has it; a host route when nobody has."""
    found = owners.owner(facts, target)
    length = 128 if ":" in target else 32
    return owners.network_of(found.address if found and "/" in found.address else
                             f"{target}/{length}")  # fmt: skip


def owned(facts: Facts, address: str) -> Evidence:
    """Return as evidence who has an address, or that nobody has it."""
    found = owners.owner(facts, address)
    if found is None:
        return witness("state", "address-unowned", address=address)
    return witness(
        "state", "address-owned", f"ip addr show {found.interface}", found.address,
        address=address, owner=found.node, owner_interface=found.interface,
    )  # fmt: skip


def forwards(facts: Facts, node: str, version: int) -> bool:
    """Tell whether a node forwards."""
    return facts.sysctl(node, remedy.FORWARDING[version][1]) == "1"


def _dead_end(case: Case) -> bool:
    """Tell whether the way from this node, if it forwarded, leads nowhere or back."""
    route = case.facts.route(case.node, case.packet.target)
    return route.kind == "none" or route.interface in {"", case.arriving}


def _router(
    facts: Facts, node: str, interface: str, target: str, besides: str
) -> owners.Owner | None:
    """Return a node on the cable or switch at ``interface`` that forwards and knows the way on."""
    version = 6 if ":" in target else 4
    for there, item in _neighbours(facts, node, interface, besides):
        mine = facts.interfaces(node)[interface]
        address = next(
            (
                text
                for text in item.addresses
                if _version(text) == version and owners.covering(mine, text.partition("/")[0])
            ),
            "",
        )
        if not address or not forwards(facts, there, version):
            continue
        onward_route = facts.route(there, target)
        on_its_own = onward_route.kind == "local"
        if on_its_own or (onward_route.kind == "unicast" and onward_route.interface != item.name):
            return owners.Owner(there, item.name, address)
    return None


def _neighbours(
    facts: Facts, node: str, interface: str, besides: str
) -> Iterator[tuple[str, Interface]]:
    count = 0
    for there, name in sorted(owners.reachable(facts, node, interface)):
        item = facts.interfaces(there).get(name)
        if there in {node, besides} or item is None or not item.addresses:
            continue
        count += 1
        if count > CANDIDATES:
            return
        yield there, item


def _addressed(facts: Facts, node: str, version: int) -> list[Interface]:
    return [
        item
        for item in facts.interfaces(node).values()
        if item.kind != "loopback"
        and any(_version(text) == version and not text.startswith("fe80:")
                for text in item.addresses)
    ]  # fmt: skip


def _version(text: str) -> int:
    return 6 if ":" in text else 4
