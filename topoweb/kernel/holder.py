"""Lab holders as the worker sees them: made by the forker, named by pid and start time.

A holder keeps a lab's namespaces alive without the worker. Whoever wants to touch one proves
first that the pid is still the same process: a reused pid is refused.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel import forker as forker_script
from topoweb.kernel.script import DEATH_TIMEOUT, Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

ARGUMENTS = b"topoweb-holder\0infinity\0"
REQUEST_TIMEOUT = 120.0  # seconds; 5,000 namespaces on a busy machine take a fraction of it


@dataclass(frozen=True, slots=True)
class Holder:
    """A process by pid and start time (clock ticks since boot, /proc/<pid>/stat field 22)."""

    pid: int
    start: int

    def alive(self) -> bool:
        """True while this very process runs (a zombie holds nothing any more)."""
        if self.pid <= 0:
            return False
        try:
            text = Path(f"/proc/{self.pid}/stat").read_text(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return False
        fields = text.rsplit(")", 1)[1].split()
        return int(fields[19]) == self.start and fields[0] not in ("Z", "X")

    def descriptor_path(self, slot: int) -> str:
        """Return the path of a network namespace of this holder."""
        return f"/proc/{self.pid}/fd/{forker_script.FIRST_FD + slot}"

    @contextlib.contextmanager
    def lease(self) -> Iterator[Callable[[int], int]]:
        """Give a fast `open_namespace` for many slots: the process is proved once.

        Its pid cannot be reused unseen while we hold a pidfd of it.
        """
        try:
            pidfd = os.pidfd_open(self.pid)
        except OSError as error:
            raise TopowebError(ErrorKind.LOST, f"holder {self.pid} of the lab is gone") from error
        ended = select.poll()
        ended.register(pidfd, select.POLLIN)

        def open_slot(slot: int) -> int:
            try:
                fd = os.open(self.descriptor_path(slot), os.O_RDONLY | os.O_CLOEXEC)
            except OSError as error:
                raise TopowebError(
                    ErrorKind.LOST, f"namespace {slot} of holder {self.pid} is gone: {error}"
                ) from error
            if ended.poll(0):
                os.close(fd)
                raise TopowebError(ErrorKind.LOST, f"holder {self.pid} of the lab is gone")
            return fd

        try:
            if not self.alive():
                raise TopowebError(ErrorKind.LOST, f"holder {self.pid} of the lab is gone")
            yield open_slot
        finally:
            os.close(pidfd)

    def open_namespace(self, slot: int) -> int:
        """Return a new descriptor of a namespace. TopowebError LOST when the holder is gone."""
        with self.lease() as open_slot:
            return open_slot(slot)

    def kill(self, *, wait: bool = True) -> None:
        """End the holder; ``wait`` until it is dead. Nothing happens to a reused pid."""
        try:
            pidfd = os.pidfd_open(self.pid)
        except (ProcessLookupError, OSError):
            return
        try:
            if not self.alive():
                return
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(pidfd, signal.SIGKILL)
            if wait and not select.select([pidfd], [], [], DEATH_TIMEOUT)[0]:
                raise TopowebError(ErrorKind.BUSY, f"holder {self.pid} does not die")
        finally:
            os.close(pidfd)


@dataclass(frozen=True, slots=True)
class Made:
    """A new holder: its user namespace and the inodes of the namespaces made, by slot."""

    holder: Holder
    userns: int
    inodes: Mapping[int, int]


def find_holders(owner: str) -> list[tuple[int, Holder]]:
    """Return (lab, holder) of every holder process that was made with ``owner``'s token.

    The token sits in the process's environment, which only we and root can read.
    """
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                lab = _lab_of(entry.name, owner)
                if lab is not None:
                    pid = int(entry.name)
                    found.append((lab, Holder(pid, forker_script.start_time(pid))))
    return found


def holds_for(pid: int, lab: int) -> bool:
    """True when a process was started as a holder of this lab, whosever."""
    try:
        return _environment(str(pid)).get(b"TOPOWEB_LAB") == str(lab).encode()
    except OSError:
        return False


def _lab_of(pid: str, owner: str) -> int | None:
    if Path("/proc", pid, "cmdline").read_bytes() != ARGUMENTS:
        return None
    environment = _environment(pid)
    if environment.get(b"TOPOWEB_OWNER") != owner.encode():
        return None
    return int(environment[b"TOPOWEB_LAB"])


def _environment(pid: str) -> dict[bytes, bytes]:
    pairs = Path("/proc", pid, "environ").read_bytes().split(b"\0")
    return dict(pair.split(b"=", 1) for pair in pairs if b"=" in pair)


class Forker:
    """The forker process and its socket. Started on first use; thread-safe."""

    def __init__(self, owner: str) -> None:
        self._owner = owner
        self._lock = threading.Lock()
        # A request for 5,000 namespaces is one message.
        self._script = Script(
            forker_script.__file__, message=forker_script.MAX_MESSAGE, timeout=REQUEST_TIMEOUT
        )

    def make(
        self,
        lab: int,
        base: int,
        add: Sequence[int],
        keep: tuple[Holder, Sequence[int]] | None,
        outer: Sequence[int] = (),
    ) -> Made:
        """Make a holder with new namespaces at the slots ``add``.

        Those at the slots ``outer`` belong to the worker's user namespace, not to the lab's.

        ``keep`` is (old holder, its slots to take over); the old one is left to the caller.
        ``base`` is the first uid of the lab, -1 for a single uid. OSError as the kernel says.
        """
        kept = None
        if keep:
            old, slots = keep
            kept = {"pid": old.pid, "start": old.start, "slots": sorted(slots)}
        answer = self._request(
            {
                **{"lab": lab, "owner": self._owner, "base": base, "keep": kept},
                **{"add": list(add), "outer": list(outer)},
            }
        )
        if "errno" in answer:
            raise OSError(answer["errno"], answer["what"])
        holder = Holder(answer["pid"], answer["start"])
        inodes = {int(slot): number for slot, number in answer["inodes"].items()}
        return Made(holder, answer["userns"], inodes)

    def start(self) -> None:
        """Start the forker unless it runs.

        Its socket belongs to the network namespace of the calling thread and keeps it alive, so
        a thread that is going to enter a node's namespace calls this before it does.
        """
        with self._lock:
            self._script.start()

    def _request(self, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            channel = self._script.start()
            try:
                channel.send(json.dumps(request, separators=(",", ":")).encode())
                data = channel.recv(forker_script.MAX_MESSAGE)
            except OSError as error:
                self._script.stop()
                raise TopowebError(
                    ErrorKind.LOST, f"the forker does not answer: {error}"
                ) from error
            if not data:
                self._script.stop()
                raise TopowebError(ErrorKind.LOST, "the forker has died")
            answer: dict[str, Any] = json.loads(data)
            return answer

    @property
    def pid(self) -> int | None:
        """The forker's pid while it runs."""
        return self._script.pid

    def close(self) -> None:
        """End the forker. Holders live on."""
        with self._lock:
            self._script.stop()
