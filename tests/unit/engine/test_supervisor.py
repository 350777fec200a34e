"""The supervisor's own affairs: wakes, cancels, back-off, sweeps, leaving."""

from __future__ import annotations

import asyncio
import errno
import threading
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from tests.fakes.kernel import FakeKernel
from tests.fakes.mortal import NoProber
from tests.fakes.store import MemoryStore
from tests.unit.engine.drawings import LAB, hosts, two_hosts, with_address
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.actions import AddNamespace, Step
from topoweb.core.plan.expand import expand
from topoweb.engine.supervisor import Supervisor, backoff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from topoweb.core.plan.state import LabState


class Recorder:
    """Hears what the live view would."""

    def __init__(self) -> None:
        self.announced: list[tuple[int, LabState | None]] = []
        self.heard: list[tuple[int, LabState | None]] = []
        self.changed = asyncio.Event()

    def __call__(self, lab, topology, desired, *, applying=False):
        if applying:
            self.announced.append((lab, desired))
        else:
            self.heard.append((lab, desired))
            self.changed.set()

    async def passes(self, number: int) -> None:
        async with asyncio.timeout(20):
            while len(self.heard) < number:
                self.changed.clear()
                await self.changed.wait()


@asynccontextmanager
async def supervised(kernel, store, **options) -> AsyncIterator[tuple[Supervisor, Recorder]]:
    recorder, stop = Recorder(), asyncio.Event()
    options = {"backoff": lambda _: 0.0, "sweep_interval": 3600.0} | options
    supervisor = Supervisor(kernel, store, NoProber(), listener=recorder, **options)
    running = asyncio.create_task(supervisor.run(stop))
    try:
        yield supervisor, recorder
    finally:
        stop.set()
        async with asyncio.timeout(20):
            await running
    assert threads() == set()


def threads() -> set[str]:
    names = (thread.name for thread in threading.enumerate())
    return {name for name in names if name.startswith(("apply", "store", "probe"))}


async def reached(store: MemoryStore, condition: Callable[[], object]) -> None:
    await asyncio.to_thread(store.wait, condition)


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


async def test_a_wake_deploys_and_reports_on_the_way(kernel, store):
    async with supervised(kernel, store) as (supervisor, recorder):
        store.draw(LAB, two_hosts(), running=True)
        supervisor.wake(LAB)
        await recorder.passes(1)
    assert [report.phase for report in store.reports] == ["starting", "running"]
    assert recorder.announced == recorder.heard == [(LAB, expand(LAB, two_hosts()))]


async def test_many_wakes_cost_one_pass(kernel, store):
    async with supervised(kernel, store) as (supervisor, recorder):
        store.draw(LAB, two_hosts(), running=True)
        for _ in range(1000):
            supervisor.wake(LAB)
        await recorder.passes(1)
        supervisor.repair(LAB)
        await recorder.passes(2)
    assert len(recorder.heard) == 2


async def test_a_wake_without_a_new_wish_costs_no_pass(kernel, store):
    async with supervised(kernel, store) as (supervisor, recorder):
        store.draw(LAB, two_hosts(), running=True)
        supervisor.wake(LAB)
        await recorder.passes(1)
        supervisor.wake(LAB)  # a probe's ring
        store.draw(LAB + 1, two_hosts(), running=True)
        supervisor.wake(LAB + 1)
        await recorder.passes(2)
    assert [lab for lab, _ in recorder.heard] == [LAB, LAB + 1]


async def test_stop_and_delete_leave_nothing(kernel, store):
    async with supervised(kernel, store) as (supervisor, recorder):
        for lab in (1, 2):
            store.draw(lab, two_hosts(), running=True)
            supervisor.wake(lab)
        await recorder.passes(2)
        store.draw(1, two_hosts(), running=False)
        store.delete(2)
        supervisor.wake(1)
        supervisor.wake(2)
        await recorder.passes(4)
        assert kernel.labs() == []
        async with asyncio.timeout(20):
            while supervisor._labs:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0)
    assert store.rows[1].phase == "stopped"
    assert dict(recorder.heard[2:]) == {1: None, 2: None}


