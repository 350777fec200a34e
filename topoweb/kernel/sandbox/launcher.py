"""The launcher: a small single-threaded process that starts crun for the worker.

crun has to be started from inside the node's cgroups and with a view of the file system of its
own. The worker has threads, so it must not fork; it starts this file once, as a script that
imports almost nothing, and talks to it over a SOCK_SEQPACKET pair on descriptor ``argv[1]``.

Request: JSON ``{"program", "arguments", "quarters", "cgroups": [directory, …]}`` with descriptors
(SCM_RIGHTS): a pipe for the answer, then standard input, output and error, then others which the
program sees as 3, 4, …. Answer, on the pipe: the exit status (128 + signal) as text when the
program has ended; an empty pipe means that it could not be watched.

The view: the lab's quarters at ``VIEW``, which every user id can reach however private the
worker's directory is, and a cgroup2 file system where this host shows another (crun refuses v1
and hybrid hosts even when it is told to leave cgroups alone).

Orphans of crun (programs that run on) become children of this process, which reaps them at
once: a dead program that nobody reaps would keep its sandbox from ending.
"""

from __future__ import annotations

import array
import contextlib
import ctypes
import json
import os
import platform
import signal
import socket
import sys

VIEW = "/mnt"
MAX_MESSAGE = 1 << 16
MAX_DESCRIPTORS = 16
OOM_SCORE = b"500"
CGROUPS = "/sys/fs/cgroup"
CGROUP2_MAGIC = 0x63677270
NEWNS, NEWCGROUP = 0x00020000, 0x02000000
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
PR_SET_CHILD_SUBREAPER = 36
KEYCTL_JOIN_SESSION_KEYRING = 1
SYS_KEYCTL = {"x86_64": 250, "aarch64": 219}
CANNOT = 125  # exit status of a program that could not be started, as env(1) has it

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise what errno says when a call failed."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")


def mount(source: bytes, target: bytes, kind: bytes | None, flags: int) -> None:
    """Call mount(2) without data."""
    check(libc.mount(source, target, kind, flags, None), f"mount {target.decode()}")


def shows_cgroup2() -> bool:
    """True when the host's cgroup file system is cgroup2 (statfs(2), first word)."""
    buffer = (ctypes.c_long * 32)()
    return libc.statfs(CGROUPS.encode(), buffer) == 0 and buffer[0] == CGROUP2_MAGIC


def make_view(quarters: str) -> None:
    """Enter a mount namespace of our own with the lab's quarters and cgroup2 in it."""
    check(libc.unshare(NEWNS), "make a mount namespace")
    mount(b"none", b"/", None, MS_REC | MS_PRIVATE)
    mount(quarters.encode(), VIEW.encode(), None, MS_BIND | MS_REC)
    if not shows_cgroup2():
        while libc.umount2(CGROUPS.encode(), MNT_DETACH) == 0:
            pass
        try:
            mount(b"none", CGROUPS.encode(), b"cgroup2", 0)
        except PermissionError:  # without root: in a cgroup namespace of our own
            check(libc.unshare(NEWCGROUP), "make a cgroup namespace")
            mount(b"none", CGROUPS.encode(), b"tmpfs", 0)
            mount(b"none", CGROUPS.encode(), b"cgroup2", 0)


def enter(directories: list[str]) -> None:
    """Move this process into cgroups; its children are born there."""
    for directory in directories:
        fd = os.open(f"{directory}/cgroup.procs", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, b"0")
        finally:
            os.close(fd)


def be_killed_first() -> None:
    """Let the kernel's OOM killer prefer us; as root this is a floor for our children."""
    fd = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
    with contextlib.suppress(OSError):
        os.write(fd, OOM_SCORE)
    os.close(fd)


def arrange(descriptors: list[int]) -> None:
    """Make the descriptors 0, 1, 2, …, and close every other."""
    high = [os.dup2(fd, 100 + number) for number, fd in enumerate(descriptors)]
    for number, fd in enumerate(high):
        os.dup2(fd, number)
    os.closerange(len(descriptors), 1 << 16)


def become(request: dict[str, object], descriptors: list[int]) -> None:
    """Be the program."""
    arguments = request["arguments"]
    assert isinstance(arguments, list)
    try:
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        os.umask(0o022)
        be_killed_first()
        enter(request["cgroups"])  # type: ignore[arg-type]
        make_view(str(request["quarters"]))
        arrange(descriptors)
        os.chdir("/")
        os.execve(str(request["program"]), arguments, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})  # noqa: S606
    except OSError as error:
        os.write(2, f"{error.strerror}\n".encode())
    finally:
        os._exit(CANNOT)


def watch(request: dict[str, object], descriptors: list[int]) -> None:
    """Start the program, wait for its end and tell its status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    answer, rest = descriptors[0], descriptors[1:]
    pid = os.fork()
    if not pid:
        become(request, rest)
    for fd in rest:
        os.close(fd)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    with contextlib.suppress(BrokenPipeError):
        os.write(answer, str(code if code >= 0 else 128 - code).encode())


def serve(channel: socket.socket) -> bool:
    """Take one request; False when the worker is gone."""
    size = array.array("i").itemsize
    data, ancillary, _, _ = channel.recvmsg(MAX_MESSAGE, socket.CMSG_SPACE(MAX_DESCRIPTORS * size))
    descriptors = array.array("i")
    for _, _, part in ancillary:
        descriptors.frombytes(part[: len(part) - len(part) % size])
    if not data:
        return False
    if not os.fork():
        try:
            channel.close()
            watch(json.loads(data), list(descriptors))
        finally:
            os._exit(0)
    for fd in descriptors:
        os.close(fd)
    return True


def main(fd: int) -> None:
    """Serve requests until the worker is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    number = SYS_KEYCTL.get(platform.machine())
    if number:  # programs shall not inherit the worker's session keyring
        libc.syscall(number, KEYCTL_JOIN_SESSION_KEYRING, None)
    channel = socket.socket(fileno=fd)
    channel.set_inheritable(False)
    with contextlib.suppress(ConnectionError):
        while serve(channel):
            pass


if __name__ == "__main__":
    main(int(sys.argv[1]))
