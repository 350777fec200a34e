"""Real servers from Debian's packages, each private to one test run, on Unix sockets only."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


def _as_postgres():
    """Return what makes a child run as user postgres: the server refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


@contextlib.contextmanager
def postgres_cluster():
    """Run a private cluster; yields its directory, which also holds the socket."""
    folder = Path(tempfile.mkdtemp(prefix="tw-pg-"))
    identity = _as_postgres()
    if identity:
        os.chown(folder, identity["user"], identity["group"])
    binaries, data, log = POSTGRES[-1], folder / "data", folder / "log"
    quiet = {"stdout": subprocess.DEVNULL, "cwd": "/", "check": True, **identity}
    control = [binaries / "pg_ctl", "-D", data, "-w", "-t", "60"]
    try:
        subprocess.run(
            [binaries / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale", "C.UTF-8", "--no-sync"], **quiet
        )  # fmt: skip
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=100"
        subprocess.run([*control, "-l", log, "-o", options, "start"], **quiet)
        try:
            yield folder
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def redis_server():
    """Run a private redis-server; yields the path of its socket."""
    folder = Path(tempfile.mkdtemp(prefix="tw-redis-"))
    socket = folder / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(socket), "--save", ""]
    process = subprocess.Popen([*command, "--dir", str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        for line in process.stdout:  # ends when the server does
            if "ready to accept connections" in line:
                break
        else:
            raise RuntimeError("redis-server did not start")
        yield socket
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres():
    """The URL of an empty database on a real PostgreSQL."""
    if not POSTGRES:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    with postgres_cluster() as folder:
        yield f"postgres://postgres@/postgres?host={folder}"


@pytest.fixture(scope="session")
def redis():
    """The socket path of a real Redis."""
    if shutil.which("redis-server") is None:
        pytest.skip("redis-server is not installed (Debian: redis-server)")
    with redis_server() as socket:
        yield str(socket)
