"""Why an exchange got no answer, or not the one that was hoped for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import (
    addressing,
    bridging,
    dhcp,
    dns,
    drops,
    headers,
    nat,
    neighbours,
    owners,
    routing,
    sizes,
    sockets,
    standing,
)
from topoweb.core.tracing.explain.case import Case, Params, of_last, witness
from topoweb.core.tracing.explain.once import Once

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from topoweb.core.tracing.explain.facts import Facts
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Exchange, Hop, Trace

RESOLVING = ("arp", "nd")
TOO_BIG = "PKT_TOO_BIG"
NO_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104 - a text, nothing is bound


def of_silence(exchange: Exchange, traces: Sequence[Trace], facts: Facts) -> Verdict:
    """Return what became of an exchange: delivered, or why not.

    The request's true end is looked for first, then the reply's. ``traces`` may be some of its
    packets, or none when nothing was seen to leave.
    """
    story = _Story(exchange, [trace for trace in traces if trace.hops], Once(facts))
    found = story.settled() if exchange.state == "answered" else story.unanswered()
    return replace(found, packet=found.packet or exchange.request)


class _Story:
    """One exchange under examination."""

    def __init__(self, exchange: Exchange, traces: Sequence[Trace], facts: Once) -> None:
        self._exchange = exchange
        self._facts = facts
        self._traces = sorted(traces, key=lambda trace: trace.packet)
        self._requests = [trace for trace in self._traces if self._is_request(trace)]
        self._others = [trace for trace in self._traces if trace not in self._requests]

    def settled(self) -> Verdict:
        """Return the verdict of an exchange that was answered: all is well, or oddly answered."""
        case = self._end(self._latest()) if self._traces else self._from_state()
        return (
            self._service(case)
            or self._two_answers(case)
            or nat.hairpin(case)
            or self._delivered(case)
        )

    def _delivered(self, case: Case) -> Verdict:
        count = sum(len(trace.hops) for trace in self._others)
        seen = [witness("hops", "hops-answered", address=self._exchange.target, count=count)]
        there = replace(case, node=self._answerer(case), arriving="")
        return there.verdict("delivered", seen if count else (), kind="delivered")

    def unanswered(self) -> Verdict:
        """Return why no answer came."""
        if not self._requests:
            return self._never_sent()
        quiet = self._rightly_silent(self._end(self._latest()))
        if quiet is not None:
            return quiet
        case = self._end(self._latest())
        return (
            self._circling(case)
            or addressing.duplicate(case, self._exchange.target)
            or self._service(case)
            or nat.hairpin(case)
            or self._black_hole()
            or self._dropped()
            or self._reply_lost(case)
            or self._explained(case)
            or self._plain(case)
        )

    def _rightly_silent(self, case: Case) -> Verdict | None:
        """Return the verdict of a question that hopes for no answer, or needs none."""
        exchange = self._exchange
        if exchange.kind in RESOLVING and exchange.source in {*NO_ADDRESS, exchange.target}:
            node, interface = self._asker(case)  # RFC 5227, RFC 4862 §5.4
            there = replace(case, node=node, arriving=interface)
            return there.verdict("address-free", (), None, "expected", address=exchange.target)
        if exchange.kind == "udp" and case.packet.group:
            return case.verdict("group-unanswered", (), None, "expected", target=exchange.target)
        return None

    def _circling(self, case: Case) -> Verdict | None:
        """Look for a frame that goes round and round."""
        for trace in self._traces:
            found = bridging.storm(replace(case, hops=trace.hops, number=trace.packet))
            if found is not None:
                return found
        return None

    def _service(self, case: Case) -> Verdict | None:
        """Ask the families of DHCP and DNS."""
        if self._exchange.kind == "dhcp":
            node, interface = self._asker(case)
            case = replace(case, node=node, arriving=interface)
            said = dhcp.replies(self._traces)
            if said:
                all_seen = len(said) >= self._exchange.replies
                return dhcp.answered(case, node, said, all_seen=all_seen)
            unanswered = self._exchange.state != "answered"
            return dhcp.unanswered(case, node, interface) if unanswered else None
        if self._exchange.kind == "dns":
            reply = dns.reply(self._traces)
            return dns.answered(case, reply) if reply is not None else None
        return None

    def _two_answers(self, case: Case) -> Verdict | None:
        """Look for two who answer for one address."""
        if self._exchange.kind not in RESOLVING:
            return None
        answers = [headers.of(trace.hops[0].seen) for trace in self._others]
        macs = sorted({one.source_mac for one in answers if one.source_mac})
        if len(macs) < 2:
            return None
        address = self._exchange.target
        found = addressing.duplicate(case, address)
        if found is not None:
            return found
        seen = [witness("hops", "hops-answers", address=address, mac=macs[0], other_mac=macs[1])]
        words: Params = {"address": address, "mac": macs[0], "other_mac": macs[1]}
        return case.verdict("duplicate-answers", seen, **words)

    def _black_hole(self) -> Verdict | None:
        """Look for a way that small packets pass and large ones do not."""
        passed, lost = 0, []
        end: Case | None = None
        for trace in self._requests:
            case = self._end(trace)
            if case.local:
                passed = max(passed, case.packet.size)
            elif all(hop.seen.reason == TOO_BIG for hop in _drops(trace)):
                lost.append(sizes.bytes_of(case))
                end = replace(case, drop=next((hop.seen for hop in _drops(trace)), None))
        if end is None or not passed:
            return None
        return sizes.black_hole(end, passed, lost, self._word_lost())

    def _word_lost(self) -> Verdict | None:
        """Return what a filter did with an ICMP error about this exchange; None for nothing."""
        for trace in reversed(self._traces):
            if headers.of(trace.hops[0].seen).quotes is None:
                continue
            for hop in _drops(trace):
                found = drops.of_drop(trace, hop, self._facts)
                if found.code.startswith("filter-"):
                    return found
        return None

    def _dropped(self) -> Verdict | None:
        """Look for a drop that the kernel reported: of a request first, the newest first."""
        expected: Verdict | None = None
        for trace in [*reversed(self._requests), *reversed(self._others)]:
            for hop in _drops(trace):
                found = drops.of_drop(trace, hop, self._facts)
                if found.kind == "fault" or found.code in {"stp-learning", "ttl-exceeded"}:
                    return found
                expected = expected or (found if found.kind == "unknown" else None)
        return expected

    def _reply_lost(self, request: Case) -> Verdict | None:
        """Look at where a reply ended that did not come to who asked."""
        for trace in reversed(self._others):
            last = _last(trace)
            case = of_last(self._facts, trace, last)
            if case.packet.quotes is not None:
                return self._reported(case) or self._refused(request)
            if case.packet.flags.startswith("RST") and self._exchange.kind == "tcp":
                return self._refused(request)
            if case.local and not case.packet.answer:
                continue
            return standing.stopped(case) or _lost_reply(case)
        return None

    def _refused(self, request: Case) -> Verdict | None:
        """Return the verdict for a port that was reported closed."""
        return sockets.listening(request) if request.local else None

    def _reported(self, case: Case) -> Verdict | None:
        """Return what the state of the node that sent an ICMP error says of the packet."""
        error = case.packet
        if "port" in error.said or error.quotes is None:
            return None
        who = owners.owner(self._facts, error.source)
        if who is None:
            return None
        entered = self._entered(who.node)
        there = entered or Case(
            facts=self._facts,
            node=who.node,
            packet=error.quotes,
            hops=case.hops,
            number=case.number,
        )
        found = standing.stopped(there) if there.arriving else standing.departing(there)
        seen = [witness("hops", "hops-answer", address=error.source, result=error.said)]
        words: Params = {"address": error.source, "error": error.said}
        return found or there.verdict("unreachable-reported", seen, kind="unknown", **words)

    def _entered(self, node: str) -> Case | None:
        """Return the case of the latest request at a node that it passed or ended in."""
        for trace in reversed(self._requests):
            for hop in reversed(trace.hops):
                case = of_last(self._facts, trace, hop)
                if case.node == node and case.arriving:
                    return case
        return None

    def _explained(self, case: Case) -> Verdict | None:
        """Look at the state of the node where the request was seen last."""
        if self._exchange.kind in RESOLVING:
            return self._unresolved(case)
        left = not case.arriving  # seen leaving into nothing, or nothing but its sender
        found = standing.departing(case) if left else standing.stopped(case)
        if found is not None:
            return found
        sender = owners.of_mac(self._facts, headers.of(case.hops[0].seen).source_mac)
        return addressing.foreign_source(case, sender.node) if sender is not None else None

    def _unresolved(self, case: Case) -> Verdict | None:
        node, _ = self._asker(case)
        return neighbours.unresolved(
            replace(case, node=node, arriving="", waiting=self._exchange.target)
        )

    def _plain(self, case: Case) -> Verdict:
        """Say where it was seen last and that nothing explains it."""
        seen = [witness("state", "state-healthy", node=case.node)]
        if case.local and self._exchange.kind == "dns":
            found = dns.silent(case, self._exchange.title)
            if found is not None:
                return found
        if case.local and self._exchange.kind == "udp":  # a program need not answer
            return case.verdict("delivered", seen, kind="delivered")
        if case.local:
            return case.verdict("no-answer", seen, kind="unknown")
        return case.verdict("lost-at", seen, kind="unknown", interface=case.interface or "?")

    def _never_sent(self) -> Verdict:
        """Explain an exchange of which no request was seen."""
        dropped = self._dropped()
        if dropped is not None:
            return dropped
        case = self._from_state()
        exchange = self._exchange
        if not case.node:
            return case.verdict("sender-unknown", (), None, "unknown", source=exchange.source)
        if exchange.kind in RESOLVING:
            found = neighbours.unresolved(replace(case, waiting=exchange.target))
        elif exchange.kind == "dhcp":
            found = None
        else:
            found = standing.departing(case)
        seen = [routing.lookup(self._facts, case.node, exchange.target)]
        return found or case.verdict("not-sent", seen, None, "unknown", target=exchange.target)

    def _from_state(self) -> Case:
        exchange = self._exchange
        sender = owners.owner(self._facts, exchange.source)
        packet = standing.asked(exchange.source, exchange.target, exchange.kind, exchange.port)
        node = sender.node if sender is not None else ""
        return Case(facts=self._facts, node=node, packet=packet, number=exchange.request)

    def _asker(self, case: Case) -> tuple[str, str]:
        """Return who asked and at which interface: where the request was seen first."""
        trace = self._latest()
        first = trace.hops[0].seen
        sender = owners.of_mac(self._facts, headers.of(first).source_mac)
        if sender is not None:
            return sender.node, sender.interface
        return (first.namespace, first.interface) if first.direction == "tx" else (case.node, "")

    def _answerer(self, case: Case) -> str:
        """Return who was asked: by the address, or else by where the first answer came from."""
        found = owners.owner(self._facts, self._exchange.target) if not case.local else None
        if found is not None:
            return found.node
        return self._others[0].hops[0].seen.namespace if self._others else case.node

    def _latest(self) -> Trace:
        named = [trace for trace in self._requests if trace.packet == self._exchange.request]
        return (named or self._requests or self._traces)[-1]

    def _is_request(self, trace: Trace) -> bool:
        if trace.packet == self._exchange.request:
            return True
        packet = headers.of(trace.hops[0].seen)
        if packet.quotes is not None or packet.source != self._exchange.source:
            return False
        return not (packet.protocol == "arp" and packet.kind == 2) and not packet.response

    def _end(self, trace: Trace) -> Case:
        """Return the case at the end of the copy that came farthest."""
        return of_last(self._facts, trace, _last(trace))


def _last(trace: Trace) -> Hop:
    """Return the last hop of the copy that came farthest, drops left out."""
    best, length = trace.hops[0], 0
    depth: list[int] = []
    for hop in trace.hops:
        parent = hop.parent if 0 <= hop.parent < len(depth) else -1
        depth.append(1 if parent < 0 else depth[parent] + 1)
        if hop.seen.direction != "drop" and depth[-1] >= length:
            best, length = hop, depth[-1]
    return best


def _drops(trace: Trace) -> Iterable[Hop]:
    return [hop for hop in trace.hops if hop.seen.direction == "drop"]


def _lost_reply(case: Case) -> Verdict | None:
    """Return where a reply was seen last; None when it did come to its target."""
    if case.local:
        return None
    seen = [witness("state", "state-healthy", node=case.node)]
    return case.verdict("reply-lost", seen, kind="unknown", interface=case.interface or "?")
