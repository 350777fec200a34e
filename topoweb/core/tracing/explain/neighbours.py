"""Nobody answered who has an address: because nobody has it, or it is elsewhere, or silent."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.tracing.explain import (
    bridging,
    links,
    macvlans,
    owners,
    remedy,
    routing,
    shell,
    ways,
)
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.dryrun.segment import Way
    from topoweb.core.tracing.explain.facts import Interface
    from topoweb.core.tracing.explain.owners import Owner
    from topoweb.core.tracing.explain.verdict import Evidence, Verdict

RESPONDS_TO_NONE = 8  # arp_ignore: "do not reply for all local addresses" (ip-sysctl.rst)


def unresolved(case: Case) -> Verdict | None:
    """Explain NEIGH_FAILED, and an ARP or ND request that nobody answered."""
    target = case.packet.target
    route = case.facts.route(case.node, case.waiting or target)
    address = case.waiting or route.gateway or target
    interface = case.drop.interface if case.drop and case.drop.interface else route.interface
    if interface not in case.items or not address:
        return None
    gateway = address != target or _is_gateway(case, address)
    found = links.passable(case, case.node, interface)
    if found is not None:
        return found
    having = owners.owners(case.facts, address)
    if not having:
        return _unowned(case, interface, address, gateway=gateway)
    near = owners.reachable(case.facts, case.node, interface)
    here = [one for one in having if (one.node, one.interface) in near]
    found = macvlans.apart(case, interface, (here or having)[0])
    if found is not None:
        return found
    if not here:
        return _elsewhere(case, interface, having[0], gateway=gateway)
    chosen = here[0]
    return _silent(case, interface, chosen, near[chosen.node, chosen.interface])


def same_card(case: Case) -> Verdict | None:
    """Return the verdict for a frame of one macvlan for another one beside it; else None.

    It left the parent they share, and whoever gets it can only throw it away.
    """
    sender = owners.of_mac(case.facts, case.packet.source_mac)
    target = owners.of_mac(case.facts, case.packet.target_mac)
    if sender is None or target is None or sender.node == case.node:
        return None
    there = replace(case, node=sender.node, arriving="")
    return macvlans.apart(there, sender.interface, target)


def other_host(case: Case) -> Verdict:
    """Explain OTHERHOST: a flooded copy, unless the packet is for this very node."""
    found = same_card(case)
    if found is not None:
        return found
    sender = owners.of_mac(case.facts, case.packet.source_mac)
    if sender is not None and case.local:
        route = case.facts.route(sender.node, case.packet.target)
        found = ways.wrong_neighbour(case, sender.node, route.interface, case.packet.target)
        if found is not None:
            return found
    return case.verdict("not-for-this-host", kind="expected")


def _unowned(case: Case, interface: str, address: str, *, gateway: bool) -> Verdict:
    seen = [
        _entry(case, interface, address),
        witness("state", "address-unowned", address=address),
    ]
    if not gateway:
        mend = remedy.of("give-address", case.node, address=address)
        return case.verdict("neighbour-failed", seen, mend, interface=interface, address=address)
    target = _beyond(case, address)
    better = ways.onward(case.facts, case.node, target) if target != address else ""
    route = case.facts.route(case.node, target)
    mend = (
        remedy.other_hop(case.node, route.prefix or "0.0.0.0/0", better)
        if better
        else remedy.of("give-address", case.node, address=address)
    )
    return case.verdict("gateway-unowned", seen, mend, gateway=address, target=target)


def _elsewhere(case: Case, interface: str, owner: Owner, *, gateway: bool) -> Verdict:
    """Return the verdict for an address that exists, but not on this cable or switch."""
    item = case.items[interface]
    seen = [
        _entry(case, interface, owner.plain),
        witness("state", "not-same-segment",
                owner=owner.node, node=case.node, interface=interface),
        *(one for one in [ways.owned(case.facts, owner.plain)] if one),
    ]  # fmt: skip
    if gateway:
        mend = remedy.of("move-interface", case.node, interface=interface, owner=owner.node)
        words: Params = {"interface": interface, "gateway": owner.plain, "owner": owner.node}
        return case.verdict("gateway-off-link", seen, mend, **words)
    mine = owners.covering(item, owner.plain)
    if not mine or owners.network_of(mine) == owners.network_of(owner.address):
        words = {"interface": interface, "address": owner.plain, "owner": owner.node}
        mend = remedy.of("check-segment", case.node, owner=owner.node)
        return case.verdict("neighbour-silent", seen, mend, **words)
    return _wrong_mask(case, item, owner, mine, seen)


def _wrong_mask(
    case: Case, item: Interface, owner: Owner, mine: str, seen: Iterable[Evidence]
) -> Verdict:
    narrowed = _narrowed(mine, owner)
    mend = remedy.address("change-mask", case.node, item.name, item.addresses, mine, narrowed)
    words: Params = {
        "interface": item.name,
        "address": owner.plain,
        "prefix": owners.network_of(mine),
        "owner": owner.node,
    }
    return case.verdict("wrong-mask", seen, mend, **words)


def _narrowed(mine: str, owner: Owner) -> str:
    """Return the address with the owner's prefix length, or the longest that leaves it out."""
    plain, _, _ = mine.partition("/")
    there = prefixes.host(owner.plain)
    start = prefixes.interface(owner.address).network.prefixlen
    for length in range(start, there.max_prefixlen + 1):
        if there not in prefixes.interface(f"{plain}/{length}").network:
            return f"{plain}/{length}"
    return mine


