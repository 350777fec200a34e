"""Forwarding that is off, routes that are missing or wrong, reverse path filters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.tracing.explain import remedy, shell, ways
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.facts import Facts, Route
    from topoweb.core.tracing.explain.verdict import Evidence, Remedy, Verdict

REFUSING = {
    "blackhole": "route-blackhole",
    "prohibit": "route-prohibit",
    "unreachable": "route-unreachable",
}


def forwarding(case: Case) -> Verdict | None:
    """Explain IP_INADDRERRORS: the packet is not for this node, and it does not forward."""
    found = ways.misdirected(case)
    if found is not None:
        return found
    target, interface = case.packet.target, case.interface
    _, name = remedy.FORWARDING[case.family]
    value = case.facts.sysctl(case.node, name)
    per_interface = f"net.ipv{case.family}.conf.{interface}.forwarding"
    own = case.facts.sysctl(case.node, per_interface) if value == "1" and interface else ""
    if own == "0":
        seen = [setting(case.node, per_interface, own), _lookup(case)]
        command = f"sysctl -w {per_interface}=1"
        mend = remedy.of("turn-interface-forwarding-on", case.node, command, interface=interface)
        words: Params = {"interface": interface, "target": target}
        return case.verdict("forwarding-off-interface", seen, mend, **words)
    if value == "1" and case.drop is None:
        return None
    seen = [setting(case.node, name, value or "?"), _lookup(case)]
    mend = remedy.forwarding_on(case.node, case.family)
    return case.verdict("forwarding-off", seen, mend, interface=interface, target=target)


def no_route(case: Case) -> Verdict | None:
    """Explain IP_INNOROUTES: the packet came in and no route leads on.

    IPv6 says so, too, of a route that refuses (net/ipv6/route.c, ip6_pkt_drop).
    """
    refused = refusing(case) if case.family == 6 else None
    if refused is not None:
        return refused
    off = ways.gone_with_interface(case, case.packet.target)
    if case.packet.answer:
        return off or _no_route(case, "no-route-for-reply")
    return ways.misdirected(case) or off or _no_route(case, "no-route")


def kind_of_route(case: Case) -> Verdict | None:
    """Explain a route that refuses: blackhole, prohibit, unreachable."""
    found = refusing(case)
    if found is not None:
        return found
    route = case.facts.route(case.node, case.packet.target)
    return _no_route(case, "no-route") if route.kind == "none" else None


def refusing(case: Case) -> Verdict | None:
    """Return the verdict of a route that refuses the packet; None when there is none."""
    target = case.packet.target
    entry = matching(case.facts, case.node, target)
    route = case.facts.route(case.node, target)
    kind = entry.kind if entry is not None else route.kind
    code = REFUSING.get(kind)
    if code is None:
        return None
    prefix = entry.prefix if entry is not None else route.prefix or target
    seen = witness(
        "state", "route-look-up", "ip route show table all", f"{kind} {prefix}",
        node=case.node, target=target, result=f"{kind} {prefix}",
    )  # fmt: skip
    mend = remedy.of("remove-route", case.node, f"ip route del {kind} {prefix}", prefix=prefix)
    return case.verdict(code, [seen], mend, target=target)


def rp_filter(case: Case) -> Verdict | None:
    """Explain IP_RPFILTER: the way back to the source is another one than it came."""
    if case.drop is None:
        return strict_filter(case, case.node, case.interface)
    return strict_filter(case, case.node, case.interface) or _filtered(
        case, case.node, case.interface, f"net.ipv4.conf.{case.interface}.rp_filter", "?"
    )


def strict_filter(case: Case, node: str, interface: str) -> Verdict | None:
    """Return the verdict of a strict filter at an interface of a node (RFC 3704); else None."""
    for scope in ("all", interface):
        name = f"net.ipv4.conf.{scope}.rp_filter"
        value = case.facts.sysctl(node, name)
        back = case.facts.route(node, case.packet.source) if value == "1" else None
        if back is not None and back.interface != interface:
            return _filtered(case, node, interface, name, value)
    return None


def _filtered(case: Case, node: str, interface: str, name: str, value: str) -> Verdict:
    source = case.packet.source
    back = case.facts.route(node, source)
    seen = [setting(node, name, value), lookup(case.facts, node, source)]
    if back.kind == "none":  # a loose filter would drop it, too
        mend = missing(case.facts, node, source)
    else:
        loose = f"net.ipv4.conf.{interface}.rp_filter"
        mend = remedy.of("loosen-rp-filter", node, f"sysctl -w {loose}=2", setting=loose)
    words: Params = {"interface": interface, "source": source}
    way = back.interface or "unreachable"
    return case.verdict("rp-filter", seen, mend, node=node, way=way, **words)


def no_way_back(case: Case) -> Verdict | None:
    """Return the verdict for a request that arrived where no route leads back; else None."""
    source, target = case.packet.source, case.packet.target
    back = case.facts.route(case.node, source, source=target)
    if back.kind != "none":
        return None
    hidden = ways.too_narrow(case, source) or ways.gone_with_interface(case, source)
    if hidden is not None:
        return hidden
    seen = [
        witness("hops", "hops-no-reply", node=case.node),
        *(() if case.drop is not None else (witness("reason", "kernel-silent"),)),
        lookup(case.facts, case.node, source),
        *_out_no_routes(case),
    ]
    mend = missing(case.facts, case.node, source)
    return case.verdict("no-return-route", seen, mend, source=source)


def no_departure(case: Case) -> Verdict | None:
    """Return the verdict for a node that has no route to where it wants to send; else None."""
    target = case.packet.target
    if case.facts.route(case.node, target).kind != "none":
        return None
    hidden = ways.too_narrow(case, target) or ways.gone_with_interface(case, target)
    if hidden is not None:
        return hidden
    seen = [
        witness("reason", "kernel-silent"),
        lookup(case.facts, case.node, target),
        *_out_no_routes(case),
    ]
    return case.verdict(
        "source-no-route", seen, missing(case.facts, case.node, target), target=target
    )


def missing(facts: Facts, node: str, target: str) -> Remedy:
    """Return the remedy for a route that is not there: by a router that knows the way, if any."""
    found = ways.onward(facts, node, target)
    prefix = ways.network_of_target(facts, target)
    if found:
        return remedy.route(node, prefix, found)
    return remedy.of("add-some-route", node, prefix=prefix)


def matching(facts: Facts, node: str, target: str) -> Route | None:
    """Return the entry of the main table with the longest prefix that holds ``target``."""
    wanted = prefixes.host(target)
    table = facts.routes(node, "ipv6" if wanted.version == 6 else "ipv4")
    held = [route for route in table if route.prefix and wanted in prefixes.network(route.prefix)]
    return max(held, key=lambda r: prefixes.network(r.prefix).prefixlen, default=None)


def lookup(facts: Facts, node: str, target: str) -> Evidence:
    """Return a route look-up as evidence."""
    route = facts.route(node, target)
    text = shell.route_text(target, route)
    command = shell.route_get(target)
    return witness("state", "route-look-up", command, text, node=node, target=target, result=text)


def _no_route(case: Case, code: str) -> Verdict:
    target = case.packet.target
    mend = missing(case.facts, case.node, target)
    return case.verdict(code, [lookup(case.facts, case.node, target)], mend, target=target)


def _lookup(case: Case) -> Evidence:
    """Return the look-up that the kernel made for the packet when it came in."""
    packet = case.packet
    words = {"source": packet.source, "arriving": case.arriving}
    route = case.facts.route(case.node, packet.target, **words)
    text = shell.route_text(packet.target, route)
    command = shell.route_get(packet.target, **words)
    return witness(
        "state", "route-look-up", command, text,
        node=case.node, target=packet.target, result=text,
    )  # fmt: skip


def setting(node: str, name: str, value: str) -> Evidence:
    """Return a sysctl as evidence."""
    output = f"{name} = {value}"
    return witness(
        "state", "setting-is", shell.sysctl(name), output, node=node, setting=name, value=value
    )


def _out_no_routes(case: Case) -> list[Evidence]:
    name = "IpOutNoRoutes" if case.family == 4 else "Ip6OutNoRoutes"
    count = case.facts.counters(case.node).get(name, 0)
    if not count:
        return []
    words: Params = {"node": case.node, "counter": name, "count": count}
    return [witness("counters", "counter-is", f"nstat -az {name}", **words)]
