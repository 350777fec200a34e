"""Running scripts and commands as an ordinary user, as ``serve`` runs for one."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NOBODY = 65534
APART = ("unshare", "--user", "--map-root-user", "--mount")
AS_NOBODY = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("unshare", "-U", "-r", "-n", "-m"),
]


def run_without_root(script: str) -> None:
    """Run a script as uid 65534 in a user namespace of its own; it must print "ok".

    Its first argument is a directory of its own in which topoweb, msgspec and `plans` lie.
    """
    python = next((p for p in (sys.executable, "/usr/bin/python3") if _others_reach(p)), None)
    if not python:
        pytest.skip("no Python that another user can run")
    home = Path("/tmp", f"topoweb-rootless-{os.getpid()}")
    home.mkdir(mode=0o755)
    try:
        ignore = shutil.ignore_patterns("__pycache__", "migrations", "accounts", "labs", "hosts")
        shutil.copytree(ROOT / "topoweb", home / "topoweb", ignore=ignore)
        shutil.copy(ROOT / "tests/kernel/plans.py", home)
        shutil.copytree(Path(msgspec.__file__).parent, home / "msgspec", ignore=ignore)
        for path in (home, *home.rglob("*")):
            os.chown(path, 65534, 65534)
        command = [*AS_NOBODY, python, "-B", "-c", script, str(home)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd="/")
        assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr
    finally:
        shutil.rmtree(home)


def _others_reach(program: str) -> bool:
    same = f"import sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]})"
    return subprocess.run([*AS_NOBODY, program, "-c", same], capture_output=True).returncode == 0


class User:
    """Somebody with a data and a run directory."""

    def __init__(self, home: Path) -> None:
        self.data, self.run_dir = home / "data", home / "run"
        for path in (self.data, self.run_dir):
            path.mkdir(mode=0o700)
            os.chown(path, NOBODY, NOBODY)

    def run(self, *command: str) -> str:
        """Run a command that succeeds; return what it says."""
        done = self.attempt(*command)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def attempt(self, *command: str) -> subprocess.CompletedProcess[str]:
        reads = [f"--read={path}" for path in (ROOT, sys.prefix, sys.base_prefix)]
        writes = [f"--write={path}" for path in (self.data, self.run_dir)]
        jail = [sys.executable, "-m", "topoweb.worker.launch.jail", str(NOBODY), str(NOBODY)]
        return subprocess.run(
            [*jail, *reads, *writes, "--", *command],
            cwd=ROOT,
            env={
                "PATH": os.environ["PATH"],
                "TOPOWEB_DATA": str(self.data),
                "TOPOWEB_RUN": str(self.run_dir),
            },
            capture_output=True,
            text=True,
            timeout=120,
        )

    def manage(self, *arguments: str) -> str:
        return self.run(sys.executable, "-B", "manage.py", *arguments)

    def apart(self, code: str, *arguments: str) -> str:
        """Run Python in a user namespace, as ``serve`` does."""
        return self.run(*APART, sys.executable, "-B", "-c", code, *arguments)


@contextlib.contextmanager
def ordinary_user() -> Iterator[User]:
    with tempfile.TemporaryDirectory(prefix="tw") as home:
        Path(home).chmod(0o755)
        yield User(Path(home))
