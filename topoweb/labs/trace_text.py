"""A trace as text for a terminal: what was foretold, what was seen, the verdict, the remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from topoweb.core.topology.model import Topology

TIERS = {"bpf": "by kernel tracepoints", "afpacket": "on cables only: no kernel tracepoints"}
CONTENT = ("Data", "Padding")  # layers that say nothing of a packet
MARKS = {"delivered": "✓", "expected": "·", "fault": "✗", "noise": "·", "unknown": "?"}


def foretold_lines(dry: Mapping[str, Any], topology: Topology) -> Iterator[str]:
    """Yield the steps of a dry run and what they come to."""
    yield "Foretold"
    for number, step in enumerate(dry["steps"], 1):
        place = _place(step, topology)
        yield f"  {number:>2}  {place:<28} {step['text']['en']}"
    yield f"  {MARKS[dry['verdict']['kind']]}   {dry['verdict']['text']['en']}"


def lines(answer: Mapping[str, Any], topology: Topology) -> Iterator[str]:
    """Yield all of a trace."""
    yield from foretold_lines(answer["dry"], topology)
    yield ""
    yield f"Seen {TIERS.get(answer['tier'], answer['tier'])}"
    for trace in answer["traces"]:
        yield from _trace_lines(trace, topology)
    if not answer["traces"]:
        yield "  nothing"
    if answer["differs"] is not None:
        yield f"  step {answer['differs'] + 1} of what was foretold was not seen"
    yield ""
    yield from verdict_lines(answer["verdict"], topology)
    if answer.get("mended"):
        after = answer["mended"]["verdict"]
        yield f"    with it: {MARKS[after['kind']]} {after['text']['en']}"


def verdict_lines(verdict: Mapping[str, Any], topology: Topology) -> Iterator[str]:
    """Yield a verdict with its evidence and its remedy."""
    yield f"{MARKS[verdict['kind']]} {verdict['text']['en']}"
    for one in verdict["evidence"]:
        yield f"    {one['witness']}: {one['text']['en']}"
        if one["command"]:
            yield f"      $ {one['command']}"
            yield from (f"      {line}" for line in one["output"].splitlines())
    remedy = verdict["remedy"]
    if remedy:
        yield f"  → {remedy['text']['en']}"
        where = f" (on {_name(remedy['node'], topology)})" if remedy["node"] else ""
        yield from (f"      $ {command}{where}" for command in remedy["commands"])


def _trace_lines(trace: Mapping[str, Any], topology: Topology) -> Iterator[str]:
    layers = [one for one in trace["hops"][0]["layers"] if one["protocol"] not in CONTENT]
    what = f" {layers[-1]['protocol']} {layers[-1]['summary']}" if layers else ""
    yield f"  packet {trace['packet']}{what}"
    for hop in trace["hops"]:
        place = _place(hop, topology)
        reason = f" {hop['reason']} {hop['symbol']}".rstrip() if hop["direction"] == "drop" else ""
        inferred = " (inferred)" if hop["how"] == "inferred" else ""
        yield f"    {hop['time_ns'] / 1000:>10.1f} µs  {place} {hop['direction']}{reason}{inferred}"
    if trace["more"]:
        yield f"    … {trace['more']} more"


def _place(spot: Mapping[str, Any], topology: Topology) -> str:
    return f"{_name(spot['node'], topology)} {spot['interface']}".rstrip()


def _name(node: str, topology: Topology) -> str:
    drawn = topology.nodes.get(node)
    return drawn.name if drawn else node
