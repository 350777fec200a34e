"""crun for one lab: make a container, run programs in it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import select
import shutil
import signal
import socket
import struct
import termios
from functools import cache
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.programs import Finished, Started, Terminal
from topoweb.kernel.forker import start_time
from topoweb.kernel.sandbox.container import CATATONIT
from topoweb.kernel.sandbox.launch import Launch, Running, collect
from topoweb.kernel.sandbox.launcher import VIEW

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from topoweb.kernel.holder import Holder
    from topoweb.kernel.sandbox.launch import Launcher
    from topoweb.kernel.sandbox.quarters import Quarters

TIMEOUT = 30.0  # seconds for crun itself
TRIES = 8  # of making a container
OUTPUT = 1 << 20  # bytes kept of what a program says
OUT_OF_TIME = 124  # exit status, as timeout(1) has it
NSENTER = "/usr/bin/nsenter"
CONFIG, LOG, PID = 3, 4, 5  # descriptors in crun
KILLED = (128 + signal.SIGKILL, 128 + signal.SIGPIPE)
SCARCE = ("resource temporarily unavailable", "cannot allocate memory", "no space left")


@cache
def program() -> str:
    """Return crun's path. TopowebError UNSUPPORTED when this host cannot make containers."""
    path = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
    missing = [name for name in ("crun", CATATONIT) if shutil.which(name, path=path) is None]
    if missing:
        raise TopowebError(
            ErrorKind.UNSUPPORTED,
            f"{missing[0]} is not installed: nodes have no terminals and services",
            hint="Install the packages crun and catatonit.",
        )
    return str(shutil.which("crun", path=path))


class Crun:
    """crun over one lab's quarters."""

    def __init__(self, launcher: Launcher, quarters: Quarters) -> None:
        self._launcher = launcher
        self._quarters = quarters

    def run(self, name: str, config: Mapping[str, Any], cgroups: Sequence[Path]) -> None:
        """Make a container and return when its first process runs."""
        arguments = ["run", "--detach", "--no-new-keyring", "--bundle", VIEW]
        arguments += ["--config", f"/proc/self/fd/{CONFIG}", name]
        for left in reversed(range(TRIES)):
            try:
                with _Call(config) as call:
                    call.finish(self._launch(arguments, call, cgroups))
            except TopowebError as error:
                # The nodes of a lab share /dev, where each call makes this link anew: of two at
                # once one may come between the other's removing and making.
                if not left or "`/dev/ptmx`: File exists" not in str(error):
                    raise
            else:
                return

    def start(
        self, name: str, process: Mapping[str, Any], cgroups: Sequence[Path], output: int
    ) -> Started:
        """Run a program that goes on without us; its output goes to a descriptor."""
        arguments = ["exec", "--detach", *_process_options(), name]
        with _Call(process, output) as call:
            call.finish(self._launch(arguments, call, cgroups))
            return call.started()

    def attached(
        self,
        name: str,
        process: Mapping[str, Any],
        cgroups: Sequence[Path],
        stdin: bytes,
        timeout: float,
    ) -> Finished:
        """Run a program to its end; after ``timeout`` seconds it is left to the caller to kill."""
        arguments = ["exec", *_process_options(), name]
        return self._to_its_end(arguments, process, cgroups, stdin, timeout)

    def once(
        self,
        name: str,
        config: Mapping[str, Any],
        cgroups: Sequence[Path],
        stdin: bytes,
        timeout: float,
    ) -> Finished:
        """Make a container whose first process is the program; its errors are not kept.

        After ``timeout`` seconds it is left to the caller to kill.
        """
        options = ["--bundle", VIEW, "--config", f"/proc/self/fd/{CONFIG}"]
        arguments = ["run", "--no-new-keyring", *options, "--pid-file", f"/proc/self/fd/{PID}"]
        return self._to_its_end([*arguments, name], config, cgroups, stdin, timeout, mute=True)

    def _to_its_end(
        self,
        arguments: list[str],
        value: Mapping[str, Any],
        cgroups: Sequence[Path],
        stdin: bytes,
        timeout: float,
        *,
        mute: bool = False,
    ) -> Finished:
        source = os.memfd_create("stdin")
        output, theirs = os.pipe()
        try:
            os.pwrite(source, stdin, 0)
            with _Call(value, theirs, source, mute=mute) as call:
                running = self._launch(arguments, call, cgroups)
                os.close(theirs)
                theirs = -1
                with contextlib.closing(running):
                    said, late = collect(output, OUTPUT, running, timeout)
                    status = None if late else running.wait(timeout)
                call.check(status)
        finally:
            for fd in (source, output, theirs):
                if fd >= 0:
                    os.close(fd)
        return Finished(status=OUT_OF_TIME if status is None else status, output=said)

    def terminal(
        self, name: str, process: Mapping[str, Any], cgroups: Sequence[Path], size: tuple[int, int]
    ) -> Terminal:
        """Run a program on a pseudo-terminal of the container."""
        with _Call(process) as call, _Console(self._quarters.path) as console:
            options = [*_process_options(), "--console-socket", f"{VIEW}/{console.name}"]
            running = self._launch(["exec", "--detach", *options, name], call, cgroups)
            master = console.receive(running)
            try:
                call.finish(running)
                pidfd = os.pidfd_open(call.started().pid)
                fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
            except BaseException as error:
                os.close(master)
                if isinstance(error, ProcessLookupError):
                    raise TopowebError(ErrorKind.LOST, "the program ended at once") from error
                raise
            return Terminal(master, pidfd)

    def rename(self, first: Holder, hostname: str) -> None:
        """Give the container of a first process another host name; who is in it may not."""
        arguments = ["nsenter", f"--uts=/proc/{first.pid}/ns/uts", "hostname", hostname]
        with _Call({}) as call:
            launch = Launch(
                program=NSENTER,
                arguments=arguments,
                quarters=self._quarters.path,
                descriptors=call.descriptors[:3],
            )
            call.finish(self._launcher.launch(launch))

    def _launch(self, arguments: list[str], call: _Call, cgroups: Sequence[Path]) -> Running:
        common = ["crun", "--root", f"{VIEW}/crun", "--cgroup-manager=disabled"]
        common += ["--log", f"/proc/self/fd/{LOG}"]
        return self._launcher.launch(
            Launch(
                program=program(),
                arguments=[*common, *arguments],
                quarters=self._quarters.path,
                cgroups=cgroups,
                descriptors=call.descriptors,
            )
        )


