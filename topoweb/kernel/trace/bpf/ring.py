"""Reading the program's rings (layout.h) through their mappings, without a call per event.

A ring is an array that several processors write side by side, in up to eight stripes. All records
of a ring have one size, so a batch is decoded by one `struct`.
"""

from __future__ import annotations

import mmap
import struct
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = 128  # bytes of a frame that the program records
WHOLE = 2048  # likewise, of one that is wanted whole
RECEIVED, SENT, DROPPED = 0, 1, 2

# `struct event`: lap, length, time (CLOCK_MONOTONIC, ns), skb, where (cookie, interface's name
# filled up with zeros, kind), link_header, captured, shape (protocol and vlan_proto, both in
# network order, vlan_tci, gso_size, gso_segs), data. Of a drop before data: location, reason.
Event: TypeAlias = tuple[int, int, int, int, bytes, int, int, bytes, bytes]
Drop: TypeAlias = tuple[int, int, int, int, bytes, int, int, bytes, int, int, bytes]
TIME: Final = 2  # its place
_EVENT = "=II QQ 25s BH 10s 2x"

STRIPE_BYTES = 128  # of positions: written in the first line, read in the second
READ_AT = 64
WORD = 8


class Kind(NamedTuple):
    """What a ring holds."""

    name: str  # of its maps: the records are in `<name>s`, the positions in `<name>_at`
    record: struct.Struct


HOPS = Kind("hop", struct.Struct(f"{_EVENT} {DATA}s"))
WHOLES = Kind("whole", struct.Struct(f"{_EVENT} {WHOLE}s"))
DROPS = Kind("drop", struct.Struct(f"{_EVENT} QQ {DATA}s 48x"))


class Ring:
    """The reader's side of a ring of ``stripes``, each of 2 to the power of ``bits`` slots."""

    def __init__(self, kind: Kind, records: int, positions: int, stripes: int, bits: int) -> None:
        """``records`` and ``positions`` are descriptors of its two maps."""
        size = kind.record.size * stripes << bits
        self._records = mmap.mmap(records, _pages(size), mmap.MAP_SHARED, mmap.PROT_READ)
        self._positions = mmap.mmap(positions, _pages(STRIPE_BYTES * stripes))
        self._bytes = memoryview(self._records)
        # As words, each read and written in one piece: the program reads them at the same time.
        self._words = memoryview(self._positions).cast("Q")
        self.stripes = [
            Stripe(kind.record, self._bytes, self._words, number, bits) for number in range(stripes)
        ]

    @property
    def filled(self) -> float:
        """How full its fullest stripe is, 0 to 1."""
        return max(stripe.filled for stripe in self.stripes)

    def close(self) -> None:
        """Unmap it."""
        self._bytes.release()
        self._words.release()
        self._records.close()
        self._positions.close()


class Stripe:
    """What some of the processors write."""

    def __init__(
        self,
        record: struct.Struct,
        data: memoryview,
        positions: memoryview[int],
        number: int,
        bits: int,
    ) -> None:
        self._record, self._data, self._positions = record, data, positions
        self._at_written = number * STRIPE_BYTES // WORD
        self._bits, self._slots = bits, 1 << bits
        self._first = number << bits
        self._read = 0

    @property
    def filled(self) -> float:
        """How full it is, 0 to 1."""
        return (self._written() - self._read) / self._slots

    def read(self, limit: int) -> tuple[list[Event], bool]:
        """Take at most ``limit`` events; return them and whether that was all.

        False: more wait, or one is being written; what comes after it here may be older.
        """
        waiting = self._written() - self._read
        taken: list[Event] = []
        while left := min(limit, waiting) - len(taken):
            slot = self._read & (self._slots - 1)
            count = min(left, self._slots - slot)
            run = self._run(slot, count)
            taken += run
            self._read += len(run)
            if len(run) < count:
                break
        self._positions[self._at_written + READ_AT // WORD] = self._read
        return taken, len(taken) == waiting

    def _run(self, slot: int, count: int) -> list[Event]:
        """Return what was written in this lap, up to what is being written at this moment."""
        size, start = self._record.size, self._first + slot
        lap = (self._read >> self._bits) + 1 & 0xFFFFFFFF
        run: list[Event] = []
        with self._data[start * size : (start + count) * size] as data:
            for event in cast("Iterator[Event]", self._record.iter_unpack(data)):
                if event[0] != lap:
                    break
                run.append(event)
        return run

    def _written(self) -> int:
        return self._positions[self._at_written]


def _pages(size: int) -> int:
    return -(-size // mmap.PAGESIZE) * mmap.PAGESIZE
