"""Programs that run on without the worker: which they are, and how they end with all children.

``<run>/programs/<pid>-<start>`` says where a program stands, so that a later worker can end it.
Where there are control groups, each program has one; elsewhere it is known by a mark in its
environment, which children inherit.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from topoweb.kernel.holder import Holder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from topoweb.core.programs import Command, Started
    from topoweb.kernel.sandbox.cgroups import Groups

MARK = "TOPOWEB_PROGRAM"


class Programs:
    """The notes of one run directory."""

    def __init__(self, directory: Path, groups: Groups) -> None:
        self._directory = directory
        self._groups = groups

    def marked(self, command: Command, name: str) -> Command:
        """Return the command with its mark, where that is what finds its children."""
        if self._groups.unified is not None:
            return command
        return replace(command, environment={**command.environment, MARK: name})

    def note(self, program: Started, lab: int, node: str, name: str) -> None:
        """Write down where a program stands."""
        self._directory.mkdir(mode=0o700, exist_ok=True)
        self._path(program).write_text(json.dumps({"lab": lab, "node": node, "name": name}))

    def end(self, program: Started, patience: float) -> None:
        """End a program and its children."""
        _terminate(Holder(program.pid, program.start), patience)
        with contextlib.suppress(FileNotFoundError, ValueError):
            noted = json.loads(self._path(program).read_text())
            self.kill(noted["lab"], noted["node"], noted["name"])
        self._path(program).unlink(missing_ok=True)

    def kill(self, lab: int, node: str, name: str) -> None:
        """Kill what a program left behind."""
        if self._groups.unified is not None:
            self._groups.kill(lab, node, name)
            return
        while pids := list(_bearers(f"{MARK}={name}".encode())):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def sweep(self, lab: int, node: str) -> None:
        """Forget the programs of a node that have ended and left nothing running."""
        for path, noted in self._notes():
            ended = not Holder(*map(int, path.name.split("-"))).alive()
            here = (noted["lab"], noted["node"]) == (lab, node)
            if here and ended and self._groups.remove(lab, node, noted["name"]):
                path.unlink(missing_ok=True)

    def forget(self, lab: int, nodes: Collection[str] | None) -> None:
        """Forget the programs of nodes (None: of the lab) whose sandboxes have ended."""
        for path, noted in self._notes():
            if noted["lab"] == lab and (nodes is None or noted["node"] in nodes):
                path.unlink(missing_ok=True)

    def _notes(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        for path in list(self._directory.glob("*-*")):
            with contextlib.suppress(FileNotFoundError, ValueError):
                yield path, json.loads(path.read_text())

    def _path(self, program: Started) -> Path:
        return self._directory / f"{program.pid}-{program.start}"


def _terminate(process: Holder, patience: float) -> None:
    try:
        pidfd = os.pidfd_open(process.pid)
    except (ProcessLookupError, OSError):
        return
    try:
        if process.alive():
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGTERM)
                if not select.select([pidfd], [], [], patience)[0]:
                    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    finally:
        os.close(pidfd)


def _bearers(mark: bytes) -> Iterator[int]:
    """Yield the live processes whose environment has the mark."""
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError), open(f"{entry.path}/environ", "rb") as file:  # noqa: PTH123
                if mark in file.read().split(b"\0"):
                    yield int(entry.name)
