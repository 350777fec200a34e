"""A grant's end, seen by the engine: nobody rings for it."""

from __future__ import annotations

import asyncio
import time

from tests.fakes.kernel import FakeKernel
from tests.fakes.store import MemoryStore
from tests.unit.core.test_plan_uplink import drawing
from tests.unit.engine.test_supervisor import reached, supervised
from topoweb.core.plan.state import CLOSED
from topoweb.engine import alarm
from topoweb.engine.alarm import Alarm

LAB = 3
LATER = int(time.time()) + 3600


def uplink(kernel: FakeKernel) -> int | None:
    return kernel.observe(LAB).namespaces["u"].uplink


def granted(until: int | None) -> MemoryStore:
    store = MemoryStore()
    store.draw(LAB, drawing(), running=True)
    store.rows[LAB].uplink_until = until
    return store


async def test_it_is_closed_at_its_end_and_the_lab_runs_on():
    kernel, until = FakeKernel(), int(time.time()) + 2
    store = granted(until)
    async with supervised(kernel, store):
        await reached(store, lambda: store.reports and store.reports[-1].phase == "running")
        assert uplink(kernel) == until
        assert store.reports[-1].message == ""
        await reached(store, lambda: "closed" in store.reports[-1].message)
    assert uplink(kernel) == CLOSED
    assert time.time() >= until
    assert set(kernel.observe(LAB).namespaces) == {"h", "u"}
    assert store.reports[-1].phase == "running"


async def test_a_worker_that_comes_back_later_closes_it():
    kernel, store = FakeKernel(), granted(LATER)
    async with supervised(kernel, store):
        await reached(store, lambda: store.reports and store.reports[-1].phase == "running")
    store.rows[LAB].uplink_until = int(time.time()) - 1
    async with supervised(kernel, store):
        await reached(store, lambda: "closed" in store.reports[-1].message)
    assert uplink(kernel) == CLOSED


async def test_revoked_it_is_closed_with_the_next_look():
    kernel, store = FakeKernel(), granted(LATER)
    async with supervised(kernel, store) as (supervisor, _):
        await reached(store, lambda: store.reports and store.reports[-1].phase == "running")
        store.rows[LAB].uplink_until = None
        store.draw(LAB, drawing())
        supervisor.wake(LAB)
        await reached(store, lambda: "closed" in store.reports[-1].message)
    assert uplink(kernel) == CLOSED


async def test_a_stopped_lab_sets_no_alarm(monkeypatch):
    moments = []
    monkeypatch.setattr(Alarm, "set", lambda _, moment: moments.append(moment))
    store = granted(LATER)
    store.rows[LAB].running = False
    async with supervised(FakeKernel(), store) as (supervisor, recorder):
        supervisor.wake(LAB)
        await recorder.passes(1)
    assert set(moments) == {None}


async def test_the_alarm_follows_the_wall_clock(monkeypatch):
    """A machine that slept, or whose clock was set, is late by one look at most."""
    rung = asyncio.Event()
    now = 1000.0
    monkeypatch.setattr(alarm, "LOOK", 0.01)
    monkeypatch.setattr(alarm.time, "time", lambda: now)
    one = Alarm(rung.set)
    one.set(2000)
    one.set(1500)
    now = 1499.0
    await asyncio.sleep(0)
    assert not rung.is_set()
    now = 1500.0
    async with asyncio.timeout(10):
        await rung.wait()
    rung.clear()
    one.set(1600)
    one.set(None)
    one.set(900)
    assert rung.is_set()  # past already: at once
