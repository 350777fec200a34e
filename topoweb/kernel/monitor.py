"""What the live view reads of this kernel: the labs' namespaces, found by their manifests."""

from __future__ import annotations

import errno
import functools
import os
import threading
from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.tracing.records import ALL_RECORDS, Sample, TableRecord
from topoweb.kernel import counters, manifest, netns, ownership
from topoweb.kernel.events import RECEIVE_BUFFER, Deliver, EventSocket

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from topoweb.core.tracing.records import Dump
    from topoweb.kernel.counters import Opener


class _Known(NamedTuple):
    """A lab's namespaces as of one version of its manifest."""

    version: tuple[int, int]
    openers: dict[str, tuple[int, Opener]]


class LabMonitor:
    """Notifications, dumps and counters of watched labs. Calls block; any thread may make them.

    Implements `engine.ports.LiveKernel`.
    """

    def __init__(
        self, run_dir: Path, deliver: Deliver, *, receive_buffer: int = RECEIVE_BUFFER
    ) -> None:
        self._run_dir = run_dir
        self._events = EventSocket(deliver, receive_buffer)
        self._labs: dict[int, _Known] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Stop delivering; returns when nothing is delivered any more."""
        self._events.close()

    def watch(self, lab: int) -> tuple[frozenset[str], frozenset[str]]:
        """Hear the lab's namespaces as they are now; return (new nodes, nodes that went).

        To be called again whenever the lab may have grown or shrunk. New nodes must be dumped.
        """
        with self._lock:
            before = self._labs.get(lab)
            known = self._labs[lab] = self._read(lab, before)
        fresh = self._events.watch(lab, known.openers)
        gone = before.openers.keys() - known.openers.keys() if before else ()
        return frozenset(fresh), frozenset(gone)

    def unwatch(self, lab: int) -> None:
        """Forget a lab."""
        with self._lock:
            self._labs.pop(lab, None)
        self._events.unwatch(lab)

    def dump(
        self,
        lab: int,
        nodes: Collection[str],
        kinds: frozenset[type[TableRecord]] = ALL_RECORDS,
    ) -> list[Dump]:
        """Read nodes of a watched lab. Nodes whose namespace is gone are left out."""
        return counters.dump(self._openers(lab, nodes), kinds)

    def sample(self, lab: int, nodes: Collection[str]) -> Sample:
        """Read the counters of nodes of a watched lab."""
        return counters.sample(self._openers(lab, nodes))

    def _openers(self, lab: int, nodes: Collection[str]) -> dict[str, Opener]:
        known = self._labs.get(lab)
        openers = known.openers if known else {}
        return {node: openers[node][1] for node in nodes if node in openers}

    def _read(self, lab: int, before: _Known | None) -> _Known:
        """Read the manifest if it was replaced since; nothing of a lab that is not ours."""
        try:
            status = manifest.path_of(self._run_dir, lab).stat()
        except OSError:
            return _Known((0, 0), {})
        version = (status.st_mtime_ns, status.st_ino)
        if before and before.version == version:
            return before
        found = manifest.read(self._run_dir, lab)
        if found is None or not ownership.is_ours(found):
            return _Known((0, 0), {})
        openers: dict[str, tuple[int, Opener]] = {}
        for node, at in found.namespaces.items():
            path = found.holder.descriptor_path(at.slot)
            openers[node] = at.inode, functools.partial(_open, path, at.inode)
        return _Known(version, openers)


def _open(path: str, inode: int) -> int:
    """Open a namespace that must still be the one that the manifest means."""
    fd = netns.open_fd(path)
    if netns.inode(fd) != inode:
        os.close(fd)
        raise OSError(errno.ESTALE, "another namespace is there now")
    return fd
