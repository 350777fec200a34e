"""A foretold way beside what was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.core.tracing.explain.dryrun.steps import Step
    from topoweb.core.tracing.trace import Trace


class _Sightings:
    """Where packets were seen. Packet sockets see each cable once, at either end."""

    def __init__(self, traces: Sequence[Trace]) -> None:
        seen = [hop.seen for trace in traces for hop in trace.hops if hop.seen.direction != "drop"]
        self._places = {(one.namespace, one.interface, one.direction) for one in seen}
        self._crossings = {(one.link, one.along) for one in seen if one.link}
        cabled = {(o.link, o.along, o.direction) for o in seen if o.link}
        self._both_ends = any(
            {(link, along, "rx"), (link, along, "tx")} <= cabled for link, along in self._crossings
        )

    def has(self, step: Step) -> bool:
        """True when the step was seen."""
        if (step.node, step.interface, step.direction) in self._places:
            return True
        if self._both_ends:
            return False
        return not step.link or (step.link, step.along) in self._crossings


def compare_steps(
    steps: Sequence[Step], delivered: bool, traces: Sequence[Trace]
) -> tuple[bool, int | None]:
    """Return whether all was seen as foretold, and the index of the first step that was not.

    Questions for neighbours are no part of the packet's way. A packet that was to be lost, but
    was seen to come to its target or back to its sender, went another way from the last step on.
    """
    sightings = _Sightings(traces)
    for index, step in enumerate(steps):
        if step.direction != "end" and step.action != "resolve" and not sightings.has(step):
            return False, index
    if not delivered and steps and _went_on(steps, traces):
        return False, len(steps) - 1
    return True, None


def _went_on(steps: Sequence[Step], traces: Sequence[Trace]) -> bool:
    """True when the foretold loss did not happen: a hop beyond, at a place nobody foretold."""
    last = steps[-1]
    known = {(step.node, step.interface, step.direction) for step in steps}
    for trace in traces:
        for hop in trace.hops:
            parent = trace.hops[hop.parent].seen if hop.parent >= 0 else None
            place = (hop.seen.namespace, hop.seen.interface, hop.seen.direction)
            leaves = hop.seen.direction == "tx" and place not in known
            if leaves and parent is not None and parent.namespace == last.node == place[0]:
                return True
    return False
