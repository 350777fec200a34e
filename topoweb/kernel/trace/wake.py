"""The doorbell between worker and tracer: one datagram with a lab's number after each change.

A lost one costs a second: the tracer looks at the manifests by itself.
"""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WAKE_NAME = "tracer-wake.sock"


def notify(run_dir: Path, lab: int) -> None:
    """Tell the tracer, if there is one, that a lab's kernel objects changed. Never blocks."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as bell,
        contextlib.suppress(OSError),  # no tracer, or one with its hands full
    ):
        bell.sendto(str(lab).encode(), str(run_dir / WAKE_NAME))


def listen(run_dir: Path) -> socket.socket:
    """Return the tracer's end, in place of one that an earlier tracer left."""
    path = run_dir / WAKE_NAME
    path.unlink(missing_ok=True)
    bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    bell.bind(str(path))
    path.chmod(0o600)
    return bell


def rung(bell: socket.socket) -> set[int]:
    """Return the labs that the waiting datagrams name."""
    labs = set()
    with contextlib.suppress(BlockingIOError):
        while True:
            text = bell.recv(32)
            if text.isdigit():
                labs.add(int(text))
    return labs
