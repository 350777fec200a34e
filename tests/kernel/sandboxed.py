"""Short ways to run things in sandboxes and to read terminals."""

from __future__ import annotations

import contextlib
import os
import select
import time
from typing import TYPE_CHECKING

from tests.kernel.plans import LAB
from topoweb.core.programs import Command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.programs import Finished, Terminal
    from topoweb.kernel.holder import Holder
    from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes

NAMES = {"n1": "alpha", "n2": "not a name!"}
DEADLINE = 20.0  # seconds; a busy machine is slow


def shell(text: str, **options: object) -> Command:
    return Command(arguments=("/bin/sh", "-c", text), **options)  # type: ignore[arg-type]


def run(sandboxes: LinuxSandboxes, node: str, text: str, timeout: float = DEADLINE) -> Finished:
    return sandboxes.run(LAB, node, shell(text), timeout=timeout)


def says(sandboxes: LinuxSandboxes, node: str, text: str, timeout: float = DEADLINE) -> str:
    """Run a shell line in a node and return what it says; it must end well."""
    done = run(sandboxes, node, text, timeout)
    assert done.status == 0, done
    return done.output.decode()


def until(terminal: Terminal, wanted: bytes, timeout: float = DEADLINE) -> bytes:
    """Read a terminal until it shows something."""
    seen, deadline = b"", time.monotonic() + timeout
    while wanted not in seen:
        assert select.select([terminal.master], [], [], deadline - time.monotonic())[0], seen
        with contextlib.suppress(OSError):  # EIO: all have left the other side
            seen += os.read(terminal.master, 1 << 16)
            continue
        raise AssertionError(f"the terminal ended: {seen!r}")
    return seen


def ask(terminal: Terminal, line: str) -> str:
    """Type a line into a shell on a terminal; return what comes before the end mark."""
    os.write(terminal.master, f"{line}; echo en''d\n".encode())
    return until(terminal, b"end\r\n").decode()


def wait_for(condition: object, timeout: float = DEADLINE) -> None:
    """Wait until a condition holds that the kernel tells nobody of."""
    assert callable(condition)
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.01)


@contextlib.contextmanager
def opened(
    sandboxes: LinuxSandboxes, node: str, columns: int = 80, rows: int = 24
) -> Iterator[Terminal]:
    """Open a shell on a terminal; hang up at the end."""
    command = Command(arguments=("/bin/bash", "--norc", "-i"), environment={"PS1": "$ "})
    terminal = sandboxes.terminal(LAB, node, command, columns, rows)
    try:
        yield terminal
    finally:
        os.close(terminal.master)
        os.close(terminal.pidfd)


def first_process(sandboxes: LinuxSandboxes, name: str) -> Holder:
    return sandboxes._lodging(LAB).ensure(name)
