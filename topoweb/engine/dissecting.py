"""One packet shown by tshark, for whoever asks: two at a time, one a lab."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import defaultdict
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from topoweb.engine.ports import Dissector

AT_A_TIME = 2
PATIENCE = 5.0  # seconds that a question waits for its turn

# What is answered instead of an error: the web has words for each.
STATES = {
    ErrorKind.UNSUPPORTED: "tshark-missing",
    ErrorKind.BUSY: "tshark-busy",
    ErrorKind.LIMIT: "tshark-busy",
}


class Dissecting:
    """Answers QUERY ``{"what": "dissect", "data": base64, "length", "time_ns"}``."""

    def __init__(self, dissector: Dissector) -> None:
        self._dissector = dissector
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._turns: defaultdict[int, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(self, lab: int, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return ``{"pdml"}``, unread, or ``{"error", "reason"}``."""
        frame, numbers = _frame(params), [_whole(params, key) for key in ("length", "time_ns")]
        try:
            async with self._turn(lab):
                pdml = await asyncio.to_thread(self._dissector.dissect, frame, *numbers)
        except TopowebError as error:
            return {"error": STATES.get(error.kind, "tshark-failed"), "reason": error.message}
        return {"pdml": pdml.decode(errors="replace")}

    @asynccontextmanager
    async def _turn(self, lab: int) -> AsyncIterator[None]:
        turn = self._turns[lab]
        try:
            async with asyncio.timeout(PATIENCE):
                await turn.acquire()
                try:
                    await self._slots.acquire()
                except BaseException:
                    self._leave(lab, turn)
                    raise
        except TimeoutError:
            raise TopowebError(ErrorKind.BUSY, "other packets are being dissected") from None
        try:
            yield
        finally:
            self._slots.release()
            self._leave(lab, turn)

    def _leave(self, lab: int, turn: asyncio.Lock) -> None:
        turn.release()
        if not turn.locked():
            self._turns.pop(lab, None)


def _frame(params: Mapping[str, Any]) -> bytes:
    data = params.get("data")
    try:
        return base64.b64decode(data if isinstance(data, str) else "?", validate=True)
    except (binascii.Error, ValueError):
        raise TopowebError(ErrorKind.INVALID, "data is no base64", path="data") from None


def _whole(params: Mapping[str, Any], name: str) -> int:
    value = params.get(name)
    if not isinstance(value, int) or not 0 <= value < 1 << 63:
        raise TopowebError(ErrorKind.INVALID, f"{name} is not a number", path=name)
    return value
