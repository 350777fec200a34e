"""Flow control as plain values: how much may be sent, and what is kept for a slow reader.

A reader grants *credit*; nothing is sent without it, so no buffer between the kernel and the
browser can grow. What waits meanwhile is decided by the kind of stream: live state conflates
(`engine.feeds.ConflatingFeed`), packets drop the oldest and say how many (`GapRing`).
"""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable

T = TypeVar("T")


class CreditWindow:
    """Credit a reader has granted and not yet used, never above ``limit``."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.available = 0

    def grant(self, amount: int) -> None:
        """Add credit. Over the limit it is cut: a reader cannot ask for unbounded data."""
        self.available = min(self._limit, self.available + amount)

    def spend(self, amount: int = 1) -> bool:
        """Take credit and return True, or return False and leave it."""
        if self.available < amount:
            return False
        self.available -= amount
        return True


class GapRing(Generic[T]):
    """The last ``capacity`` items, numbered from 0 on; older ones are forgotten."""

    def __init__(self, capacity: int) -> None:
        self._items: deque[T] = deque(maxlen=capacity)
        self.end = 0  # number of the next item

    @property
    def start(self) -> int:
        """Number of the oldest item still held."""
        return self.end - len(self._items)

    def extend(self, items: Iterable[T]) -> None:
        """Append items, forgetting the oldest ones when full."""
        for item in items:
            self._items.append(item)
            self.end += 1

    def read(self, cursor: int, limit: int) -> tuple[int, list[T], int]:
        """Return (items lost before what follows, at most ``limit`` items, next cursor)."""
        first = max(cursor, self.start)
        last = min(first + limit, self.end)
        offset = first - self.start
        items = list(islice(self._items, offset, offset + last - first))
        return first - cursor, items, last
