"""Labs that stay watched for a while although nobody looks."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import RECORDING

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

LABS = 64  # held at a time


class Holds:
    """One hold a lab, each with its end. Belongs to one event loop."""

    def __init__(self, watching: Callable[[int], AbstractAsyncContextManager[object]]) -> None:
        """``watching(lab)`` keeps a lab watched while one is inside."""
        self._watching = watching
        self._held: dict[int, tuple[float, asyncio.Task[None]]] = {}

    async def hold(self, lab: int, until: float) -> None:
        """Hold a lab until a second of the epoch, in place of the end that it had.

        It is watched when this returns. A second that is past ends the hold. TopowebError(LIMIT)
        when too many labs are held.
        """
        before = self._held.pop(lab, None)
        now = time.time()
        until = min(until, now + RECORDING.kept_minutes * 60)
        try:
            if until > now:
                await self._begin(lab, until)
        finally:  # only now, so that the lab is watched throughout
            if before is not None:
                before[1].cancel()

    async def _begin(self, lab: int, until: float) -> None:
        if len(self._held) >= LABS:
            raise TopowebError(ErrorKind.LIMIT, "too many labs are held")
        begun = asyncio.Event()
        task = asyncio.create_task(self._run(lab, until, begun), name=f"hold {lab}")
        self._held[lab] = until, task
        await _first(task, begun)

    def until(self, lab: int) -> float:
        """Return until when a lab is held; 0: it is not."""
        return self._held[lab][0] if lab in self._held else 0.0

    async def stop(self) -> None:
        """End all holds."""
        tasks = [task for _, task in self._held.values()]
        self._held.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, lab: int, until: float, begun: asyncio.Event) -> None:
        try:
            async with self._watching(lab):
                begun.set()
                await asyncio.sleep(until - time.time())
        finally:
            held = self._held.get(lab)
            if held is not None and held[1] is asyncio.current_task():
                del self._held[lab]


async def _first(task: asyncio.Task[None], begun: asyncio.Event) -> None:
    """Wait until the task has begun; raise what ended it before."""
    waiting = asyncio.create_task(begun.wait())
    await asyncio.wait((task, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if task.done() and not task.cancelled():
        task.result()
