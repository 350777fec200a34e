"""The launcher as the worker sees it: started on first use, asked from any thread."""

from __future__ import annotations

import json
import os
import select
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel.sandbox import launcher as launcher_script
from topoweb.kernel.script import Script

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A program to start beside the worker: where it stands and which descriptors it gets."""

    program: str
    arguments: Sequence[str]  # argv, the program's name included
    quarters: Path  # of the lab: at `launcher.VIEW` in the program's sight
    cgroups: Sequence[Path] = ()
    descriptors: Sequence[int] = field(default_factory=tuple)  # 0, 1, 2, … of the program


class Running:
    """A launched program: its end is waited for on a pipe."""

    def __init__(self, answer: int) -> None:
        self._answer = answer

    def fileno(self) -> int:
        """Return the descriptor that becomes readable when the program has ended."""
        return self._answer

    def wait(self, timeout: float) -> int | None:
        """Return the exit status (128 + signal); None when it still runs after ``timeout`` s."""
        if not select.select([self._answer], [], [], max(timeout, 0))[0]:
            return None
        text = os.read(self._answer, 16)
        return int(text) if text else launcher_script.CANNOT

    def close(self) -> None:
        """Look away. The program goes on."""
        os.close(self._answer)


class Launcher:
    """The launcher process and its socket; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._script = Script(launcher_script.__file__)

    def launch(self, launch: Launch) -> Running:
        """Start a program. TopowebError LOST when the launcher does not answer."""
        request = {
            "program": launch.program,
            "arguments": list(launch.arguments),
            "quarters": str(launch.quarters),
            "cgroups": [str(path) for path in launch.cgroups],
        }
        answer, answer_child = os.pipe()
        try:
            self._send(json.dumps(request).encode(), [answer_child, *launch.descriptors])
        except OSError as error:
            os.close(answer)
            raise TopowebError(
                ErrorKind.LOST, f"the launcher of sandboxes does not answer: {error}"
            ) from error
        finally:
            os.close(answer_child)
        return Running(answer)

    def _send(self, data: bytes, descriptors: list[int]) -> None:
        with self._lock:
            try:
                socket.send_fds(self._script.start(), [data], descriptors)
            except ConnectionError:  # it died since; a new one knows all that it knew
                self._script.stop()
                socket.send_fds(self._script.start(), [data], descriptors)

    def close(self) -> None:
        """End the launcher. What it started lives on."""
        with self._lock:
            self._script.stop()


def collect(source: int, limit: int, running: Running, timeout: float) -> tuple[bytes, bool]:
    """Read a pipe until its end, keeping ``limit`` bytes; (bytes, True when time ran out).

    What comes later is read and thrown away, so that the program never blocks on us. The program's
    end also ends it: a child of it may have kept the pipe open.
    """
    parts: list[bytes] = []
    kept = 0
    deadline = time.monotonic() + timeout
    while True:
        wait = max(deadline - time.monotonic(), 0)
        ready = select.select([source, running.fileno()], [], [], wait)[0]
        if not ready:
            return b"".join(parts), True
        if source in ready:
            part = os.read(source, 1 << 16)
            if not part:
                return b"".join(parts), False
            parts.append(part[: limit - kept])
            kept += len(parts[-1])
        else:
            return b"".join(parts), False
