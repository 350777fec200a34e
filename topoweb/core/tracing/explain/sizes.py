"""Packets too large for an interface: said, silent, and never learned; lost fragments."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import links, remedy, shell
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.facts import Interface
    from topoweb.core.tracing.explain.verdict import Evidence, Verdict


def too_big(case: Case) -> Verdict | None:
    """Explain PKT_TOO_BIG: a router may not fragment and the way on is too narrow."""
    packet = case.packet
    route = case.facts.route(case.node, packet.target, source=packet.source, arriving=case.arriving)
    item = case.items.get(route.interface)
    if item is None:
        return None
    mtu = min(item.mtu, route.mtu or item.mtu)
    size = bytes_of(case)
    if size <= mtu and case.drop is None:
        return None
    if packet.protocol == "tcp":  # how a connection learns what the way carries (RFC 1191)
        seen = [_mtu(case.node, item), witness("hops", "packet-size", size=size)]
        return case.verdict("mtu-told", seen, None, "expected", interface=item.name, mtu=mtu)
    return _too_big(case, item, mtu, size)


def _too_big(case: Case, item: Interface, mtu: int, size: int) -> Verdict:
    wanted = max(size, case.items[case.arriving].mtu if case.arriving in case.items else 0)
    seen = [_mtu(case.node, item), witness("hops", "packet-size", size=size)]
    if too_big_for_peer(case, item.name) is None:
        mend = remedy.mtu(case.node, item.name, wanted)
    else:  # both ends agree, so the network is meant to be so
        mend = remedy.of("send-smaller", case.node, interface=item.name, mtu=mtu)
    words: Params = {"interface": item.name, "size": size, "mtu": mtu}
    return case.verdict("mtu-too-big", seen, mend, **words)


def port(case: Case) -> Verdict | None:
    """Explain what a bridge could not send out of a port."""
    return links.passable(case, case.node, case.interface) or too_big_for_port(case, case.interface)


def too_big_for_port(case: Case, name: str) -> Verdict | None:
    """Return the verdict for a frame that is larger than a bridge port carries."""
    item, size = case.items.get(name), bytes_of(case)
    if item is None or size <= item.mtu:
        return None
    seen = [_mtu(case.node, item), witness("hops", "packet-size", size=size)]
    mend = remedy.mtu(case.node, name, _wanted(case, size))
    return case.verdict("port-mtu", seen, mend, interface=name, size=size, mtu=item.mtu)


def peer(case: Case) -> Verdict | None:
    """Explain what the other end of a cable did not take: it is off, or its MTU is smaller."""
    return links.passable(case, case.node, case.interface) or too_big_for_peer(case, case.interface)


def too_big_for_peer(case: Case, name: str) -> Verdict | None:
    """Return the verdict for a packet larger than the other end of a cable takes."""
    end, size = case.facts.peer(case.node, name), bytes_of(case)
    there = case.facts.interfaces(end.node).get(end.interface) if end else None
    if end is None or there is None or size <= there.mtu:
        return None
    seen = [_mtu(end.node, there), witness("hops", "packet-size", size=size)]
    here = case.items.get(name)
    mend = remedy.mtu(end.node, there.name, here.mtu if here else size)
    words: Params = {"interface": name, "size": size, "mtu": there.mtu}
    ends: Params = {"peer": end.node, "peer_interface": there.name}
    return case.verdict("peer-mtu", seen, mend, **words, **ends)


def fragment(case: Case) -> Verdict:
    """Explain fragments that waited in vain for the others."""
    count = case.facts.counters(case.node).get("IpReasmFails", 0)
    seen = [
        witness(
            "counters", "counter-is", "nstat -az IpReasmFails",
            node=case.node, counter="IpReasmFails", count=count,
        )
    ]  # fmt: skip
    mend = remedy.of("find-lost-fragment", case.node)
    return case.verdict("fragment-lost", seen, mend, source=case.packet.source)


def black_hole(
    case: Case, passed: int, lost: list[int], filtered: Verdict | None = None
) -> Verdict | None:
    """Return the verdict when large packets end at ``case.node`` while smaller ones pass.

    ``passed``: size of the largest that arrived; ``lost``: sizes of those that did not;
    ``filtered``: what became of the ICMP message that says so, where a filter took it.
    """
    size = min(lost)
    if size <= passed or not passed:
        return None
    route = case.facts.route(case.node, case.packet.target)
    item = case.items.get(route.interface)
    if item is None:
        return None
    end = case.facts.peer(case.node, item.name)
    there = case.facts.interfaces(end.node).get(end.interface) if end else None
    node, narrow = case.node, item
    if end is not None and there is not None and there.mtu < item.mtu:
        node, narrow = end.node, there
    if size <= narrow.mtu:
        return None
    seen = [
        witness("hops", "hops-small-pass", smaller=passed, size=size, count=len(lost)),
        _mtu(node, narrow),
    ]
    if filtered is not None:
        seen += [witness("hops", "hops-word-lost", address=_speaker(case), node=filtered.node)]
        seen += [one for one in filtered.evidence if one.witness == "rule"]
        command = filtered.remedy.commands if filtered.remedy else ()
        mend = remedy.of("let-too-big-pass", filtered.node, *command, mtu=narrow.mtu)
    else:
        mend = remedy.mtu(node, narrow.name, _wanted(case, max(lost)))
    return case.verdict("mtu-black-hole", seen, mend, size=size, mtu=narrow.mtu)


def _speaker(case: Case) -> str:
    """Return the address that the node has where the packet came in."""
    item = case.items.get(case.arriving)
    version = 6 if case.family == 6 else 4
    texts = [text.partition("/")[0] for text in (item.addresses if item else ())]
    return next((text for text in texts if (":" in text) == (version == 6)), case.node)


def bytes_of(case: Case) -> int:
    """Return the size that counts against an MTU: the frame without its Ethernet header.

    A super-packet is many, which are as large as its sender's interface allows.
    """
    last = case.drop or (case.hops[-1].seen if case.hops else None)
    if last is not None and last.segments > 1 and case.hops:
        return min(_wanted(case, 0) or case.packet.size, case.packet.size)
    return case.packet.size or max((hop.seen.length - 14 for hop in case.hops), default=0)


def _wanted(case: Case, size: int) -> int:
    """Return the MTU that the sender's interface has, or what the packet needs."""
    first = case.hops[0].seen if case.hops else None
    item = case.facts.interfaces(first.namespace).get(first.interface) if first else None
    return max(size, item.mtu if item else 0)


def _mtu(node: str, item: Interface) -> Evidence:
    return witness(
        "state", "interface-mtu", f"ip link show {item.name}", shell.link_text(item),
        node=node, interface=item.name, mtu=item.mtu,
    )  # fmt: skip
