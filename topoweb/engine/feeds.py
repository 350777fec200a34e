"""One publisher, many readers, flat memory: each reader is a cursor into a bounded history.

A feed never waits for a reader and holds nothing per reader. `ConflatingFeed` gives one who fell
behind the *newest* state (deltas merged, or a snapshot), `GapFeed` gives the newest items and the
number of those it missed. All methods belong to one event loop.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import reduce
from typing import TYPE_CHECKING, Generic, TypeVar

from topoweb.core.tracing.flow import GapRing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T")


class Arrival:
    """Wakes every reader that waits for something newer, without knowing them."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def ring(self) -> None:
        """Something is there."""
        event, self._next = self._next, asyncio.Event()
        event.set()

    async def wait(self) -> None:
        """Wait for the next ring."""
        await self._next.wait()


class ConflatingFeed(Generic[T]):
    """A state that changes by deltas; readers get a snapshot, then what changed since.

    Each message is encoded once for all readers at the same cursor. ``encode`` may split a message
    into several payloads that must be sent in order.
    """

    def __init__(
        self,
        snapshot: Callable[[], T],
        merge: Callable[[T, T], T],
        encode: Callable[[T], tuple[bytes, ...]],
        history: int = 32,
    ) -> None:
        self._snapshot, self._merge, self._encode = snapshot, merge, encode
        self._deltas: deque[T] = deque(maxlen=history)
        self._encoded: dict[int, tuple[bytes, ...]] = {}  # by number of deltas behind, 0: snapshot
        self._arrival = Arrival()
        self.published = 0

    def publish(self, delta: T) -> None:
        """Tell every reader that the state has changed by ``delta``."""
        self._deltas.append(delta)
        self._encoded.clear()
        self.published += 1
        self._arrival.ring()

    def subscribe(self) -> ConflatingReader[T]:
        """Return a reader whose first message is a snapshot."""
        return ConflatingReader(self)

    async def read(self, cursor: int) -> tuple[tuple[bytes, ...], int]:
        """Wait for something newer than ``cursor``; return its payloads and the next cursor."""
        while cursor == self.published:
            await self._arrival.wait()
        behind = self.published - cursor
        if cursor < 0 or behind > len(self._deltas):
            behind = 0
        payloads = self._encoded.get(behind)
        if payloads is None:
            payloads = self._encoded[behind] = self._encode(self._since(behind))
        return payloads, self.published

    def _since(self, behind: int) -> T:
        if not behind:
            return self._snapshot()
        return reduce(self._merge, list(self._deltas)[-behind:])


class ConflatingReader(Generic[T]):
    """A cursor into a `ConflatingFeed`."""

    def __init__(self, feed: ConflatingFeed[T]) -> None:
        self._feed = feed
        self._cursor = -1

    async def take(self) -> tuple[bytes, ...]:
        """Wait for news and return the newest state as payloads to be sent in order."""
        payloads, self._cursor = await self._feed.read(self._cursor)
        return payloads


class GapFeed(Generic[T]):
    """A series of items of which a slow reader misses the oldest, and is told how many.

    A reader waits for the feed's `Arrival`. To encode once for all readers let the items be encoded
    already (`msgspec.Raw`).
    """

    def __init__(self, capacity: int, arrival: Arrival | None = None) -> None:
        """``arrival`` is rung for news; feeds that one reader waits for together share it."""
        self._ring: GapRing[T] = GapRing(capacity)
        self.arrival = arrival or Arrival()

    def publish(self, items: Iterable[T]) -> None:
        """Append items in order."""
        self._ring.extend(items)
        self.arrival.ring()

    def subscribe(self, backlog: int = 0) -> GapReader[T]:
        """Return a reader that starts ``backlog`` items before now (or at the oldest held)."""
        return GapReader(self, max(self._ring.start, self._ring.end - backlog))

    def read(self, cursor: int, limit: int) -> tuple[int, list[T], int]:
        """Return (gap, at most ``limit`` items after ``cursor``, next cursor)."""
        return self._ring.read(cursor, limit)

    @property
    def end(self) -> int:
        """Number of the next item."""
        return self._ring.end


class GapReader(Generic[T]):
    """A cursor into a `GapFeed`."""

    def __init__(self, feed: GapFeed[T], cursor: int) -> None:
        self._feed = feed
        self._cursor = cursor

    def waiting(self) -> bool:
        """True when there is something that was not taken."""
        return self._cursor < self._feed.end

    def take(self, limit: int) -> tuple[int, list[T]]:
        """Return (number missed before them, at most ``limit`` items), perhaps none."""
        gap, items, self._cursor = self._feed.read(self._cursor, limit)
        return gap, items
