"""What a switch does not pass on: closed, isolated and locked ports, no flooding, loops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import links, remedy, sizes
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.facts import Interface, Port
    from topoweb.core.tracing.explain.verdict import Evidence, Verdict

STORM = 3  # times that one packet passes one place in one direction, with the same TTL
BLOCKED = "blocking"
WAITING = ("listening", "learning")


def closed(case: Case) -> Verdict | None:
    """Explain BRIDGE_INGRESS_STP_STATE: the port that the frame came in at is not forwarding."""
    return _closed(case, case.node, case.interface) or _state(case, case.node, case.interface)


def refused(case: Case) -> Verdict | None:
    """Explain what a bridge refused between two of its ports."""
    item = case.items.get(case.interface)
    if item is None or item.port is None:
        return None
    return (
        _closed(case, case.node, item.name)
        or _locked(case, item, item.port)
        or _isolated(case, item, item.port)
        or _out(case, item.port)
    )


def nowhere(case: Case) -> Verdict | None:
    """Explain NO_TX_TARGET: not one port that the frame could leave by."""
    item = case.items.get(case.interface)
    if item is not None and item.kind == "bridge":
        return _no_port(case, item.name)
    if item is None or item.port is None:
        return None
    others = _others(case, item)
    found = refused(case)
    if found is not None:
        return found
    if any(not other.port.flood for other in others if other.port) and not case.packet.group:
        return _no_flooding(case, others)
    for other in others:
        found = links.passable(case, case.node, other.name) or _closed(case, case.node, other.name)
        if found is not None:
            return found
    return case.verdict("not-for-this-host", kind="expected")


def passing(case: Case) -> Verdict | None:
    """Return why, by its state, a switch would not pass the frame on; None when it would."""
    item = case.items.get(case.arriving)
    if item is None or item.port is None:
        return None
    found = refused(case)
    if found is not None or case.packet.group:
        return found
    out = case.facts.fdb(case.node, item.port.bridge, case.packet.target_mac)
    others = _others(case, item)
    if not out and any(not other.port.flood for other in others if other.port):
        return _no_flooding(case, others)
    candidates = [out] if out else [other.name for other in others] if len(others) == 1 else []
    for name in candidates:
        return links.passable(case, case.node, name) or sizes.too_big_for_port(case, name)
    return None


def storm(case: Case) -> Verdict | None:
    """Return the verdict of a frame that circles: the same place many times, never routed."""
    passed: dict[tuple[str, str, str], int] = {}
    ttl: dict[tuple[str, str, str], bytes] = {}
    for hop in case.hops:
        seen = hop.seen
        place = (seen.namespace, seen.interface, seen.direction)
        if seen.direction == "drop" or ttl.setdefault(place, seen.data[:64]) != seen.data[:64]:
            continue
        passed[place] = passed.get(place, 0) + 1
    first = next((place for place in passed if passed[place] >= STORM), None)  # in their order
    if first is None:
        return None
    node, interface, _ = first
    switch = _bridge_at(case, node, interface)
    count = max(times for (at, _, _), times in passed.items() if at == node)
    evidence = witness("hops", "hops-again", node=node, interface=interface, count=count)
    mend = remedy.spanning_tree(switch)
    there = replace(case, node=switch, arriving=interface if switch == node else "")
    return there.verdict("bridge-loop", [evidence], mend, node=switch, count=count)


def obstacle(case: Case, cause: str, node: str, interface: str, other: str) -> Verdict | None:
    """Return the verdict for what stands in a frame's way, as `dryrun.segment` found it."""
    item = case.facts.interfaces(node).get(interface)
    if cause in {"interface-down", "no-carrier"}:
        return links.passable(case, node, interface)
    if item is None or item.port is None:
        return None
    if cause == "port-isolated":
        return _isolation(case, node, interface, other)
    if cause == "port-locked":
        return _lock(case, node, interface)
    return _closed(case, node, interface)


def _bridge_at(case: Case, node: str, interface: str) -> str:
    """Return the switch at an interface: its own node, or the one at the other end."""
    item = case.facts.interfaces(node).get(interface)
    if item is None or item.port is not None or item.kind == "bridge":
        return node
    end = case.facts.peer(node, interface)
    return end.node if end is not None else node


