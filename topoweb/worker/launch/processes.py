"""Keep a handful of child processes alive, and end them in order."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

log = logging.getLogger(__name__)
GRACE = 10.0  # seconds between SIGTERM and SIGKILL
BACKOFF = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # seconds before the n-th restart in a row
STEADY = 60.0  # a process that ran this long starts its back-off anew


@dataclass(slots=True)
class Child:
    """One supervised process: what to run, and how it stands."""

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    process: asyncio.subprocess.Process | None = field(default=None, init=False)


class Supervisor:
    """Starts children in order, restarts those that die, stops them in reverse order."""

    def __init__(self) -> None:
        self._children: list[Child] = []
        self._watchers: dict[str, asyncio.Task[None]] = {}
        self._stopping = False

    async def start(self, child: Child) -> None:
        """Start a child and watch it from now on."""
        self._children.append(child)
        await self._spawn(child)
        self._watchers[child.name] = asyncio.create_task(self._watch(child))

    async def _spawn(self, child: Child) -> None:
        child.process = await asyncio.create_subprocess_exec(
            *child.argv,
            env=dict(child.environment),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which ends in order
        )

    async def _watch(self, child: Child) -> None:
        failures = 0
        loop = asyncio.get_running_loop()
        while child.process is not None:
            born = loop.time()
            code = await child.process.wait()
            if self._stopping:
                return
            failures = 0 if loop.time() - born > STEADY else failures
            pause = BACKOFF[min(failures, len(BACKOFF) - 1)]
            failures += 1
            log.warning("%s ended with %s; starting it again in %.1f s", child.name, code, pause)
            await asyncio.sleep(pause)
            await self._spawn(child)

    async def stop(self) -> None:
        """End every child, the last started first."""
        self._stopping = True
        for child in reversed(self._children):
            self._watchers[child.name].cancel()
            if child.process is not None and child.process.returncode is None:
                await _end(child.process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), GRACE)
        except TimeoutError:
            process.kill()
            await process.wait()
