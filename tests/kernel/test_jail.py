"""The web process sees the code under a home that others may not enter, and nothing else of it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.kernel.privilege import needs_uid_ranges
from topoweb.worker.launch.jail import hide

pytestmark = needs_uid_ranges

PROBE = """
import json, os, pathlib, sys
home, code, data = map(pathlib.Path, sys.argv[1:])
def tried(action):
    try:
        action()
    except OSError as error:
        return error.strerror
    return "done"
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
status = dict(line.split(":\t", 1) for line in lines)
print(json.dumps({
    "uid": os.getuid(), "groups": os.getgroups(), "home": sorted(os.listdir(home)),
    "code": (code / "hello.txt").read_text(),
    "write_code": tried(lambda: (code / "new").write_text("x")),
    "write_data": tried(lambda: (data / "new").write_text("x")),
    "secret": tried(lambda: (home / "secret.txt").read_text()),
    "become_root": tried(lambda: os.setuid(0)),
    "caps": status["CapEff"],
    "no_new_privs": status["NoNewPrivs"],
}))
"""


def test_a_private_directory_that_is_to_be_seen_is_not_covered():
    """The run directory is 0750: covering it for what lies inside would hide its sockets."""
    with tempfile.TemporaryDirectory(prefix="topoweb-run-") as name:
        above = Path(name)
        run, inner = above / "run", above / "run" / "redis"
        inner.mkdir(parents=True)
        run.chmod(0o750)
        above.chmod(0o755)
        assert hide({run: False, inner: True}) == {}
        above.chmod(0o700)
        assert hide({run: False, inner: True}) == {above: [run, inner]}


@pytest.fixture
def home():
    path = Path(tempfile.mkdtemp(prefix="topoweb-home-"))
    path.chmod(0o700)
    (path / "secret.txt").write_text("secret")
    for name in ("code", "data", "private"):
        (path / name).mkdir()
    (path / "code" / "hello.txt").write_text("hello")
    os.chown(path / "data", 65534, 65534)
    yield path
    shutil.rmtree(path)


def test_code_is_seen_and_nothing_else(home):
    code, data = home / "code", home / "data"
    keep = [f"--read={p}" for p in (code, Path(sys.prefix), Path(sys.base_prefix))]
    jail = [sys.executable, "-m", "topoweb.worker.launch.jail", "65534", "65534", *keep]
    program = [sys.executable, "-c", PROBE, str(home), str(code), str(data)]
    done = subprocess.run(
        [*jail, f"--write={data}", "--", *program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen == {
        "uid": 65534,
        "groups": [],
        "home": ["code", "data"],
        "code": "hello",
        "write_code": "Read-only file system",
        "write_data": "done",
        "secret": "No such file or directory",
        "become_root": "Operation not permitted",
        "caps": "0000000000000000",
        "no_new_privs": "1",
    }
    assert (data / "new").read_text() == "x"
    assert sorted(p.name for p in home.iterdir()) == ["code", "data", "private", "secret.txt"]
