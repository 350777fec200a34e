"""Rights that a node's root must not gain: capabilities, users, limits, priorities."""

import ctypes
import fcntl
import mmap
import os
import shutil
import socket
import struct


@attack
def gain_capability(number="21"):
    """capset(2) for CAP_SYS_ADMIN in all three sets."""
    header = struct.pack("<Ii", 0x20080522, 0)
    wanted = struct.pack("<6I", *(0xFFFFFFFF,) * 6)
    return call(126, header, wanted) or number


@attack
def raise_ambient():
    return call(157, 47, 2, 21, 0, 0)


@attack
def unset_no_new_privs():
    return call(157, 38, 0, 0, 0, 0)


@attack
def uid_of_the_host():
    return os.setresuid(100_000 + 65_536, -1, -1)


@attack
def raise_limit(which):
    """prlimit(2) of one's own hard limit."""
    return call(302, 0, int(which), struct.pack("<2Q", 1 << 30, 1 << 30), 0)


@attack
def setuid_program():
    """A setuid copy of python, run by another user: nosuid and no_new_privs make it plain."""
    shutil.copy("/usr/bin/id", "/tmp/id")
    os.chmod("/tmp/id", 0o4755)
    read, write = os.pipe()

    def run():
        os.dup2(write, 1)
        os.setresgid(1000, 1000, 1000)
        os.setresuid(1000, 1000, 1000)
        os.execv("/tmp/id", ["id", "-u"])

    in_child(run)
    said = os.read(read, 100).decode().strip()
    if said == "0":
        return said
    raise OSError(errno.EPERM, said)


@attack
def file_capabilities():
    """A program with CAP_SYS_ADMIN in its file capabilities."""
    shutil.copy("/usr/bin/cat", "/tmp/cat")
    os.setxattr("/tmp/cat", "security.capability", struct.pack("<5I", 0x2000001, 1 << 21, 0, 0, 0))
    read, write = os.pipe()

    def run():
        os.dup2(write, 1)
        os.execv("/tmp/cat", ["cat", "/proc/self/status"])

    in_child(run)
    status = os.read(read, 10_000).decode()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff"))
    if int(effective.split()[1], 16) >> 21 & 1:
        return effective
    raise OSError(errno.EPERM, effective)


@attack
def pass_descriptor():
    """Hand a descriptor of the own root to who listens on a name of the host."""
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    sender.connect("\0topoweb-attack-descriptors")
    return socket.send_fds(sender, [b"x"], [os.open("/", os.O_RDONLY)])


@attack
def lock_memory():
    page = mmap.mmap(-1, 64 << 20)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return call(149, address, 64 << 20)


@attack
def real_time_priority():
    return os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))


@attack
def nice_below_zero():
    return os.setpriority(os.PRIO_PROCESS, 0, -20)


@attack
def io_real_time():
    return call(251, 1, 0, 1 << 13)


@attack
def packet_socket_on_the_host():
    """Capturing is allowed, in the node's own network namespace: its interfaces, no others."""
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)).close()
    return sorted(name for _, name in socket.if_nameindex())


@attack
def kill_all():
    """kill(-1) as root: what dies is in the node's own pid namespace."""
    return in_child(lambda: os.kill(-1, 0))


@attack
def console(request="0x4B3A"):
    return fcntl.ioctl(os.open("/dev/console", os.O_RDWR), int(request, 16), 0)