def _process_options() -> list[str]:
    return [
        *("--process", f"/proc/self/fd/{CONFIG}"),
        *("--pid-file", f"/proc/self/fd/{PID}"),
    ]


class _Call:
    """The files of one call of crun, all in memory: what it reads, its log, its pid file."""

    def __init__(
        self,
        value: Mapping[str, Any],
        output: int = -1,
        source: int = -1,
        *,
        mute: bool = False,
    ) -> None:
        self._null = os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC)
        self._files = [os.memfd_create(name) for name in ("config", "log", "pid")]
        with os.fdopen(os.dup(self._files[0]), "wb") as file:
            file.write(json.dumps(value, separators=(",", ":")).encode())
        source = self._null if source < 0 else source
        output = self._null if output < 0 else output
        self.descriptors = [source, output, self._null if mute else output, *self._files]

    def __enter__(self) -> _Call:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in (self._null, *self._files):
            os.close(fd)

    def finish(self, running: Running) -> None:
        """Wait until crun itself has ended well; TopowebError otherwise."""
        try:
            status = running.wait(TIMEOUT)
        finally:
            running.close()
        if status is None:
            raise TopowebError(ErrorKind.BUSY, "the sandbox does not start in time")
        if status:
            self._fail(status)

    def check(self, status: int | None) -> None:
        """Raise when crun ended without having started the program; None: it was killed."""
        if status and not os.pread(self._files[2], 1, 0):
            self._fail(status)

    def _fail(self, status: int) -> None:
        text = os.pread(self._files[1], 4096, 0).decode(errors="replace").strip()
        text = text or f"crun ended with status {status}"
        # A child of crun that cannot be made leaves it writing into a pipe without a reader.
        if status in KILLED or any(words in text.lower() for words in SCARCE):
            raise TopowebError(
                ErrorKind.LIMIT,
                f"the node has no room for another program: {text}",
                hint="End programs in the node, or raise the lab's limits.",
            )
        if "is not running" in text or "does not exist" in text:
            raise TopowebError(ErrorKind.LOST, f"the sandbox has just ended: {text}")
        if "executable file" in text:
            raise TopowebError(ErrorKind.INVALID, text, hint="Is the program installed?")
        raise TopowebError(ErrorKind.INTERNAL, text)

    def started(self) -> Started:
        """Return the program whose pid crun wrote down; start 0 when it has already gone."""
        pid = int(os.pread(self._files[2], 32, 0))
        try:
            return Started(pid, start_time(pid))
        except (FileNotFoundError, ProcessLookupError):
            return Started(pid, 0)


class _Console:
    """The socket on which crun hands over a terminal's master side."""

    def __init__(self, directory: Path) -> None:
        self.name = f"console-{secrets.token_hex(4)}"
        self._directory = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._socket = socket.socket(socket.AF_UNIX)
        # by descriptor: a socket's path has room for 107 bytes
        self._socket.bind(f"/proc/self/fd/{self._directory}/{self.name}")
        self._socket.listen(1)

    def __enter__(self) -> _Console:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.name, dir_fd=self._directory)
        os.close(self._directory)

    def receive(self, running: Running) -> int:
        """Return the master's descriptor, or -1 when crun ends without giving it."""
        select.select([self._socket, running], [], [], TIMEOUT)
        self._socket.setblocking(False)
        try:
            peer, _ = self._socket.accept()
        except BlockingIOError:
            return -1
        with peer:
            peer.settimeout(TIMEOUT)
            _, descriptors, _, _ = socket.recv_fds(peer, 256, 1)
        return descriptors[0] if descriptors else -1
