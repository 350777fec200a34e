"""The guard over a kernel in memory: what it tells, orders, and leaves alone."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.fakes.store import MemoryStore
from tests.unit.engine.drawings import LAB, two_hosts
from topoweb.core.limits import Limits
from topoweb.core.plan.expand import expand
from topoweb.core.tracing.load import Load
from topoweb.core.tracing.records import Counters
from topoweb.core.tracing.warnings import Warned
from topoweb.engine import guard as guarding
from topoweb.engine.guard import Guard, Orders

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Sequence

    from topoweb.core.plan.actions import SetRate

DEADLINE = 20.0


class FakeLoads:
    """Implements `Guarded`; what each node carries is set by the test."""

    def __init__(self) -> None:
        self.packets = 0  # a second, through eth0 of each node
        self.added: dict[str, int] = {}  # interfaces that a user made, by node
        self.short: list[Warned] = []
        self.failing = False
        self.failed = threading.Event()
        self.trimmed = threading.Event()
        self._began = time.monotonic()
        self._counted = 0.0

    def load(self, lab: int, nodes: Collection[str], *, tables: bool) -> Sequence[Load]:
        if self.failing:
            self.failed.set()
            raise OSError("the kernel is away")
        now = time.monotonic()
        self._counted += self.packets * (now - self._began)
        self._began = now
        return [
            Load(
                node=node,
                clock=now,
                counters={
                    "lo": Counters(0, 0, 0, 0),
                    "eth0": Counters(int(self._counted), 0, 0, 0),
                    **{f"b{i}": Counters(0, 0, 0, 0) for i in range(self.added.get(node, 0))},
                },
            )
            for node in nodes
        ]

    def trim(self, lab: int, node: str, keep: Collection[str], excess: int, seconds: float) -> int:
        assert set(keep) == {"lo", "eth0"}
        self.added[node] -= excess
        self.trimmed.set()
        return excess

    def forget(self, lab: int) -> None:
        pass

    def shortages(self) -> Sequence[Warned]:
        return self.short


class Scene:
    def __init__(self) -> None:
        self.loads = FakeLoads()
        self.store = MemoryStore()
        self.told: list[tuple[int, Sequence[Warned]]] = []
        self.repaired: list[int] = []
        self.written: list[SetRate] = []
        self.news = asyncio.Event()
        orders = Orders(tell=self._tell, repair=self.repaired.append, write=self._write)
        self.guard = Guard(self.loads, self.store, orders)
        self.store.draw(LAB, two_hosts(), running=True)

    def _tell(self, lab: int, warnings: Sequence[Warned]) -> None:
        self.told.append((lab, warnings))
        self.news.set()

    async def _write(self, lab: int, steps) -> None:
        self.written += [step.action for step in steps]

    def start(self, rate: int | None = None) -> None:
        topology = two_hosts()
        self.guard.desired(LAB, topology, expand(LAB, topology, link_rate=rate))

    async def codes(self, *wanted: str) -> None:
        """Wait until exactly these codes are told."""
        async with asyncio.timeout(DEADLINE):
            while not self.told or {w.code for w in self.told[-1][1]} != set(wanted):
                self.news.clear()
                await self.news.wait()


@pytest.fixture
async def scene(monkeypatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(guarding, "ROUND", 0.25)  # above the shortest span that tells a rate
    monkeypatch.setattr(guarding, "LASTING", 0.5)
    made = Scene()
    running = asyncio.create_task(made.guard.run())
    try:
        yield made
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def test_a_flood_is_told_and_taken_back_when_it_is_over(scene):
    scene.start()
    scene.loads.packets = 2_000_000
    await scene.codes("flood")
    await asyncio.to_thread(
        scene.store.wait, lambda: [w.link for w in scene.store.rows[LAB].warnings] == ["l1"]
    )
    scene.loads.packets = 0
    await scene.codes()
    await asyncio.to_thread(scene.store.wait, lambda: scene.store.rows[LAB].warnings == ())
    assert scene.written == []  # a flood is told; only a storm is cut


async def test_interfaces_without_end_are_trimmed_to_the_lab_s_limit(scene):
    scene.store.rows[LAB].limits = Limits(node_links=10)
    scene.loads.added["n1"] = 25
    scene.start()
    await scene.codes("links")
    assert await asyncio.to_thread(scene.loads.trimmed.wait, DEADLINE)
    assert scene.loads.added["n1"] == 10
    await scene.codes()


async def test_what_the_host_is_short_of_is_told_in_every_lab(scene):
    scene.loads.short = [Warned(code="host-memory", message="little is left")]
    scene.start()
    await scene.codes("host-memory")


async def test_a_failing_round_is_followed_by_another(scene):
    scene.loads.failing = True
    scene.start()
    assert await asyncio.to_thread(scene.loads.failed.wait, DEADLINE)
    scene.loads.failing = False
    scene.loads.packets = 2_000_000
    await scene.codes("flood")


async def test_a_lab_that_stops_is_forgotten(scene):
    scene.start()
    scene.loads.packets = 2_000_000
    await scene.codes("flood")
    scene.guard.desired(LAB, two_hosts(), None)
    assert scene.told[-1] == (LAB, ())


async def test_a_storm_s_cable_is_held_and_let_go_at_its_own_rate(scene):
    known = guarding._Lab(two_hosts(), expand(LAB, two_hosts(), link_rate=7_000_000))
    await scene.guard._cut(LAB, known, {"l1"})
    await scene.guard._cut(LAB, known, {"l1"})  # once is enough
    assert [action.rate for action in scene.written] == [guarding.HELD_RATE] * 2
    await scene.guard._cut(LAB, known, set())
    assert [action.rate for action in scene.written[2:]] == [7_000_000] * 2
    assert {action.at.namespace for action in scene.written} == {"n1", "n2"}
