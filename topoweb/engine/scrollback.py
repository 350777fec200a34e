"""The recent output of a terminal, by its position in all that was ever written."""

from __future__ import annotations


class Scrollback:
    """A window over a series of bytes; ``start`` and ``end`` count from the first one ever."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.start = 0

    @property
    def end(self) -> int:
        """Position of the next byte."""
        return self.start + len(self._data)

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        self._data += data

    def read(self, position: int, limit: int) -> bytes:
        """Return at most ``limit`` bytes from ``position``, which must not be forgotten yet."""
        if position < self.start:
            raise ValueError(f"byte {position} is forgotten; {self.start} is the first kept")
        offset = position - self.start
        return bytes(self._data[offset : offset + limit])

    def forget(self, before: int) -> None:
        """Drop the bytes before a position."""
        if before > self.start:
            del self._data[: before - self.start]
            self.start = before
