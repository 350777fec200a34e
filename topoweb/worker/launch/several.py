"""`manage.py serve` as root: web (unprivileged), worker and tracer (root), a private Redis.

Root never parses HTTP: the web process runs as its own user behind `jail`, and reaches the
others by Unix sockets in the run directory alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.worker.launch import places
from topoweb.worker.launch.processes import Child, Supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
    Connect = Callable[[], Coroutine[object, object, Streams]]

ROOT = Path(__file__).resolve().parents[3]
WEB_USERS = ("topoweb", "nobody")  # the first that exists runs web and Redis
START_DEADLINE = 60.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where and as whom the processes run."""

    data: Path
    run: Path
    host: str
    port: int
    uid: int
    gid: int

    @property
    def redis(self) -> Path:
        """Return the private Redis' socket."""
        return self.run / "redis" / "redis.sock"

    def environment(self) -> dict[str, str]:
        """Return a clean environment for the children: nothing of root's session leaks."""
        kept = {k: v for k, v in os.environ.items() if k.startswith("TOPOWEB_")}
        return {
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "LANG": "C.UTF-8",
            "HOME": str(self.data),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "topoweb.settings",
            **kept,
            "TOPOWEB_MODE": "root",
            "TOPOWEB_DATA": str(self.data),
            "TOPOWEB_RUN": str(self.run),
            "TOPOWEB_REDIS": str(self.redis),
        }

    def jailed(self, *program: str) -> list[str]:
        """Return the command that runs ``program`` as the web user with what it needs in sight."""
        seen = [ROOT, Path(sys.prefix), Path(sys.base_prefix), self.run]
        options = [f"--read={path}" for path in seen]
        options += [f"--write={path}" for path in (self.data, self.redis.parent)]
        jail = [sys.executable, "-m", "topoweb.worker.launch.jail", str(self.uid), str(self.gid)]
        return [*jail, *options, "--", *program]


def web_user() -> tuple[int, int]:
    """Return uid and gid of the first web user that exists."""
    for name in WEB_USERS:
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise TopowebError(
        ErrorKind.UNSUPPORTED,
        "no user to run the web process as",
        hint="useradd --system --no-create-home topoweb",
    )


def prepare(place: Place) -> None:
    """Make the directories and the stream key with the owners that the processes need."""
    place.data.mkdir(parents=True, exist_ok=True)
    place.run.mkdir(parents=True, exist_ok=True)
    os.chown(place.data, place.uid, place.gid)
    place.data.chmod(0o750)
    os.chown(place.run, 0, place.gid)
    place.run.chmod(0o750)  # the web user may reach the sockets, not replace what root reads here
    place.redis.parent.mkdir(exist_ok=True)
    os.chown(place.redis.parent, place.uid, place.gid)
    place.redis.parent.chmod(0o700)
    places.note(place.run, place.data)
    key = place.run / "stream.key"
    if not key.exists():
        key.touch(mode=0o640)
        key.write_bytes(secrets.token_bytes(32))
    os.chown(key, 0, place.gid)
    key.chmod(0o640)
    with contextlib.suppress(FileNotFoundError):
        os.chown(place.data / "secret.key", place.uid, place.gid, follow_symlinks=False)


def first_page(place: Place) -> str:
    """Migrate, make the local user and the demo lab as the web user; return the path to open."""
    done = subprocess.run(
        place.jailed(sys.executable, "manage.py", "prepare", "--json"),
        env=place.environment(),
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise TopowebError(
            ErrorKind.INTERNAL, "the database could not be prepared", hint=done.stderr[-2000:]
        )
    return str(json.loads(done.stdout.splitlines()[-1])["path"])


def redis_argv(place: Place) -> list[str]:
    """Return the command of the private Redis: a Unix socket, no TCP port, nothing on disk."""
    program = shutil.which("redis-server")
    if program is None:
        raise TopowebError(
            ErrorKind.UNSUPPORTED,
            "redis-server is not installed; web and worker talk through it",
            hint="apt-get install redis-server, or run as an ordinary user (one process, no Redis)",
        )
    return [
        *place.jailed(program, "--port", "0", "--unixsocket", str(place.redis)),
        *("--unixsocketperm", "700", "--save", "", "--appendonly", "no"),
        *("--dir", str(place.data), "--loglevel", "warning", "--daemonize", "no"),
        *("--logfile", str(place.redis.with_suffix(".log"))),
    ]


async def serve(place: Place) -> None:
    """Run until SIGTERM or SIGINT."""
    prepare(place)
    supervisor, stop = Supervisor(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    manage = [sys.executable, str(ROOT / "manage.py")]
    environment = place.environment()
    daphne = (sys.executable, "-m", "daphne", "-b", place.host, "-p", str(place.port))
    try:
        place.redis.unlink(missing_ok=True)
        await supervisor.start(Child("redis", redis_argv(place), environment))
        await _until_socket(place.redis, stop)
        path = await asyncio.to_thread(first_page, place)
        await supervisor.start(Child("worker", [*manage, "worker"], environment))
        await supervisor.start(Child("tracer", [*manage, "tracer"], environment))
        web = place.jailed(*daphne, "-v", "0", "--no-server-name", "topoweb.asgi:application")
        await supervisor.start(Child("web", web, environment))
        await _until_port(place.host, place.port, stop)
        if not stop.is_set():
            announce(place.host, place.port, path)
        await stop.wait()
    finally:
        await supervisor.stop()


def announce(host: str, port: int, path: str) -> None:
    """Print the address that lets the local user straight in, once."""
    sys.stdout.write(f"\n  topoweb is at  http://{host}:{port}{path}\n  Ctrl-C ends it.\n\n")
    sys.stdout.flush()


async def _until_socket(path: Path, stop: asyncio.Event) -> None:
    await _until(lambda: asyncio.open_unix_connection(str(path)), f"{path} to answer", stop)


async def _until_port(host: str, port: int, stop: asyncio.Event) -> None:
    await _until(lambda: asyncio.open_connection(host, port), f"port {port} to answer", stop)


async def _until(connect: Connect, what: str, stop: asyncio.Event) -> None:
    deadline = asyncio.get_running_loop().time() + START_DEADLINE
    while not stop.is_set():
        with contextlib.suppress(OSError):
            _, writer = await connect()
            writer.close()
            return
        if asyncio.get_running_loop().time() > deadline:
            raise TopowebError(ErrorKind.BUSY, f"waited {START_DEADLINE:.0f} s for {what}")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.05)
