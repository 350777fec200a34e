"""Every rule of the system call filter, tried inside a node: one probe, one expected answer."""

from __future__ import annotations

import errno
import json
import platform
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, apply, errors, node
from topoweb.core.programs import Command
from topoweb.kernel import seccomp
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from collections.abc import Mapping

HIGH = 1 << 32  # a bit that the kernel does not look at in an int argument
# name: (number on x86-64, number on aarch64), and the expected errno of a call of zeroes
REFUSED_CALLS = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bpf": (321, 280),
    "clock_settime": (227, 112),
    "clone3": (435, 435),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_setup": (206, 0),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unknown 470": (470, 470),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}
CLONES = {
    "newuser": 0x10000000,
    "newnet": 0x40000000,
    "newns": 0x20000,
    "newpid": 0x20000000,
    "newuts": 0x4000000,
    "newipc": 0x8000000,
    "newcgroup": 0x2000000,
}
FAMILIES = {
    "appletalk": 5,
    "key": 15,
    "rds": 21,
    "can": 29,
    "tipc": 30,
    "bluetooth": 31,
    "alg": 38,
    "vsock": 40,
    "xdp": 44,
}
NETLINKS = {"xfrm": 6, "audit": 9, "connector": 11, "crypto": 21, "uevent": 15}
IOCTLS = {"tiocsti": 0x5412, "tioclinux": 0x541C, "tioccons": 0x541D, "tiocsetd": 0x5423}
OTHER_IOCTLS = {"a block device": 0x1260, "kvm": 0xAE00, "fiemap": 0xC020660B}
NUMBERS = ("socket", "socketpair", "ioctl", "clone", "personality", "setgroups")
BY_MACHINE = {
    "x86_64": dict(zip(NUMBERS, (41, 53, 16, 56, 135, 116), strict=True)),
    "aarch64": dict(zip(NUMBERS, (198, 199, 29, 220, 92, 159), strict=True)),
}

PROGRAM = """
import ctypes, errno, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
answers = {}
for name, number, *arguments in json.load(sys.stdin):
    values = [ctypes.c_ulong(value) for value in arguments] + [ctypes.c_ulong(0)] * 6
    result = libc.syscall(ctypes.c_long(number), *values[:6])
    if result == 0 and name.startswith("clone"):
        os._exit(0)
    answers[name] = ctypes.get_errno() if result < 0 else 0
    if result > 0 and name.startswith("socket"):
        os.close(result)
print(json.dumps(answers))
"""


def probes() -> dict[str, tuple[int, list[int]]]:
    """Every probe: name → (expected errno, [call number, arguments])."""
    column = 0 if platform.machine() == "x86_64" else 1
    of = BY_MACHINE[platform.machine()]
    netlink = seccomp.AF_NETLINK
    table = {
        f"call {name}": (errno.ENOSYS, [numbers[column]]) for name, numbers in REFUSED_CALLS.items()
    }
    for name, flag in CLONES.items():
        table[f"clone {name}"] = (errno.ENOSYS, [of["clone"], flag | 17])
        table[f"clone {name} high"] = (errno.ENOSYS, [of["clone"], HIGH | flag | 17])
    for name, family in FAMILIES.items():
        table[f"socket {name}"] = (errno.EAFNOSUPPORT, [of["socket"], family, 2, 0])
        table[f"socket {name} high"] = (errno.EAFNOSUPPORT, [of["socket"], HIGH | family, 2, 0])
        table[f"socketpair {name}"] = (errno.ENOSYS, [of["socketpair"], family, 2, 0])
    for name, protocol in NETLINKS.items():
        answer = errno.EPROTONOSUPPORT
        table[f"socket netlink {name}"] = (answer, [of["socket"], netlink, 3, protocol])
        table[f"socket netlink {name} high"] = (answer, [of["socket"], netlink, 3, HIGH | protocol])
    for name, command in IOCTLS.items():
        table[f"ioctl {name}"] = (errno.ENOSYS, [of["ioctl"], 0, command])
        table[f"ioctl {name} half"] = (errno.ENOSYS, [of["ioctl"], 0, 0x80000000 | command])
        table[f"ioctl {name} high"] = (errno.ENOSYS, [of["ioctl"], 0, HIGH | command])
    for name, command in OTHER_IOCTLS.items():
        table[f"ioctl of {name}"] = (errno.ENOSYS, [of["ioctl"], 0, command])
    table["socket unheard of"] = (errno.ENOSYS, [of["socket"], 77, 2, 0])
    table["personality read-implies-exec"] = (errno.ENOSYS, [of["personality"], 0x400000])
    return table | allowed_probes(of)


def allowed_probes(of: Mapping[str, int]) -> dict[str, tuple[int, list[int]]]:
    """What network tools need is let through."""
    allowed: dict[str, tuple[int, list[int]]] = {
        "clone of a process": (0, [of["clone"], 17]),
        "ioctl winsize": (errno.ENOTTY, [of["ioctl"], 0, 0x5413]),
        "ioctl next to tiocsti": (errno.ENOTTY, [of["ioctl"], 0, 0x5411]),
        "ioctl tiocgptn": (errno.ENOTTY, [of["ioctl"], 0, 0x80045430]),
        "ioctl siocgifname": (errno.ENOTTY, [of["ioctl"], 0, 0x8910]),
        "personality asked": (0, [of["personality"], 0xFFFFFFFF]),
        "setgroups": (0, [of["setgroups"], 0, 0]),
    }
    for family in seccomp.FAMILIES:
        kind = 3 if family == seccomp.AF_PACKET else 2
        allowed[f"socket family {family}"] = (0, [of["socket"], family, kind, 0])
    for protocol in seccomp.NETLINK_PROTOCOLS:
        call = [of["socket"], seccomp.AF_NETLINK, 3, protocol]
        allowed[f"socket netlink {protocol}"] = (0, call)
    return allowed


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    """What a node answered to each probe."""
    kernel = LinuxKernel(tmp_path_factory.mktemp("run"))
    try:
        assert errors(apply(kernel, *node("n1"))) == []
        calls = [[name, *call] for name, (_, call) in probes().items()]
        command = Command(arguments=("/usr/bin/python3", "-I", "-c", PROGRAM))
        done = kernel.sandboxes.run(LAB, "n1", command, stdin=json.dumps(calls).encode())
        assert done.status == 0, done.output.decode()
        found: dict[str, int] = json.loads(done.output)
        return found
    finally:
        kernel.destroy(LAB)
        kernel.close()


@pytest.mark.parametrize("name", probes())
def test_the_filter_answers(answers: dict[str, int], name: str) -> None:
    expected = probes()[name][0]
    found = answers[name]
    assert found == expected, f"{name}: {errno.errorcode.get(found, found)}"
