"""Where a frame can get to by cables and switches alone, and what stands in its way.

A way crosses switches from port to port. Ways without an obstacle are found first, so a blocked
port of a loop is no obstacle while the other side is open.
"""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.tracing.explain.facts import Facts, Interface

MAX_PASSAGES = 4096

Cause = Literal[
    "interface-down", "no-carrier", "stp-blocking", "stp-learning", "bridge-down",
    "port-isolated", "port-locked",
]  # fmt: skip


class Passage(NamedTuple):
    """A frame at an interface."""

    node: str
    interface: str
    direction: Literal["rx", "tx"]
    link: str = ""
    along: Literal["ab", "ba"] = "ab"


class Obstacle(NamedTuple):
    """What stops a frame after ``passed`` passages of its way, at an interface of a node."""

    cause: Cause
    passed: int
    node: str
    interface: str
    other: str = ""  # the other port, or the node at the other end


class Way(NamedTuple):
    """From a sender's interface to another's, both with an address or at least able to."""

    node: str
    interface: str
    passages: tuple[Passage, ...]
    obstacle: Obstacle | None  # the first one


def ways(facts: Facts, node: str, interface: str, mac: str = "") -> tuple[Way, ...]:
    """Return the ways from an interface to every other on its cable and switches, best first.

    ``mac``: the sender's, for locked ports.
    """
    return tuple(_Search(facts, mac or _mac(facts, node, interface)).run(node, interface))


def _mac(facts: Facts, node: str, interface: str) -> str:
    found = facts.interfaces(node).get(interface)
    return found.mac if found else ""


class _State(NamedTuple):
    """A frame on its way: just about to leave, or just arrived, at an interface."""

    node: str
    interface: str
    leaving: bool


class _Search:
    """Dijkstra by (obstacles, passages)."""

    def __init__(self, facts: Facts, mac: str) -> None:
        self._facts = facts
        self._mac = mac
        self._order = count()
        self._done: set[_State] = set()
        self._heap: list[tuple[int, int, int, _State, tuple[Passage, ...], Obstacle | None]] = []

    def run(self, node: str, interface: str) -> Iterator[Way]:
        """Yield each way as it is settled."""
        device = self._facts.interfaces(node).get(interface)
        if device is None:
            return
        if device.kind == "bridge":
            for port in self._ports(node, interface):
                leaving = Passage(node, interface, "tx")
                self._push(0, _State(node, port.name, True), (leaving,), None)
        else:
            self._push(0, _State(node, interface, True), (), None)
        while self._heap and len(self._done) < MAX_PASSAGES:
            cost, _, _, state, passages, obstacle = heapq.heappop(self._heap)
            if state in self._done:
                continue
            self._done.add(state)
            if state.leaving:
                self._leave(cost, state, passages, obstacle)
            else:
                yield from self._arrive(cost, state, passages, obstacle)

    def _push(
        self, cost: int, state: _State, passages: tuple[Passage, ...], obstacle: Obstacle | None
    ) -> None:
        if state not in self._done:
            entry = (cost, len(passages), next(self._order), state, passages, obstacle)
            heapq.heappush(self._heap, entry)

    def _leave(
        self, cost: int, state: _State, passages: tuple[Passage, ...], obstacle: Obstacle | None
    ) -> None:
        end = self._facts.peer(state.node, state.interface)
        if end is None:
            return
        here = self._facts.interfaces(state.node)[state.interface]
        there = self._facts.interfaces(end.node).get(end.interface)
        if not here.up:
            cost, obstacle = self._hit(cost, obstacle, "interface-down", passages, state, "")
        elif there is None or not there.up:
            cost, obstacle = self._hit(cost, obstacle, "no-carrier", passages, state, end.node)
        along: Literal["ab", "ba"] = "ba" if end.side == "a" else "ab"
        crossed = (
            *passages,
            Passage(state.node, state.interface, "tx", end.link, along),
            Passage(end.node, end.interface, "rx", end.link, along),
        )
        self._push(cost, _State(end.node, end.interface, False), crossed, obstacle)

    def _arrive(
        self, cost: int, state: _State, passages: tuple[Passage, ...], obstacle: Obstacle | None
    ) -> Iterator[Way]:
        port = self._facts.interfaces(state.node).get(state.interface)
        if port is None:
            return
        if port.port is None:
            yield Way(state.node, state.interface, passages, obstacle)
            return
        inward = self._inward(state.node, port)
        if inward is not None:
            cost, obstacle = self._hit(cost, obstacle, inward, passages, state, "")
        bridge = port.port.bridge
        yield Way(state.node, bridge, (*passages, Passage(state.node, bridge, "rx")), obstacle)
        for other in self._ports(state.node, bridge):
            if other.name != port.name or port.port.hairpin:
                price, found = self._between(cost, obstacle, passages, state, port, other)
                self._push(price, _State(state.node, other.name, True), passages, found)

    def _inward(self, node: str, port: Interface) -> Cause | None:
        if port.port is None:
            return None
        bridge = self._facts.interfaces(node).get(port.port.bridge)
        if bridge is not None and not bridge.up:
            return "bridge-down"
        if port.port.state != "forwarding":
            return "stp-blocking" if port.port.state == "blocking" else "stp-learning"
        known = self._facts.fdb(node, port.port.bridge, self._mac) if port.port.locked else ""
        return "port-locked" if port.port.locked and known != port.name else None

    def _between(
        self,
        cost: int,
        obstacle: Obstacle | None,
        passages: tuple[Passage, ...],
        state: _State,
        port: Interface,
        other: Interface,
    ) -> tuple[int, Obstacle | None]:
        """Return cost and first obstacle after the switch has passed a frame between two ports."""
        if other.port is None or port.port is None:
            return cost, obstacle
        if port.port.isolated and other.port.isolated:
            return self._hit(cost, obstacle, "port-isolated", passages, state, other.name)
        if other.port.state != "forwarding":
            cause: Cause = "stp-blocking" if other.port.state == "blocking" else "stp-learning"
            place = _State(state.node, other.name, True)
            return self._hit(cost, obstacle, cause, passages, place, "")
        return cost, obstacle

    def _hit(
        self,
        cost: int,
        first: Obstacle | None,
        cause: Cause,
        passages: tuple[Passage, ...],
        state: _State,
        other: str,
    ) -> tuple[int, Obstacle]:
        new = Obstacle(cause, len(passages), state.node, state.interface, other)
        return cost + 1, first or new

    def _ports(self, node: str, bridge: str) -> list[Interface]:
        return [
            item
            for item in self._facts.interfaces(node).values()
            if item.port is not None and item.port.bridge == bridge
        ]
