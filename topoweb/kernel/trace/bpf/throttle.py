"""How much is left out when there is more than we can read: whole flows, by halves."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# Of the ring's fullest stripe: where there are two, the reader is behind by a quarter of a second.
FULL, CALM = 0.2, 0.02
RAISE_EVERY, LOWER_EVERY = 0.2, 2.0  # seconds
DRAINS = 0.95  # of what it was full when it was raised last: what came in a hiccup is being read
MOST = 10  # one flow in 1,024


class Throttle:
    """Says which power of two of the flows is to be left out, from how full the ring is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._power = 0
        self._changed = clock()
        self._raised = 0.0  # how full it was then

    def power(self, filled: float) -> int:
        """Return n: one flow in 2^n is to be recorded."""
        quiet = self._clock() - self._changed
        if filled <= FULL:
            self._raised = 0.0
            if filled < CALM and quiet >= LOWER_EVERY and self._power:
                self._set(self._power - 1)
        elif filled >= DRAINS * self._raised and quiet >= RAISE_EVERY and self._power < MOST:
            self._set(self._power + 1)
            self._raised = filled
        return self._power

    def _set(self, power: int) -> None:
        self._power = power
        self._changed = self._clock()
