"""One worker a host: a lock on the run directory, held as long as the process lives."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def only_worker(run_dir: Path) -> Iterator[None]:
    """Hold the run directory. TopowebError(CONFLICT) when another worker does.

    The lock is the kernel's (flock(2)), so it cannot outlive a worker that was killed.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(run_dir / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TopowebError(
                ErrorKind.CONFLICT,
                f"Another worker uses {run_dir} ({_holder(descriptor)}).",
                hint="Stop it, or give this one another TOPOWEB_RUN.",
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _holder(descriptor: int) -> str:
    pid = os.pread(descriptor, 20, 0).decode(errors="replace").strip()
    return f"pid {pid}" if pid else "starting"
