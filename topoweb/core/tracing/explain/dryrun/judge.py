"""The verdict of a dry run: the explainer's own words for the end that was foretold.

The end is put before the explainer as if it had been seen: with the reason that the kernel would
give, or with its silence. So both always speak with one voice. What it then says of sightings is
left out again, for nothing was seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from msgspec import structs

from topoweb.core.tracing.explain.catalogue import VERDICTS
from topoweb.core.tracing.explain.catalogue.sentence import PARAMS
from topoweb.core.tracing.explain.dryrun.endings import Arrival, Ending
from topoweb.core.tracing.explain.dryrun.flow import seen
from topoweb.core.tracing.explain.dryrun.segment import Passage
from topoweb.core.tracing.explain.verdict import Evidence, Verdict
from topoweb.core.tracing.trace import Exchange, Hop, Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.core.tracing.explain.dryrun.walk import Walk
    from topoweb.core.tracing.explain.facts import Facts

KINDS = {"icmp": "echo", "tcp": "tcp", "udp": "udp"}
VAGUE = {"lost-at", "no-answer", "not-sent", "reply-lost", "unknown-drop", "noise", "delivered"}


def judge(facts: Facts, walks: Sequence[Walk], end: Arrival | Ending) -> Verdict:
    """Return the verdict of walks (there, and back if it came so far) that end so."""
    if isinstance(end, Arrival):
        return _delivered(walks[0].steps[-1].node)
    if end.code == "not-foretold":
        return replace(_plain(walks, end), kind="unknown")
    verdict = _of_drop(facts, walks, end) if end.words[0] else _of_silence(facts, walks, end.node)
    if verdict.kind in ("unknown", "noise") or verdict.code in VAGUE:
        return _plain(walks, end)
    evidence = tuple(one for one in verdict.evidence if one.witness not in ("hops", "reason"))
    return replace(verdict, evidence=evidence, seen=False, packet=0, reason="", symbol="")


def _delivered(node: str) -> Verdict:
    params = {"node": node}
    healthy = Evidence(witness="state", code="state-healthy", params=params)
    return Verdict(
        code="delivered",
        kind="delivered",
        node=node,
        params=params,
        evidence=(healthy,),
        seen=False,
    )


# The explainer is imported late: it needs `segment`, which lives in this package.


def _of_drop(facts: Facts, walks: Sequence[Walk], end: Ending) -> Verdict:
    from topoweb.core.tracing import explain

    reason, symbol = end.words
    trace = _traces(walks)[-1]
    flow = walks[-1].flow
    place = Passage(end.node, end.interface, "rx")
    arrived = seen(facts, flow, place, 0)
    drop = structs.replace(arrived, direction="drop", reason=reason, symbol=symbol)
    hop = Hop(drop, len(trace.hops) - 1, "buffer")
    return explain.of_drop(replace(trace, hops=(*trace.hops, hop)), hop, facts)


def _of_silence(facts: Facts, walks: Sequence[Walk], node: str) -> Verdict:
    from topoweb.core.tracing import explain

    asked = walks[0].flow
    traces = _traces(walks)
    exchange = Exchange(
        id=1,
        kind=KINDS[asked.protocol],
        source=asked.source or _own_address(facts, node, asked.version),
        target=asked.target,
        request=1,
        requests=1,
        replies=0,
        packets=tuple(trace.packet for trace in traces),
        began_ns=0,
        ended_ns=0,
        state="unanswered",
        port=asked.port,
    )
    return explain.of_silence(exchange, [one for one in traces if one.hops], facts)


def _own_address(facts: Facts, node: str, version: int) -> str:
    """Return an address by which the explainer finds a node that could not even choose one."""
    for item in facts.interfaces(node).values():
        for prefix in item.addresses if item.kind != "loopback" else ():
            if (":" in prefix) == (version == 6) and not prefix.startswith("fe80:"):
                return prefix.partition("/")[0]
    return ""


def _traces(walks: Sequence[Walk]) -> list[Trace]:
    return [
        Trace(
            number,
            tuple(
                Hop(sighting, index - 1, "buffer" if index else "first")
                for index, sighting in enumerate(one.sightings)
            ),
        )
        for number, one in enumerate(walks, 1)
    ]


def _plain(walks: Sequence[Walk], end: Ending) -> Verdict:
    """Say it without the explainer's evidence."""
    flow = walks[-1].flow
    known: dict[str, Any] = {
        "node": end.node,
        "interface": end.interface,
        "target": flow.target,
        "source": flow.source,
        "size": flow.size if flow.source else 0,
        "protocol": flow.protocol.upper(),
        "port": flow.port,
        "address": flow.target,
        "gateway": end.params.get("address", ""),
        "ttl": flow.ttl,
        "rule": end.rule.text if end.rule else "",
        "chain": end.rule.chain if end.rule else "",
        **end.params,
    }
    code = end.code
    empty = {"node": end.node, "number": 0, "text": ""}
    params = {name: known.get(name) or empty[PARAMS[name]] for name in VERDICTS[code].params()}
    return Verdict(
        code=code, kind="fault", node=end.node, interface=end.interface, params=params, seen=False
    )
