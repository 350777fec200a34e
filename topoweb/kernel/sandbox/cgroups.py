"""What bounds a lab's programs, and kills them for sure: control groups, cgroups(7).

A group is named by owner, lab, node and program: ``topoweb-<owner>/<lab>/<node>/<program>``.
Limits stand at the lab and the node; a program's own group is for its end. Three kinds of host:
v2, where one directory does all; hybrid (v1 controllers and an empty v2), where limits are in v1
directories of the same names and the v2 one tracks and kills; none, where nothing is writable.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel.sandbox import launcher

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from topoweb.core.limits import Limits

ROOT = Path(launcher.CGROUPS)
CPU = "cpu"
V1_CONTROLLERS = ("memory", "pids", CPU)
V2_CONTROLLERS = "+memory +pids +cpu"
V2_NODE_CONTROLLERS = "+memory +pids"
PERIOD = 100_000  # µs over which cpu time is shared out
DEATH_TIMEOUT = 10.0  # seconds


@dataclass(frozen=True, slots=True)
class Groups:
    """The control groups of one run directory's labs on this host."""

    unified: Path | None  # where groups are tracked and killed; None: this host has no groups
    controllers: tuple[Path, ...] = ()  # v1 directories with limits, beside the unified one

    def house(self, lab: int, limits: Limits) -> None:
        """Make a lab's group, or give it new limits."""
        if self.unified is None:
            return
        for path in (self.unified, *self.controllers):
            _make(path)
        if not self.controllers:
            (self.unified / "cgroup.subtree_control").write_text(V2_CONTROLLERS)
        for path in (self.unified, *self.controllers):
            _make(path / str(lab))
        self._limit(Path(str(lab)), limits.memory, limits.processes)
        if self.controllers:
            _write_v1_cpu(self.controllers, lab, limits.cpu)
        else:
            _write_v2_lab(self.unified / str(lab), limits.cpu)

    def admit(self, lab: int, node: str, limits: Limits) -> None:
        """Make a node's group in the lab's, or give it new limits."""
        if self.unified is None:
            return
        for path in (self.unified, *self.controllers):
            _make(path / _place(path, lab, node))
        self._limit(Path(str(lab), node), limits.node_memory, limits.node_processes)
        if not self.controllers:  # a node that takes too much dies whole, and alone
            (self.unified / str(lab) / node / "memory.oom.group").write_text("1")

    def entered(self, lab: int, node: str, program: str = "") -> Sequence[Path]:
        """Return the directories that a program of a node enters; made when they are not there."""
        if self.unified is None:
            return []
        own = self.unified / str(lab) / node / program
        own.mkdir(exist_ok=True)
        return [*(path / _place(path, lab, node) for path in self.controllers), own]

    def kill(self, lab: int, node: str = "", program: str = "") -> None:
        """Kill all in a group and below, and remove it; TopowebError BUSY when it does not die."""
        if self.unified is None:
            return
        place = Path(str(lab), node, program)
        deadline = time.monotonic() + DEATH_TIMEOUT
        group = self.unified / place
        with contextlib.suppress(OSError):  # ENOENT, ENODEV: somebody else removes it just now
            (group / "cgroup.kill").write_text("1")
        for path in (group, *(path / place for path in self.controllers)):
            while not _removed(path):
                if time.monotonic() > deadline:
                    raise TopowebError(ErrorKind.BUSY, f"programs in {place} do not end")
                time.sleep(0.002)
        if not node:
            for path in (self.unified, *self.controllers):
                with contextlib.suppress(OSError):  # another lab has groups
                    path.rmdir()

    def remove(self, lab: int, node: str, program: str) -> bool:
        """Remove a program's group if nothing runs in it; True when it is gone."""
        return self.unified is None or _removed(self.unified / str(lab) / node / program)

    def _limit(self, place: Path, memory: int, pids: int) -> None:
        if self.controllers:
            _write_v1(self.controllers, place, memory, pids)
        elif self.unified is not None:
            _write_v2(self.unified / place, memory, pids)


def _place(root: Path, lab: int, node: str) -> Path:
    """Return where a node stands in a hierarchy: cpu time is shared by the lab as a whole."""
    return Path(str(lab)) if _controller(root) == CPU else Path(str(lab), node)


def _controller(root: Path) -> str:
    return root.parent.name


def _write_v1(roots: Sequence[Path], place: Path, memory: int, pids: int) -> None:
    at = {_controller(root): root / place for root in roots}
    for name in ("memory.memsw.limit_in_bytes", "memory.limit_in_bytes") * 2:
        with contextlib.suppress(OSError):  # memsw may not be below memory: either order, twice
            (at["memory"] / name).write_text(str(memory))
    (at["pids"] / "pids.max").write_text(str(pids))


def _write_v1_cpu(roots: Sequence[Path], lab: int, cpu: float) -> None:
    for root in roots:
        if _controller(root) == CPU:
            (root / str(lab) / "cpu.cfs_period_us").write_text(str(PERIOD))
            (root / str(lab) / "cpu.cfs_quota_us").write_text(str(int(cpu * PERIOD)))


def _write_v2(path: Path, memory: int, pids: int) -> None:
    (path / "memory.max").write_text(str(memory))
    with contextlib.suppress(FileNotFoundError):  # no swap accounting
        (path / "memory.swap.max").write_text("0")
    (path / "pids.max").write_text(str(pids))


def _write_v2_lab(path: Path, cpu: float) -> None:
    (path / "cpu.max").write_text(f"{int(cpu * PERIOD)} {PERIOD}")
    (path / "cgroup.subtree_control").write_text(V2_NODE_CONTROLLERS)


def find(owner: str) -> Groups:
    """Return this host's groups for an owner's labs; without ``unified`` where there are none."""
    name = f"topoweb-{owner[:8]}"
    if launcher.shows_cgroup2():
        return Groups(ROOT / name if _delegates(ROOT) else None)
    roots = [ROOT / controller for controller in V1_CONTROLLERS]
    unified = ROOT / "unified"
    if all(os.access(path / "cgroup.procs", os.W_OK) for path in (unified, *roots)):
        return Groups(unified / name, tuple(path / name for path in roots))
    return Groups(None)


def _delegates(root: Path) -> bool:
    """True when groups below may have limits; in a container's own hierarchy they may not."""
    try:
        (root / "cgroup.subtree_control").write_text(V2_CONTROLLERS)
    except OSError:
        return False
    return True


def _make(path: Path) -> None:
    path.mkdir(exist_ok=True)


def _below(path: Path) -> Iterator[Path]:
    with contextlib.suppress(FileNotFoundError), os.scandir(path) as entries:
        yield from [Path(entry.path) for entry in entries if entry.is_dir()]


def _removed(path: Path) -> bool:
    for inner in _below(path):
        _removed(inner)
    try:
        path.rmdir()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True
