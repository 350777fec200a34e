"""A sandbox that is none: programs of this machine on real pseudo-terminals."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.programs import Terminal

if TYPE_CHECKING:
    from topoweb.core.programs import Command

SETSID = "/usr/bin/setsid"


class LocalSandboxes:
    """The part of `topoweb.engine.ports.Sandboxes` that terminals need."""

    def __init__(self) -> None:
        self.program: tuple[str, ...] = ()  # instead of the shell
        self.opened: list[tuple[int, str, Command]] = []
        self.pids: list[int] = []
        self.failure: Exception | None = None
        self.gate = threading.Event()  # openings wait while it is clear
        self.gate.set()

    def terminal(self, lab: int, node: str, command: Command, columns: int, rows: int) -> Terminal:
        self.opened.append((lab, node, command))
        assert self.gate.wait(10)
        if self.failure is not None:
            raise self.failure
        master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        arguments = self.program or command.arguments
        environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **command.environment}
        # Not a group leader, so setsid does not fork: the pid stays that of the program.
        pid = os.posix_spawn(
            SETSID,
            [SETSID, "--ctty", *arguments],
            environment,
            file_actions=[(os.POSIX_SPAWN_DUP2, slave, number) for number in range(3)],
            setsigdef=[13],
        )
        os.close(slave)
        self.pids.append(pid)
        return Terminal(master=master, pidfd=os.pidfd_open(pid))

    def left(self) -> list[int]:
        """Return the programs that have not ended, or that nobody has reaped."""
        return [pid for pid in self.pids if Path(f"/proc/{pid}").exists()]
