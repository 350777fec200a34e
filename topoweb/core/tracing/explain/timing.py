"""Time to live: used up on purpose, or in a circle of routers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import headers, owners, remedy, routing
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.verdict import Verdict

CIRCLE = 16  # routers that are looked at


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

    Two witnesses: the packet came to a node twice, or the routes lead round to where it is.
    """
    target = case.packet.target
    way, closed = _circle(case)
    if len(way) < 2 or not (closed or _twice(case)):
        return None
    prefix = case.facts.route(case.node, target).prefix or "0.0.0.0/0"
    seen = [routing.lookup(case.facts, node, target) for node in way]
    mend = remedy.of("break-routing-loop", case.node, f"ip route del {prefix}",
                     prefix=prefix, other=way[1])  # fmt: skip
    if len(way) > 2 and closed:
        return case.verdict("routing-circle", seen, mend, target=target, routers=tuple(way))
    words: Params = {"target": target, "other": way[1]}
    return case.verdict("routing-loop", seen[:2], mend, **words)


def _circle(case: Case) -> tuple[list[str], bool]:
    """Return the routers on the way to the target, and whether it leads back to this one."""
    way = [case.node]
    while len(way) <= CIRCLE:
        gateway = case.facts.route(way[-1], case.packet.target).gateway
        then = owners.owner(case.facts, gateway) if gateway else None
        if then is None or then.node in way:
            return way, then is not None and then.node == case.node and len(way) > 1
        way.append(then.node)
    return way, False


def _twice(case: Case) -> bool:
    entered = [
        hop.seen.interface
        for hop in case.hops
        if hop.seen.namespace == case.node and hop.seen.direction == "rx"
    ]
    return len(entered) > len(set(entered))
