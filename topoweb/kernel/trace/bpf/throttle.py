"""How much is left out when there is more than we can read: whole flows, by halves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Of the ring. A tenth of 64 MiB is what the reader is behind by some quarter of a second.
FULL, CALM = 0.1, 0.02
RAISE_EVERY, LOWER_EVERY = 0.2, 5.0  # seconds
MOST = 10  # one flow in 1,024


class Throttle:
    """Says which power of two of the flows is to be left out, from how full the ring is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._power = 0
        self._changed = clock()

    def power(self, filled: float) -> int:
        """Return n: one flow in 2^n is to be recorded."""
        quiet = self._clock() - self._changed
        if filled > FULL and quiet >= RAISE_EVERY and self._power < MOST:
            self._set(self._power + 1)
        elif filled < CALM and quiet >= LOWER_EVERY and self._power:
            self._set(self._power - 1)
        return self._power

    def _set(self, power: int) -> None:
        self._power = power
        self._changed = self._clock()
