"""A packet's sightings in causal order: which station comes before which.

Times of two processors may differ by some microseconds, so the order of time alone will not do: a
packet is received after it was sent, and a node sends what it has received.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

from topoweb.core.tracing.correlate import leaves
from topoweb.core.tracing.keys import is_fragment
from topoweb.core.tracing.trace import Hop

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from topoweb.core.tracing.observation import Observation
    from topoweb.core.tracing.trace import How

SLACK_NS = 100_000  # that clocks of two processors may differ
LOOK_BACK = 16  # stations among which the same buffer is looked for


def hops(
    seen: Sequence[Observation], identities: Sequence[int], *, tunnelled: bool = False
) -> tuple[Hop, ...]:
    """Return the hops of one packet's sightings, parents before children.

    ``identities`` are those of the sightings' content: where two differ, NAT came between.
    """
    parents = _Parents(seen).found
    order = _causal(seen, parents)
    position = {index: place for place, index in enumerate(order)}
    found: list[Hop] = []
    for index in order:
        parent = parents[index]
        if parent < 0:
            how: How = "content" if found else "first"
        elif identities[index] != identities[parent] and not _whole(seen[parent], seen[index]):
            how = "nat"
        else:
            how = _tie(seen[parent], seen[index], tunnelled)
        found.append(Hop(seen[index], position.get(parent, -1), how))
    return tuple(found)


def _whole(before: Observation, after: Observation) -> bool:
    """True when one is a fragment of the other."""
    return is_fragment(before.data) != is_fragment(after.data)


def _tie(before: Observation, after: Observation, tunnelled: bool) -> How:
    apart = before.namespace != after.namespace and not (before.link or after.link)
    if tunnelled and apart:
        return "tunnel"
    return "buffer" if after.skb and after.skb == before.skb else "content"


def _causal(seen: Sequence[Observation], parents: Sequence[int]) -> list[int]:
    """Return the sightings' order: by time, but none before its parent."""
    keys: dict[int, tuple[int, int]] = {}  # not before, depth

    for start in range(len(seen)):
        line = []
        index = start
        while index >= 0 and index not in keys:
            line.append(index)
            index = parents[index]
        time_ns, depth = keys[index] if index >= 0 else (0, 0)
        for one in reversed(line):
            time_ns, depth = max(time_ns, seen[one].time_ns), depth + 1
            keys[one] = time_ns, depth
    return sorted(range(len(seen)), key=lambda index: (*keys[index], index))


