"""Traces, exchanges and ends as docs/protocol.md "Traces and verdicts" has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.packets import decode
from topoweb.core.tracing import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.tracing.explain.dryrun import Foretold
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.trace import Exchange, Hop, Trace

HOPS = 100  # of a trace: a flood reaches every port of a lab, and a frame holds 1 MiB

Json = dict[str, Any]


def foretold_json(foretold: Foretold) -> Json:
    """Return a dry run."""
    steps = [step.as_json() for step in foretold.steps]
    return {"steps": steps, "verdict": explain.as_json(foretold.verdict)}


def trace_json(
    trace: Trace, exchange: Exchange | None = None, verdict: Mapping[str, Any] | None = None
) -> Json:
    """Return a trace; ``more`` counts the hops that do not fit."""
    began = trace.hops[0].seen.time_ns if trace.hops else 0
    return {
        "packet": trace.packet,
        "hops": [_hop(hop, began) for hop in trace.hops[:HOPS]],
        "more": max(0, len(trace.hops) - HOPS),
        "outer": trace.outer,
        "exchange": exchange_json(exchange) if exchange else None,
        "verdict": verdict,
    }


def _hop(hop: Hop, began_ns: int) -> Json:
    seen = hop.seen  # its buffer is a kernel pointer, which never leaves
    return {
        "time_ns": seen.time_ns - began_ns,
        "node": seen.namespace,
        "interface": seen.interface,
        "direction": seen.direction,
        "link": seen.link,
        "along": seen.along,
        "parent": hop.parent,
        "how": hop.how,
        "length": seen.length,
        "segments": seen.segments,
        "reason": seen.reason,
        "symbol": seen.symbol,
        "layers": decode(seen.data, seen.length),
    }


def exchange_json(exchange: Exchange, verdict: Mapping[str, Any] | None = None) -> Json:
    """Return an exchange, its moments in seconds since the epoch."""
    shown: Json = {
        "id": exchange.id,
        "kind": exchange.kind,
        "source": exchange.source,
        "target": exchange.target,
        "port": exchange.port,
        "title": exchange.title,
        "request": exchange.request,
        "requests": exchange.requests,
        "replies": exchange.replies,
        "packets": exchange.packets,
        "began": _seconds(exchange.began_ns),
        "ended": _seconds(exchange.ended_ns),
        "state": exchange.state,
    }
    return {**shown, "verdict": verdict} if verdict is not None else shown


def end_json(verdict: Verdict, shown: Json, place: Observation | None, time_ns: int) -> Json:
    """Return the end of a packet; ``place``: where it was last seen, None when nowhere."""
    return {
        "packet": verdict.packet,
        "time": _seconds(time_ns),
        "node": verdict.node or (place.namespace if place else ""),
        "interface": verdict.interface or (place.interface if place else ""),
        "link": place.link if place else "",
        "direction": place.along if place else "ab",
        "verdict": shown,
    }


def _seconds(time_ns: int) -> float:
    return time_ns // 1000 / 1e6
