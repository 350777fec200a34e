"""The walk of one packet in one direction, by questions to the kernel's state.

It repeats what the kernel does: route look-up, packet filter, neighbour resolution, cable,
switches, forwarding, delivery. Nothing is sent.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from topoweb.core.tracing.explain.dryrun.endings import (
    Arrival,
    Ending,
    carrier,
    no_way_out,
    not_forwarded,
)
from topoweb.core.tracing.explain.dryrun.flow import Flow, seen
from topoweb.core.tracing.explain.dryrun.resolving import next_hop
from topoweb.core.tracing.explain.dryrun.segment import Obstacle, Passage, Way
from topoweb.core.tracing.explain.dryrun.steps import Action, Leg, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.tracing.explain.dryrun.gates import Gates
    from topoweb.core.tracing.explain.facts import Facts, Route
    from topoweb.core.tracing.observation import Observation

USABLE = ("reachable", "stale", "delay", "probe", "permanent")  # a neighbour's MAC is known


class Walk:
    """A packet on its way. Collects steps and what would be seen of it."""

    def __init__(self, facts: Facts, leg: Leg, gates: Gates, flow: Flow) -> None:
        self.steps: list[Step] = []
        self.sightings: list[Observation] = []
        self.flow = flow  # as it is now
        self._facts = facts
        self._leg = leg
        self._gates = gates

    def run(self, node: str) -> Arrival | Ending:
        """Send the packet from a node and follow it to its end."""
        ended = self._run(node)
        if isinstance(ended, Ending):
            self.end(ended)
        return ended

    def end(self, ending: Ending) -> None:
        """Add the station where it ends."""
        last = self.steps[-1] if self.steps else None
        here = last.interface if last is not None and last.node == ending.node else ""
        station = Passage(ending.node, ending.interface or here, "rx")
        self._step(station, "drop", {"code": ending.code})

    def _run(self, node: str) -> Arrival | Ending:
        flow = self.flow
        route = self._facts.route(node, flow.target, source=flow.source if flow.reply else "")
        if route.kind == "local":
            return self._to_itself(node)
        if problem := no_way_out(self._facts, node, flow, route):
            return problem
        self.flow = flow._replace(source=flow.source or route.source)
        if problem := self._gates.passes(node, "output", self.flow, oif=route.interface):
            return problem
        moved: Way | Arrival | Ending = self._send(node, route, "reply" if flow.reply else "send")
        while isinstance(moved, Way):
            moved = self._arrived(moved.node, moved.interface)
        return moved

    def _arrived(self, node: str, interface: str) -> Way | Arrival | Ending:
        """Deliver or forward what came to a node."""
        self.flow, problem = self._gates.enter(node, interface, self.flow)
        if problem:
            return problem
        flow = self.flow
        route = self._facts.route(node, flow.target, source=flow.source, arriving=interface)
        if route.kind == "local":
            self._relabel("deliver")
            problem = self._gates.passes(node, "input", flow, iif=interface)
            return problem or Arrival(node, interface, flow)
        self._relabel("forward")
        if problem := not_forwarded(self._facts, node, interface, flow, route):
            return problem
        self.flow = flow = flow._replace(ttl=flow.ttl - 1)
        out = route.interface
        if problem := self._gates.passes(node, "forward", flow, iif=interface, oif=out):
            return problem
        return self._send(node, route, "forward")

    def _to_itself(self, node: str) -> Arrival | Ending:
        self.flow = self.flow._replace(source=self.flow.source or self.flow.target)
        lo = self._facts.interfaces(node).get("lo")
        if lo is None or not lo.up:
            return Ending("lo-down", node, "lo")
        for hook in ("output", "input"):
            if problem := self._gates.passes(node, hook, self.flow, iif="lo", oif="lo"):
                return problem
        self._step(Passage(node, "lo", "tx"), "reply" if self.flow.reply else "send")
        self._step(Passage(node, "lo", "rx"), "deliver")
        return Arrival(node, "lo", self.flow)

    def _send(self, node: str, route: Route, action: Action) -> Way | Ending:
        """Resolve the next hop and cross cables and switches to it."""
        self.flow, problem = self._gates.leave(node, self.flow, route)
        if problem:
            return problem
        hop, interface = route.gateway or self.flow.target, route.interface
        neighbour = self._facts.neighbour(node, interface, hop)
        known = neighbour[0] in USABLE and bool(neighbour[1])
        if not known:
            self._step(Passage(node, interface, "tx"), "resolve", {"address": hop})
            neighbour = ("none", "")
        way = next_hop(self._facts, node, route, hop, neighbour)
        if isinstance(way, Ending):
            return way
        if way.obstacle is not None:
            return self._blocked(way, way.obstacle, action if known else "resolve", hop)
        return self._cross(way, action, known=known)

    def _blocked(self, way: Way, obstacle: Obstacle, action: Action, hop: str) -> Ending:
        for index in range(obstacle.passed):
            self._pass(way, index, action, hop)
        params: dict[str, Any] = {"other_interface": obstacle.other}
        if obstacle.cause == "no-carrier":
            params = carrier(self._facts, obstacle.node, obstacle.interface)
        return Ending(obstacle.cause, obstacle.node, obstacle.interface, params=params)

    def _cross(self, way: Way, action: Action, *, known: bool) -> Way | Ending:
        """Pass what lies between; ``known``: switches may have forgotten who was not asked now."""
        mac = self._facts.interfaces(way.node)[way.interface].mac
        for index, passage in enumerate(way.passages):
            device = self._facts.interfaces(passage.node).get(passage.interface)
            before = way.passages[index - 1] if index else None
            if device is not None and before is not None:
                if self.flow.size > device.mtu:
                    return _too_large(before, passage)
                port = device.port if passage.direction == "tx" else None
                lost = port is not None and not port.flood and (known or not port.learning)
                if lost and port and not self._facts.fdb(passage.node, port.bridge, mac):
                    return Ending("flooding-off", before.node, before.interface)
            self._pass(way, index, action, "")
        return way

    def _pass(self, way: Way, index: int, action: Action, hop: str) -> None:
        if action == "resolve":
            if index:  # the question itself stands there already
                self._step(way.passages[index], "resolve", {"address": hop})
            return
        self._step(way.passages[index], "bridge" if index else action)

    def _step(self, at: Passage, action: Action, params: Mapping[str, Any] | None = None) -> None:
        known = dict(params or {})
        if action in ("send", "reply"):
            known["target"] = self.flow.target
        self.steps.append(
            Step(
                node=at.node,
                interface=at.interface,
                direction="end" if action == "drop" else at.direction,
                action=action,
                leg=self._leg,
                link=at.link,
                along=at.along,
                params=known,
            )
        )
        if action not in ("resolve", "drop"):
            self.sightings.append(seen(self._facts, self.flow, at, len(self.sightings)))

    def _relabel(self, action: Action) -> None:
        """The last station turns out to be a router or the target."""
        self.steps[-1] = replace(self.steps[-1], action=action)


def _too_large(before: Passage, at: Passage) -> Ending:
    """Return who drops what an interface does not carry: of a cable's end the sender."""
    if at.direction == "rx":
        return Ending("peer-mtu", before.node, before.interface)
    return Ending("port-mtu", at.node, at.interface)
