"""Time to live: used up on purpose, or in a circle of routers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import headers, owners, remedy, routing
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.verdict import Verdict


def exceeded(case: Case) -> Verdict:
    """Explain a TTL that was used up when the packet had to be forwarded."""
    found = loop(case)
    if found is not None:
        return found
    first = headers.of(case.hops[0].seen).ttl if case.hops else case.packet.ttl
    seen = [witness("hops", "hops-forwarded-ttl", node=case.node, ttl=case.packet.ttl)]
    return case.verdict("ttl-exceeded", seen, kind="expected", ttl=max(first, case.packet.ttl))


def loop(case: Case) -> Verdict | None:
    """Return the verdict for routers that send a packet to each other; None for no circle.

    Two witnesses: the packet came to a node twice, or the routes of two nodes name each other.
    """
    target = case.packet.target
    here = case.facts.route(case.node, target)
    then = owners.owner(case.facts, here.gateway) if here.gateway else None
    if then is None or then.node == case.node:
        return None
    back = case.facts.route(then.node, target)
    names_me = bool(back.gateway) and case.owns(back.gateway)
    if not names_me and not _twice(case):
        return None
    prefix = here.prefix or "0.0.0.0/0"
    seen = [
        routing.lookup(case.facts, case.node, target),
        routing.lookup(case.facts, then.node, target),
    ]
    mend = remedy.of("break-routing-loop", case.node, f"ip route del {prefix}",
                     prefix=prefix, other=then.node)  # fmt: skip
    words: Params = {"target": target, "other": then.node}
    return case.verdict("routing-loop", seen, mend, **words)


def _twice(case: Case) -> bool:
    entered = [
        hop.seen.interface
        for hop in case.hops
        if hop.seen.namespace == case.node and hop.seen.direction == "rx"
    ]
    return len(entered) > len(set(entered))
