"""One lab's sandboxes: made on first use, found again, ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import DEFAULT
from topoweb.core.programs import Residence
from topoweb.kernel import connections, netns
from topoweb.kernel.holder import Holder
from topoweb.kernel.sandbox import container
from topoweb.kernel.sandbox.crun import Crun
from topoweb.kernel.sandbox.quarters import Quarters

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from topoweb.kernel.manifest import Manifest
    from topoweb.kernel.sandbox.cgroups import Groups
    from topoweb.kernel.sandbox.launch import Launcher

HOSTNAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")  # RFC 1123 §2.1
DEATH_TIMEOUT = 30.0  # seconds


class Lodging:
    """One lab's sandboxes, for any threads."""

    def __init__(
        self,
        lab: int,
        directory: Path,
        groups: Groups,
        launcher: Launcher,
        proved: Callable[[], Manifest | None],
    ) -> None:
        self.lab = lab
        self.groups = groups
        self.quarters = Quarters(directory)
        self.crun = Crun(launcher, self.quarters)
        self.residence = Residence(names={}, limits=DEFAULT)
        self._proved = proved
        self._lock = threading.Lock()
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._known: dict[str, Holder] = {}  # the first process of each sandbox
        self._shut: list[Collection[str] | None] = []
        self._settled = False  # a residence was given; the default is of an earlier worker's time

    def settle(self, residence: Residence) -> None:
        """Take new names and limits; what runs gets the new limits at once."""
        old, self.residence = self.residence, residence
        first_time, self._settled = not self._settled, True
        if (residence == old and not first_time) or not self.quarters.exist():
            return
        limited = first_time or old.limits != residence.limits
        if limited:
            with self._lock:
                self.quarters.resize(residence.limits)
                self.groups.house(self.lab, residence.limits)
        for node in self.nodes():
            with self._locks[node]:
                first = self._find(node)
                if first and limited:
                    self.groups.admit(self.lab, node, residence.limits)
                was, now = hostname(old, node), hostname(residence, node)
                if first and was != now and not first_time:  # then nobody knows the old names
                    self.crun.rename(first, now)
                    self.quarters.rename(node, was, now)

    def nodes(self) -> list[str]:
        """Return the nodes that have something here."""
        with contextlib.suppress(FileNotFoundError):
            return sorted({path.name for path in (self.quarters.path / "places").iterdir()})
        return []

    def ensure(self, node: str) -> Holder:
        """Return a node's first process, making its sandbox if there is none."""
        self._running(node)  # before a lock bears its name: `_vacate` removes what the locks name
        with self._locks[node]:
            manifest = self._running(node)
            if any(nodes is None or node in nodes for nodes in self._shut):
                raise TopowebError(ErrorKind.LOST, f"node {node} is being removed")
            found = self._find(node)
            if found and _inode(found, "net") == manifest.namespaces[node].inode:
                return found
            self._end(node)
            return self._make(node, manifest)

    def _running(self, node: str) -> Manifest:
        """Return the manifest when the node is in it and may have programs."""
        manifest = self._proved()
        if manifest is None or node not in manifest.namespaces:
            raise TopowebError(ErrorKind.NOT_FOUND, f"node {node!r} does not run")
        if manifest.namespaces[node].outer:
            raise TopowebError(ErrorKind.UNSUPPORTED, f"no programs run in the uplink {node}")
        return manifest

    @contextlib.contextmanager
    def closed(self, nodes: Collection[str] | None) -> Iterator[None]:
        """End the sandboxes of nodes (None: all) and refuse new ones meanwhile."""
        self._shut.append(nodes)
        try:
            self._vacate(nodes)
            yield
        finally:
            self._shut.remove(nodes)

    def _vacate(self, nodes: Collection[str] | None) -> None:
        known = {*self.nodes(), *list(self._locks)}  # a lock: it may be in the making
        leaving = known if nodes is None else known.intersection(nodes)
        manifest = self._proved()
        if manifest and leaving and netns.permitted():
            _hang_up(manifest, leaving.intersection(manifest.namespaces))
        for node in leaving:  # all are told first, so that they die together
            first = self._find(node)
            if first:
                first.kill(wait=False)
        for node in leaving:
            with self._locks[node]:
                self._end(node)
                self.quarters.evict(node)
        if nodes is None:
            with self._lock:
                self.groups.kill(self.lab)
                self.quarters.clear()

    def _make(self, node: str, manifest: Manifest) -> Holder:
        limits = self.residence.limits
        owner, single = max(manifest.uid_base, 0), manifest.uid_base < 0
        with self._lock:
            self.quarters.prepare(limits, owner, single=single)
            self.groups.house(self.lab, limits)
        self.groups.admit(self.lab, node, limits)
        name = hostname(self.residence, node)
        self.quarters.admit(node, name, owner)
        slot = manifest.namespaces[node].slot
        config = container.config(node, slot, name, manifest.holder, single=single)
        self.crun.run(node, config, self.groups.entered(self.lab, node))
        made = self._find(node)
        if made is None or _inode(made, "net") != manifest.namespaces[node].inode:
            self._end(node)  # the lab's holder was replaced while we started it
            raise TopowebError(ErrorKind.LOST, f"the sandbox of node {node} did not start")
        return made

    def _find(self, node: str) -> Holder | None:
        """Return a sandbox's first process, proved; None when there is none."""
        known = self._known.get(node)
        if known is None:
            known = _recorded(self.quarters.crun / node / "status")
            if known is None or _inode(known, "user") == _inode(Holder(os.getpid(), 0), "user"):
                return None
            self._known[node] = known
        return known if known.alive() else None

    def _end(self, node: str) -> None:
        """Kill all of a sandbox: its first process takes all of its pid namespace with it."""
        first = self._find(node)
        if first:
            _kill(first)
        self._known.pop(node, None)
        self.groups.kill(self.lab, node)
        shutil.rmtree(self.quarters.crun / node, ignore_errors=True)


