"""Reading a BPF ring buffer through its mapping (kernel/bpf/ringbuf.c), without a call per event.

All records of a ring have one size here, so a batch is decoded by one `struct`.
"""

from __future__ import annotations

import mmap
import struct
from itertools import takewhile
from typing import TYPE_CHECKING, Final, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

DATA = 128  # bytes of a frame that the program records
RECEIVED, SENT, DROPPED = 0, 1, 2

# Header of the ring's record, then `struct event` of layout.h.
_RECORD = struct.Struct(f"=II QQQQ16s II HHHHH BBB {DATA}s 3x")
_POSITION = struct.Struct("=Q")
BUSY = 0x80000000  # being written at this moment


# The fields of a record: length and place of the ring's own header; time (CLOCK_MONOTONIC, ns),
# skb, location, cookie, interface (filled up with zeros), length, reason, protocol and vlan_proto
# (both in network order), vlan_tci, gso_size, gso_segs, captured, link_header, kind, data.
Event: TypeAlias = tuple[
    int, int, int, int, int, int, bytes, int, int, int, int, int, int, int, int, int, int, bytes
]
TIME: Final = 2  # its place


class Ring:
    """The reader's side of a ring of ``size`` bytes."""

    def __init__(self, fd: int, size: int) -> None:
        page = mmap.PAGESIZE
        self._size = size
        self._consumer = mmap.mmap(fd, page, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE)
        # The data is mapped twice in a row, so that no record is ever cut.
        self._producer = mmap.mmap(
            fd, page + 2 * size, mmap.MAP_SHARED, mmap.PROT_READ, offset=page
        )
        self._data = memoryview(self._producer)[page:]
        self._at: int = _POSITION.unpack_from(self._consumer)[0]

    @property
    def filled(self) -> float:
        """How full it is, 0 to 1."""
        return float(self._end() - self._at) / self._size

    def read(self, limit: int) -> tuple[list[Event], bool]:
        """Take at most ``limit`` events; return them and whether that was all.

        False: more wait, or one is being written; what comes after it here may be older.
        """
        start = self._at & (self._size - 1)
        waiting = (self._end() - self._at) // _RECORD.size
        with self._data[start : start + min(limit, waiting) * _RECORD.size] as data:
            taken = list(takewhile(_is_written, cast("Iterator[Event]", _RECORD.iter_unpack(data))))
        self._at += len(taken) * _RECORD.size
        _POSITION.pack_into(self._consumer, 0, self._at)
        return taken, len(taken) == waiting

    def close(self) -> None:
        """Unmap it."""
        self._data.release()
        self._producer.close()
        self._consumer.close()

    def _end(self) -> int:
        return int(_POSITION.unpack_from(self._producer)[0])


def _is_written(event: Event) -> bool:
    return not event[0] & BUSY
