"""The forker: a small single-threaded process that makes lab holders for the worker.

The worker has threads, so it must not fork and may not enter a user namespace (user_namespaces(7)
asks for a single thread). It starts this file once, as a script that imports almost nothing,
and talks to it over a SOCK_SEQPACKET pair on the file descriptor in ``argv[1]``, one JSON object
a message. The forker ends when the worker's end closes; holders live on.

Request ``{"lab", "owner", "base", "keep": {"pid", "start", "slots"} | null, "add": [slot, …],
"outer": [slot, …]}``; answer ``{"pid", "start", "userns", "inodes": {slot: inode}}`` of the added
namespaces, or ``{"errno", "what"}``. ``base`` is the first uid of the lab's range, or -1 for the
single uid that this process has. Namespaces of ``outer`` are made before the lab's user namespace
is entered: they belong to the worker's, and no root of the lab can enter or change them.

A holder is ``sleep`` under the name ``topoweb-holder``: descriptor 99 is the lab's user
namespace, 100 + slot each network namespace. With ``keep`` it is a successor: it takes the kept
namespaces over from the old holder and makes the new ones inside the same user namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import resource
import signal
import socket
import sys
from typing import Any

NEWUSER, NEWNET = 0x10000000, 0x40000000
USER_FD, FIRST_FD = 99, 100
UIDS = 65536
MAX_MESSAGE = 1 << 20
SYS_PIDFD_GETFD = 438  # the same on every architecture but alpha
SLEEP = ("/usr/bin/sleep", "/bin/sleep")
SPARE_NAMESPACES = 64

libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> int:
    """Return ``result``, or raise what errno says when it is negative."""
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def write(path: str, text: str) -> None:
    """Write a file of procfs in one call."""
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def start_time(pid: int) -> int:
    """Return field 22 of /proc/<pid>/stat: with the pid it names a process for good."""
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:  # noqa: PTH123
        return int(file.read().rsplit(")", 1)[1].split()[19])


def map_ids(pid: int, base: int) -> None:
    """Give a child's new user namespace its uids and gids."""
    if base < 0:
        with contextlib.suppress(FileNotFoundError):
            write(f"/proc/{pid}/setgroups", "deny")
        text = "0 0 1"
    else:
        text = f"0 {base} {UIDS}"
    write(f"/proc/{pid}/gid_map", text)
    write(f"/proc/{pid}/uid_map", text)


def become_root() -> None:
    """Become uid 0 of the user namespace just entered."""
    with contextlib.suppress(PermissionError):  # setgroups is denied with a single uid
        os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)


def set_ceilings(namespaces: int) -> None:
    """Bound what the lab may make: kernel-enforced, nobody inside can raise it.

    A sandbox takes one mount, pid, uts and ipc namespace; those of ended ones go a little later.
    """
    bound = namespaces + SPARE_NAMESPACES
    ceilings = {"user": 0, "net": namespaces + 8, "mnt": bound, "pid": bound, "uts": bound}
    for kind, count in (ceilings | {"ipc": bound, "cgroup": 0, "time": 0}).items():
        with contextlib.suppress(OSError):  # read-only /proc/sys in a container
            write(f"/proc/sys/user/max_{kind}_namespaces", str(count))


def fill_low_descriptors() -> None:
    """Occupy every descriptor below the user namespace's, so that opens land where they stay."""
    null = os.open("/dev/null", os.O_RDWR)
    while null < USER_FD:
        null = os.dup(null)
    os.close(null)


def open_at(path: bytes, number: int) -> None:
    """Open a namespace at a given descriptor, to be inherited across exec."""
    fd = check(libc.open(path, os.O_RDONLY), "open a namespace")
    if fd != number:
        os.dup2(fd, number)
        os.close(fd)


def keep_descriptors(pid: int, start: int, slots: list[int]) -> None:
    """Take over the old holder's user namespace and the kept network namespaces."""
    pidfd = os.pidfd_open(pid)
    if start_time(pid) != start:
        raise OSError(errno.ESRCH, f"process {pid} is not the lab's holder any more")
    fill_low_descriptors()
    for number in [USER_FD, *(FIRST_FD + slot for slot in slots)]:
        # half the time of opening /proc/<pid>/fd/<number>; the copy closes on exec
        fd = check(libc.syscall(SYS_PIDFD_GETFD, pidfd, number, 0), "take a namespace over")
        if fd == number:
            fcntl.fcntl(fd, fcntl.F_SETFD, 0)
        else:
            os.dup2(fd, number)
            os.close(fd)