def _closed(case: Case, node: str, interface: str) -> Verdict | None:
    item = case.facts.interfaces(node).get(interface)
    if item is None or item.port is None:
        return None
    bridge = case.facts.interfaces(node).get(item.port.bridge)
    if bridge is not None and not bridge.up:
        command = f"ip link set {bridge.name} up"
        mend = remedy.of("turn-bridge-up", node, command, name=bridge.name)
        seen = [links.state(case.facts, node, bridge.name)]
        words: Params = {"node": node, "interface": interface, "name": bridge.name}
        return case.verdict("bridge-down", seen, mend, **words)
    return _state(case, node, interface) if item.port.state != "forwarding" else None


def _state(case: Case, node: str, interface: str) -> Verdict:
    """Return the verdict for a port that spanning tree keeps closed."""
    item = case.facts.interfaces(node).get(interface)
    state = item.port.state if item and item.port else BLOCKED
    seen = [_port(node, interface, state)]
    if state in WAITING:
        mend = remedy.of("wait-for-spanning-tree", node)
        words: Params = {"node": node, "interface": interface, "state": state}
        return case.verdict("stp-learning", seen, mend, "expected", **words)
    if state == "disabled":
        found = links.passable(case, node, interface)
        if found is not None:
            return found
    return case.verdict("stp-blocking", seen, None, "expected", node=node, interface=interface)


def _locked(case: Case, item: Interface, port: Port) -> Verdict | None:
    if not port.locked:
        return None
    known = case.facts.fdb(case.node, port.bridge, case.packet.source_mac)
    return None if known == item.name else _lock(case, case.node, item.name)


def _lock(case: Case, node: str, interface: str) -> Verdict:
    mac = case.packet.source_mac
    command = f"bridge link set dev {interface} locked off"
    mend = remedy.of("unlock-port", node, command, interface=interface, mac=mac)
    seen = [_port(node, interface, "locked")]
    return case.verdict("port-locked", seen, mend, node=node, interface=interface, mac=mac)


def _isolated(case: Case, item: Interface, port: Port) -> Verdict | None:
    if not port.isolated:
        return None
    out = case.facts.fdb(case.node, port.bridge, case.packet.target_mac)
    others = [other for other in _others(case, item) if other.port and other.port.isolated]
    names = [other.name for other in others if not out or other.name == out]
    return _isolation(case, case.node, item.name, names[0]) if names else None


def _isolation(case: Case, node: str, interface: str, other: str) -> Verdict:
    command = f"bridge link set dev {interface} isolated off"
    mend = remedy.of("end-isolation", node, command, interface=interface)
    seen = [_port(node, name, "isolated") for name in (interface, other)]
    words: Params = {"node": node, "interface": interface, "other_interface": other}
    return case.verdict("port-isolated", seen, mend, **words)


def _out(case: Case, port: Port) -> Verdict | None:
    """Look at the port by which the frame should have left."""
    out = case.facts.fdb(case.node, port.bridge, case.packet.target_mac)
    if not out or out == case.interface:
        return None
    return _closed(case, case.node, out)


def _no_flooding(case: Case, others: list[Interface]) -> Verdict:
    names = [other.name for other in others if other.port and not other.port.flood]
    commands = [f"bridge link set dev {name} flood on" for name in names]
    mend = remedy.of("turn-flooding-on", case.node, *commands)
    seen = [_port(case.node, name, "flood off") for name in names]
    mac = case.packet.target_mac
    return case.verdict("flooding-off", seen, mend, interface=case.interface, mac=mac)


def _no_port(case: Case, bridge: str) -> Verdict | None:
    """Explain what a bridge itself could send out of none of its ports."""
    ports = [item for item in case.items.values() if item.port and item.port.bridge == bridge]
    for item in ports:
        found = links.passable(case, case.node, item.name) or _closed(case, case.node, item.name)
        if found is not None:
            return found
    if ports:
        return None
    mend = remedy.of("connect-cable", case.node, interface=bridge)
    return case.verdict("no-cable", (), mend, interface=bridge)


def _others(case: Case, item: Interface) -> list[Interface]:
    bridge = item.port.bridge if item.port else ""
    return [
        other
        for other in case.items.values()
        if other.port is not None and other.port.bridge == bridge and other.name != item.name
    ]


def _port(node: str, interface: str, state: str) -> Evidence:
    command = f"bridge -d link show dev {interface}"
    return witness("state", "port-is", command, node=node, interface=interface, state=state)
