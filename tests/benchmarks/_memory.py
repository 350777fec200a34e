"""What nodes cost in memory: all that the kernel charges to control groups, per node.

A child process in a group of its own makes bare network namespaces, then a lab of as many nodes,
then a sandbox in each; what sandboxes use is charged to the lab's own group and counted, too.
All in one run, so the ratios hold on a busy machine.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from topoweb.core.plan.actions import AddNamespace, Step
from topoweb.core.programs import Command
from topoweb.kernel import netns
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.sandbox import cgroups

LAB = 7
NODES = 200
RUNS = 3
GROUPS = Path("/sys/fs/cgroup")
FILES = ("memory.usage_in_bytes", "memory.current")  # v1, v2
SETTLED = 65_536  # bytes between two looks


def ratio(kind: str) -> float:
    """Return how much more a node "idle" or "active" costs than a bare one: median of runs."""
    runs = [_measured() for _ in range(RUNS)]
    return statistics.median(run[kind] / run["bare"] for run in runs)


def _measured() -> dict[str, float]:
    """Return bytes a node: {"bare", "idle", "active"}."""
    root = GROUPS / "memory" if (GROUPS / "memory").is_dir() else GROUPS
    group = root / f"topoweb-bench-{os.getpid()}"
    group.mkdir()
    try:
        command = [sys.executable, "-m", __name__, str(group)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        figures: dict[str, float] = json.loads(done.stdout)
        return figures
    finally:
        _remove(group)


def _remove(group: Path) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            group.rmdir()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _usage(*groups: Path) -> int:
    """Return the bytes charged to groups, once they change no more."""
    before = -1
    for _ in range(100):
        found = [group / name for group in groups for name in FILES if (group / name).exists()]
        now = sum(int(path.read_text()) for path in found)
        if abs(now - before) < SETTLED:
            break
        before = now
        time.sleep(0.1)  # namespaces and programs that went are freed a little later
    return now


def _bare(count: int) -> list[int]:
    def make() -> list[int]:
        held = []
        for _ in range(count):
            netns.enter_new()
            held.append(netns.open_fd("/proc/thread-self/ns/net"))
        return held

    return netns.run_apart(make)


def _child(group: Path) -> None:
    (group / "cgroup.procs").write_text(str(os.getpid()))
    for fd in _bare(10):  # what the first ones cost is nobody's price
        os.close(fd)
    zero = _usage(group)
    held = _bare(NODES)
    bare = (_usage(group) - zero) / NODES
    for fd in held:
        os.close(fd)
    with tempfile.TemporaryDirectory() as directory:
        kernel = LinuxKernel(Path(directory))
        try:
            print(json.dumps({"bare": bare, **_lab(kernel, Path(directory), group)}))
        finally:
            for lab in kernel.labs():
                kernel.destroy(lab)
            kernel.close()


def _lab(kernel: LinuxKernel, directory: Path, group: Path) -> dict[str, float]:
    def add(lab: int, count: int) -> None:
        nodes = [AddNamespace(namespace=f"n{number}") for number in range(count)]
        kernel.apply(lab, [Step(node, "") for node in nodes], lambda _: None, lambda: False)

    add(LAB + 1, 1)
    kernel.sandboxes.run(LAB + 1, "n0", Command(arguments=("/bin/true",)))  # forker and launcher
    gc.collect()
    zero = _usage(group)
    add(LAB, NODES)
    idle = _usage(group) - zero
    for number in range(NODES):
        kernel.sandboxes.run(LAB, f"n{number}", Command(arguments=("/bin/true",)))
    gc.collect()
    own = cgroups.find((directory / "owner").read_text())
    assert own.unified
    place = own.controllers[0] if own.controllers else own.unified
    active = _usage(group, place / str(LAB)) - zero
    return {"idle": idle / NODES, "active": active / NODES}


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
