"""How often something of the same kind is worth an explanation."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

APART_NS = 1_000_000_000  # between two of the same key
PER_SECOND, BURST = 20, 50  # of all keys together
KEYS = 4096


class CaseRate:
    """Lets through one a second of each key, and a bounded number in all; counts the others."""

    def __init__(self) -> None:
        self._last: OrderedDict[Hashable, tuple[int, int]] = OrderedDict()  # → time, left out
        self._tokens = float(BURST)
        self._filled = 0

    def admit(self, key: Hashable, now_ns: int) -> int | None:
        """Return how many of ``key`` were left out since the last one that was let through.

        None: leave this one out, too.
        """
        last, left_out = self._last.get(key, (-APART_NS, 0))
        self._fill(now_ns)
        if now_ns - last < APART_NS or self._tokens < 1:
            self._note(key, last, left_out + 1)
            return None
        self._tokens -= 1
        self._note(key, now_ns, 0)
        return left_out

    def leave_out(self, key: Hashable, left_out: int) -> None:
        """Count one that was let through, and with it those that it stood for, as left out."""
        last, since = self._last.get(key, (0, 0))
        self._note(key, last, since + left_out + 1)

    def _fill(self, now_ns: int) -> None:
        passed = max(0, now_ns - self._filled)
        self._filled = max(self._filled, now_ns)
        self._tokens = min(float(BURST), self._tokens + passed * PER_SECOND / 1e9)

    def _note(self, key: Hashable, time_ns: int, left_out: int) -> None:
        self._last[key] = time_ns, left_out
        self._last.move_to_end(key)
        if len(self._last) > KEYS:
            self._last.popitem(last=False)
