"""Nodes as places where programs run: implements ``engine.ports.Sandboxes``."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import threading
from typing import TYPE_CHECKING, TypeVar

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel.holder import Holder
from topoweb.kernel.sandbox import container, logs
from topoweb.kernel.sandbox.launch import Launcher
from topoweb.kernel.sandbox.lodging import Lodging
from topoweb.kernel.sandbox.programs import Programs

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from pathlib import Path

    from topoweb.core.programs import Command, Finished, Residence, Started, Terminal
    from topoweb.kernel.manifest import Manifest
    from topoweb.kernel.sandbox.cgroups import Groups
    from topoweb.kernel.sandbox.crun import Crun

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,79}")
SHELLS = "shells"  # the group of all terminals of a node
T = TypeVar("T")


class LinuxSandboxes:
    """The sandboxes of one run directory's labs. Any thread may call."""

    def __init__(
        self, run_dir: Path, groups: Groups, proved: Callable[[int], Manifest | None]
    ) -> None:
        """Take where files lie, what bounds programs, and what proves a lab's namespaces."""
        self._run_dir = run_dir
        self._groups = groups
        self._launcher = Launcher()
        self._proved = proved
        self._lodgings: dict[int, Lodging] = {}
        self._programs = Programs(run_dir / "programs", self._groups)
        self._logs = logs.LogKeeper(lambda: (run_dir / "labs").glob("*/sandboxes/logs"))
        self._lock = threading.Lock()

    def house(self, lab: int, residence: Residence) -> None:
        """Say what the lab's nodes are called and may use."""
        lodging = self._lodging(lab)
        lodging.settle(residence)
        if lodging.quarters.exist():  # an earlier worker's programs write logs
            self._logs.watch()

    def terminal(self, lab: int, node: str, command: Command, columns: int, rows: int) -> Terminal:
        """Start a program on a pseudo-terminal of its own."""
        process = container.process(command, (columns, rows))

        def enter(crun: Crun) -> Terminal:
            groups = self._groups.entered(lab, node, SHELLS)
            return crun.terminal(node, process, groups, (columns, rows))

        return self._enter(lab, node, enter)

    def start(self, lab: int, node: str, command: Command, log: str) -> Started:
        """Start a program that outlives the worker; its output is appended to the log ``log``."""
        name = f"program-{secrets.token_hex(6)}"
        process = container.process(self._programs.marked(command, name))
        path = self._lodging(lab).quarters.logs / _checked(log)

        def enter(crun: Crun) -> Started:
            self._programs.sweep(lab, node)
            output = logs.open_for_append(path)
            try:
                return crun.start(node, process, self._groups.entered(lab, node, name), output)
            finally:
                os.close(output)

        started = self._enter(lab, node, enter)
        self._programs.note(started, lab, node, name)
        self._logs.watch()
        return started

    def run(
        self, lab: int, node: str, command: Command, *, stdin: bytes = b"", timeout: float = 10.0
    ) -> Finished:
        """Run a program to its end; what it leaves running is killed, too."""
        name = f"program-{secrets.token_hex(6)}"
        process = container.process(self._programs.marked(command, name))

        def enter(crun: Crun) -> Finished:
            groups = self._groups.entered(lab, node, name)
            try:
                return crun.attached(node, process, groups, stdin, timeout)
            finally:
                self._programs.kill(lab, node, name)

        return self._enter(lab, node, enter)

    def alive(self, program: Started) -> bool:
        """True while this very program runs."""
        return Holder(program.pid, program.start).alive()

    def end(self, program: Started, *, patience: float = 2.0) -> None:
        """End a program: SIGTERM, after ``patience`` seconds SIGKILL. Its children too."""
        self._programs.end(program, patience)

    def furnish(self, lab: int, node: str, place: str, files: Mapping[str, bytes]) -> None:
        """Replace the files that the node sees, read-only, in ``/run/topoweb/<place>/``."""
        lodging = self._lodging(lab)
        lodging.ensure(node)
        lodging.quarters.furnish(node, _checked(place), {_checked(n): b for n, b in files.items()})

    def log(self, lab: int, log: str, limit: int) -> bytes:
        """Return the last ``limit`` bytes of a log; empty when there is none."""
        return logs.tail(self._lodging(lab).quarters.logs / _checked(log), limit)

    def vacate(self, lab: int, nodes: Collection[str] | None = None) -> None:
        """End every program of the nodes (None: of the lab) and remove all that was made."""
        with self.closed(lab, nodes):
            pass

    @contextlib.contextmanager
    def closed(self, lab: int, nodes: Collection[str] | None) -> Iterator[None]:
        """Vacate, and refuse new sandboxes of the nodes while the context lasts."""
        with self._lodging(lab).closed(nodes):
            self._programs.forget(lab, nodes)
            yield

    def close(self) -> None:
        """Let go: programs live on."""
        self._logs.close()
        self._launcher.close()

    def _enter(self, lab: int, node: str, enter: Callable[[Crun], T]) -> T:
        """Do something in a node's sandbox; once more if the sandbox has just died."""
        lodging = self._lodging(lab)
        lodging.ensure(node)
        try:
            return enter(lodging.crun)
        except TopowebError as error:
            if error.kind is not ErrorKind.LOST:
                raise
        lodging.ensure(node)
        return enter(lodging.crun)

    def _lodging(self, lab: int) -> Lodging:
        with self._lock:
            if lab not in self._lodgings:
                directory = self._run_dir / "labs" / str(lab) / "sandboxes"
                self._lodgings[lab] = Lodging(
                    lab, directory, self._groups, self._launcher, lambda: self._proved(lab)
                )
            return self._lodgings[lab]


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise TopowebError(ErrorKind.INVALID, f"{name!r} is no file name")
    return name
