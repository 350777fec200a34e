"""Which system calls a program inside a node may make: an allow list, as data.

Everything that is not listed answers ENOSYS. What is listed was chosen for network tools,
shells, editors and daemons; nothing is in it that mounts, makes or enters namespaces, loads code
into the kernel, looks into other processes, or reaches what is not divided by a namespace.
"""

from __future__ import annotations

import errno
import platform
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

ARCHITECTURES = {"x86_64": "SCMP_ARCH_X86_64", "aarch64": "SCMP_ARCH_AARCH64"}
CONDITIONS = 6  # of a rule
WORD = 0xFFFFFFFF  # the kernel looks at 32 bits of an int argument; so must the filter

FILES = """
access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 epoll_create
epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd
eventfd2 faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown
fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr fsetxattr fstat fstatfs fsync
ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init
inotify_init1 inotify_rm_watch lchown lgetxattr link linkat listxattr llistxattr lremovexattr
lseek lsetxattr lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pipe pipe2 poll
ppoll pread64 preadv preadv2 pselect6 pwrite64 pwritev pwritev2 read readahead readlink
readlinkat readv removexattr rename renameat renameat2 rmdir select sendfile setxattr signalfd
signalfd4 splice stat statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate
umask unlink unlinkat utime utimensat utimes write writev chroot
"""
MEMORY = """
brk madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap msync
munlock munlockall munmap
"""
PROCESSES = """
alarm arch_prctl capget capset clock_getres clock_gettime clock_nanosleep execve execveat exit
exit_group fork futex futex_waitv get_robust_list get_thread_area getcpu getegid geteuid getgid
getgroups getitimer getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid
getrlimit getrusage getsid gettid gettimeofday getuid ioprio_get ioprio_set kill nanosleep pause
pidfd_open pidfd_send_signal prctl prlimit64 restart_syscall rseq rt_sigaction rt_sigpending
rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo
sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam
sched_getscheduler
sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler
sched_yield seccomp set_robust_list set_tid_address setfsgid setfsuid setgid setgroups setitimer
setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setuid sigaltstack
sysinfo tgkill time timer_create timer_delete timer_getoverrun timer_gettime timer_settime
timerfd_create timerfd_gettime timerfd_settime times tkill uname vfork wait4 waitid
"""
MESSAGES = """
accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg
sendmmsg sendmsg sendto setsockopt shutdown mq_getsetattr mq_notify mq_open mq_timedreceive
mq_timedsend mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl
shmdt shmget
"""
ALLOWED = tuple(sorted({*FILES.split(), *MEMORY.split(), *PROCESSES.split(), *MESSAGES.split()}))

AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET = 1, 2, 10, 16, 17
FAMILIES = (AF_UNIX, AF_INET, AF_INET6, AF_PACKET)  # netlink by protocol
NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER, NETLINK_GENERIC = 0, 4, 12, 16
NETLINK_PROTOCOLS = (NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER, NETLINK_GENERIC)
FAMILY_BITS, PROTOCOL_BITS = 6, 5  # AF_MAX is 46, MAX_LINKS 32; beyond them nothing has a name

# Commands of terminals and files are 0x54xx, of sockets and interfaces 0x89xx.
IOCTL_TERMINAL, IOCTL_SOCKET, IOCTL_BITS = 0x5400, 0x8900, 8
TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD = 0x5412, 0x541C, 0x541D, 0x5423
REFUSED_IOCTLS = (TIOCSTI, TIOCLINUX, TIOCCONS, TIOCSETD)  # typing for another; line disciplines
# What opens a pseudo-terminal (script, tmux, sshd), and termios2: larger numbers, one by one.
TIOCGPTN, TIOCSPTLCK, TCGETS2, TCSETS2 = 0x80045430, 0x40045431, 0x802C542A, 0x402C542B
ALLOWED_IOCTLS = (TIOCGPTN, TIOCSPTLCK, TCGETS2, TCSETS2, TCSETS2 + 1, TCSETS2 + 2)

CLONE_NEW = 0x7E020080  # every CLONE_NEW* flag: clone(2), unshare(2)
PERSONALITIES = (0, WORD)  # Linux, and the question which one it is


def profile(*, single: bool = False, machine: str = "") -> dict[str, Any]:
    """Return the filter as ``linux.seccomp`` of an OCI configuration; KeyError: unknown machine.

    ``single``: the lab has one user id, so groups cannot be set. The call then does nothing and
    succeeds, because daemons that give up their privileges end when it fails.
    """
    return _profile(machine or platform.machine(), single)


