"""What every kernel test shares: it must leave nothing behind."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, apply, errors, two_hosts
from tests.kernel.sandboxed import NAMES
from topoweb.core.programs import Residence
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes

PR_SET_CHILD_SUBREAPER = 36
GRACE = 10.0  # seconds for what dies asynchronously


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "ok_suite: tools and services used for real inside nodes")
    # Orphans (lab holders) become our children instead of init's: so each is seen, and only ours.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


@pytest.fixture
def kernel(tmp_path: Path) -> Iterator[LinuxKernel]:
    """A kernel over a run directory of its own; its labs are destroyed at the end."""
    own = LinuxKernel(tmp_path)
    try:
        yield own
    finally:
        for lab in own.labs():
            own.destroy(lab)
        own.close()


@pytest.fixture
def sandboxes(kernel: LinuxKernel) -> LinuxSandboxes:
    """The sandboxes of a lab of two hosts with a cable."""
    assert errors(apply(kernel, *two_hosts())) == []
    kernel.sandboxes.house(LAB, Residence(names=NAMES))
    return kernel.sandboxes


@pytest.fixture(autouse=True)
def leaves_nothing_behind(tmp_path: Path) -> Iterator[None]:
    """Descriptors, threads, children, namespaces, links, mounts, groups are equal afterwards."""
    before = _snapshot(tmp_path)
    yield
    deadline = time.monotonic() + GRACE
    while leaked := _difference(before, _snapshot(tmp_path)):
        if time.monotonic() > deadline:
            pytest.fail("left behind: " + "; ".join(leaked))
        gc.collect()
        time.sleep(0.01)


def _snapshot(run_dir: Path) -> dict[str, set[str]]:
    return {
        "descriptors": _descriptors(),
        "threads": {f"{thread.name}/{thread.ident}" for thread in threading.enumerate()},
        "children": _children(),
        "named namespaces": _names("/run/netns"),
        "links": _names("/sys/class/net"),
        "mounts": set(filter(_is_ours, Path("/proc/self/mountinfo").read_text().splitlines())),
        "control groups": _groups(run_dir),
    }


def _is_ours(mount: str) -> bool:
    """False for a mount of another worker's sandboxes on this machine."""
    return "/sandboxes/" not in mount or "/pytest-" in mount


def _groups(run_dir: Path) -> set[str]:
    """The control groups of the run directories in ``run_dir``: named by their owner tokens."""
    found = set()
    for owner in run_dir.glob("**/owner"):
        name = f"topoweb-{owner.read_text()[:8]}"
        found |= {str(path) for path in Path("/sys/fs/cgroup").glob(f"*/{name}/**")}
        found |= {str(path) for path in Path("/sys/fs/cgroup").glob(f"{name}/**")}
    return found


def _difference(before: dict[str, set[str]], after: dict[str, set[str]]) -> list[str]:
    leaked = []
    for kind, old in before.items():
        new = after[kind] - old
        if new:
            leaked.append(f"{kind}: {', '.join(sorted(new))}")
    return leaked


def _names(directory: str) -> set[str]:
    try:
        return {path.name for path in Path(directory).iterdir()}
    except FileNotFoundError:
        return set()


def _descriptors() -> set[str]:
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            found.add(f"{path.name} {path.readlink()}")
    return {entry for entry in found if f"/proc/{os.getpid()}/fd" not in entry}


def _children() -> set[str]:
    """Our live children; dead ones that nobody waits for are reaped."""
    own = os.getpid()
    found = set()
    for name in filter(str.isdigit, _names("/proc")):
        try:
            text = Path("/proc", name, "stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        command, fields = text.rsplit(")", 1)
        state, parent = fields.split()[:2]
        if int(parent) != own:
            continue
        if state == "Z":
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(name), os.WNOHANG)
        else:
            found.add(f"{name} {command.split('(', 1)[1]}")
    return found
