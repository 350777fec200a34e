"""A program on a pseudo-terminal, as the event loop meets it: no thread, nothing blocks.

pty(7): the kernel holds about 12 KiB of output that nobody read; then the program waits. Reading
the master side fails with EIO once nothing has the terminal open any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import signal
import struct
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from topoweb.core.programs import Terminal

PIECE = 4096  # bytes that one read of a pty gives at most
RETRY = 0.05  # seconds after which a full pty is tried again: its wake-up may come too early
REOPENED = 0.5  # seconds after which a terminal that nobody had open is looked at again
PATIENCE = 2.0  # seconds from hanging up to SIGKILL
LAST_WORDS = 0.5  # seconds from the program's end in which its last output must have come
REAPED = 0.02  # seconds between two questions for the status of a program that is not our child

# struct pidfd_info: mask, then ids, then the wait status
INFO = struct.Struct("Q52xi")
INFO_EXIT = 1 << 3
PIDFD_GET_INFO = 0xC040FF0B  # _IOWR(0xFF, 11, struct pidfd_info)
UNKNOWN = -1

log = logging.getLogger(__name__)


class Pty:
    """Owns the two descriptors of a `Terminal`.

    ``heard()`` is called while there is something to read and `listen` is on, ``ended(status)``
    once, after the program's end and the last call of ``heard``.
    """

    def __init__(
        self, terminal: Terminal, heard: Callable[[], None], ended: Callable[[int], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._master: int | None = terminal.master
        self._pidfd = terminal.pidfd
        self._heard, self._ended = heard, ended
        self._wanted = self._listening = False
        self._hung = False  # nothing has the terminal open: a reader would make the loop turn
        self._writing = asyncio.Lock()
        self.exited = False  # what the program wrote last may still be to be read
        self._asked = 0
        self._timer: asyncio.TimerHandle | None = None
        os.set_blocking(terminal.master, False)
        self._loop.add_reader(self._pidfd, self._exited)

    def listen(self, on: bool) -> None:
        """Call ``heard`` when there is something to read, or do not."""
        self._wanted = on
        on = on and not self._hung
        if on == self._listening or self._master is None:
            return
        self._listening = on
        if on:
            self._loop.add_reader(self._master, self._heard)
        else:
            self._loop.remove_reader(self._master)

    def read(self, limit: int) -> bytes:
        """Return what is there, at most ``limit`` bytes."""
        pieces: list[bytes] = []
        while limit > 0 and self._master is not None:
            try:
                piece = os.read(self._master, min(limit, PIECE))
            except BlockingIOError:
                break
            except OSError as error:
                self._unheard(error)
                break
            pieces.append(piece)
            limit -= len(piece)
        return b"".join(pieces)

    async def write(self, data: bytes) -> None:
        """Type ``data``; wait while the pty is full. What a dead program does not take is gone."""
        rest = memoryview(data)
        async with self._writing:
            while rest and self._master is not None:
                try:
                    rest = rest[os.write(self._master, rest) :]
                except BlockingIOError:
                    await self._writable(self._master)
                except OSError:
                    return

    def resize(self, columns: int, rows: int) -> None:
        """Tell the kernel, which tells the program by SIGWINCH."""
        if self._master is not None:
            size = struct.pack("HHHH", rows, columns, 0, 0)
            fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def hang_up(self) -> None:
        """Close the terminal: the kernel sends SIGHUP. Who ignores it is killed 2 s later."""
        if self._master is not None and not self.exited:
            self._close_master()
            self._later(PATIENCE, self.kill)

    def kill(self) -> None:
        """End the program at once."""
        if not self.exited:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)

    def abandon(self) -> None:
        """Close the descriptors, whatever becomes of the program."""
        if self._pidfd >= 0:
            self._loop.remove_reader(self._pidfd)
            self.exited = True
            self._conclude(UNKNOWN)

    def _unheard(self, error: OSError) -> None:
        """Nothing has the terminal open: the program ended, or closed it and may open it again."""
        if error.errno != errno.EIO:
            log.warning("a terminal could not be read", exc_info=error)
        self._hung = True
        self.listen(self._wanted)
        if self.exited:
            self._loop.call_soon(self._finish)  # after the caller has what was read before
        else:
            self._later(REOPENED, self._reopen)

    def _reopen(self) -> None:
        self._hung = False
        self.listen(self._wanted)

    async def _writable(self, master: int) -> None:
        free = asyncio.Event()
        self._loop.add_writer(master, free.set)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RETRY):
                    await free.wait()
        finally:
            if self._master is not None:  # else it is closed, and its number another's perhaps
                self._loop.remove_writer(master)

    def _exited(self) -> None:
        self._loop.remove_reader(self._pidfd)
        self.exited = True
        if self._master is None:
            self._finish()
            return
        self._later(LAST_WORDS, self._finish)
        self._hung = False
        self._heard()  # up to EIO, which finishes

    def _finish(self) -> None:
        """Close; tell the end as soon as its status is known, or can no more become known."""
        self._close_master()
        if self._pidfd < 0:
            return
        status, self._asked = _status(self._pidfd), self._asked + 1
        if status is None and self._asked * REAPED < LAST_WORDS:
            self._later(REAPED, self._finish)
        else:
            self._conclude(UNKNOWN if status is None else status)

    def _conclude(self, status: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._close_master()
        os.close(self._pidfd)
        self._pidfd = -1
        self._ended(status)

    def _close_master(self) -> None:
        if self._master is not None:
            self.listen(False)
            self._loop.remove_writer(self._master)
            os.close(self._master)
            self._master = None

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, what)


def _status(pidfd: int) -> int | None:
    """Return the exit status, 128 + signal of a killed program; None when nobody can say.

    Of a program that is not our child the kernel tells it once its parent has reaped it
    (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15; include/uapi/linux/pidfd.h).
    """
    with contextlib.suppress(ChildProcessError):
        if found := os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG):
            killed = found.si_code != os.CLD_EXITED
            return found.si_status + 128 * killed
    info = bytearray(INFO.size)
    INFO.pack_into(info, 0, INFO_EXIT, 0)
    with contextlib.suppress(OSError):
        fcntl.ioctl(pidfd, PIDFD_GET_INFO, info)
        told, code = INFO.unpack(info)
        if told & INFO_EXIT:
            status = os.waitstatus_to_exitcode(code)
            return status if status >= 0 else 128 - status
    return None
