"""Holders: what they hold, who may touch them, and that labs outlive the worker."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, apply, errors, pings, star, two_hosts
from tests.kernel.privilege import HAS_UID_RANGES, uid_base
from tests.kernel.rootless import run_without_root
from tests.kernel.sandboxed import wait_for
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.plan.state import LabState
from topoweb.kernel import manifest
from topoweb.kernel.forker import SPARE_NAMESPACES
from topoweb.kernel.holder import Forker, Holder, find_holders
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.ownership import owner_token

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
BASE = uid_base(100_000)
# With one user id there are no groups to set, and we are the lab's root already.
NSENTER = ["nsenter"] if HAS_UID_RANGES else ["nsenter", "--preserve-credentials"]


@pytest.fixture
def forker(tmp_path: Path) -> Iterator[Forker]:
    own = Forker(owner_token(tmp_path))
    yield own
    for _, holder in find_holders(owner_token(tmp_path)):
        holder.kill()
    own.close()


def descriptors(holder: Holder) -> dict[int, str]:
    directory = Path(f"/proc/{holder.pid}/fd")
    found = {}
    for path in directory.iterdir():
        with contextlib.suppress(FileNotFoundError):
            found[int(path.name)] = str(path.readlink())
    return found


def test_a_holder_holds_its_namespaces_and_nothing_else(forker: Forker) -> None:
    made = forker.make(LAB, BASE, [0, 1, 5], None)
    wanted = {0, 1, 2, 99, 100, 101, 105}
    wait_for(lambda: set(descriptors(made.holder)) == wanted)  # `sleep` opens its libraries first
    found = descriptors(made.holder)
    assert {found[number] for number in range(3)} == {"/dev/null"}
    assert found[99] == f"user:[{made.userns}]"
    assert {slot: f"net:[{inode}]" for slot, inode in made.inodes.items()} == {
        slot: found[100 + slot] for slot in (0, 1, 5)
    }
    assert len(set(made.inodes.values())) == 3
    process = Path("/proc", str(made.holder.pid))
    assert (process / "cmdline").read_bytes() == b"topoweb-holder\0infinity\0"
    assert os.getsid(made.holder.pid) == made.holder.pid
    uids = ["0", str(BASE), "65536"] if HAS_UID_RANGES else ["0", "0", "1"]
    assert (process / "uid_map").read_text().split() == uids


def test_the_lab_owns_its_namespaces(forker: Forker) -> None:
    made = forker.make(LAB, BASE, [0], None)
    owner = subprocess.check_output(["lsns", "-t", "user", "-n", "-o", "NS,PID"], text=True)
    assert [str(made.userns), str(made.holder.pid)] in [line.split() for line in owner.splitlines()]


def test_the_user_namespace_has_ceilings(forker: Forker) -> None:
    made = forker.make(LAB, BASE, [0, 1], None)
    enter = [
        *NSENTER,
        f"--user=/proc/{made.holder.pid}/fd/99",
        f"--net=/proc/{made.holder.pid}/fd/100",
    ]
    limits = subprocess.check_output(
        [*enter, "cat", "/proc/sys/user/max_net_namespaces", "/proc/sys/user/max_user_namespaces"],
        text=True,
    )
    assert limits.split() == ["10", "0"]
    many = subprocess.run([*enter, "unshare", "-U", "true"], capture_output=True, text=True)
    assert many.returncode != 0


COUNT = """
import ctypes, os
libc, held = ctypes.CDLL(None), []
while libc.unshare(0x4000000) == 0:
    held.append(os.open("/proc/self/ns/uts", os.O_RDONLY))
