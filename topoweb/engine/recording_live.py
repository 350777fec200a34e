"""The last minutes of labs' live state: a whole message, then the changes since."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

import msgspec

from topoweb.core.limits import RECORDING
from topoweb.core.tracing import live
from topoweb.engine.holds import Holds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from topoweb.core.tracing.live import Delta

NODE_BYTES, LINK_BYTES = 4096, 1024  # of one in a delta, about
LABS = 64  # whose last minutes are kept


class LiveTape:
    """What LIVE said of one lab. Memory is bounded: old changes become part of what they change."""

    def __init__(self, seconds: float = RECORDING.seconds, memory: int = RECORDING.memory) -> None:
        self.memory = memory  # bytes; less of it holds from the next change on
        self._seconds = seconds
        self._base: Delta | None = None  # whole, as it was before the changes
        self._deltas: deque[Delta] = deque()
        self._bytes = 0
        self._begun = False
        self._ended: float | None = None  # since when nothing is heard; None: it goes on

    def begin(self) -> None:
        """Take the next change whole: what came before it was not heard."""
        self._begun, self._ended = False, None

    def end(self) -> None:
        """Nothing is heard from now on."""
        self._ended = time.time()

    def take(self, delta: Delta, snapshot: Callable[[], Delta]) -> None:
        """Keep a change; ``snapshot()`` is what the state is after it."""
        if not self._begun:
            delta, self._begun = snapshot(), True
        elif not delta:
            return
        self._deltas.append(delta)
        self._bytes += _size(delta)
        self._trim(delta.time)

    def _trim(self, now: float) -> None:
        oldest, deltas = now - self._seconds, self._deltas
        while deltas and (self._bytes > self.memory or deltas[0].time < oldest):
            first = deltas.popleft()
            self._bytes -= _size(first)
            self._base = live.merge(self._base, first) if self._base is not None else first

    def since(self, moment: float) -> list[tuple[float, Delta]]:
        """Return messages with their times, the first of them whole; none when there is none."""
        base = self._base
        later: list[Delta] = []
        for one in self._deltas:
            if one.time >= moment and base is not None:
                later.append(one)
            else:
                base = live.merge(base, one) if base is not None else one
        if base is None or (self._ended is not None and self._ended < moment):
            return []
        return [(max(base.time, moment), base), *((one.time, one) for one in later)]


def _size(delta: Delta) -> int:
    return NODE_BYTES * len(delta.nodes) + LINK_BYTES * (len(delta.links) + len(delta.warnings))


class LiveTapes:
    """The tapes of all labs, and the question about them. Belongs to one event loop."""

    def __init__(self, watching: Callable[[int], AbstractAsyncContextManager[object]]) -> None:
        """``watching(lab)`` keeps a lab's live state coming while one is inside."""
        self._tapes: OrderedDict[int, LiveTape] = OrderedDict()
        self._holds = Holds(watching)

    def of(self, lab: int) -> LiveTape:
        """Return the tape of a lab that begins to be watched."""
        tape = self._tapes.setdefault(lab, LiveTape())
        tape.begin()
        self._tapes.move_to_end(lab)
        if len(self._tapes) > LABS:
            self._tapes.popitem(last=False)
        for one in self._tapes.values():
            one.memory = RECORDING.share(len(self._tapes))
        return tape

    async def answer(self, lab: int, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer ``recording``: ``{"live": [[time, LIVE payload]]}`` of the last ``seconds``.

        With ``until`` the live state is also kept on until then, although nobody looks.
        """
        until, seconds = params.get("until"), params.get("seconds")
        if isinstance(until, int | float):
            await self._holds.hold(lab, until)
        if not isinstance(seconds, int | float) or lab not in self._tapes:
            return {"live": []}
        found = self._tapes[lab].since(time.time() - seconds)
        return {"live": msgspec.Raw(await asyncio.to_thread(msgspec.json.encode, found))}

    async def stop(self) -> None:
        """End what is held."""
        await self._holds.stop()