async def test_leaving_keeps_what_runs_and_the_next_worker_adopts_it(kernel, store):
    store.draw(LAB, two_hosts(), running=True)
    async with supervised(kernel, store) as (_, recorder):
        await recorder.passes(1)  # found without a doorbell
    writes, reports = kernel.writes, len(store.reports)
    async with supervised(kernel, store) as (_, recorder):
        await recorder.passes(1)
    assert (kernel.writes, len(store.reports)) == (writes, reports)
    assert kernel.labs() == [LAB]


async def test_leaving_in_the_middle_of_a_pass_lets_the_next_worker_finish(store):
    kernel = FakeKernel(batch=1)
    begun, go_on = threading.Event(), threading.Event()

    def hold(lab: int, step: Step) -> None:
        if step.action == AddNamespace(namespace="n30"):
            begun.set()
            assert go_on.wait(20)

    kernel.before_step = hold
    store.draw(LAB, hosts(60), running=True)
    async with supervised(kernel, store) as (supervisor, _):
        await asyncio.to_thread(begun.wait, 20)
        leaving = asyncio.get_running_loop().call_soon(supervisor._labs[LAB].leave)
        await asyncio.sleep(0)
        assert leaving
        await reached_cancel(supervisor)
        go_on.set()
    assert store.rows[LAB].phase != "cancelled"
    assert 0 < len(kernel.observe(LAB).namespaces) < 60
    async with supervised(kernel, store) as (_, recorder):
        await recorder.passes(1)
    assert len(kernel.observe(LAB).namespaces) == 60


async def reached_cancel(supervisor: Supervisor) -> None:
    """Let the loop run until the lab's watcher has heard of the leaving."""
    task = supervisor._labs[LAB]
    async with asyncio.timeout(20):
        while task._news.is_set():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_cancel_of_a_long_pass(store):
    kernel = FakeKernel(batch=1)
    begun, go_on = threading.Event(), threading.Event()

    def hold(lab: int, step: Step) -> None:
        if step.action == AddNamespace(namespace="n30"):
            begun.set()
            assert go_on.wait(20)

    kernel.before_step = hold
    store.draw(LAB, hosts(60), running=True)
    async with supervised(kernel, store) as (supervisor, recorder):
        await asyncio.to_thread(begun.wait, 20)
        marks = watched(store)
        store.cancel(LAB)
        supervisor.wake(LAB)
        await asyncio.to_thread(marks.wait, 20)
        await asyncio.sleep(0)
        go_on.set()
        await reached(store, lambda: store.rows[LAB].phase == "cancelled")
        assert store.rows[LAB].observed_generation == 1
        # A restart or a sweep does not take it up again; another Run does.
        supervisor.repair(LAB)
        await recorder.passes(2)
        assert store.rows[LAB].phase == "cancelled"
        assert len(kernel.observe(LAB).namespaces) < 60
        store.draw(LAB, hosts(60))
        supervisor.wake(LAB)
        await reached(store, lambda: store.rows[LAB].phase == "running")
    assert len(kernel.observe(LAB).namespaces) == 60


def watched(store: MemoryStore) -> threading.Event:
    """Return an event that is set once the worker has read a mark that is halted."""
    seen, read = threading.Event(), store.mark

    def mark(lab: int):
        result = read(lab)
        if result is not None and result.halted:
            seen.set()
        return result

    store.mark = mark  # type: ignore[method-assign]
    return seen


async def test_stop_turns_a_long_start_round(store):
    kernel = FakeKernel(batch=1)
    begun = threading.Event()
    go_on = threading.Event()

    def hold(lab: int, step: Step) -> None:
        if step.action == AddNamespace(namespace="n30"):
            begun.set()
            assert go_on.wait(20)

    kernel.before_step = hold
    store.draw(LAB, hosts(60), running=True)
    async with supervised(kernel, store) as (supervisor, _):
        await asyncio.to_thread(begun.wait, 20)
        store.draw(LAB, hosts(60), running=False)
        supervisor.wake(LAB)
        go_on.set()
        await reached(store, lambda: store.rows[LAB].phase == "stopped")
    assert kernel.labs() == []


async def test_progress_is_conflated(store, monkeypatch):
    monkeypatch.setattr("topoweb.engine.labtask.PROGRESS_INTERVAL", 0.01)
    kernel = FakeKernel(batch=1)
    store.draw(LAB, hosts(40), running=True)

    def slow(lab: int, step: Step) -> None:
        if step.action in (AddNamespace(namespace="n20"), AddNamespace(namespace="n30")):
            reports = len(store.reports)
            store.wait(lambda: len(store.reports) > reports)

    kernel.before_step = slow
    async with supervised(kernel, store) as (_, recorder):
        await recorder.passes(1)
    starting = [report for report in store.reports if report.phase == "starting"]
    done = [report.steps_done for report in starting]
    assert done == sorted(done)
    assert 3 <= len(done) < 40
    assert store.reports[-1].phase == "running"