print(len(held))
"""


def test_a_lab_has_room_for_a_sandbox_a_node_and_little_more(forker: Forker) -> None:
    made = forker.make(LAB, BASE, list(range(30)), None)
    enter = [*NSENTER, f"--user=/proc/{made.holder.pid}/fd/99", "/usr/bin/python3", "-c", COUNT]
    assert int(subprocess.check_output(enter)) == 30 + SPARE_NAMESPACES


def test_a_successor_takes_over_and_adds(forker: Forker) -> None:
    old = forker.make(LAB, BASE, [0, 1, 2], None)
    new = forker.make(LAB, BASE, [1, 3], (old.holder, [0, 2]))
    wanted = {0, 1, 2, 99, 100, 101, 102, 103}
    wait_for(lambda: set(descriptors(new.holder)) == wanted)  # `sleep` opens its libraries first
    before, after = descriptors(old.holder), descriptors(new.holder)
    assert new.userns == old.userns
    assert (after[100], after[102]) == (before[100], before[102])
    assert after[101] != before[101]
    old.holder.kill()
    assert not old.holder.alive()
    assert new.holder.alive()


def test_a_reused_pid_is_refused(forker: Forker) -> None:
    made = forker.make(LAB, BASE, [0], None)
    stranger = Holder(made.holder.pid, made.holder.start + 1)
    assert not stranger.alive()
    with pytest.raises(TopowebError) as caught:
        stranger.open_namespace(0)
    assert caught.value.kind is ErrorKind.LOST
    stranger.kill()
    assert made.holder.alive()


def test_a_dead_holder_is_lost(forker: Forker) -> None:
    made = forker.make(LAB, BASE, [0], None)
    made.holder.kill()
    with pytest.raises(TopowebError) as caught:
        made.holder.open_namespace(0)
    assert caught.value.kind is ErrorKind.LOST


def test_a_failed_request_names_the_cause_and_leaves_nothing(
    forker: Forker, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match=r"Invalid argument|not permitted"):
        forker.make(LAB, 2**32 - 2, [0], None)  # uids beyond the last
    gone = Holder(2**22 + 1, 1)
    with pytest.raises(OSError, match=r"No such process"):
        forker.make(LAB, BASE, [0], (gone, [0]))
    living = forker.make(LAB, BASE, [0], None).holder
    with pytest.raises(OSError, match=r"not the lab's holder"):
        forker.make(LAB, BASE, [1], (Holder(living.pid, living.start - 1), [0]))
    living.kill()
    deadline = time.monotonic() + 5
    while find_holders(owner_token(tmp_path)):
        assert time.monotonic() < deadline
    assert forker.make(LAB, BASE, [0], None).holder.alive()  # the forker goes on


def test_a_dead_forker_is_replaced(forker: Forker) -> None:
    first = forker.make(LAB, BASE, [0], None)
    pid = forker.pid
    assert pid
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    second = forker.make(LAB, BASE, [1], (first.holder, [0]))
    assert second.userns == first.userns


def test_the_forker_ends_with_the_worker(forker: Forker) -> None:
    made = forker.make(LAB, BASE, [0], None)
    pid = forker.pid
    assert pid
    forker.close()
    assert not Path(f"/proc/{pid}").exists()
    assert made.holder.alive()


def test_no_other_run_directory_sees_it(forker: Forker, tmp_path: Path) -> None:
    made = forker.make(LAB, BASE, [0], None)
    other = LinuxKernel(tmp_path / "other")
    assert other.labs() == []
    other.destroy(LAB)
    assert made.holder.alive()


WORKER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.kernel.plans import apply, star
from topoweb.kernel.lab import LinuxKernel
kernel = LinuxKernel(Path(sys.argv[1]))
assert not apply(kernel, *star(3)).failures
print("ready", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_lab_survives_the_workers_death_and_is_adopted(
    kernel: LinuxKernel, tmp_path: Path
) -> None:
    script = WORKER.format(root=str(ROOT))
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True)
    assert (done.stdout, done.returncode) == (b"ready\n", -signal.SIGKILL)
    assert kernel.labs() == [LAB]
    assert set(kernel.observe(LAB).namespaces) == {"sw", "h1", "h2", "h3"}
    pings(kernel, "h1", "10.0.0.2")
    assert errors(apply(kernel, *star(1, first=4))) == []
    pings(kernel, "h4", "10.0.0.1")


def test_a_crash_between_successor_and_manifest_is_swept(
    kernel: LinuxKernel, tmp_path: Path
) -> None:
    apply(kernel, *two_hosts())
    current = kernel.manifest(LAB)
    assert current
    slots = [place.slot for place in current.namespaces.values()]
    crashed = Forker(owner_token(tmp_path))
    orphan = crashed.make(LAB, current.uid_base, [9], (current.holder, slots)).holder
    crashed.close()
    fresh = LinuxKernel(tmp_path)  # a new worker
    assert errors(apply(fresh, *star(1))) == []
    assert not orphan.alive()
    found = fresh.manifest(LAB)
    assert found
    assert {"n1", "n2", "sw", "h1"} == set(found.namespaces)
    fresh.close()


def test_a_dead_holder_means_an_empty_lab_that_can_be_made_again(
    kernel: LinuxKernel, tmp_path: Path
) -> None:
    apply(kernel, *two_hosts())
    current = kernel.manifest(LAB)
    assert current
    current.holder.kill()
    assert kernel.observe(LAB) == LabState()
    assert kernel.labs() == []
    assert errors(apply(kernel, *two_hosts())) == []
    pings(kernel, "n1", "10.0.1.2")


def test_a_manifest_of_another_boot_proves_nothing(kernel: LinuxKernel, tmp_path: Path) -> None:
    apply(kernel, *two_hosts())
    path = manifest.path_of(tmp_path, LAB)
    path.write_text(path.read_text().replace(manifest.boot_id(), "another boot"))
    fresh = LinuxKernel(tmp_path)
    assert fresh.manifest(LAB) is None
    assert fresh.observe(LAB) == LabState()
    assert fresh.labs() == [LAB]  # the holder itself says that it is ours
    fresh.destroy(LAB)
    assert fresh.labs() == []
    fresh.close()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 2}', '{"version": 1, "lab": 7}'])
def test_a_broken_manifest_is_no_manifest(kernel: LinuxKernel, tmp_path: Path, text: str) -> None:
    path = manifest.path_of(tmp_path, LAB)
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert kernel.observe(LAB) == LabState()
    assert errors(apply(kernel, *two_hosts())) == []


ROOTLESS = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from topoweb.kernel.lab import LinuxKernel
from plans import LAB, apply, errors, inside, pings, route, star, two_hosts
kernel = LinuxKernel(Path(sys.argv[1]) / "run")
assert errors(apply(kernel, *star(2))) == []
pings(kernel, "h1", "10.0.0.2")
assert errors(apply(kernel, *star(1, first=3))) == []
pings(kernel, "h3", "10.0.0.1")
state = kernel.observe(LAB)
assert set(state.namespaces) == {"sw", "h1", "h2", "h3"}, state
found = kernel.manifest(LAB)
assert Path(f"/proc/{found.holder.pid}/uid_map").read_text().split() == ["0", "0", "1"]
kernel.destroy(LAB)
assert kernel.labs() == []
kernel.close()
print("ok")
"""


def test_it_all_works_without_root() -> None:
    run_without_root(ROOTLESS)
