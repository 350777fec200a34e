"""One service: started, watched, started again with back-off, until the task is cancelled.

A cancelled task leaves its program running and recorded: whether it ends, is for who cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import SILENT, Text, refusal, text
from topoweb.engine.servicerecords import Running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from topoweb.core.programs import Recipe, Started
    from topoweb.engine.ports import Sandboxes
    from topoweb.engine.servicerecords import Records

SETTLING = 0.3  # seconds that a program must live to be called running
STEADY = 60.0  # seconds after which a death is not counted with the ones before
LAST_WORDS = 2048  # bytes of the log in which the reason of a death is looked for
SHOWN = 200  # characters of it

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a service is. ``state``: starting, running, failed or stopped."""

    node: str
    state: str
    said: Text = SILENT
    since: float | None = None  # epoch seconds: it runs since then
    restarts: int = 0
    digest: str = ""

    def shown(self) -> dict[str, Any]:
        """Return it as a LIVE message has it."""
        return {
            "state": self.state,
            **self.said.shown(),
            "message": self.said.line,
            "since": self.since,
            "restarts": self.restarts,
        }


class Call(Protocol):
    """Runs a blocking call in a thread."""

    def __call__(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Awaitable[Any]:  # noqa: ANN401
        """Return what ``work`` returns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What all services of a lab share."""

    lab: int
    sandboxes: Sandboxes
    call: Call
    records: Records
    said: Callable[[str, Status | None], None]
    backoff: Callable[[int], float]


async def keep(key: str, recipe: Recipe, around: Surroundings) -> None:
    """Keep a service running until cancelled. One that runs already is adopted."""
    await _Keeper(key, recipe, around).run()


class _Keeper:
    def __init__(self, key: str, recipe: Recipe, around: Surroundings) -> None:
        self._key, self._recipe, self._around = key, recipe, around
        self._restarts = 0

    async def run(self) -> None:
        attempts = 0
        started = await self._adopted()
        while True:
            born = time.monotonic()
            try:
                reason = await self._live(started)
            except TopowebError as error:
                reason = Text.of(error)
            except Exception:  # a service's fault must not end its task
                log.exception("service %s of lab %d", self._key, self._around.lab)
                reason = text("worker-fault")
            started = None
            if time.monotonic() - born > STEADY:
                attempts = 0
            self._say("failed", reason)
            await asyncio.sleep(self._around.backoff(attempts))
            attempts += 1
            self._restarts += 1

    async def _adopted(self) -> Started | None:
        """Return the program that a worker before this one left running."""
        running = self._around.records.get(self._key)
        if running is None:
            return None
        if await self._around.call(self._around.sandboxes.alive, running.started):
            return running.started
        await self._bury(running.started)
        return None

    async def _live(self, started: Started | None) -> Text:
        """Run the program once, from its start or its adoption; return why it ended."""
        if started is None:
            self._say("starting")
            started = await self._start()
        with _Deathwatch(started) as death:
            # A pid is proved after its descriptor is open: it cannot be another's from then on.
            alive = await self._around.call(self._around.sandboxes.alive, started)
            if alive and not await death.comes_within(SETTLING):
                self._say("running", since=time.time())
                await death.comes()
        return await self._bury(started)

    async def _start(self) -> Started:
        _check(self._recipe)
        work = asyncio.ensure_future(self._around.call(self._furnish_and_start))
        try:
            started: Started = await asyncio.shield(work)
        except asyncio.CancelledError:
            with contextlib.suppress(TopowebError):  # what the thread starts is not lost
                self._note(await work)
            raise
        self._note(started)
        return started

    def _furnish_and_start(self) -> Started:
        recipe, sandboxes, lab = self._recipe, self._around.sandboxes, self._around.lab
        if recipe.files:
            sandboxes.furnish(lab, recipe.node, recipe.place, recipe.files)
        return sandboxes.start(lab, recipe.node, recipe.command, recipe.place)

    def _note(self, started: Started) -> None:
        self._around.records.put(self._key, Running(started, self._recipe.digest))

    async def _bury(self, started: Started) -> Text:
        """End what a dead program left behind, and return its last words."""
        around = self._around
        await around.call(around.sandboxes.end, started)
        around.records.forget(self._key)
        around.records.flush()
        said = await around.call(around.sandboxes.log, around.lab, self._recipe.place, LAST_WORDS)
        lines = said.decode(errors="replace").strip().splitlines()
        if not lines:
            return text("program-ended")
        return text("program-ended-saying", words=lines[-1].strip()[:SHOWN])

    def _say(self, state: str, said: Text = SILENT, since: float | None = None) -> None:
        status = Status(
            node=self._recipe.node,
            state=state,
            said=said,
            since=since,
            restarts=self._restarts,
            digest=self._recipe.digest,
        )
        self._around.said(self._key, status)


class _Deathwatch:
    """Hears of a process's end at once, by a pidfd."""

    def __init__(self, started: Started) -> None:
        self._dead = asyncio.Event()
        try:
            self._pidfd = os.pidfd_open(started.pid)
        except ProcessLookupError:
            self._pidfd = -1
            self._dead.set()

    def __enter__(self) -> _Deathwatch:
        if self._pidfd >= 0:
            asyncio.get_running_loop().add_reader(self._pidfd, self._dead.set)
        return self

    def __exit__(self, *error: object) -> None:
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)

    async def comes(self) -> None:
        await self._dead.wait()

    async def comes_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._dead.wait()
        return self._dead.is_set()


def _check(recipe: Recipe) -> None:
    """Refuse what cannot start: as drawn, or because this host lacks a program."""
    if recipe.fault:
        raise refusal(ErrorKind.INVALID, recipe.fault)
    for program, package in recipe.needs.items():
        if not Path(program).exists():  # nodes see this host's /usr
            missing = {"program": program, "package": package}
            raise refusal(ErrorKind.UNSUPPORTED, "program-missing", **missing)
