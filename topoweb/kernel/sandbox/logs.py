"""Logs that stay small while programs write them.

A program appends to its log through its own descriptor and nobody stands between: the worker may
be dead. So the worker takes the old part of a long log away from under it, by a hole in the file
(fallocate(2)): the writer never waits, and what it wrote last is there. Between two looks the
bounded file system of the logs is the ceiling; a program that fills it gets ENOSPC.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

LONGEST = 256 << 10  # bytes that a log may occupy
KEPT = 128 << 10  # bytes that are left of a longer one
EVERY = 0.25  # seconds
BLOCK = 4096
FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE = 1, 2

_libc = ctypes.CDLL(None, use_errno=True)


class LogKeeper:
    """A thread that keeps all logs of some directories short; it starts at the first `watch`."""

    def __init__(self, directories: Callable[[], Iterable[Path]]) -> None:
        self._directories = directories
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Start unless it runs."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
                self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            for directory in self._directories():
                with contextlib.suppress(OSError):
                    for entry in os.scandir(directory):
                        shorten(entry.path)


def shorten(path: str) -> None:
    """Take the old part out of a log that is too long; offsets stay as they are."""
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        found = os.fstat(fd)
        if found.st_blocks * 512 > LONGEST:
            length = (found.st_size - KEPT) // BLOCK * BLOCK
            mode = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
            _libc.fallocate(fd, mode, ctypes.c_int64(0), ctypes.c_int64(length))
    finally:
        os.close(fd)


def open_for_append(path: Path) -> int:
    """Open a log, making it when it is not there; the caller closes it."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    return os.open(path, flags, 0o600)


def tail(path: Path, limit: int) -> bytes:
    """Return the last ``limit`` bytes of a log; empty when there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(fd, limit, max(os.fstat(fd).st_size - limit, 0))
    finally:
        os.close(fd)
