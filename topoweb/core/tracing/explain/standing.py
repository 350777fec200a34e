"""Why, by its state alone, a node would not pass on, take or answer a packet that came to it.

The kernel says nothing of several everyday faults, and packet sockets see no drop at all. What
the state does not explain stays unexplained: nothing is guessed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import (
    bridging,
    filtering,
    links,
    neighbours,
    routing,
    sizes,
    sockets,
    timing,
)
from topoweb.core.tracing.explain.case import resend
from topoweb.core.tracing.explain.headers import Headers

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case
    from topoweb.core.tracing.explain.facts import Route
    from topoweb.core.tracing.explain.verdict import Verdict

LOOPBACK = ("127.", "::1")
FAILED = ("failed", "incomplete", "none")


def stopped(case: Case) -> Verdict | None:
    """Return why a packet that came in at ``case.arriving`` stopped here; None: no reason."""
    item = case.items.get(case.arriving)
    if item is None:
        return None
    if not item.up:
        return links.passable(case, case.node, item.name)
    if item.port is not None:
        return bridging.passing(case) or filtering.passing(case)
    if item.mac and case.packet.target_mac and not _for_us(case, item.mac):
        found = neighbours.other_host(case)
        return found if found.kind == "fault" else None
    return filtering.passing(case) or (taken(case) if case.local else _forwarded(case))


def taken(case: Case) -> Verdict | None:
    """Return why a packet that has come to its target got no answer; None: no reason."""
    filtered = routing.rp_filter(case) if case.family == 4 and case.arriving else None
    if filtered is not None:
        return filtered
    ignored = sockets.echo_ignored(case)
    if ignored is not None:
        return ignored
    if not case.packet.answer:
        unable = _answering(case)
        if unable is not None:
            return unable
    if case.packet.protocol in {"tcp", "udp"} and not case.packet.answer:
        return sockets.listening(case) or _unaccepted(case)
    return None


def _unaccepted(case: Case) -> Verdict | None:
    return sockets.queue_full(case) if case.packet.protocol == "tcp" else None


def arrived(case: Case) -> Verdict | None:
    """Explain what the upper layer took and threw away without a reason (icmpv6_rcv, tcp_v4_rcv).

    Requests are looked into; what closes or confirms something has done its work.
    """
    asks = case.packet.echo or case.packet.flags.startswith("SYN")
    return taken(case) if asks else case.verdict("noise", kind="noise")


def departing(case: Case, *, certain: bool = False) -> Verdict | None:
    """Return why the node could not send ``case.packet``; None: no reason.

    ``certain``: only what must be so; a neighbour that is not known yet may still answer.
    """
    target = case.packet.target
    route = case.facts.route(case.node, target)
    if route.kind == "local" or case.local or target.startswith(LOOPBACK):
        return links.loopback(case, case.node)
    refused = routing.no_departure(case) or routing.refusing(case)
    if refused is not None or route.kind != "unicast":
        return refused
    return (
        links.passable(case, case.node, route.interface)
        or filtering.leaving(case)
        or _next_hop(case, route, certain=certain)
    )


def _answering(case: Case) -> Verdict | None:
    """Look at the way that the answer would take out of the node."""
    if not case.packet.source:
        return None
    back = routing.no_way_back(case)
    if back is not None:
        return back
    packet = case.packet
    reply = replace(
        packet,
        source=packet.target,
        target=packet.source,
        source_port=packet.target_port,
        target_port=packet.source_port,
        source_mac="",
        target_mac="",
        kind={8: 0, 128: 129}.get(packet.kind, packet.kind),
        flags="SYN, ACK" if packet.flags == "SYN" else packet.flags,
        response=packet.protocol == "udp",
    )
    found = departing(resend(case, reply), certain=True)
    return found if found is None or found.code != "source-no-route" else None


def _forwarded(case: Case) -> Verdict | None:
    packet = case.packet
    if packet.group or not packet.target:
        return None
    if packet.ttl <= 1:
        return timing.exceeded(case)
    route = case.facts.route(case.node, packet.target, source=packet.source, arriving=case.arriving)
    refused = routing.refusing(case)
    if refused is not None:
        return refused
    if route.kind == "none":
        return _refused(case, route)
    return (
        timing.loop(case)
        or links.passable(case, case.node, route.interface)
        or (sizes.too_big(case) if packet.dont_fragment else None)
        or sizes.too_big_for_peer(case, route.interface)
        or _next_hop(case, route, certain=False)
    )


def _refused(case: Case, route: Route) -> Verdict | None:
    """Split the errors of a look-up with an incoming interface (net/ipv4/route.c)."""
    if route.error == "EHOSTUNREACH":
        return routing.forwarding(case)
    if route.error == "EINVAL":
        return routing.rp_filter(case)
    return routing.no_route(case)


def _next_hop(case: Case, route: Route, *, certain: bool) -> Verdict | None:
    """Return why the next hop's address is not resolved; None when it is known."""
    hop = route.gateway or case.packet.target
    state, _ = case.facts.neighbour(case.node, route.interface, hop)
    if state not in FAILED or (certain and state == "none"):
        return None
    found = neighbours.unresolved(case)
    if found is None or (state == "none" and found.code == "neighbour-silent"):
        return None  # nobody has asked yet: there is no silence to explain
    return found


def _for_us(case: Case, mac: str) -> bool:
    return case.packet.target_mac == mac or case.packet.group


def asked(source: str, target: str, kind: str, port: int) -> Headers:
    """Return the headers of the first packet of an exchange that was never seen."""
    version = 6 if ":" in target else 4
    protocol = {"echo": "icmp" if version == 4 else "icmpv6", "dns": "udp", "dhcp": "udp"}
    return Headers(
        source=source,
        target=target,
        version=version,
        ttl=64,
        protocol=protocol.get(kind, kind),
        kind=(8 if version == 4 else 128) if kind == "echo" else 0,
        target_port=port,
        flags="SYN" if kind == "tcp" else "",
    )
