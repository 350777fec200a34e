"""The part of `engine.ports.Sandboxes` that services need, with programs of this machine."""

from __future__ import annotations

import contextlib
import subprocess
import threading
from collections import defaultdict
from typing import TYPE_CHECKING

from topoweb.core.programs import Started

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from topoweb.core.programs import Command


class LocalPrograms:
    """Starts what it is told; ``gates`` of labs hold their calls back while they are clear."""

    def __init__(self) -> None:
        self.started: list[tuple[str, Started]] = []  # log name, program
        self.files: dict[str, Mapping[str, bytes]] = {}
        self.failures: list[Exception] = []  # what the next starts raise
        self.gates: defaultdict[int, threading.Event] = defaultdict(_open_gate)
        self.entered: defaultdict[int, threading.Event] = defaultdict(threading.Event)
        self._processes: dict[Started, subprocess.Popen[bytes]] = {}

    def start(self, lab: int, node: str, command: Command, log: str) -> Started:
        self.entered[lab].set()
        assert self.gates[lab].wait(10)
        if self.failures:
            raise self.failures.pop(0)
        process = subprocess.Popen(command.arguments)
        started = Started(process.pid, len(self.started))
        self._processes[started] = process
        self.started.append((log, started))
        return started

    def alive(self, program: Started) -> bool:
        process = self._processes.get(program)
        return process is not None and process.poll() is None

    def end(self, program: Started, *, patience: float = 2.0) -> None:
        process = self._processes.get(program)
        if process is not None:
            process.kill()
            process.wait()

    def furnish(self, lab: int, node: str, place: str, files: Mapping[str, bytes]) -> None:
        self.files[place] = files

    def log(self, lab: int, log: str, limit: int) -> bytes:
        return b"first\nlast words\n"

    def running(self) -> list[str]:
        """Return the logs of what runs."""
        return sorted(log for log, program in self.started if self.alive(program))

    @contextlib.contextmanager
    def held(self, lab: int) -> Iterator[None]:
        """Let no start of a lab go on meanwhile."""
        self.gates[lab].clear()
        try:
            yield
        finally:
            self.gates[lab].set()

    def kill_all(self) -> None:
        for program in self._processes:
            self.end(program)


def _open_gate() -> threading.Event:
    event = threading.Event()
    event.set()
    return event
