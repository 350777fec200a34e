"""What the kernel showed once (tests/kernel/record_traces.py), and stories made of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.packets import summary
from topoweb.core.tracing.observation import Observation
from topoweb.core.tracing.stories import Placed, Stories

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.tracing.trace import Exchange, Hop, Trace

FOLDER = Path(__file__).parents[2] / "fixtures" / "tracing"


def load(name: str) -> list[Observation]:
    lines = json.loads((FOLDER / f"{name}.json").read_text())
    return [Observation(**line | {"data": bytes.fromhex(line["data"])}) for line in lines]


class Told:
    """Stories of sightings, with what was said of each."""

    def __init__(self, seen: Iterable[Observation]) -> None:
        self.stories = Stories()
        self.seen = list(seen)
        self.placed: list[Placed] = [self.stories.add(one) for one in self.seen]

    def traces(self, text: str) -> list[Trace]:
        """Return the traces of the packets whose first row contains a text."""
        all_traces = (self.stories.trace(n) for n in range(1, len(self.stories) + 1))
        return [one for one in all_traces if one is not None and text in title(one)]

    def trace(self, text: str) -> Trace:
        (one,) = self.traces(text)
        return one

    def exchange(self, trace: Trace) -> Exchange:
        one = self.stories.exchange_of(trace.packet)
        assert one is not None
        return one


def told(name: str) -> Told:
    return Told(load(name))


def title(trace: Trace) -> str:
    first = trace.hops[0].seen
    row = summary(first.data, first.length)
    return f"{row.protocol} {row.source} {row.destination} {row.info}"


def place(hop: Hop) -> str:
    """Return "h1.eth0>" for sent, "<" for received, "!REASON" for dropped."""
    seen = hop.seen
    sign = {"rx": "<", "tx": ">", "drop": f"!{seen.reason}"}[seen.direction]
    return f"{seen.namespace}.{seen.interface}{sign}"


def way(trace: Trace) -> list[str]:
    """Return the places of a trace without branches; fails for one that has some."""
    assert [hop.parent for hop in trace.hops] == list(range(-1, len(trace.hops) - 1)), show(trace)
    return [place(hop) for hop in trace.hops]


def edges(trace: Trace) -> set[tuple[str, str]]:
    """Return the tree as pairs of places, "" before the first."""
    return {
        ("" if hop.parent < 0 else place(trace.hops[hop.parent]), place(hop)) for hop in trace.hops
    }


def show(trace: Trace) -> str:
    lines = [f"[{trace.packet}] {title(trace)} outer={trace.outer}"]
    for number, hop in enumerate(trace.hops):
        lines.append(f"  {number}: {place(hop)} after {hop.parent} by {hop.how}")
    return "\n".join(lines)
