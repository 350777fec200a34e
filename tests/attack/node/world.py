"""What the attacks from inside a node find around them: labs, and canaries that must stay silent.

The canaries are what a student may never reach: a TCP listener and a Unix socket of the host, a
file of root, the worker's environment and run directory, the files of another lab and of another
node. Each is recognised by a word that is nowhere else.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.kernel.plans import apply, two_hosts
from topoweb.core.limits import MIB, Limits
from topoweb.core.programs import Command, Residence
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from collections.abc import Iterator

INSIDE = Path(__file__).parents[1] / "inside"
LAB, OTHER, GREEDY = 41_001, 41_002, 41_003
PYTHON = "/usr/bin/python3"
PARTS = {"calls": ("calls", "rights")}  # programs of several files
SMALL = Limits(
    processes=96, node_processes=64, memory=96 * MIB, node_memory=64 * MIB, cpu=0.5,
    disk=8 * MIB, inodes=2_000,
)  # fmt: skip
RESIDENCES = {LAB: Limits(), OTHER: Limits(), GREEDY: SMALL}


class Canary:
    """A listener of the host that counts who comes."""

    def __init__(self, listener: socket.socket, word: str) -> None:
        self.visitors = 0
        self._listener, self._word = listener, word
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                visitor, _ = self._listener.accept()
                self.visitors += 1
                with visitor, contextlib.suppress(OSError):
                    visitor.sendall(self._word.encode())

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


class World:
    """Two labs of two nodes each, of two users, and a third with narrow limits."""

    def __init__(self, run_dir: Path) -> None:
        self.word = f"canary-{secrets.token_hex(8)}"
        self.run_dir = run_dir
        self.file = run_dir / "of-root"
        self.file.write_text(self.word)
        self.file.chmod(0o600)
        os.environ["TOPOWEB_CANARY"] = self.word
        tcp = socket.create_server(("127.0.0.1", 0))
        self.port = tcp.getsockname()[1]
        self.abstract, self.path = f"topoweb-{self.word}", run_dir / "worker.sock"
        self.canaries = [
            Canary(tcp, self.word),
            Canary(_listener(f"\0{self.abstract}"), self.word),
            Canary(_listener(str(self.path)), self.word),
        ]
        self.kernel = LinuxKernel(run_dir)
        self.sandboxes = self.kernel.sandboxes
        for lab, limits in RESIDENCES.items():
            apply(self.kernel, *two_hosts(), lab=lab)
            names = {"n1": "alpha", "n2": "beta"}
            self.sandboxes.house(lab, Residence(names=names, limits=limits))

    def run(self, lab: int, node: str, *arguments: str, stdin: bytes = b"", timeout: float = 60.0):
        """Run a program of a node to its end."""
        command = Command(arguments=arguments)
        return self.sandboxes.run(lab, node, command, stdin=stdin, timeout=timeout)

    def attack(
        self, place: tuple[int, str], program: str, name: str, *arguments: object, **options: Any
    ) -> dict[str, Any]:
        """Run one attack in a node."""
        return run_attack(self.sandboxes, place, program, name, *arguments, **options)

    def untouched(self) -> None:
        """Assert that no canary was reached and root's file is as it was."""
        assert [one.visitors for one in self.canaries] == [0, 0, 0]
        assert self.file.read_text() == self.word

    def close(self) -> None:
        try:
            for lab in self.kernel.labs():
                self.kernel.destroy(lab)
        finally:
            self.kernel.close()
            for canary in self.canaries:
                canary.close()
            del os.environ["TOPOWEB_CANARY"]


def run_attack(
    sandboxes: Any,
    place: tuple[int, str],
    program: str,
    name: str,
    *arguments: object,
    daemon: bool = False,
    timeout: float = 60.0,
) -> dict[str, Any]:
    """Run one attack of ``inside/<program>.py``: ``{"won": …}`` or ``{"refused": errno}``."""
    parts = ("report", *PARTS.get(program, (program,)))
    text = "".join((INSIDE / f"{one}.py").read_text() for one in parts)
    command = Command(arguments=(PYTHON, "-I", "-", name, *map(str, arguments)), daemon=daemon)
    done = sandboxes.run(*place, command, stdin=f"{text}\nmain()\n".encode(), timeout=timeout)
    said = done.output.decode(errors="replace").strip().splitlines()
    with contextlib.suppress(IndexError, ValueError):
        return json.loads(said[-1])
    return {"ended": done.status, "said": said[-5:]}


def _listener(address: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    return listener


@contextlib.contextmanager
def world(run_dir: Path) -> Iterator[World]:
    """Make the world, and take all of it away again."""
    own = World(run_dir)
    try:
        yield own
    finally:
        own.close()
