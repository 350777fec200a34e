"""What becomes of watched labs: manifests that change, holders that die, a call to wake up.

A holder's pidfd, the worker's datagram after each change, and a look once a second decide.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.errors import TopowebError
from topoweb.kernel import manifest as manifests
from topoweb.kernel.netns import inode
from topoweb.kernel.ownership import is_ours
from topoweb.kernel.trace.wake import WAKE_NAME, listen, rung

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from topoweb.kernel.holder import Holder
    from topoweb.kernel.manifest import Manifest

CHECK_EVERY = 1.0  # seconds


class Opening(NamedTuple):
    """A namespace to enter; ``fd`` is the taker's to close."""

    fd: int
    inode: int


class _Followed:
    """What is known of a lab."""

    def __init__(self) -> None:
        self.holder: Holder | None = None
        self.pidfd = -1
        self.stamp = 0  # of the manifest when it was read


class Changes:
    """Says which of the labs that are followed have changed. All but `wake` are for one thread."""

    def __init__(self, run_dir: Path, changed: Callable[[int], None]) -> None:
        """``changed(lab)`` is called from within `handle` and `check`, for followed labs alone."""
        self._run_dir = run_dir
        self._changed = changed
        self._labs: dict[int, _Followed] = {}
        self._pidfds: dict[int, int] = {}  # → lab
        self._next_check = 0.0
        self._interrupt = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._bell = listen(run_dir)
        self.epoll = select.epoll()  # a source adds what it waits for
        self.epoll.register(self._interrupt, select.EPOLLIN)
        self.epoll.register(self._bell, select.EPOLLIN)

    def follow(self, lab: int) -> None:
        """Begin with a lab; its first `manifest` is the caller's to ask for."""
        self._labs[lab] = _Followed()

    def forget(self, lab: int) -> None:
        """Hold nothing of a lab any more."""
        followed = self._labs.pop(lab, None)
        if followed is not None:
            self._forget_holder(followed)

    def manifest(self, lab: int) -> Manifest | None:
        """Read a followed lab's manifest anew; None unless it is proved to be the lab's own."""
        followed = self._labs[lab]
        followed.stamp = self._stamp(lab)
        manifest = manifests.read(self._run_dir, lab)
        if manifest is not None and not is_ours(manifest):
            manifest = None
        self._follow_holder(lab, followed, manifest)
        return manifest

    def handle(self, fd: int) -> bool:
        """Deal with a descriptor that is ready; True when it was a call to wake up."""
        if fd == self._interrupt:
            os.eventfd_read(fd)
            return True
        if fd == self._bell.fileno():
            for lab in rung(self._bell) & self._labs.keys():
                self._changed(lab)
        elif fd in self._pidfds:  # a holder died
            self._changed(self._pidfds[fd])
        return False

    def check(self) -> bool:
        """Once a second, look for changes that no datagram told; True when it looked."""
        now = time.monotonic()
        if now < self._next_check:
            return False
        self._next_check = now + CHECK_EVERY
        for lab, followed in list(self._labs.items()):
            if self._stamp(lab) != followed.stamp:
                self._changed(lab)
        return True

    def wake(self) -> None:
        """Make an `epoll.poll` that waits return. From any thread."""
        os.eventfd_write(self._interrupt, 1)

    def close(self) -> None:
        """Close all."""
        for lab in list(self._labs):
            self.forget(lab)
        self.epoll.close()
        self._bell.close()
        os.close(self._interrupt)
        (self._run_dir / WAKE_NAME).unlink(missing_ok=True)

    def _stamp(self, lab: int) -> int:
        """Return what changes when a manifest is replaced; 0 when there is none."""
        try:
            status = manifests.path_of(self._run_dir, lab).stat()
        except OSError:
            return 0
        return hash((status.st_ino, status.st_mtime_ns))

    def _follow_holder(self, lab: int, followed: _Followed, manifest: Manifest | None) -> None:
        """Watch the process whose death ends the namespaces."""
        holder = manifest.holder if manifest else None
        if holder == followed.holder:
            return
        self._forget_holder(followed)
        if holder is None:
            return
        with contextlib.suppress(OSError):  # it died just now: the next check sees it
            followed.pidfd = os.pidfd_open(holder.pid)
            followed.holder = holder
            self._pidfds[followed.pidfd] = lab
            self.epoll.register(followed.pidfd, select.EPOLLIN)

    def _forget_holder(self, followed: _Followed) -> None:
        if followed.pidfd >= 0:
            self.epoll.unregister(followed.pidfd)
            del self._pidfds[followed.pidfd]
            os.close(followed.pidfd)
        followed.pidfd, followed.holder = -1, None


def open_namespaces(manifest: Manifest, nodes: Iterable[str]) -> dict[str, Opening]:
    """Open nodes' namespaces; one that is gone or not the one written down is left out."""
    found: dict[str, Opening] = {}
    with contextlib.suppress(TopowebError), manifest.holder.lease() as open_slot:
        for node in nodes:
            at = manifest.namespaces.get(node)
            if at is None:
                continue
            with contextlib.suppress(TopowebError):
                fd = open_slot(at.slot)
                if inode(fd) == at.inode:
                    found[node] = Opening(fd, at.inode)
                else:
                    os.close(fd)
    return found