def hostname(residence: Residence, node: str) -> str:
    """Return a node's drawn name as a host name: what is not allowed in one becomes a hyphen."""
    name = residence.names.get(node, node)
    if HOSTNAME.fullmatch(name):
        return name
    return re.sub(r"[^A-Za-z0-9-]+", "-", name)[:63].strip("-") or "node"


def _recorded(path: Path) -> Holder | None:
    try:
        status: dict[str, Any] = json.loads(path.read_bytes())
        return Holder(int(status["pid"]), int(status["process-start-time"]))
    except (FileNotFoundError, ValueError, KeyError):
        return None


def _inode(process: Holder, kind: str) -> int:
    try:
        return Path(f"/proc/{process.pid}/ns/{kind}").stat().st_ino
    except OSError:
        return 0


def _hang_up(manifest: Manifest, nodes: Collection[str]) -> None:
    """Reset the connections of nodes. Their programs must still live: see `connections`."""

    def inside() -> None:
        # another thread may put a new holder in the old one's place
        with contextlib.suppress(TopowebError), manifest.holder.lease() as open_slot:
            for node in nodes:
                netns.enter_closing(open_slot(manifest.namespaces[node].slot))
                connections.abort()

    netns.run_apart(inside)


def _kill(first: Holder) -> None:
    """Kill a sandbox's first process and return when nobody is left in it.

    The kernel then kills all the others. The first is not dead before each of them is reaped,
    which may be up to another process outside; the dead hold no namespaces, so they do not count.
    """
    own = _inode(first, "pid")
    first.kill(wait=False)
    deadline = time.monotonic() + DEATH_TIMEOUT
    while first.alive() and _inhabited(own):
        if time.monotonic() > deadline:
            raise TopowebError(ErrorKind.BUSY, f"sandbox {first.pid} does not end")
        time.sleep(0.002)


def _inhabited(pid_namespace: int) -> bool:
    """True while a live process is in a pid namespace; one that exits has left the others."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            process = Holder(int(entry.name), 0)
            if _inode(process, "pid") == pid_namespace and _inode(process, "net"):
                return True
    return False
