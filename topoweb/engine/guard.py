"""Looks after the host while labs run: storms, floods, tables that fill, interfaces without end.

Every running lab is looked at, watched by somebody or not: its switches at each round, where a
storm shows, and all its nodes in turn. Rounds come seldomer where many nodes are to be looked at.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from topoweb.core.plan.actions import SetRate, Step
from topoweb.core.plan.state import Endpoint
from topoweb.core.tracing.load import Load, Ward, judge

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Sequence

    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.core.tracing.load import Verdict
    from topoweb.core.tracing.warnings import Warned
    from topoweb.engine.ports import Guarded, Store

ROUND = 1.5  # seconds between two looks at a lab's switches
TOUR = 10.0  # seconds in which each node is looked at
A_LOOK = 0.004  # seconds of a round for each node looked at: it costs a twentieth of that
LASTING = 6.0  # seconds that a warning stays after it was last true
HELD_RATE = 1_000_000  # bit/s of a cable that is held down
TRIM_TIME = 1.0  # seconds of a round that interfaces are deleted for, in one lab

P = ParamSpec("P")
T = TypeVar("T")
log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Lab:
    topology: Topology
    desired: LabState
    ward: Ward | None = None  # made at the next look: a large one takes a while
    last: dict[str, Load] = field(default_factory=dict)  # the last look at each node
    warned: dict[str, tuple[Warned, float]] = field(default_factory=dict)  # by key; last true
    told: tuple[Warned, ...] | None = None  # None: nothing yet, whatever a worker before said
    held: set[str] = field(default_factory=set)  # links that are held down
    tour: Iterator[str] = field(default_factory=lambda: iter(()))
    bridging: set[str] = field(default_factory=set)  # nodes with a bridge, drawn or not


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """What the guard has others do; each is called on the loop."""

    tell: Callable[[int, Sequence[Warned]], None]  # to those who watch the lab
    repair: Callable[[int], None]  # put back what limits a lab
    write: Callable[[int, Sequence[Step]], Awaitable[object]] | None = None  # None: never cut


class Guard:
    """Judges running labs in turn. Methods belong to one event loop."""

    def __init__(self, kernel: Guarded, store: Store, orders: Orders) -> None:
        self._kernel = kernel
        self._store = store
        self._orders = orders
        self._labs: dict[int, _Lab] = {}
        self._shortages: Sequence[Warned] = ()

    def desired(
        self, lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
    ) -> None:
        """Hear of a pass, as its `labtask.Listener`."""
        if applying:
            return
        if desired is None:
            known = self._labs.pop(lab, None)
            self._kernel.forget(lab)
            if known is not None and known.told:
                self._orders.tell(lab, ())
            return
        known = self._labs.setdefault(lab, _Lab(topology, desired))
        known.topology, known.desired, known.ward = topology, desired, None
        known.held.clear()  # the pass may have set other rates
        known.bridging |= {key for key, node in topology.nodes.items() if node.kind == "switch"}

    async def run(self) -> None:
        """Look until cancelled, whatever fails on the way."""
        while True:
            began = time.monotonic()
            looks = 0
            try:
                self._shortages = await asyncio.to_thread(self._kernel.shortages)
                for lab in tuple(self._labs):
                    looks += await self._look(lab)
            except Exception:  # a lab in the midst of its end, or the database is away
                log.exception("the guard's round failed; the next one follows")
            # By number, not by the time they took: in a storm all takes long, and matters most.
            await asyncio.sleep(max(ROUND, looks * A_LOOK) - (time.monotonic() - began))

    async def _look(self, lab: int) -> int:
        """Look at a lab; return how many looks it took."""
        known = self._labs.get(lab)
        if known is None:
            return 0
        ward = known.ward
        if ward is None:
            limits = await asyncio.to_thread(self._store.limits, lab)
            drawn = (known.topology, known.desired, limits.node_links)
            ward = known.ward = await asyncio.to_thread(Ward.of, *drawn)
        loads = await self._loads(lab, known)
        stormy = frozenset(w.link for w in known.told or () if w.link and w.code == "storm")
        verdict = await asyncio.to_thread(judge, ward, dict(known.last), loads, stormy)
        known.last |= {load.node: load for load in loads}
        if self._labs.get(lab) is not known:
            return len(loads)  # it was stopped meanwhile
        if verdict.unbridled:
            self._orders.repair(lab)
        await self._warn(lab, known, verdict)
        await self._trim(lab, known, verdict)
        return len(loads)

    async def _loads(self, lab: int, known: _Lab) -> list[Load]:
        """Look at every node with a bridge, and at those whose turn it is."""
        nodes = known.desired.namespaces.keys()
        share = math.ceil(len(nodes) * ROUND / TOUR)
        turn = list(itertools.islice(known.tour, share))
        if len(turn) < share:
            known.tour = iter(tuple(nodes))
        due = [node for node in turn if node in nodes]
        known.last = {node: load for node, load in known.last.items() if node in nodes}
        loads = list(await asyncio.to_thread(self._kernel.load, lab, due, tables=True))
        known.bridging = {
            *(node for node in known.bridging if node not in due),
            *(load.node for load in loads if load.bridges),
        } & nodes
        often = known.bridging - set(due)
        return loads + list(
            await asyncio.to_thread(self._kernel.load, lab, sorted(often), tables=False)
        )

    async def _warn(self, lab: int, known: _Lab, verdict: Verdict) -> None:
        now = time.monotonic()
        found = {warning.key: warning for warning in (*verdict.warnings, *self._shortages)}
        known.warned |= {key: (warning, now) for key, warning in found.items()}
        over = [key for key, (_, last) in known.warned.items() if now - last > LASTING]
        for key in over:
            del known.warned[key]
        told = tuple(warning for _, (warning, _) in sorted(known.warned.items()))
        await self._cut(lab, known, {w.link for w in told if w.link and w.code == "storm"})
        before, known.told = known.told, told
        if told != before:
            self._orders.tell(lab, told)
        if before is None or [w.key for w in told] != [w.key for w in before]:
            await asyncio.to_thread(self._store.warn, lab, told)

    async def _cut(self, lab: int, known: _Lab, stormy: set[str]) -> None:
        """Hold the links down on which a storm began; let go those on which it is over."""
        if self._orders.write is None or known.held == stormy:
            return
        steps = [
            Step(SetRate(at=at, rate=HELD_RATE if link in stormy else rate), "packet storm", link)
            for link in known.held ^ stormy
            for at, rate in _ends(known, link)
        ]
        known.held = stormy
        await self._orders.write(lab, steps)

    async def _trim(self, lab: int, known: _Lab, verdict: Verdict) -> None:
        for node, excess in verdict.excess.items():
            keep = known.desired.namespaces[node].devices.keys()
            gone = await asyncio.to_thread(
                self._kernel.trim, lab, node, keep, excess, TRIM_TIME / len(verdict.excess)
            )
            log.warning("lab %d: %d of %d interfaces too many removed", lab, gone, excess)


def _ends(known: _Lab, link: str) -> Iterator[tuple[Endpoint, int | None]]:
    """Yield both ends of a drawn link with the rate that each is meant to have."""
    drawn = known.topology.links.get(link)
    for key in (drawn.a, drawn.b) if drawn else ():
        port = known.topology.interfaces[key]
        device = known.desired.namespaces[port.node].devices.get(port.name)
        if device is not None:
            yield Endpoint(namespace=port.node, name=port.name), device.rate
