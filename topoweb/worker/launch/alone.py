"""`manage.py serve` without root: one process for web, worker and tracer.

The process re-executes itself in a user namespace of its own, in which it may make network
namespaces. It is for one person: it listens on the loopback address alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import TopowebError
from topoweb.kernel.lab import LinuxKernel
from topoweb.worker.launch import places
from topoweb.worker.launch.several import announce
from topoweb.worker.lock import only_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from daphne.server import Server

log = logging.getLogger(__name__)
INNER = "TOPOWEB_INNER"  # set in the re-executed process
STOP_DEADLINE = 15.0  # seconds for the worker to leave in good order


def run_directory() -> Path:
    """Return a private directory with a short path."""
    path = places.usual()
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
            return Path(tempfile.mkdtemp(prefix="topoweb-"))  # somebody else took the name
    return path


def reexecute(arguments: list[str], data: Path) -> None:
    """Become root of a new user namespace and start over; return when the host forbids it."""
    unshare = shutil.which("unshare")
    command = [unshare or "unshare", "--user", "--map-root-user", "--mount"]
    os.environ |= {INNER: "1", "TOPOWEB_MODE": "alone"}
    run = Path(os.environ.setdefault("TOPOWEB_RUN", str(run_directory())))
    run.mkdir(parents=True, exist_ok=True)
    places.note(run, data)
    if unshare is None or not _works([*command, "true"]):
        log.warning(
            "This host allows no user namespaces, so labs cannot run; drawing works. "
            "Run topoweb as root, or: sysctl kernel.unprivileged_userns_clone=1 "
            "kernel.apparmor_restrict_unprivileged_userns=0"
        )
        return
    _end_labs_of_an_earlier_start(run)
    manage = Path(__file__).resolve().parents[3] / "manage.py"
    program = [*command, sys.executable, str(manage), "serve", *arguments]
    os.execv(unshare, program)  # noqa: S606 - our own program, no shell


def _end_labs_of_an_earlier_start(run_dir: Path) -> None:
    """End what nobody can reach any more: it is in the user namespace of that start.

    Only from outside of both may it be seen and ended. The worker builds anew what shall run.
    """
    if not (run_dir / "labs").is_dir():
        return
    with contextlib.suppress(TopowebError), only_worker(run_dir):  # else that start still serves
        kernel = LinuxKernel(run_dir)
        for lab in kernel.labs():
            kernel.destroy(lab)
        kernel.close()


def _works(command: list[str]) -> bool:
    return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0


def serve(host: str, port: int, path: str) -> None:
    """Run web, worker and tracer on one event loop until SIGTERM or SIGINT."""
    # Importing daphne.server installs Twisted's asyncio reactor, so it must come first.
    from channels.routing import get_default_application
    from daphne.server import Server
    from twisted.internet import defer
    from twisted.internet import reactor as installed

    reactor: Any = installed  # a module by its stubs, the installed reactor in truth
    services = _Services()

    def stopped() -> defer.Deferred[None]:
        return defer.Deferred.fromFuture(asyncio.ensure_future(services.stop()))

    reactor.addSystemEventTrigger("before", "shutdown", stopped)
    server = Server(
        application=get_default_application(),
        endpoints=[f"tcp:port={port}:interface={host.replace(':', chr(92) + ':')}"],
        ready_callable=services.start,
        server_name="",
    )
    reactor.callWhenRunning(lambda: _announce_when_listening(server, host, port, path))
    server.run()


def _announce_when_listening(server: Server, host: str, port: int, path: str) -> None:
    for listener in server.listeners:
        listener.addCallback(lambda _: announce(host, port, path))


class _Services:
    """Worker and tracer as tasks beside the web server."""

    def __init__(self) -> None:
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        from topoweb.worker import collector, service, tracer

        runs: list[tuple[str, Callable[[asyncio.Event], Coroutine[object, object, None]]]] = [
            ("worker", service.build().run),
            ("tracer", tracer.build().run),
        ]
        collector.tune()
        loop = asyncio.get_event_loop()
        for name, run in runs:
            task = loop.create_task(run(self._stop), name=name)
            task.add_done_callback(self._ended)
            self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not self._stop.is_set() and not task.cancelled():
            log.error("%s ended", task.get_name(), exc_info=task.exception())

    async def stop(self) -> None:
        """Let them leave; labs stay."""
        self._stop.set()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_DEADLINE)
