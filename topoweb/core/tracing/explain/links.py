"""Interfaces that are off, cables without a carrier, queues that are full."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import remedy, shell
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.facts import Facts
    from topoweb.core.tracing.explain.verdict import Evidence, Verdict


def queue(case: Case) -> Verdict | None:
    """Explain what did not fit into an interface's queue: it is off, or leads nowhere, or slow."""
    name = case.interface
    item = case.items.get(name)
    if item is None:
        return None
    found = passable(case, case.node, name)
    if found is not None:
        return found
    qdisc = item.qdisc or "noqueue"
    evidence = witness(
        "state", "interface-qdisc", f"tc -s qdisc show dev {name}",
        node=case.node, interface=name, qdisc=qdisc,
    )  # fmt: skip
    mend = remedy.of("send-slower", case.node, f"tc -s qdisc show dev {name}", interface=name)
    return case.verdict("queue-full", [evidence], mend, interface=name, qdisc=qdisc)


def overload(case: Case) -> Verdict:
    """Explain what the host had no time or memory for."""
    return case.verdict("overloaded")


def passable(case: Case, node: str, interface: str) -> Verdict | None:
    """Return why nothing can leave an interface of a node; None when it is up with a carrier."""
    item = case.facts.interfaces(node).get(interface)
    if item is None:
        return None
    if item.kind == "loopback":
        return loopback(case, node)
    if not item.up:
        mend = remedy.interface_on(node, interface)
        seen = [state(case.facts, node, interface)]
        return case.verdict("interface-down", seen, mend, node=node, interface=interface)
    end = case.facts.peer(node, interface)
    there = case.facts.interfaces(end.node).get(end.interface) if end else None
    if item.carrier and (end is None or there is None or there.up):
        return None
    seen = [state(case.facts, node, interface)]
    if end is None or there is None:
        mend = remedy.of("connect-cable", node, interface=interface)
        return case.verdict("no-cable", seen, mend, node=node, interface=interface)
    seen.append(state(case.facts, end.node, end.interface))
    mend = remedy.interface_on(end.node, end.interface)
    words: Params = {"peer": end.node, "peer_interface": end.interface}
    return case.verdict("no-carrier", seen, mend, node=node, interface=interface, **words)


def loopback(case: Case, node: str) -> Verdict | None:
    """Return the verdict for a node whose loopback is off."""
    item = case.facts.interfaces(node).get("lo")
    if item is None or item.up:
        return None
    seen = [state(case.facts, node, "lo")]
    return case.verdict("lo-down", seen, remedy.loopback_on(node), node=node)


def state(facts: Facts, node: str, interface: str) -> Evidence:
    """Return an interface's state as evidence."""
    item = facts.interfaces(node).get(interface)
    if item is None:
        word, output = "missing", ""
    else:
        word = "up" if item.up and item.carrier else "no-carrier" if item.up else "down"
        output = shell.link_text(item)
    return witness(
        "state", "interface-is", f"ip link show {interface}", output,
        node=node, interface=interface, state=word,
    )  # fmt: skip
