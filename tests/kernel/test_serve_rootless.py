"""An ordinary user's `serve`: for one person, and what it left running can be got rid of."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.privilege import needs_uid_ranges
from tests.kernel.rootless import NOBODY, User, ordinary_user
from tests.kernel.sandboxed import wait_for
from topoweb.kernel import manifest
from topoweb.worker.lock import only_worker

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.kernel.manifest import Manifest

pytestmark = needs_uid_ranges  # of root, who becomes somebody else
LEAVE = """
import sys
from pathlib import Path
from tests.kernel.plans import LAB, apply, errors, two_hosts
from tests.kernel.sandboxed import shell
from topoweb.kernel.lab import LinuxKernel
kernel = LinuxKernel(Path(sys.argv[1]))
assert errors(apply(kernel, *two_hosts())) == []
print(kernel.sandboxes.start(LAB, "n1", shell("sleep 7171"), "log").pid)
kernel.close()
"""


START_AGAIN = """
import os, sys
os.environ["TOPOWEB_RUN"] = sys.argv[1]
from pathlib import Path
from topoweb.worker.launch import alone
os.execv = lambda *command: None  # what is started then is not of interest
alone.reexecute([], Path(sys.argv[1]))
"""


@pytest.fixture
def user() -> Iterator[User]:
    with ordinary_user() as user:
        yield user
        user.manage("cleanup")


def leave(user: User) -> tuple[Manifest, int]:
    """Run a lab and go, as `serve` does; return it and a program that runs there."""
    said = user.apart(LEAVE, str(user.run_dir))
    found = manifest.read(user.run_dir, 7)
    assert found
    assert found.holder.alive()
    return found, int(said)


def test_nothing_is_there(user: User) -> None:
    assert user.manage("cleanup") == "nothing of ours is here\n"


def test_a_lab_that_was_left_ends(user: User) -> None:
    left, program = leave(user)
    assert user.manage("cleanup", "--dry-run") == "would remove lab 7: 2 namespaces\n"
    assert left.holder.alive()
    assert user.manage("cleanup") == "removed lab 7: 2 namespaces\n"
    wait_for(lambda: not left.holder.alive())
    wait_for(lambda: not runs(program))
    assert manifest.labs(user.run_dir) == []
    assert user.manage("cleanup") == "nothing of ours is here\n"


def test_the_next_start_leaves_no_lab_of_the_one_before(user: User) -> None:
    left, program = leave(user)
    user.run(sys.executable, "-B", "-c", START_AGAIN, str(user.run_dir))
    wait_for(lambda: not left.holder.alive())
    wait_for(lambda: not runs(program))


def test_the_next_start_leaves_a_lab_that_is_still_served(user: User) -> None:
    left, _ = leave(user)
    lock = user.run_dir / "worker.lock"
    lock.touch()
    os.chown(lock, NOBODY, NOBODY)
    with only_worker(user.run_dir):
        user.run(sys.executable, "-B", "-c", START_AGAIN, str(user.run_dir))
        assert left.holder.alive()


def test_nobody_else_is_served(user: User) -> None:
    command = (sys.executable, "-B", "manage.py", "serve", "--port=0")
    refused = user.attempt(*command, "--host=0.0.0.0")
    assert refused.returncode == 1
    assert "127.0.0.1 alone" in refused.stderr


def runs(pid: int) -> bool:
    """True while a process has its command line; the dead have none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes() != b""
    except OSError:
        return False
