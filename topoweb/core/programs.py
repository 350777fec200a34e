"""What runs inside a node, as values: the seam between the engine and the sandbox.

A node's sandbox is made when its first program is started. Everything that a user wrote runs
there and nowhere else.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from topoweb.core.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A program to run in a node. No shell is involved unless it is the program."""

    arguments: tuple[str, ...]  # the first one is an absolute path inside the sandbox
    environment: Mapping[str, str] = field(default_factory=dict)  # added to the sandbox's own
    directory: str = "/root"
    daemon: bool = False  # CAP_SYS_ADMIN of the lab's user namespace; never for what a user typed


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A program that is to be kept running in a node: a service, or a DHCP client."""

    kind: str  # of the service, or "dhcp-client"
    node: str
    place: str  # of its files, and the name of its log: [A-Za-z0-9_-]+, one in the lab
    command: Command
    files: Mapping[str, bytes] = field(default_factory=dict)  # seen in /run/topoweb/<place>/
    needs: Mapping[str, str] = field(default_factory=dict)  # program → the package that has it
    fault: str = ""  # code of the text that says why it cannot be started as it is drawn

    @property
    def digest(self) -> str:
        """What changes when the program has to be started anew."""
        command, files = self.command, sorted(self.files.items())
        parts = (self.node, self.place, command.arguments, sorted(command.environment.items()))
        return hashlib.sha256(repr((parts, command.directory, files)).encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Residence:
    """What a lab's sandboxes need to know of it."""

    names: Mapping[str, str]  # node id → drawn name; checked again where it becomes a host name
    limits: Limits = DEFAULT


@dataclass(frozen=True, slots=True)
class Started:
    """A program that runs on without the worker: pid (ours, not the node's) and start time."""

    pid: int
    start: int  # clock ticks since boot, /proc/<pid>/stat field 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A program that has ended."""

    status: int  # exit status, 128 + signal when it was killed, 124 when it ran out of time
    output: bytes  # standard output and error, the first 1 MiB


@dataclass(frozen=True, slots=True)
class Terminal:
    """A program on a pseudo-terminal of its node. The owner of the value closes both."""

    master: int  # descriptor of the pty's master side
    pidfd: int  # of the program
