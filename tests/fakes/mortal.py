"""A worker that can be killed at any step, over a kernel and a store that live on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from topoweb.engine.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.fakes.store import MemoryStore
    from topoweb.core.plan.actions import Step
    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.engine.ports import ApplyResult, Kernel, ProbeRequest

NEVER = -1
DEADLINE = 60.0  # seconds; the kernel ends namespaces when it has the time


class KilledError(BaseException):
    """The worker is dead: no handler of it may run on."""


def _no_murder(record: logging.LogRecord) -> bool:
    return not (record.exc_info and record.exc_info[0] is KilledError)


logging.getLogger("topoweb.engine.supervisor").addFilter(_no_murder)


class _Mortal:
    """Passes calls on until the worker is dead."""

    def __init__(self, target: object, life: Life) -> None:
        self._target = target
        self._life = life

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._target, name)

        def alive(*args: Any) -> Any:
            self._life.check()
            result = call(*args)
            self._life.check()
            return result

        return alive


class _MortalKernel(_Mortal):
    def apply(
        self,
        lab: int,
        steps: Sequence[Step],
        progress: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> ApplyResult:
        self._life.check()
        left = self._life.steps_left
        if left == NEVER or left >= len(steps):
            self._life.steps_left = left if left == NEVER else left - len(steps)
            return self._target.apply(lab, steps, progress, cancelled)  # type: ignore[attr-defined]
        self._target.apply(lab, steps[:left], progress, cancelled)  # type: ignore[attr-defined]
        self._life.dead = True
        raise KilledError


class Life:
    """Whether a worker lives, and how many more steps it does before it is killed."""

    def __init__(self) -> None:
        self.dead = False
        self.steps_left = NEVER

    def check(self) -> None:
        if self.dead:
            raise KilledError


class NoProber:
    def probe(self, lab: int, request: ProbeRequest) -> Mapping[str, Any]:
        raise AssertionError("no probe was asked for")


class Worker:
    """One incarnation of a supervisor, driven from plain tests through its own event loop."""

    def __init__(self, kernel: Kernel, store: MemoryStore) -> None:
        self._store = store
        self.life = Life()
        self.passes = 0
        self._runner = asyncio.Runner()
        self._loop = self._runner.get_loop()
        self._stop = asyncio.Event()
        self.supervisor: Supervisor = self._in_loop(
            lambda: Supervisor(
                _MortalKernel(kernel, self.life),  # type: ignore[arg-type]
                _Mortal(store, self.life),  # type: ignore[arg-type]
                NoProber(),
                listener=self._listen,
                backoff=lambda _: 0.0,
                sweep_interval=3600.0,
            )
        )
        self._run = self._loop.create_task(self.supervisor.run(self._stop))

    def until(self, condition: Callable[[], bool], deadline: float = DEADLINE) -> None:
        """Let the worker run until the condition holds and nothing more is due."""

        async def wait() -> None:
            async with asyncio.timeout(deadline):
                while not self.life.dead and not (self.supervisor.idle and condition()):  # noqa: ASYNC110
                    await asyncio.sleep(0)  # every step counts, and each is short

        try:
            self._runner.run(wait())
        except TimeoutError:
            raise AssertionError(f"not reached: {self._store.reports[-3:]}") from None

    def wake(self, lab: int) -> None:
        self._in_loop(lambda: self.supervisor.wake(lab))

    def repair(self, lab: int) -> None:
        """Have one whole pass over a lab and return when it is over."""
        passes = self.passes
        self._in_loop(lambda: self.supervisor.repair(lab))
        self.until(lambda: self.passes > passes)

    def leave(self) -> None:
        """End in good order."""
        self._stop.set()
        self._runner.run(_ended(self._run))
        self._runner.close()

    def kill(self) -> None:
        """End as by SIGKILL: not one more call reaches kernel or store."""
        self.life.dead = True
        self.leave()

    def _listen(
        self, lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
    ) -> None:
        self.passes += not applying

    def _in_loop(self, call: Callable[[], Any]) -> Any:
        async def run() -> Any:
            return call()

        return self._runner.run(run())


async def _ended(task: asyncio.Task[None]) -> None:
    with contextlib.suppress(KilledError, asyncio.CancelledError):
        await task
