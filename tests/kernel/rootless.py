"""Running a script as an ordinary user, as ``serve`` runs for one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOBODY = [
    *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
    *("unshare", "-U", "-r", "-n", "-m"),
]


def run_without_root(script: str) -> None:
    """Run a script as uid 65534 in a user namespace of its own; it must print "ok".

    Its first argument is a directory of its own in which topoweb and `plans` lie.
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
        for path in (home, *home.rglob("*")):
            os.chown(path, 65534, 65534)
        command = [*NOBODY, python, "-B", "-c", script, str(home)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd="/")
        assert (done.stdout, done.returncode) == ("ok\n", 0), done.stderr
    finally:
        shutil.rmtree(home)


def _others_reach(program: str) -> bool:
    return subprocess.run([*NOBODY, program, "-c", ""], capture_output=True).returncode == 0
