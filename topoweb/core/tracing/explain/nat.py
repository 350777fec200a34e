"""Address translation whose answers take another way back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import headers, owners, remedy
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.verdict import Verdict


def hairpin(case: Case) -> Verdict | None:
    """Return the verdict for a request that was translated to its asker's own network.

    The answer then goes to the asker directly, from an address that it never asked.
    ``case``: the request at the end of its way.
    """
    if not case.hops:
        return None
    first, last = headers.of(case.hops[0].seen), headers.of(case.hops[-1].seen)
    if first.target == last.target or first.source != last.source:
        return None
    asker = owners.owner(case.facts, first.source)
    answerer = owners.owner(case.facts, last.target)
    translator = _translator(case, first.target)
    if asker is None or answerer is None or not translator:
        return None
    near = owners.reachable(case.facts, asker.node, asker.interface)
    if (answerer.node, answerer.interface) not in near:
        return None
    seen = [
        witness("hops", "hops-reply", address=last.target, target=first.target),
        witness("state", "same-segment", owner=answerer.node, node=asker.node,
                interface=asker.interface),
    ]  # fmt: skip
    network = owners.network_of(asker.address)
    command = f"nft add rule ip nat postrouting ip saddr {network} ip daddr {network} masquerade"
    mend = remedy.of("translate-source-too", translator, command)
    words: Params = {"target": first.target, "address": last.target, "asker": asker.node}
    there = replace(case, node=translator, arriving="")
    return there.verdict("hairpin-nat", seen, mend, **words)


def _translator(case: Case, target: str) -> str:
    """Return the node after which the packet had another target."""
    before = ""
    for hop in case.hops:
        if headers.of(hop.seen).target != target:
            return before or hop.seen.namespace
        before = hop.seen.namespace
        if hop.seen.direction == "tx":
            end = case.facts.peer(hop.seen.namespace, hop.seen.interface)
            before = end.node if end is not None else before
    return ""
