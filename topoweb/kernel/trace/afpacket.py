"""The AF_PACKET tier: captures with nothing but packet sockets, also without root.

All methods but `wake` belong to one thread, the capture thread. A lab's taps follow its manifest:
its holder's pidfd, a wake-up datagram after each change, and a look once a second decide.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.errors import TopowebError
from topoweb.kernel import manifest as manifests
from topoweb.kernel.netns import enter, inode, run_apart
from topoweb.kernel.ownership import is_ours
from topoweb.kernel.trace.points import MAX_POINTS, Point, choose
from topoweb.kernel.trace.tap import Tap, close_all
from topoweb.kernel.trace.wake import WAKE_NAME, listen, rung

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from topoweb.core.tracing.observation import Observation
    from topoweb.kernel.holder import Holder
    from topoweb.kernel.manifest import Manifest

SNAPLEN = 2048  # bytes of a packet; at most SNAPLEN_MAX
SNAPLEN_MAX = 65_535
CHECK_EVERY = 1.0  # seconds
LAB_BUFFER = 64 << 20  # bytes of socket buffers a lab, shared by its taps
TAP_BUFFER_MIN, TAP_BUFFER_MAX = 64 << 10, 8 << 20
TAP_BATCH = 1024  # packets from one tap before the others have their turn
EVENTS = 4096
HELD_WAIT = 0.002  # seconds until held packets may be given out


class _Lab:
    """What is open of a lab that someone watches."""

    def __init__(self) -> None:
        self.taps: dict[str, Tap] = {}  # by link
        self.links = 0  # how many there should be
        self.holder: Holder | None = None
        self.pidfd = -1
        self.stamp = 0  # of the manifest when it was read
        self.lost = 0


class _Opening(NamedTuple):
    """A namespace to enter and the points to tap in it."""

    fd: int
    inode: int
    points: list[Point]


class AfPacketSource:
    """Observations from packet sockets (`engine.tracing.CaptureSource`)."""

    tier = "afpacket"

    def __init__(
        self,
        run_dir: Path,
        *,
        snaplen: int = SNAPLEN,
        max_points: int = MAX_POINTS,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._run_dir = run_dir
        self._snaplen = min(snaplen, SNAPLEN_MAX)
        self._max_points = max_points
        self._clock = clock
        self._labs: dict[int, _Lab] = {}
        self._taps: dict[int, Tap] = {}  # by descriptor
        self._pidfds: dict[int, int] = {}  # → lab
        self._held: list[Observation] = []
        self._closing: list[threading.Thread] = []
        self._next_check = 0.0
        self._epoll = select.epoll()
        self._interrupt = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._bell = listen(run_dir)
        self._epoll.register(self._interrupt, select.EPOLLIN)
        self._epoll.register(self._bell, select.EPOLLIN)

    def watch(self, lab: int) -> None:
        """Capture on every cable of a lab, now and as it changes. Idempotent."""
        if lab not in self._labs:
            self._labs[lab] = _Lab()
            self._refresh(lab)

    def unwatch(self, lab: int) -> None:
        """Stop capturing; nothing of the lab stays open."""
        state = self._labs.pop(lab, None)
        if state is not None:
            self._close(state, list(state.taps.values()))
            self._forget_holder(state)

    def poll(self, timeout: float) -> list[Observation]:
        """Wait at most ``timeout`` seconds and return what was seen, in kernel time order.

        Packets stamped after the reading began are held back for the next call: an earlier one
        may still arrive at another socket.
        """
        self._epoll.poll(HELD_WAIT if self._held else timeout, 1)
        horizon = self._clock()
        seen, self._held = self._held, []
        for fd, _ in self._epoll.poll(0, EVENTS):
            tap = self._taps.get(fd)
            if tap is None:
                self._control(fd)
            else:
                seen.extend(tap.receive(TAP_BATCH))
        self._check()
        seen.sort(key=attrgetter("time_ns"))
        ready = len(seen)
        while ready and seen[ready - 1].time_ns >= horizon:
            ready -= 1
        self._held = seen[ready:]
        return seen[:ready]

    def lost(self, lab: int) -> int:
        """Return how many packets the kernel dropped since the lab is watched."""
        state = self._labs.get(lab)
        return state.lost if state else 0

    def points(self, lab: int) -> int:
        """Return how many cables of a lab are tapped now."""
        state = self._labs.get(lab)
        return len(state.taps) if state else 0

    def wake(self) -> None:
        """Make a `poll` that waits return. From any thread."""
        os.eventfd_write(self._interrupt, 1)

    def close(self) -> None:
        """Close all and return when it is closed."""
        for lab in list(self._labs):
            self.unwatch(lab)
        for thread in self._closing:
            thread.join()
        self._closing.clear()
        self._epoll.close()
        self._bell.close()
        os.close(self._interrupt)
        (self._run_dir / WAKE_NAME).unlink(missing_ok=True)

    def _control(self, fd: int) -> None:
        if fd == self._interrupt:
            os.eventfd_read(fd)
        elif fd == self._bell.fileno():
            for lab in rung(self._bell) & self._labs.keys():
                self._refresh(lab)
        elif fd in self._pidfds:  # a holder died
            self._refresh(self._pidfds[fd])

    def _check(self) -> None:
        """Once a second: losses, vanished interfaces, and changes that no datagram told."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + CHECK_EVERY
        self._closing = [thread for thread in self._closing if thread.is_alive()]
        for lab, state in list(self._labs.items()):
            state.lost += sum(tap.lost() for tap in state.taps.values())
            gone = [tap for tap in state.taps.values() if tap.gone]
            stamp = _stamp(manifests.path_of(self._run_dir, lab))
            if gone or stamp != state.stamp or len(state.taps) < state.links:
                self._refresh(lab)

    def _refresh(self, lab: int) -> None:
        """Make the taps what the manifest says. Nothing stays of a lab that has died."""
        state = self._labs[lab]
        state.stamp = _stamp(manifests.path_of(self._run_dir, lab))
        manifest = manifests.read(self._run_dir, lab)
        if manifest is not None and not is_ours(manifest):
            manifest = None
        points = choose(manifest, self._max_points) if manifest else {}
        state.links = len(points)
        self._close(state, [tap for tap in state.taps.values() if _stale(tap, manifest, points)])
        self._follow_holder(lab, state, manifest)
        if manifest is not None:
            for preference in (0, 1):
                missing = [
                    ends[preference] for link, ends in points.items() if link not in state.taps
                ]
                self._open(lab, state, manifest, missing)

    def _open(self, lab: int, state: _Lab, manifest: Manifest, points: Sequence[Point]) -> None:
        if not points:
            return
        buffer = max(TAP_BUFFER_MIN, min(TAP_BUFFER_MAX, LAB_BUFFER // max(1, state.links)))
        openings = _openings(manifest, points)
        try:
            taps = run_apart(lambda: _open_taps(lab, openings, self._snaplen, buffer))
        finally:
            for opening in openings:
                os.close(opening.fd)
        for tap in taps:
            state.taps[tap.point.link] = tap
            self._taps[tap.socket.fileno()] = tap
            self._epoll.register(tap.socket, select.EPOLLIN)

    def _close(self, state: _Lab, taps: Sequence[Tap]) -> None:
        for tap in taps:
            state.lost += tap.lost()
            del state.taps[tap.point.link]
            del self._taps[tap.socket.fileno()]
            self._epoll.unregister(tap.socket)
        self._closing += close_all(taps)

    def _follow_holder(self, lab: int, state: _Lab, manifest: Manifest | None) -> None:
        """Watch the process whose death ends the namespaces."""
        holder = manifest.holder if manifest else None
        if holder == state.holder:
            return
        self._forget_holder(state)
        if holder is None:
            return
        with contextlib.suppress(OSError):  # it died just now: the next check sees it
            state.pidfd = os.pidfd_open(holder.pid)
            state.holder = holder
            self._pidfds[state.pidfd] = lab
            self._epoll.register(state.pidfd, select.EPOLLIN)

    def _forget_holder(self, state: _Lab) -> None:
        if state.pidfd >= 0:
            self._epoll.unregister(state.pidfd)
            del self._pidfds[state.pidfd]
            os.close(state.pidfd)
        state.pidfd, state.holder = -1, None


def _stale(tap: Tap, manifest: Manifest | None, points: Mapping[str, Sequence[Point]]) -> bool:
    """True when a tap's cable, namespace or interface is not there any more."""
    if manifest is None or tap.point not in points.get(tap.point.link, ()):
        return True
    namespace = manifest.namespaces.get(tap.point.namespace)
    return namespace is None or namespace.inode != tap.inode or tap.gone


def _openings(manifest: Manifest, points: Iterable[Point]) -> list[_Opening]:
    """Open each namespace once; one that is gone or not the one written down is left out."""
    found: dict[str, _Opening] = {}
    refused: set[str] = set()
    for point in points:
        name = point.namespace
        if name not in found and name not in refused:
            opening = _namespace(manifest, name)
            if opening is None:
                refused.add(name)
                continue
            found[name] = opening
        if name in found:
            found[name].points.append(point)
    return list(found.values())


def _namespace(manifest: Manifest, name: str) -> _Opening | None:
    at = manifest.namespaces.get(name)
    if at is None:
        return None
    try:
        fd = manifest.holder.open_namespace(at.slot)
    except TopowebError:
        return None
    if inode(fd) == at.inode:
        return _Opening(fd, at.inode, [])
    os.close(fd)
    return None


def _open_taps(lab: int, openings: Iterable[_Opening], snaplen: int, buffer: int) -> list[Tap]:
    """Runs in a throw-away thread: enters namespace after namespace and never returns."""
    taps = []
    for opening in openings:
        try:
            enter(opening.fd)
        except OSError:  # its lab has just died
            continue
        for point in opening.points:
            with contextlib.suppress(OSError):  # not there yet: the next check tries again
                taps.append(Tap(lab, point, opening.inode, snaplen, buffer))
    return taps


def _stamp(path: Path) -> int:
    """Return what changes when a file is replaced; 0 when there is none."""
    try:
        status = path.stat()
    except OSError:
        return 0
    return hash((status.st_ino, status.st_mtime_ns))
