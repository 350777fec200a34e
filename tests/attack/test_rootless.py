"""Rootless mode: nodes run with the one uid of the person, whose files lie next door."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.attack.register import attack, case
from tests.attack.rootless import WORD

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
NO = ("ENOSYS", "EPERM", "EACCES", "ENOENT", "ENOTDIR", "EROFS", "ENODATA", "ECONNREFUSED",
      "ENETUNREACH", "EHOSTUNREACH", "EAFNOSUPPORT", "EADDRNOTAVAIL")  # fmt: skip


@pytest.fixture(scope="module")
def outcomes():
    """Run `tests.attack.rootless` once: as uid 65534 when we are root, else as ourselves."""
    with tempfile.TemporaryDirectory(prefix="tw") as folder:
        run, data = Path(folder, "run"), Path(folder, "data")
        Path(folder).chmod(0o755)
        for path in (run, data):
            path.mkdir(mode=0o700)
        jail = []
        if os.geteuid() == 0:
            for path in (run, data):
                os.chown(path, NOBODY, NOBODY)
            seen = [f"--read={path}" for path in (ROOT, sys.prefix, sys.base_prefix)]
            seen += [f"--write={path}" for path in (run, data)]
            jail = [sys.executable, "-m", "topoweb.worker.launch.jail", str(NOBODY), str(NOBODY)]
            jail += [*seen, "--"]
        unshare = ["unshare", "--user", "--map-root-user", "--mount"]
        attempt = [sys.executable, "-B", "-m", "tests.attack.rootless", str(run), str(data)]
        environment = {"PATH": os.environ["PATH"], "HOME": str(data)}
        if subprocess.run([*jail, *unshare, "true"], cwd=ROOT, capture_output=True).returncode:
            pytest.skip("this host allows no user namespaces")
        done = subprocess.run(
            [*jail, *unshare, *attempt],
            cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])


REFUSED = {
    "read-database": "read the user's database by its path",
    "read-secret-key": "read Django's secret key",
    "read-stream-key": "read the key of the stream sockets",
    "read-owner-token": "read the token that marks the holders",
    "read-manifest": "read a lab's manifest",
    "read-home": "read a key in the user's home",
    "database-through-root": "read the database by /proc/<pid>/root and cwd",
    "database-by-chroot": "read the database by leaving a chroot",
    "write-database": "write to the database by its path",
    "stream-socket": "connect to the worker's stream socket",
    "web-port": "connect to the web server on 127.0.0.1",
    "web-port-ipv6": "connect to the web server on ::1",
    "abstract-socket": "connect to an abstract socket of the user",
    "unshare-user": "make a user namespace",
    "unshare-mount": "make a mount namespace",
    "mount-proc": "mount procfs",
    "mount-bind": "bind the data directory to /tmp",
    "setns": "enter the lab's user namespace anew",
    "ptrace": "trace pid 1",
    "keyring": "join the user's session keyring",
    "open-by-handle": "open a file of the user by its handle",
    "tiocsti": "type into a terminal by TIOCSTI",
    "vsock": "open AF_VSOCK",
    "core-pattern": "write core_pattern",
    "write-usr": "write below /usr",
}


@pytest.mark.parametrize(
    "name", [case(name, f"without root, from a node: {tries}", "refused, absent or unreachable",
                  name) for name, tries in REFUSED.items()],
)  # fmt: skip
def test_refused(outcomes, name):
    assert outcomes[name].get("refused") in NO, outcomes[name]


@attack("without root: the user's word in any file that a node sees", "nowhere")
def test_search(outcomes):
    assert outcomes["database-by-search"] == {"won": []}


@attack(
    "without root: environment, processes, descriptors and mounts of the user", "the node's own"
)
def test_what_is_seen(outcomes):
    for name in ("environment", "processes", "descriptors", "mounts"):
        assert WORD not in str(outcomes[name])
    own = outcomes["environment"]["won"]
    assert not [one for one in own if "TOPOWEB_" in one and one != "TOPOWEB_PROGRAM"]
    commands = [command for command, _ in outcomes["processes"]["won"].values()]
    assert not [one for one in commands if "catatonit" not in one and "python3" not in one]


@attack(
    "without root: other rights than in root's mode", "no_new_privs, the filter, 13 capabilities"
)
def test_confined(outcomes):
    assert outcomes["no-new-privs"] == {"won": "1"}
    assert outcomes["seccomp"] == {"won": "2"}
    allowed = sum(1 << bit for bit in (0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 18))
    assert int(outcomes["capabilities"]["won"], 16) & ~allowed == 0


@attack("without root: the network of the host by a number of its namespace", "the lab's own only")
def test_namespaces(outcomes):
    seen = {name for names in outcomes["namespaces-by-number"]["won"].values() for name in names}
    assert seen <= {"lo", "eth0"}


@attack("without root: any canary, by any of the ways above", "silent")
def test_canaries(outcomes):
    assert outcomes["canaries"] == {"visitors": 0, "database": WORD}
    assert shutil.which("crun")