class _Parents:
    """Finds the station before each sighting; -1 for none."""

    def __init__(self, seen: Sequence[Observation]) -> None:
        self._seen = seen
        self._order = sorted(range(len(seen)), key=lambda index: seen[index].time_ns)
        self.found = [-1] * len(seen)
        self._here: dict[str, list[int]] = {}  # by node, in order of time, without drops
        for index in self._order:
            if seen[index].direction != "drop":
                self._here.setdefault(seen[index].namespace, []).append(index)
        self._received = self._match_cables()  # sent at one end and seen at the other
        self._stations = self._by_node()
        self._times = {
            node: [seen[one].time_ns for one in stations]
            for node, stations in self._stations.items()
        }
        unexplained = [index for index in self._order if not self._explain(index)]
        origins: set[str] = set()  # nodes that sent it first
        for index in unexplained:
            node = leaves(seen[index])
            self.found[index] = self._despite_clocks(index, node)
            if self.found[index] < 0 and node not in origins:
                self.found[index] = self._gap(index)
            if self.found[index] < 0:
                origins.add(node)

    def _match_cables(self) -> set[int]:
        """Tie what was received to what was sent into the same cable."""
        sent: dict[tuple[str, str], list[int]] = {}
        for index in self._order:
            one = self._seen[index]
            if one.link and one.direction == "tx":
                sent.setdefault((one.link, one.along), []).append(index)
        matched: set[int] = set()
        for index in self._order:
            one = self._seen[index]
            waiting = sent.get((one.link, one.along)) if one.direction == "rx" else None
            if waiting and (origin := self._sender(one, waiting)) >= 0:
                waiting.remove(origin)
                matched.add(origin)
                self.found[index] = origin
        return matched

    def _sender(self, received: Observation, waiting: Sequence[int]) -> int:
        """Return the sighting at the other end: of the same buffer, else the oldest."""
        latest = received.time_ns + SLACK_NS
        possible = [one for one in waiting[:LOOK_BACK] if self._seen[one].time_ns <= latest]
        same = (one for one in possible if received.skb == self._seen[one].skb)
        return next(same, possible[0] if possible else -1)

    def _by_node(self) -> dict[str, list[int]]:
        """Return the sightings after which the packet is in a node, in order of time."""
        stations: dict[str, list[int]] = {}
        for index in self._order:
            one = self._seen[index]
            if one.direction == "rx" or (one.direction == "tx" and not one.link):
                stations.setdefault(one.namespace, []).append(index)
            elif one.direction == "tx" and index not in self._received:
                stations.setdefault(one.peer, []).append(index)
        return stations

    def _explain(self, index: int) -> bool:
        """Find what came before in the same node, by the clock; True when something did."""
        if self.found[index] < 0:
            one = self._seen[index]
            if one.direction == "drop":
                self.found[index] = self._last_here(index)
            if self.found[index] < 0:
                self.found[index] = next(self._stations_before(index, leaves(one)), -1)
        return self.found[index] >= 0

    def _last_here(self, index: int) -> int:
        """Return the last sighting of a dropped copy in its node, sent or received."""
        drop = self._seen[index]
        here = [
            other
            for other in self._here.get(drop.namespace, ())
            if self._seen[other].time_ns <= drop.time_ns + SLACK_NS
        ]
        same = [other for other in here if drop.skb and self._seen[other].skb == drop.skb]
        there = [other for other in here if self._seen[other].interface == drop.interface]
        best = same or there or here
        return best[-1] if best else -1

    def _stations_before(self, index: int, node: str) -> Iterator[int]:
        """Yield what brought the packet to a node before it left, the likeliest first."""
        one = self._seen[index]
        now = bisect_right(self._times.get(node, ()), one.time_ns)
        recent = self._stations.get(node, [])[max(0, now - LOOK_BACK) : now]
        recent.reverse()
        same = [other for other in recent if one.skb and self._seen[other].skb == one.skb]
        for other in (*same, *recent):
            if not self._descends(other, index):
                yield other

    def _despite_clocks(self, index: int, node: str) -> int:
        """Return what seems to have brought the packet just after it left; -1 for nothing."""
        time_ns = self._seen[index].time_ns
        after = bisect_right(self._times.get(node, ()), time_ns)
        for other in self._stations.get(node, [])[after : after + LOOK_BACK]:
            if self._seen[other].time_ns > time_ns + SLACK_NS:
                break
            if not self._descends(other, index):
                return other
        return -1

    def _gap(self, index: int) -> int:
        """Return what came before where the kernel shows no cable, or something was not seen.

        That is the same buffer elsewhere (a macvlan's parent), else the latest end so far.
        """
        one = self._seen[index]
        earlier = [
            other
            for other in self._order
            if self._seen[other].time_ns <= one.time_ns
            and self._seen[other].direction != "drop"
            and not self._descends(other, index)
        ]
        same = [other for other in earlier if one.skb and self._seen[other].skb == one.skb]
        if same:
            return same[-1]
        followed = set(self.found)
        ends = [other for other in earlier if other not in followed]
        return ends[-1] if ends else -1

    def _descends(self, index: int, ancestor: int) -> bool:
        """True when a sighting is another one, or comes after it as far as is known."""
        while index >= 0:
            if index == ancestor:
                return True
            index = self.found[index]
        return False
