"""A call at a moment of the wall clock, however that clock or the machine's sleep may jump."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LOOK = 30.0  # seconds at most between two looks at the clock


class Alarm:
    """Calls ``ring`` once when a moment has come. Belongs to one event loop."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._timer: asyncio.TimerHandle | None = None

    def set(self, moment: float | None) -> None:
        """Ring at this second of the epoch and at no other; None: not at all."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if moment is not None:
            self._wait(moment)

    def _wait(self, moment: float) -> None:
        left = moment - time.time()
        if left <= 0:
            self._timer = None
            self._ring()
        else:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(min(left, LOOK), self._wait, moment)