def make_namespaces(slots: list[int]) -> dict[int, int]:
    """Create network namespaces at their descriptors; return their inodes by slot."""
    inodes = {}
    for slot in slots:
        check(libc.unshare(NEWNET), "create a network namespace")
        open_at(b"/proc/self/ns/net", FIRST_FD + slot)
        inodes[slot] = os.fstat(FIRST_FD + slot).st_ino
    return inodes


def make_outer_namespaces(slots: list[int], here: int) -> dict[int, int]:
    """Create network namespaces as `make_namespaces`, and return to that of ``here``."""
    inodes = make_namespaces(slots)
    if slots:
        check(libc.setns(here, NEWNET), "return to the own network namespace")
    return inodes


def hold(request: dict[str, Any], ready: int, go: int, answer: int) -> None:
    """Be the child: enter or make the user namespace, collect descriptors, become ``sleep``."""
    os.setsid()
    with contextlib.suppress(OSError):
        write("/proc/self/oom_score_adj", "-900")
    keep, add, outer = request["keep"], request["add"], request["outer"]
    here = os.open("/proc/self/ns/net", os.O_RDONLY)  # before all others: a low descriptor
    slots = keep["slots"] if keep else []
    if keep:
        keep_descriptors(keep["pid"], keep["start"], slots)
    else:
        fill_low_descriptors()
    inodes = make_outer_namespaces(outer, here)
    if keep:
        check(libc.setns(USER_FD, NEWUSER), "enter the lab's user namespace")
    else:
        check(libc.unshare(NEWUSER), "create a user namespace")
        os.write(ready, b"x")
        if os.read(go, 1) != b"x":
            os._exit(1)
        open_at(b"/proc/self/ns/user", USER_FD)
    become_root()
    set_ceilings(len(slots) + len(add))
    inodes |= make_namespaces(add)
    result = {"pid": os.getpid(), "userns": os.fstat(USER_FD).st_ino, "inodes": inodes}
    wanted = {USER_FD, *(FIRST_FD + slot for slot in (*slots, *outer, *add))}
    become_sleep(request, wanted, answer, json.dumps(result).encode())


def become_sleep(request: dict[str, Any], wanted: set[int], answer: int, result: bytes) -> None:
    """Close all but the wanted descriptors, send the result, and exec."""
    null = os.open("/dev/null", os.O_RDWR)
    for number in range(3):
        os.dup2(null, number)
    last = 2
    for number in sorted(wanted | {answer}):
        if number > last + 1:
            os.closerange(last + 1, number)
        last = number
    os.closerange(last + 1, 1 << 20)
    os.chdir("/")
    os.umask(0o077)
    environment = {"TOPOWEB_LAB": str(request["lab"]), "TOPOWEB_OWNER": request["owner"]}
    os.write(answer, result)  # its descriptor closes on exec: EOF tells that we are `sleep` now
    for path in SLEEP:
        with contextlib.suppress(FileNotFoundError):
            os.execve(path, ["topoweb-holder", "infinity"], environment)  # noqa: S606


def child(request: dict[str, Any], ready: int, go: int, answer: int) -> None:
    """Run `hold`; whatever goes wrong becomes the answer."""
    try:
        hold(request, ready, go, answer)
    except OSError as error:
        os.write(answer, json.dumps({"errno": error.errno, "what": error.strerror}).encode())
    finally:
        os._exit(1)


def read_all(fd: int) -> bytes:
    """Read up to the end of file."""
    parts = []
    while part := os.read(fd, MAX_MESSAGE):
        parts.append(part)
    return b"".join(parts)


def serve_one(request: dict[str, Any]) -> dict[str, Any]:
    """Make a holder as the request asks; return the answer."""
    ready, ready_child = os.pipe()
    go_child, go = os.pipe()
    answer, answer_child = os.pipe()
    pid = os.fork()
    if not pid:
        child(request, ready_child, go_child, answer_child)
    for fd in (ready_child, go_child, answer_child):
        os.close(fd)
    try:
        if not request["keep"] and os.read(ready, 1) == b"x":
            map_ids(pid, request["base"])
            os.write(go, b"x")
        result: dict[str, Any] = json.loads(read_all(answer) or b"{}")
        if "pid" in result:
            result["start"] = start_time(pid)
    except OSError as error:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        return {"errno": error.errno, "what": error.strerror}
    else:
        return result or {"errno": errno.EIO, "what": "the holder died while it was made"}
    finally:
        for fd in (ready, go, answer):
            os.close(fd)


def main(fd: int) -> None:
    """Serve requests until the worker is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel reaps dead holders
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    channel = socket.socket(fileno=fd)
    channel.set_inheritable(False)
    with contextlib.suppress(ConnectionError):
        while request := channel.recv(MAX_MESSAGE):
            channel.send(json.dumps(serve_one(json.loads(request))).encode())


if __name__ == "__main__":
    main(int(sys.argv[1]))
