"""Services: started, kept running, adopted, ended."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.programs import LocalPrograms
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.state import LabState
from topoweb.core.programs import Command, Recipe, Started
from topoweb.core.topology.model import Node, Service, Topology
from topoweb.core.topology.services import OwnCommand
from topoweb.engine import services as module
from topoweb.engine.services import Services, backoff

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

LAB, OTHER = 3, 4
RUNNING = LabState()
FOREVER = "sleep 1000"


def drawing(**lines: str | None) -> Topology:
    """Services of one host by id; None: switched off."""
    return Topology(
        nodes={"n1": Node(kind="host", name="h1")},
        services={
            key: Service(
                node="n1", kind="command", options=OwnCommand(line=line or ""), up=line is not None
            )
            for key, line in lines.items()
        },
    )


def recipes(topology: Topology) -> dict[str, Recipe]:
    found = {}
    for key, service in topology.services.items():
        if service.up:
            assert isinstance(service.options, OwnCommand)
            command = Command(arguments=tuple(service.options.line.split()))
            found[key] = Recipe(
                kind="command", node="n1", place=key, command=command, files={"a": b"b"}
            )
    return found


class Bench:
    def __init__(self, run_dir: Path) -> None:
        self.run_dir = run_dir
        self.programs = LocalPrograms()
        self.waits: list[int] = []
        self.statuses: dict[int, dict[str, Any]] = {}
        self.heard: Callable[[Any], None] = lambda nodes: None
        self.wait = 0.0  # seconds before a service is tried again
        self._changed = asyncio.Event()
        self.services = self.worker()

    def worker(self, recipes: Callable[[Topology], dict[str, Recipe]] = recipes) -> Services:
        return Services(
            self.programs,
            recipes,
            self.run_dir,
            self._publish,
            backoff=self._backoff,  # type: ignore[arg-type]
        )

    async def draw(self, topology: Topology, lab: int = LAB) -> None:
        self.services.desired(lab, topology, RUNNING)
        await self.services.settled(lab)

    async def stop(self, lab: int = LAB) -> None:
        self.services.desired(lab, Topology(), None, applying=True)
        self.services.desired(lab, Topology(), None)
        await self.services.settled(lab)

    async def until(self, key: str, lab: int = LAB, **wanted: Any) -> dict[str, Any]:
        async with asyncio.timeout(10):
            while True:
                status = self.statuses.get(lab, {}).get("n1", {}).get(key, {})
                if wanted.items() <= status.items():
                    return status
                self._changed.clear()
                await self._changed.wait()

    async def until_nothing(self) -> None:
        async with asyncio.timeout(10):
            while self.statuses[LAB]:
                self._changed.clear()
                await self._changed.wait()

    def _publish(self, lab: int, nodes: Any) -> None:
        self.statuses[lab] = nodes
        self.heard(nodes)
        self._changed.set()

    def _backoff(self, attempts: int) -> float:
        self.waits.append(attempts)
        return self.wait


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    (tmp_path / "labs" / str(LAB)).mkdir(parents=True)
    (tmp_path / "labs" / str(OTHER)).mkdir()
    own = Bench(tmp_path)
    yield own
    await own.services.close()
    own.programs.kill_all()


async def test_runs_what_is_drawn_and_ends_it_with_the_lab(bench: Bench) -> None:
    await bench.draw(drawing(a=FOREVER, b=FOREVER, c=None))
    for key in "ab":
        status = await bench.until(key, state="running")
        assert status["restarts"] == 0
        assert status["since"] > 1e9
    assert bench.statuses[LAB]["n1"]["c"]["state"] == "stopped"
    assert bench.programs.running() == ["a", "b"]
    assert bench.programs.files["a"] == {"a": b"b"}
    await bench.stop()
    assert bench.programs.running() == []
    assert not (bench.run_dir / "labs" / str(LAB)).exists()
    await bench.until_nothing()


async def test_what_does_not_end_is_ended_again(bench: Bench) -> None:
    await bench.draw(drawing(a=FOREVER))
    await bench.until("a", state="running")
    real, failures = bench.programs.end, [TopowebError(ErrorKind.BUSY, "It does not end.")]

    def end(program: Started, *, patience: float = 2.0) -> None:
        if failures:
            raise failures.pop()
        real(program)

    bench.programs.end = end  # type: ignore[method-assign]
    await bench.stop()
    assert bench.programs.running() == []
    assert bench.waits == [0]


async def test_what_dies_is_started_again_with_back_off(bench: Bench) -> None:
    await bench.draw(drawing(a=FOREVER))
    for restarts in range(1, 4):
        await bench.until("a", state="running")
        bench.programs.end(bench.programs.started[-1][1])
        await bench.until("a", state="running", restarts=restarts)
    assert bench.waits == [0, 1, 2]
    assert bench.programs.running() == ["a"]


async def test_says_why_it_fails(bench: Bench) -> None:
    bench.programs.failures = [TopowebError(ErrorKind.LIMIT, "Too many.", hint="Stop one.")]
    said: list[str] = []
    bench.heard = lambda nodes: said.append(nodes.get("n1", {}).get("a", {}).get("message", ""))
    await bench.draw(drawing(a=FOREVER))
    await bench.until("a", state="running", restarts=1)
    assert "Too many. Stop one." in said
    bench.programs.end(bench.programs.started[-1][1])
    await bench.until("a", state="running", restarts=2)
    assert "The program ended: last words" in said


async def test_follows_the_drawing(bench: Bench) -> None:
    await bench.draw(drawing(a=FOREVER, b=FOREVER))
    await bench.until("a", state="running")
    before = bench.programs.started.copy()
    await bench.draw(drawing(a="sleep 2000", c=FOREVER))
    await bench.until("c", state="running")
    await bench.until("a", state="running")
    assert bench.programs.running() == ["a", "c"]
    assert not any(bench.programs.alive(program) for _, program in before)
    assert "b" not in bench.statuses[LAB]["n1"]


async def test_a_pass_that_changes_nothing_restarts_nothing(bench: Bench) -> None:
    for _ in range(3):
        await bench.draw(drawing(a=FOREVER))
        bench.services.desired(LAB, drawing(a=FOREVER), RUNNING, applying=True)
    await bench.until("a", state="running")
    assert len(bench.programs.started) == 1


async def test_a_drawing_with_errors_changes_nothing(bench: Bench) -> None:
    await bench.draw(drawing(a=FOREVER))
    await bench.until("a", state="running")
    broken = drawing(b=FOREVER)
    broken = replace(broken, nodes={"n1": Node(kind="host", name="a/b")})
    await bench.draw(broken)
    assert bench.programs.running() == ["a"]


async def test_the_next_worker_adopts_what_runs(bench: Bench) -> None:
    await bench.draw(drawing(a=FOREVER, b=FOREVER, c=FOREVER, d=FOREVER))
    for key in "abcd":
        await bench.until(key, state="running")
    await bench.services.close()
    assert bench.programs.running() == ["a", "b", "c", "d"]
    before = dict(bench.programs.started)
    bench.programs.end(before["b"])
    bench.statuses.clear()
    bench.services = bench.worker()
    await bench.draw(drawing(a=FOREVER, b=FOREVER, c="sleep 3000"))
    for key in "abc":
        await bench.until(key, state="running")
    new = bench.programs.started[4:]
    assert sorted(name for name, _ in new) == ["b", "c"]
    assert bench.programs.running() == ["a", "b", "c"]
    assert bench.programs.alive(before["a"])


async def test_the_next_worker_ends_what_a_stopped_lab_left(bench: Bench) -> None:
    await bench.draw(drawing(a=FOREVER))
    await bench.until("a", state="running")
    await bench.services.close()
    bench.services = bench.worker()
    await bench.stop()
    assert bench.programs.running() == []


async def test_a_missing_program_is_named_with_its_package(bench: Bench) -> None:
    def lacking(topology: Topology) -> dict[str, Recipe]:
        found = recipes(topology)
        found["b"] = replace(found["b"], needs={"/nonexistent/zebra": "frr"})
        found["c"] = replace(found["c"], fault="service-interface-gone")
        return found

    await bench.services.close()
    bench.services = bench.worker(lacking)
    bench.wait = 30.0
    await bench.draw(drawing(a=FOREVER, b=FOREVER, c=FOREVER))
    await bench.until("a", state="running")
    status = await bench.until("b", state="failed")
    assert "package frr" in status["message"]
    assert (status["code"], status["params"]["package"]) == ("program-missing", "frr")
    status = await bench.until("c", state="failed")
    assert status["code"] == "service-interface-gone"
    assert bench.programs.running() == ["a"]


async def test_a_start_under_way_is_not_lost(bench: Bench) -> None:
    with bench.programs.held(LAB):
        await bench.draw(drawing(a=FOREVER))
        await asyncio.to_thread(bench.programs.entered[LAB].wait, 10)
        bench.services.desired(LAB, Topology(), None, applying=True)
    await bench.services.settled(LAB)
    assert len(bench.programs.started) == 1
    assert bench.programs.running() == []


async def test_a_lab_that_hangs_holds_up_no_other(bench: Bench) -> None:
    many = {f"s{number}": FOREVER for number in range(module.THREADS)}
    with bench.programs.held(LAB):
        await bench.draw(drawing(**many))
        await asyncio.to_thread(bench.programs.entered[LAB].wait, 10)
        await bench.draw(drawing(a=FOREVER), OTHER)
        await bench.until("a", OTHER, state="running")
    await bench.until(f"s{module.THREADS - 1}", state="running")


async def test_back_on_at_once(bench: Bench) -> None:
    await bench.draw(drawing(a=FOREVER))
    await bench.until("a", state="running")
    bench.services.desired(LAB, Topology(), None, applying=True)
    bench.services.desired(LAB, drawing(a=FOREVER), RUNNING)
    await bench.services.settled(LAB)
    await bench.until("a", state="running")
    assert bench.programs.running() == ["a"]


def test_back_off() -> None:
    assert [backoff(n) for n in (0, 1, 2, 6, 7, 99)] == [0.5, 1.0, 2.0, 30.0, 30.0, 30.0]