def _silent(case: Case, interface: str, owner: Owner, way: Way) -> Verdict:
    """Return the verdict for an address that is there and does not answer."""
    if way.obstacle is not None:
        stop = way.obstacle
        found = bridging.obstacle(case, stop.cause, stop.node, stop.interface, stop.other)
        if found is not None:  # the question ended there
            return replace(found, node=stop.node, interface=stop.interface)
    found = _deaf(case, interface, owner)
    if found is not None:
        return found
    seen = [
        _entry(case, interface, owner.plain),
        witness("state", "same-segment", owner=owner.node, node=case.node, interface=interface),
    ]
    mend = remedy.of("check-segment", case.node, owner=owner.node)
    words: Params = {"interface": interface, "address": owner.plain, "owner": owner.node}
    return case.verdict("neighbour-silent", seen, mend, **words)


def _deaf(case: Case, interface: str, owner: Owner) -> Verdict | None:
    """Return why the owner itself would not answer; None when it would."""
    there = case.facts.interfaces(owner.node)[owner.interface]
    words: Params = {"owner": owner.node, "address": owner.plain, "interface": there.name}
    if not there.up:
        return links.passable(case, owner.node, there.name)
    if not there.arp:
        command = f"ip link set {there.name} arp on"
        mend = remedy.of("turn-arp-on", owner.node, command, interface=there.name)
        seen = [links.state(case.facts, owner.node, there.name)]
        return case.verdict("arp-off", seen, mend, **words)
    if ":" in owner.plain:
        return None
    for scope in ("all", there.name):
        name = f"net.ipv4.conf.{scope}.arp_ignore"
        value = case.facts.sysctl(owner.node, name)
        if value.isdigit() and _ignores(case, int(value), interface, there):
            mend = remedy.of("stop-ignoring-arp", owner.node, f"sysctl -w {name}=0", setting=name)
            seen = [witness("state", "setting-is", shell.sysctl(name), f"{name} = {value}",
                            node=owner.node, setting=name, value=value)]  # fmt: skip
            return case.verdict("arp-ignored", seen, mend, setting=name, value=value, **words)
    return routing.strict_filter(case, owner.node, there.name)  # it ignores ARP requests, too


def _ignores(case: Case, value: int, interface: str, there: Interface) -> bool:
    """Tell whether arp_ignore = ``value`` ignores a request of this node (ip-sysctl.rst)."""
    if value == 2:
        asker = case.items[interface].addresses
        return not any(owners.covering(there, text.partition("/")[0]) for text in asker
                       if ":" not in text)  # fmt: skip
    return value >= RESPONDS_TO_NONE


def _is_gateway(case: Case, address: str) -> bool:
    table = case.facts.routes(case.node, "ipv6" if ":" in address else "ipv4")
    return any(route.gateway == address for route in table)


def _beyond(case: Case, gateway: str) -> str:
    """Return what the gateway was to lead to: the packet's target, or its route's network."""
    if case.packet.target and case.packet.target != gateway:
        return case.packet.target
    table = case.facts.routes(case.node, "ipv6" if ":" in gateway else "ipv4")
    for route in table:
        if route.gateway == gateway and route.prefix:
            return route.prefix.partition("/")[0]
    return gateway


def _entry(case: Case, interface: str, address: str) -> Evidence:
    state, mac = case.facts.neighbour(case.node, interface, address)
    lladdr = f" lladdr {mac}" if mac else ""
    output = "" if state == "none" else f"{address} dev {interface}{lladdr} {state.upper()}"
    return witness("state", "neighbour-is", f"ip neigh show {address}", output,
                   node=case.node, interface=interface, address=address, state=state)  # fmt: skip
