"""Doing something inside a network namespace.

A thread that entered a lab's namespace never comes back: without root, `setns` to the host's
namespace is refused. So all work inside namespaces runs in a throw-away thread, which may hop
through as many of them as it likes and then ends. CPython's other threads are not touched:
namespaces are per thread.
"""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

CLONE_NEWNET = 0x40000000
CAP_SYS_ADMIN = 21
T = TypeVar("T")

_libc = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def permitted() -> bool:
    """True when this process may make and enter network namespaces at all."""
    effective = Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0]
    return bool(int(effective, 16) >> CAP_SYS_ADMIN & 1)


def enter(fd: int) -> None:
    """Move the calling thread into a network namespace. Only for threads made by `run_apart`.

    The thread keeps that namespace alive until it ends or enters another.
    """
    _check(_libc.setns(fd, CLONE_NEWNET), "setns")


def enter_closing(fd: int) -> None:
    """Like `enter`; the descriptor is ours no more."""
    try:
        enter(fd)
    finally:
        os.close(fd)


def enter_new() -> None:
    """Move the calling thread into a network namespace of its own."""
    _check(_libc.unshare(CLONE_NEWNET), "unshare")


def run_apart(
    work: Callable[[], T], waiting: Callable[[], None] | None = None, every: float = 0.05
) -> T:
    """Run ``work`` in a throw-away thread and return its result or raise its exception.

    ``waiting`` is called in the calling thread each ``every`` seconds until the work is done.
    """
    box: list[T] = []
    failure: list[BaseException] = []

    def body() -> None:
        try:
            box.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
            failure.append(error)

    thread = threading.Thread(target=body, name="netns", daemon=True)
    thread.start()
    try:
        while waiting and thread.is_alive():
            thread.join(every)
            waiting()
    finally:
        thread.join()
    if failure:
        raise failure[0]
    return box[0]


def run_inside(fd: int, work: Callable[[], T]) -> T:
    """Run ``work`` inside the namespace of ``fd``, in a throw-away thread."""

    def inside() -> T:
        enter(fd)
        return work()

    return run_apart(inside)


def open_fd(path: str | Path) -> int:
    """Open a namespace by path ("/proc/42/fd/100"); the caller closes it."""
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def inode(fd: int) -> int:
    """Return what identifies a namespace while it lives."""
    return os.fstat(fd).st_ino


def write_sysctl(path: str, value: str) -> None:
    """Write ``/proc/sys/<path>`` of the calling thread's namespace. OSError if refused."""
    fd = os.open(f"/proc/sys/{path}", os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, value.encode())
    finally:
        os.close(fd)
