"""What a packet filter dropped: at which hook, by which rule, or because a table is full."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import headers, remedy
from topoweb.core.tracing.explain.case import witness
from topoweb.core.tracing.explain.dryrun.filters import Subject, decide

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.facts import Passed, Rule
    from topoweb.core.tracing.explain.verdict import Evidence, Verdict

HOOKS = ("ingress", "prerouting", "input", "forward", "output", "postrouting")
TRACKED, LIMIT = "net.netfilter.nf_conntrack_count", "net.netfilter.nf_conntrack_max"
NAMES = {"icmpv6": "ipv6-icmp"}


def dropped(case: Case) -> Verdict | None:
    """Explain NETFILTER_DROP."""
    if case.drop is not None and case.drop.symbol.startswith("nf_hook_slow"):
        full = _table_full(case)
        if full is not None:
            return full
    likely = _hooks(case)
    found = by_rule(case, likely) or by_rule(case, [h for h in HOOKS if h not in likely])
    if found is not None:
        return found
    doubtful = _doubtful(case, likely)
    if doubtful is not None:
        return _verdict(case, likely[0], doubtful)
    mend = remedy.of("edit-filter", case.node, "nft list ruleset")
    return case.verdict("filter-unknown", (), mend, hook=likely[0])


def by_rule(case: Case, hooks: Sequence[str]) -> Verdict | None:
    """Return the verdict of the rule that certainly drops the packet; None when none does."""
    rules = _rules(case)
    for hook in hooks:
        decision = decide(rules, hook, _subject(case, hook))
        if decision.verdict != "accept" and decision.rule is not None:
            return _verdict(case, hook, decision.rule)
    return None


def passing(case: Case) -> Verdict | None:
    """Return the verdict of a rule that would drop a packet that came in here."""
    if case.local:
        return by_rule(case, ("ingress", "prerouting", "input"))
    return by_rule(case, ("ingress", "prerouting", "forward", "postrouting"))


def walked(verdict: Verdict, passed: Sequence[Passed]) -> Verdict:
    """Return a filter's verdict with the rules that the packet was seen to pass as evidence."""
    own = [one for one in passed if one.node == verdict.node]
    if not own or not verdict.code.startswith("filter-"):
        return verdict
    lines = [f"{one.table} {one.chain} {one.rule} ({one.verdict})" for one in own]
    seen = witness("rule", "rules-passed", "nft monitor trace", "\n".join(lines),
                   node=verdict.node, count=len(own))  # fmt: skip
    return replace(verdict, evidence=(*verdict.evidence, seen))


def leaving(case: Case) -> Verdict | None:
    """Return the verdict of a rule that would drop what the node sends itself."""
    return by_rule(case, ("output", "postrouting"))


def _verdict(case: Case, hook: str, rule: Rule) -> Verdict:
    seen = [_rule(hook, rule)]
    command = f"nft -a list chain {rule.table} {rule.chain}"
    if rule.policy:
        mend = remedy.of("edit-policy", case.node, command, chain=rule.chain)
        return case.verdict("filter-policy", seen, mend, hook=hook, chain=rule.chain)
    code = "filter-reject" if rule.verdict == "reject" else "filter-drop"
    mend = remedy.of("edit-filter", case.node, command)
    return case.verdict(code, seen, mend, hook=hook, rule=rule.text)


def _rule(hook: str, rule: Rule) -> Evidence:
    words: Params = {"table": rule.table, "chain": rule.chain, "hook": hook, "rule": rule.text}
    return witness("rule", "rule-is", f"nft list chain {rule.table} {rule.chain}", rule.text,
                   **words)  # fmt: skip


def _hooks(case: Case) -> list[str]:
    """Return the hooks at which the packet can have been, the likeliest first.

    ip_forward takes one from the TTL before the forward hook, and the device changes before
    postrouting (net/ipv4/ip_forward.c, ip_output.c).
    """
    if not case.arriving:
        return ["output", "postrouting"]
    if _is_port(case):
        return ["forward", "prerouting", "input", "postrouting"]
    if case.local:
        return ["ingress", "prerouting", "input"]
    came = _ttl_on_arrival(case)
    if came and case.packet.ttl < came:
        out = case.drop is not None and case.drop.interface not in {"", case.arriving}
        return ["postrouting", "forward"] if out else ["forward", "postrouting"]
    return ["ingress", "prerouting", "forward"]


def _ttl_on_arrival(case: Case) -> int:
    for hop in reversed(case.hops):
        if hop.seen.direction != "drop":
            return headers.of(hop.seen).ttl
    return 0


def _is_port(case: Case) -> bool:
    item = case.items.get(case.arriving)
    return item is not None and item.port is not None


def _rules(case: Case) -> list[Rule]:
    """Return the rules that see the packet: a switch's own for frames between its ports."""
    families = ("bridge", "netdev") if _is_port(case) else ("ip", "ip6", "inet", "netdev")
    return [
        rule for rule in case.facts.rules(case.node) if rule.table.partition(" ")[0] in families
    ]


def _subject(case: Case, hook: str) -> Subject:
    packet = case.packet
    reply = packet.answer
    return Subject(
        protocol=NAMES.get(packet.protocol, packet.protocol),
        source=packet.source,
        target=packet.target,
        port=packet.source_port if reply else packet.target_port,
        reply=reply,
        error=packet.kind if headers.is_error(packet) else 0,
        iif="" if hook in {"output", "postrouting"} else case.arriving,
        oif=_out(case) if hook in {"forward", "output", "postrouting"} else "",
    )


def _out(case: Case) -> str:
    if not case.packet.target:
        return ""
    return case.facts.route(case.node, case.packet.target).interface


def _doubtful(case: Case, hooks: Sequence[str]) -> Rule | None:
    """Return the first rule that may match: its expressions are not understood, but it counted."""
    for hook in hooks:
        for rule in decide(_rules(case), hook, _subject(case, hook)).doubtful:
            if rule.verdict in {"drop", "reject"} and rule.packets != 0:
                return rule
    return None


def _table_full(case: Case) -> Verdict | None:
    count, limit = (case.facts.sysctl(case.node, name) for name in (TRACKED, LIMIT))
    if not (count.isdigit() and limit.isdigit()) or int(count) * 10 < int(limit) * 9:
        return None
    seen = [
        witness("state", "setting-is", f"sysctl {name}", f"{name} = {value}",
                node=case.node, setting=name, value=value)
        for name, value in ((TRACKED, count), (LIMIT, limit))
    ]  # fmt: skip
    mend = remedy.of("raise-conntrack-limit", case.node, "conntrack -F")
    return case.verdict("conntrack-full", seen, mend, count=int(count), limit=int(limit))
