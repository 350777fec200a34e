"""Give up what a tracer does not need (capabilities(7), prctl(2)).

Linux keeps capabilities by thread and new threads inherit them: call it before there are any.
"""

from __future__ import annotations

import ctypes
import os
import struct

CAP_DAC_READ_SEARCH = 2  # /proc/<holder>/fd belongs to the lab's own user
CAP_NET_BROADCAST = 11  # notifications of all namespaces of a lab at one socket
CAP_NET_ADMIN = 12  # socket buffers above rmem_max
CAP_NET_RAW = 13  # packet sockets
CAP_SYS_PTRACE = 19  # look through /proc/<holder>/fd
CAP_SYS_ADMIN = 21  # setns
NEEDED = (
    CAP_DAC_READ_SEARCH,
    CAP_NET_BROADCAST,
    CAP_NET_ADMIN,
    CAP_NET_RAW,
    CAP_SYS_PTRACE,
    CAP_SYS_ADMIN,
)

PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
VERSION_3 = 0x20080522  # of the capability structures: two words of 32 bits each

_libc = ctypes.CDLL(None, use_errno=True)


def confine() -> None:
    """Keep only the capabilities above, for good. OSError when the kernel refuses."""
    _check(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    capability = 0
    while capability in NEEDED or _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1  # the first number that the kernel does not know ends it
    kept = sum(1 << number for number in NEEDED) & _permitted()
    header = struct.pack("=Ii", VERSION_3, 0)
    low = struct.pack("=III", kept, kept, 0)  # effective, permitted, inheritable
    _check(_libc.capset(header, low + bytes(12)), "capset")


def _permitted() -> int:
    header = struct.pack("=Ii", VERSION_3, 0)
    data = ctypes.create_string_buffer(24)
    _check(_libc.capget(header, data), "capget")
    return int(struct.unpack_from("=III", data.raw)[1])


def _check(result: int, what: str) -> None:
    if result:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
