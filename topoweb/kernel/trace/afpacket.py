"""The AF_PACKET tier: captures with nothing but packet sockets, also without root.

All methods but `wake` belong to one thread, the capture thread. A lab's taps follow its manifest
(`changes`).
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections import defaultdict
from operator import attrgetter
from typing import TYPE_CHECKING

from topoweb.core.tracing.observation import Unseen
from topoweb.kernel.netns import enter, run_apart
from topoweb.kernel.trace.changes import Changes, Opening, open_namespaces
from topoweb.kernel.trace.points import MAX_POINTS, Point, choose
from topoweb.kernel.trace.tap import Tap, close_all

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from topoweb.core.tracing.observation import Observation
    from topoweb.kernel.manifest import Manifest

SNAPLEN = 2048  # bytes of a packet; at most SNAPLEN_MAX
SNAPLEN_MAX = 65_535
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
        self.lost = 0


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
        self._snaplen = min(snaplen, SNAPLEN_MAX)
        self._max_points = max_points
        self._clock = clock
        self._labs: dict[int, _Lab] = {}
        self._taps: dict[int, Tap] = {}  # by descriptor
        self._held: list[Observation] = []
        self._closing: list[threading.Thread] = []
        self._changes = Changes(run_dir, self._refresh)

    def watch(self, lab: int) -> None:
        """Capture on every cable of a lab, now and as it changes. Idempotent."""
        if lab not in self._labs:
            self._labs[lab] = _Lab()
            self._changes.follow(lab)
            self._refresh(lab)

    def unwatch(self, lab: int) -> None:
        """Stop capturing; nothing of the lab stays open."""
        state = self._labs.pop(lab, None)
        if state is not None:
            self._close(state, list(state.taps.values()))
            self._changes.forget(lab)

    def poll(self, timeout: float) -> list[Observation]:
        """Wait at most ``timeout`` seconds and return what was seen, in kernel time order.

        Packets stamped after the reading began are held back for the next call: an earlier one
        may still arrive at another socket.
        """
        epoll = self._changes.epoll
        epoll.poll(HELD_WAIT if self._held else timeout, 1)
        horizon = self._clock()
        seen, self._held = self._held, []
        for fd, _ in epoll.poll(0, EVENTS):
            tap = self._taps.get(fd)
            if tap is None:
                self._changes.handle(fd)
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

    def unseen(self, lab: int) -> Unseen:  # noqa: ARG002 - a tier that counts packets alone
        """Return nothing: what this tier loses, `lost` counts."""
        return Unseen()

    def follow(self, lab: int, source: str, target: str, protocol: int) -> None:
        """Nothing is ever left out on purpose here."""

    def unfollow(self, lab: int, source: str, target: str, protocol: int) -> None:
        """Nothing to undo."""

    def take_whole(self, lab: int, wanted: bool) -> None:
        """Nothing to do: 2,048 bytes of each packet are recorded in any case."""

    def points(self, lab: int) -> int:
        """Return how many cables of a lab are tapped now."""
        state = self._labs.get(lab)
        return len(state.taps) if state else 0

    def wake(self) -> None:
        """Make a `poll` that waits return. From any thread."""
        self._changes.wake()

    def close(self) -> None:
        """Close all and return when it is closed."""
        for lab in list(self._labs):
            self.unwatch(lab)
        for thread in self._closing:
            thread.join()
        self._closing.clear()
        self._changes.close()

    def _check(self) -> None:
        """Once a second: losses, vanished interfaces, and changes that no datagram told."""
        if not self._changes.check():
            return
        self._closing = [thread for thread in self._closing if thread.is_alive()]
        for lab, state in list(self._labs.items()):
            state.lost += sum(tap.lost() for tap in state.taps.values())
            gone = [tap for tap in state.taps.values() if tap.gone]
            if gone or len(state.taps) < state.links:
                self._refresh(lab)

    def _refresh(self, lab: int) -> None:
        """Make the taps what the manifest says. Nothing stays of a lab that has died."""
        state = self._labs[lab]
        manifest = self._changes.manifest(lab)
        points = choose(manifest, self._max_points) if manifest else {}
        state.links = len(points)
        self._close(state, [tap for tap in state.taps.values() if _stale(tap, manifest, points)])
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
        by_node: defaultdict[str, list[Point]] = defaultdict(list)
        for point in points:
            by_node[point.namespace].append(point)
        openings = open_namespaces(manifest, by_node)
        places = [(opening, by_node[node]) for node, opening in openings.items()]
        try:
            taps = run_apart(lambda: _open_taps(lab, places, self._snaplen, buffer))
        finally:
            for opening in openings.values():
                os.close(opening.fd)
        for tap in taps:
            state.taps[tap.point.link] = tap
            self._taps[tap.socket.fileno()] = tap
            self._changes.epoll.register(tap.socket, select.EPOLLIN)

    def _close(self, state: _Lab, taps: Sequence[Tap]) -> None:
        for tap in taps:
            state.lost += tap.lost()
            del state.taps[tap.point.link]
            del self._taps[tap.socket.fileno()]
            self._changes.epoll.unregister(tap.socket)
        self._closing += close_all(taps)


def _stale(tap: Tap, manifest: Manifest | None, points: Mapping[str, Sequence[Point]]) -> bool:
    """True when a tap's cable, namespace or interface is not there any more."""
    if manifest is None or tap.point not in points.get(tap.point.link, ()):
        return True
    namespace = manifest.namespaces.get(tap.point.namespace)
    return namespace is None or namespace.inode != tap.inode or tap.gone


def _open_taps(
    lab: int, places: Iterable[tuple[Opening, list[Point]]], snaplen: int, buffer: int
) -> list[Tap]:
    """Runs in a throw-away thread: enters namespace after namespace and never returns."""
    taps = []
    for opening, points in places:
        try:
            enter(opening.fd)
        except OSError:  # its lab has just died
            continue
        for point in points:
            with contextlib.suppress(OSError):  # not there yet: the next check tries again
                taps.append(Tap(lab, point, opening.inode, snaplen, buffer))
    return taps