@cache
def reading(machine: str = "") -> dict[str, Any]:
    """Return the filter of a program that reads and computes: no socket, no device, no message."""
    allowed = sorted({*FILES.split(), *MEMORY.split(), *PROCESSES.split()})
    rules = [_rule(tuple(allowed)), _rule(("clone",), arguments=[_masked(0, CLONE_NEW, 0)])]
    return _filter(machine or platform.machine(), rules)


@cache
def _profile(machine: str, single: bool) -> dict[str, Any]:
    rules = [
        _rule(tuple(name for name in ALLOWED if not (single and name == "setgroups"))),
        *([_rule(("setgroups",), 0)] if single else []),
        _rule(("clone",), arguments=[_masked(0, CLONE_NEW, 0)]),
        _rule(("personality",), arguments=[_equal(0, value) for value in PERSONALITIES]),
        _rule(("socketpair",), arguments=[_equal(0, AF_UNIX)]),
        *_any_of(
            "ioctl",
            [
                _masked(1, WORD ^ 0xFF, IOCTL_SOCKET),
                *(_equal(1, value) for value in ALLOWED_IOCTLS),
                *_other_than(1, REFUSED_IOCTLS, IOCTL_BITS, IOCTL_TERMINAL),
            ],
        ),
        *_sockets(),
    ]
    return _filter(machine, rules)


def _filter(machine: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": errno.ENOSYS,
        "architectures": [ARCHITECTURES[machine]],
        "syscalls": rules,
    }


def _sockets() -> Iterator[dict[str, Any]]:
    """Yield the rules of socket(2): a refused family is unknown, which libraries understand."""
    call = ("socket",)
    families = (*FAMILIES, AF_NETLINK)
    yield _rule(call, arguments=[_equal(0, family) for family in FAMILIES])
    for protocol in NETLINK_PROTOCOLS:
        yield _rule(call, arguments=[_equal(0, AF_NETLINK), _equal(2, protocol)])
    yield from _any_of("socket", _other_than(0, families, FAMILY_BITS), errno.EAFNOSUPPORT)
    for other in _other_than(2, NETLINK_PROTOCOLS, PROTOCOL_BITS):
        yield _rule(call, errno.EPROTONOSUPPORT, [_equal(0, AF_NETLINK), other])


def _other_than(
    index: int, refused: Iterable[int], bits: int, value: int = 0
) -> list[dict[str, Any]]:
    return [_masked(index, mask, value) for mask, value in all_but(refused, bits, value)]


def all_but(refused: Iterable[int], bits: int, value: int = 0) -> Iterator[tuple[int, int]]:
    """Yield (mask, value) pairs that match the ``2**bits`` numbers from ``value``, but the refused.

    The rules of a filter are alternatives, and one can only ask whether some bits are equal to a
    value. So the numbers are walked as a binary tree, and each subtree without a refused one
    becomes a pair.
    """
    refused = tuple(refused)
    if not refused:
        yield WORD & ~((1 << bits) - 1), value
    elif bits:
        half = 1 << (bits - 1)
        for side in (0, half):
            inside = tuple(number for number in refused if number & half == side)
            yield from all_but(inside, bits - 1, value | side)


def _any_of(
    name: str, conditions: Sequence[dict[str, Any]], answer: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield rules for conditions on one argument, as many in each as crun looks at."""
    for first in range(0, len(conditions), CONDITIONS):
        yield _rule((name,), answer, list(conditions[first : first + CONDITIONS]))


def _rule(
    names: tuple[str, ...],
    answer: int | None = None,
    arguments: list[dict[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return a rule that allows, or that answers with an errno and does nothing.

    Conditions on different arguments must all hold; of several on the same one, any.
    """
    action = {"action": "SCMP_ACT_ALLOW"}
    refusal = {"action": "SCMP_ACT_ERRNO", "errnoRet": answer}
    return {
        "names": list(names),
        **(action if answer is None else refusal),
        **({"args": arguments} if arguments else {}),
    }


def _equal(index: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": value, "op": "SCMP_CMP_EQ"}


def _masked(index: int, mask: int, value: int) -> dict[str, Any]:
    return {"index": index, "value": mask, "valueTwo": value, "op": "SCMP_CMP_MASKED_EQ"}
