"""System calls that a node must not have."""

import ctypes
import mmap
import os
import pty
import signal
import struct

HERE = -100  # AT_FDCWD
NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET, NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x80
BEYOND_32_BITS = 1 << 32  # the kernel cuts it off an int; a filter that compares 64 bits may not
TIOCSTI, TIOCLINUX = 0x5412, 0x541C


@attack
def unshare(flags):
    return call(272, int(flags))


@attack
def clone(flags):
    pid = call(56, int(flags) | signal.SIGCHLD, 0, 0, 0, 0)
    if not pid:
        os._exit(0)
    return os.waitpid(pid, 0)


@attack
def clone3(flags):
    arguments = struct.pack("<11Q", int(flags), 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0)
    pid = call(435, ctypes.c_char_p(arguments), len(arguments))
    if not pid:
        os._exit(0)
    return os.waitpid(pid, 0)


@attack
def setns(path, kind="0"):
    return call(308, os.open(path, os.O_RDONLY), int(kind))


@attack
def setns_by_pidfd(pid="1"):
    return call(308, os.pidfd_open(int(pid)), NEWNET | NEWNS)


@attack
def mount(source, target, kind, flags="0", data=""):
    return call(165, source.encode(), target.encode(), kind.encode(), int(flags), data.encode())


@attack
def umount(target):
    return call(166, target.encode(), 2)


@attack
def fsopen(kind):
    return call(430, kind.encode(), 0)


@attack
def open_tree():
    return call(428, HERE, b"/", 1)


@attack
def move_mount():
    return call(429, HERE, b"/tmp", HERE, b"/usr", 0)


@attack
def fspick():
    return call(433, HERE, b"/", 0)


@attack
def mount_setattr():
    return call(442, HERE, b"/usr", 0, struct.pack("<4Q", 0, 1, 0, 0), 32)


@attack
def pivot_root():
    return call(155, b"/tmp", b"/tmp")


@attack
def chroot_and_climb(wanted):
    """Leave a chroot by a directory held open: where the climb ends is the node's own root."""
    held = os.open("/", os.O_RDONLY)
    os.makedirs("/tmp/jail", exist_ok=True)
    os.chroot("/tmp/jail")
    os.fchdir(held)
    for _ in range(64):
        os.chdir("..")
    os.chroot(".")
    return open(wanted).read()


@attack
def bpf_program():
    code = struct.pack("<4xi", 0) * 2
    return call(321, 5, struct.pack("<IIQQ", 1, 2, 0, 0) + code, 72)


@attack
def bpf_map():
    return call(321, 0, struct.pack("<4I", 2, 4, 4, 1).ljust(72, b"\0"), 72)


@attack
def perf_event():
    return call(298, struct.pack("<II", 1, 112).ljust(112, b"\0"), 0, -1, -1, 0)


@attack
def keyctl_session():
    return call(250, 0, -3, 1)


@attack
def add_key():
    return call(248, b"user", b"k", b"secret", 6, -3)


@attack
def request_key():
    return call(249, b"user", b"k", 0, -3)


@attack
def userfaultfd():
    return call(323, 1)


@attack
def io_uring():
    return call(425, 8, ctypes.create_string_buffer(256))


@attack
def ptrace_attach(pid="1"):
    return call(101, 16, int(pid), 0, 0)


@attack
def ptrace_traceme():
    return call(101, 0, 0, 0, 0)


@attack
def process_vm_read(pid="1"):
    return call(310, int(pid), 0, 0, 0, 0, 0)


@attack
def process_vm_write(pid="1"):
    return call(311, int(pid), 0, 0, 0, 0, 0)


@attack
def pidfd_getfd(pid="1"):
    return call(438, os.pidfd_open(int(pid)), 0, 0)


@attack
def kcmp(pid="1"):
    return call(312, os.getpid(), int(pid), 1, 0, 0)


@attack
def open_by_handle():
    handle = struct.pack("<Ii8s", 8, 1, struct.pack("<II", 2, 0))
    return call(304, os.open("/root", os.O_RDONLY), handle, 0)


@attack
def name_to_handle():
    return call(303, HERE, b"/", ctypes.create_string_buffer(b"\x80\0\0\0", 160), b"\0" * 8, 0)


@attack
def fanotify():
    return call(300, 0, 0)


@attack
def kernel_log():
    return call(103, 3, ctypes.create_string_buffer(100), 100)


@attack
def init_module():
    return call(175, b"\x7fELF", 4, b"")


@attack
def finit_module():
    return call(313, os.open("/usr/bin/true", os.O_RDONLY), b"", 0)


@attack
def delete_module():
    return call(176, b"nf_tables", 0)


@attack
def kexec():
    return call(246, 0, 0, 0, 0)


@attack
def reboot():
    return call(169, 0xFEE1DEAD, 0x28121969, 0x89ABCDEF, 0)


@attack
def swapon():
    return call(167, b"/tmp/x", 0)


@attack
def accounting():
    return call(163, b"/tmp/x")


@attack
def quotactl():
    return call(179, 0, b"/dev/vda", 0, 0)


@attack
def set_clock():
    return call(227, 0, struct.pack("<qq", 1, 1))


@attack
def adjust_clock():
    return call(159, struct.pack("<I", 1).ljust(208, b"\0"))


@attack
def set_hostname():
    return call(170, b"evil", 4)


@attack
def io_ports():
    return call(172, 3)


@attack
def personality():
    return call(135, 0x0040000)  # ADDR_NO_RANDOMIZE


@attack
def vmsplice():
    return call(278, os.pipe()[1], 0, 0, 0)


@attack
def unknown_call():
    return call(1000)


@attack
def x32_unshare():
    return call(0x40000000 | 272, NEWUSER)


@attack
def i386_unshare():
    """unshare(CLONE_NEWUSER) by int 0x80, the entry that a filter for x86-64 does not see."""
    code = b"\xb8\x36\x01\x00\x00\xbb\x00\x00\x00\x10\xcd\x80\xc3"
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    enter = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    how, number = in_child(lambda: 0 if enter() == 0 else 1)
    if (how, number) == ("exit", 0):
        return "a user namespace"
    raise OSError(errno.EPERM, f"{how} {number}")


def _ioctl(command):
    ours, _ = pty.openpty()
    return call(16, ours, command, b"x")


@attack
def push_input():
    return _ioctl(TIOCSTI)


@attack
def push_input_beyond_32_bits():
    return _ioctl(BEYOND_32_BITS | TIOCSTI)


@attack
def console_selection():
    return _ioctl(TIOCLINUX)


@attack
def console_selection_beyond_32_bits():
    return _ioctl(BEYOND_32_BITS | TIOCLINUX)


@attack
def open_socket(family, kind="1", protocol="0"):
    return call(41, int(family), int(kind), int(protocol))


@attack
def socket_pair(family):
    return call(53, int(family), 1, 0, ctypes.create_string_buffer(8))
