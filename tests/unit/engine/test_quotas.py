"""Limits in a pass: refused with the reason, and nothing that runs is touched."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.kernel import FakeKernel
from tests.fakes.store import MemoryStore
from tests.unit.engine.drawings import LAB, hosts, two_hosts
from topoweb.core.limits import Limits, excess
from topoweb.core.plan.actions import SetRate
from topoweb.core.plan.state import Endpoint
from topoweb.engine import reconcile
from topoweb.engine.ports import Mark, Wish
from topoweb.engine.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from topoweb.core.topology.model import Topology
    from topoweb.engine.reconcile import Outcome

TIGHT = Limits(nodes=2)
REFUSED = excess("running-labs", 2, 1)


def run(kernel: FakeKernel, topology: Topology, mark: Mark | None = None, **more: Any) -> Outcome:
    mark = mark or Mark(lab=LAB, generation=1, running=True)
    todo = reconcile.prepare(kernel, Wish(mark=mark, topology=topology, **more), None)
    return reconcile.execute(kernel, todo, lambda *_: None, lambda: False)


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel()


@pytest.mark.parametrize(
    ("topology", "more", "words"),
    [
        (hosts(3), {"limits": TIGHT}, "3 nodes; the lab may have 2"),
        (hosts(2), {"limits": TIGHT, "refusals": (REFUSED,)}, "You would run 2 labs"),
    ],
)
def test_over_a_limit_nothing_is_made(kernel, topology, more, words):
    outcome = run(kernel, topology, **more)
    report = outcome.report
    assert (report.phase, outcome.retry, kernel.writes) == ("failed", False, 0)
    assert words in report.message
    assert "nothing was changed" in report.message
    (failure,) = report.failures
    assert failure["hint"]
    assert report.code == failure["code"]
    assert report.code.startswith("limit-")
    assert report.params.keys() == {"count", "limit"}


def test_a_host_short_of_something_starts_nothing_but_looks_after_what_runs(kernel):
    kernel.tight = (excess("host-memory", 10, 256),)
    assert run(kernel, two_hosts()).report.phase == "failed"
    assert kernel.writes == 0
    kernel.tight = ()
    run(kernel, two_hosts())
    kernel.tight = (excess("host-memory", 10, 256),)
    mark = Mark(lab=LAB, generation=2, running=True, phase="running", observed_generation=1)
    assert run(kernel, two_hosts(), mark).report.phase == "running"


def test_a_lab_that_grew_too_large_keeps_what_runs(kernel):
    run(kernel, hosts(2), limits=TIGHT)
    before = kernel.observe(LAB)
    mark = Mark(lab=LAB, generation=2, running=True, phase="running", observed_generation=1)
    assert run(kernel, hosts(3), mark, limits=TIGHT).report.phase == "failed"
    assert kernel.observe(LAB) == before


def test_a_limit_that_is_lowered_ends_nothing_that_runs(kernel):
    run(kernel, hosts(2))
    mark = Mark(lab=LAB, generation=1, running=True, phase="running", observed_generation=1)
    outcome = run(kernel, hosts(2), mark, limits=Limits(nodes=1))
    assert outcome.report is None  # it says "running" already


def test_cables_are_held_to_the_lab_s_rate(kernel):
    run(kernel, two_hosts(), limits=Limits(link_rate=5_000_000))
    devices = [kernel.observe(LAB).namespaces[node].devices["eth0"] for node in ("n1", "n2")]
    assert [device.rate for device in devices] == [5_000_000] * 2


def test_the_rate_is_put_back_although_the_drawing_did_not_change(kernel):
    limits = Limits(link_rate=5_000_000)
    previous = run(kernel, two_hosts(), limits=limits).previous
    at = Endpoint(namespace="n1", name="eth0")
    kernel.type_in(LAB, SetRate(at=at, rate=None))
    mark = Mark(lab=LAB, generation=1, running=True, phase="running", observed_generation=1)
    todo = reconcile.prepare(kernel, Wish(mark=mark, topology=two_hosts(), limits=limits), previous)
    assert [step.action for step in todo.plan.steps] == [SetRate(at=at, rate=5_000_000)]


# Stopping: beside the apply thread, with its progress told.


class SlowKernel(FakeKernel):
    """Takes labs down in four parts, the third after a leave."""

    def __init__(self) -> None:
        super().__init__()
        self.leave = threading.Event()
        self.half = threading.Event()

    def destroy(self, lab, progress=lambda *_: None):
        progress(1, 4)
        progress(2, 4)
        self.half.set()
        assert self.leave.wait(20)
        progress(4, 4)
        super().destroy(lab)


@asynccontextmanager
async def supervised(kernel: FakeKernel, store: MemoryStore) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(kernel, store, prober=None, sweep_interval=3600)  # type: ignore[arg-type]
    stop = asyncio.Event()
    running = asyncio.create_task(supervisor.run(stop))
    try:
        yield supervisor
    finally:
        stop.set()
        await running


async def until(store: MemoryStore, condition) -> None:
    await asyncio.to_thread(store.wait, condition)


async def test_a_stop_tells_its_steps_and_holds_up_no_other_lab():
    kernel, store = SlowKernel(), MemoryStore()
    async with supervised(kernel, store) as supervisor:
        try:
            store.draw(LAB, two_hosts(), running=True)
            supervisor.wake(LAB)
            await until(store, lambda: store.rows[LAB].phase == "running")
            store.draw(LAB, two_hosts(), running=False)
            supervisor.wake(LAB)
            assert await asyncio.to_thread(kernel.half.wait, 20)
            await until(
                store,
                lambda: any(
                    (r.phase, r.steps_done, r.steps_total) == ("stopping", 2, 4)
                    for r in store.reports
                ),
            )
            store.draw(LAB + 1, two_hosts(), running=True)  # while the other one goes slowly
            supervisor.wake(LAB + 1)
            await until(store, lambda: store.rows[LAB + 1].phase == "running")
            assert store.rows[LAB].phase == "stopping"
        finally:
            kernel.leave.set()
        await until(store, lambda: store.rows[LAB].phase == "stopped")


async def test_limits_reach_the_kernel_from_the_rows():
    kernel, store = FakeKernel(), MemoryStore()
    async with supervised(kernel, store) as supervisor:
        store.draw(LAB, hosts(3), running=True)
        store.rows[LAB].limits = TIGHT
        supervisor.wake(LAB)
        await until(store, lambda: store.rows[LAB].phase == "failed")
        store.rows[LAB].limits = replace(TIGHT, nodes=3)
        store.draw(LAB, hosts(3))
        supervisor.wake(LAB)
        await until(store, lambda: store.rows[LAB].phase == "running")