async def test_busy_kernel_is_tried_again_with_growing_pauses(kernel, store):
    pauses: list[int] = []

    def pause(attempts: int) -> float:
        pauses.append(attempts)
        return 0.0

    for call in (1, 2, 3):
        kernel.fail_call(call, errno.EBUSY)
    store.draw(LAB, hosts(1), running=True)
    async with supervised(kernel, store, backoff=pause):
        await reached(store, lambda: store.rows[LAB].phase == "running")
    assert pauses == list(range(len(pauses)))
    assert pauses


def test_backoff_grows_from_a_fifth_to_thirty_seconds():
    pauses = [backoff(n) for n in range(20)]
    assert pauses[0] == 0.2
    assert pauses == sorted(pauses)
    assert pauses[-1] == 30.0


async def test_a_refusal_waits_for_a_change(kernel, store):
    kernel.fail_call(1, errno.EINVAL)
    store.draw(LAB, hosts(1), running=True)
    async with supervised(kernel, store) as (supervisor, recorder):
        await recorder.passes(1)
        assert store.rows[LAB].phase == "failed"
        supervisor.wake(LAB)
        store.draw(LAB + 1, hosts(1), running=True)
        supervisor.wake(LAB + 1)
        await recorder.passes(2)
        assert store.rows[LAB].phase == "failed"
        store.draw(LAB, hosts(1))
        supervisor.wake(LAB)
        await recorder.passes(3)
    assert store.rows[LAB].phase == "running"


async def test_the_sweep_finds_what_no_doorbell_told(kernel, store):
    async with supervised(kernel, store, sweep_interval=0.01):
        store.draw(LAB, two_hosts(), running=True)
        await reached(store, lambda: store.rows[LAB].phase == "running")
        store.draw(LAB, with_address(two_hosts(), "i1", "10.0.0.7/24"))
        await reached(store, lambda: store.rows[LAB].observed_generation == 2)
        kernel.destroy(LAB)  # the holder died
        reports = len(store.reports)
        await reached(store, lambda: len(store.reports) >= reports + 2)
        assert kernel.labs() == [LAB]
        store.delete(LAB)
        store.draw(LAB + 1, two_hosts(), running=True)
        await reached(store, lambda: store.rows[LAB + 1].phase == "running")
        async with asyncio.timeout(20):
            while LAB in kernel.labs():  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
    assert kernel.labs() == [LAB + 1]
    assert kernel.foreign == FakeKernel().foreign


async def test_a_store_that_is_away_ends_nothing(kernel, store, caplog):
    store.draw(LAB, two_hosts(), running=True)
    store.failing = OSError("the database is away")
    async with supervised(kernel, store, sweep_interval=0.01) as (supervisor, recorder):
        supervisor.wake(LAB)
        async with asyncio.timeout(20):
            while "pass failed" not in caplog.text:  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.01)
        store.failing = None
        await recorder.passes(1)
    assert store.rows[LAB].phase == "running"


async def test_a_fault_of_the_program_is_reported_and_tried_again(kernel, store):
    real, faults = kernel.apply, [ValueError("a bug")]

    def apply(*args):
        if faults:
            raise faults.pop()
        return real(*args)

    kernel.apply = apply
    store.draw(LAB, two_hosts(), running=True)
    async with supervised(kernel, store):
        await reached(store, lambda: store.rows[LAB].phase == "running")
    failed = next(report for report in store.reports if report.phase == "failed")
    assert "Internal error" in failed.message
    assert failed.observed_generation == 0


async def test_a_kernel_that_cannot_be_read_is_reported(kernel, store):
    def observe(lab: int) -> LabState:
        raise TopowebError(ErrorKind.UNSUPPORTED, "no namespaces here", hint="load a kernel")

    kernel.observe = observe
    store.draw(LAB, two_hosts(), running=True)
    async with supervised(kernel, store):
        await reached(store, lambda: store.rows[LAB].phase == "failed")
    assert store.reports[-1].failures[0]["hint"] == "load a kernel"
