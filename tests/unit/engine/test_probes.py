"""Probes: bounded, answered whatever happens, never in the way of leaving."""

from __future__ import annotations

import asyncio
import threading

import pytest

from tests.fakes.kernel import FakeKernel
from tests.fakes.store import MemoryStore
from tests.unit.engine.drawings import LAB, two_hosts
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.engine.ports import ProbeRequest
from topoweb.engine.probes import IN_ALL, PER_LAB
from topoweb.engine.supervisor import Supervisor


class Prober:
    """Answers when it is told to, and counts who waits."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.full = threading.Semaphore(0)
        self.most: dict[int, int] = {}
        self.most_in_all = 0
        self._now: list[int] = []
        self._lock = threading.Lock()

    def probe(self, lab, request):
        with self._lock:
            self._now.append(lab)
            self.most[lab] = max(self.most.get(lab, 0), self._now.count(lab))
            self.most_in_all = max(self.most_in_all, len(self._now))
        self.full.release()
        assert self.go_on.wait(20)
        with self._lock:
            self._now.remove(lab)
        return {"verdict": "reply", "message": request.target}


def request(number: int, lab: int = LAB) -> ProbeRequest:
    return ProbeRequest(id=number, lab=lab, kind="ping", source="n1", target=f"10.0.0.{number}")


@pytest.fixture
def store() -> MemoryStore:
    store = MemoryStore()
    for lab in range(LAB, LAB + 8):
        store.draw(lab, two_hosts(), running=False)
    return store


class Running:
    def __init__(self, store, prober, **options):
        self.stop = asyncio.Event()
        self.kernel = FakeKernel()
        self.supervisor = Supervisor(self.kernel, store, prober, **options)

    async def __aenter__(self):
        self.task = asyncio.create_task(self.supervisor.run(self.stop))
        return self.supervisor

    async def __aexit__(self, *_):
        self.stop.set()
        async with asyncio.timeout(20):
            await self.task


async def test_at_most_four_a_lab_and_sixteen_in_all(store):
    prober = Prober()
    number = 0
    for lab in range(LAB, LAB + 8):
        for _ in range(6):
            number += 1
            store.ask(request(number, lab))
    async with Running(store, prober) as supervisor:
        for lab in range(LAB, LAB + 8):
            supervisor.wake(lab)
        for _ in range(IN_ALL):
            assert await asyncio.to_thread(prober.full.acquire, timeout=20)
        prober.go_on.set()
        await asyncio.to_thread(store.wait, lambda: len(store.results) == number)
    assert prober.most_in_all == IN_ALL
    assert max(prober.most.values()) <= PER_LAB
    assert store.results[1] == {"verdict": "reply", "message": "10.0.0.1"}


async def test_a_lost_ring_is_made_good_by_the_sweep(store):
    prober = Prober()
    prober.go_on.set()
    async with Running(store, prober, sweep_interval=0.01):
        store.ask(request(1))
        await asyncio.to_thread(store.wait, lambda: 1 in store.results)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            TopowebError(ErrorKind.NOT_FOUND, "h1 does not run", hint="Run it."),
            "h1 does not run Run it.",
        ),
        (ValueError("a bug"), "Internal error"),
    ],
)
async def test_a_probe_that_cannot_run_is_answered(store, error, words):
    class Refusing:
        def probe(self, lab, request):
            raise error

    store.ask(request(1))
    async with Running(store, Refusing()) as supervisor:
        supervisor.wake(LAB)
        await asyncio.to_thread(store.wait, lambda: 1 in store.results)
    assert store.results[1]["verdict"] == "error"
    assert words in store.results[1]["message"]


async def test_leaving_does_not_wait_for_a_probe(store):
    prober = Prober()
    store.ask(request(1))
    async with Running(store, prober) as supervisor:
        supervisor.wake(LAB)
        assert await asyncio.to_thread(prober.full.acquire, timeout=20)
    assert store.results[1]["verdict"] == "error"
    assert "stopped" in store.results[1]["message"]
    prober.go_on.set()


async def test_a_probe_that_finds_nothing_of_a_running_lab_has_it_made_again(store):
    """A holder that died is noticed by the first probe, not by the next sweep of the kernel."""

    class Losing:
        def probe(self, lab, request):
            raise TopowebError(ErrorKind.LOST, "not in the kernel", hint="Ask again.")

    running = Running(store, Losing(), sweep_interval=3600)
    kernel = running.kernel
    async with running as supervisor:
        store.draw(LAB, two_hosts(), running=True)
        supervisor.wake(LAB)
        await asyncio.to_thread(store.wait, lambda: store.rows[LAB].phase == "running")
        kernel.destroy(LAB)  # behind the worker's back
        before = len(store.reports)
        store.ask(request(1))
        supervisor.wake(LAB)
        await asyncio.to_thread(store.wait, lambda: 1 in store.results)
        await asyncio.to_thread(
            store.wait, lambda: [r.phase for r in store.reports[before:]][-1:] == ["running"]
        )
    assert "Ask again." in store.results[1]["message"]
    assert kernel.labs() == [LAB]
