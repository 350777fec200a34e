"""A small process of ours beside the worker: its start, its socket and its end."""

from __future__ import annotations

import socket
import subprocess
import sys

DEATH_TIMEOUT = 10.0  # seconds


class Script:
    """A Python file that runs as a process, without site packages, and is asked over a socket.

    Its ``argv[1]`` is the number of its end of a SOCK_SEQPACKET pair; it ends when ours closes.
    Not thread-safe: whoever asks holds a lock over question and answer anyway.
    """

    def __init__(self, path: str, *, message: int = 0, timeout: float | None = None) -> None:
        """``message``: bytes of the largest message, 0 for small ones; ``timeout`` of ours, s."""
        self._path = path
        self._message = message
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """The process's pid while it runs."""
        return self._process.pid if self._process else None

    def start(self) -> socket.socket:
        """Return our end of the socket; the process is started unless it runs."""
        if self._channel and self._process and self._process.poll() is None:
            return self._channel
        self.stop()
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if self._message:
            for end in (ours, theirs):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._message)
        ours.settimeout(self._timeout)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", self._path, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        self._channel = ours
        return ours

    def stop(self) -> None:
        """Close the socket and wait for the process to end; a stubborn one is killed."""
        if self._channel:
            self._channel.close()
        if self._process:
            try:
                self._process.wait(DEATH_TIMEOUT)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._channel = self._process = None
