"""From a drop that the kernel reported to its verdict: one function for each family."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import (
    addressing,
    bridging,
    case,
    filtering,
    links,
    neighbours,
    reasons,
    routing,
    sizes,
    sockets,
    standing,
    timing,
)
from topoweb.core.tracing.explain.once import Once

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from topoweb.core.tracing.explain.case import Case
    from topoweb.core.tracing.explain.facts import Facts
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Hop, Trace


def _closed_port(case: Case) -> Verdict | None:
    """Explain a closed port; with two who have the address, the other one may listen."""
    found = sockets.no_socket(case)
    if found is None or found.kind != "fault":
        return found
    return addressing.duplicate(case, case.packet.target) or found


def _between_ports(case: Case) -> Verdict | None:
    return neighbours.same_card(case) or bridging.refused(case)


FAMILIES: Mapping[str, Callable[[Case], Verdict | None]] = {
    "socket": _closed_port,
    "buffer": sockets.buffer,
    "accept-queue": sockets.accept_queue,
    "protocol": sockets.protocol,
    "ethertype": sockets.ethertype,
    "checksum": sockets.checksum,
    "header": sockets.header,
    "ttl": timing.exceeded,
    "forwarding": routing.forwarding,
    "no-route": routing.no_route,
    "route-kind": routing.kind_of_route,
    "rp-filter": routing.rp_filter,
    "source-own": addressing.source_own,
    "source-invalid": addressing.source_invalid,
    "ipv6": addressing.ipv6_disabled,
    "filter": filtering.dropped,
    "neighbour": neighbours.unresolved,
    "other-host": neighbours.other_host,
    "too-big": sizes.too_big,
    "fragment": sizes.fragment,
    "port-size": sizes.port,
    "peer": sizes.peer,
    "queue": links.queue,
    "overload": links.overload,
    "port-state": bridging.closed,
    "no-port": bridging.nowhere,
    "bridge": _between_ports,
    "taken": standing.arrived,
}


def of_storm(trace: Trace, facts: Facts) -> Verdict | None:
    """Return the verdict for a frame that circles among switches; None for one that does not."""
    here = case.of_last(Once(facts), trace, trace.hops[-1])
    return bridging.storm(replace(here, hops=trace.hops))


def of_drop(trace: Trace, drop: Hop, facts: Facts) -> Verdict:
    """Return why the kernel dropped a packet.

    A pair of reason and function that the table does not know, and one whose state explains
    nothing, is kind ``unknown`` and says the kernel's words as they are.
    """
    seen = drop.seen
    here = case.of_drop(Once(facts), trace, drop)
    if reasons.classify(seen.reason, seen.symbol, seen.data) == "noise":
        return here.verdict("noise", kind="noise")
    circling = bridging.storm(here)
    if circling is not None:
        return circling
    explain = FAMILIES.get(reasons.row(seen.reason, seen.symbol).family)
    found = explain(here) if explain is not None else None
    return found or here.verdict("unknown-drop", kind="unknown", reason=seen.reason)
