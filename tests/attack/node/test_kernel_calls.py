"""System calls from a node's shell: what is not on the allow list is refused by its number."""

from __future__ import annotations

import pytest

from tests.attack.register import attack, case

NEWTIME, NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
NO = ("ENOSYS", "EPERM", "EACCES")
UNKNOWN = ("EAFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT")

# name: (what is tried, function of inside/calls.py, its arguments)
CALLS = {
    "unshare-user": ("a user namespace of its own, to be fully capable in", "unshare", NEWUSER),
    "unshare-net": ("unshare(CLONE_NEWNET)", "unshare", NEWNET),
    "unshare-mount": ("unshare(CLONE_NEWNS)", "unshare", NEWNS),
    "unshare-pid": ("unshare(CLONE_NEWPID)", "unshare", NEWPID),
    "unshare-ipc-uts": ("unshare(CLONE_NEWIPC | CLONE_NEWUTS)", "unshare", NEWIPC | NEWUTS),
    "unshare-cgroup": ("unshare(CLONE_NEWCGROUP), to mount a new tree", "unshare", NEWCGROUP),
    "unshare-time": ("unshare(CLONE_NEWTIME)", "unshare", NEWTIME),
    "unshare-files": ("unshare(CLONE_FS) beside nothing else", "unshare", 0x200),
    "clone-user": ("clone(CLONE_NEWUSER)", "clone", NEWUSER),
    "clone-net": ("clone(CLONE_NEWNET)", "clone", NEWNET),
    "clone-beyond-32-bits": ("clone with the flag hidden behind bit 32", "clone",
                             1 << 32 | NEWUSER),
    "clone3-user": ("clone3, whose flags no filter can see", "clone3", NEWUSER),
    "clone3-plain": ("clone3 without a namespace", "clone3", 0),
    "setns-own": ("setns to the namespaces of pid 1", "setns", "/proc/1/ns/net"),
    "setns-user": ("setns to the lab's user namespace, for its capabilities", "setns",
                   "/proc/1/ns/user"),
    "setns-pidfd": ("setns by a pidfd", "setns_by_pidfd"),
    "mount-tmpfs": ("mount a tmpfs over /usr", "mount", "none", "/usr", "tmpfs"),
    "mount-proc": ("mount a fresh procfs without masks", "mount", "none", "/tmp", "proc"),
    "mount-sysfs": ("mount sysfs", "mount", "none", "/tmp", "sysfs"),
    "mount-cgroup2": ("mount cgroup2, to raise the lab's limits", "mount", "none", "/tmp",
                      "cgroup2"),
    "mount-bpf": ("mount bpffs", "mount", "none", "/tmp", "bpf"),
    "mount-overlay": ("mount an overlay", "mount", "none", "/tmp", "overlay", 0,
                      "lowerdir=/,upperdir=/tmp,workdir=/var"),
    "mount-bind": ("bind /proc over something else", "mount", "/", "/tmp", "none", 4096),
    "remount-rw": ("remount /usr writable", "mount", "none", "/usr", "none", 32 | 4096),
    "umount-mask": ("take away a mask of /proc", "umount", "/proc/kcore"),
    "umount-own": ("unmount /run/topoweb", "umount", "/run/topoweb"),
    "fsopen": ("the new mount calls: fsopen", "fsopen", "tmpfs"),
    "open-tree": ("open_tree(OPEN_TREE_CLONE)", "open_tree"),
    "move-mount": ("move_mount", "move_mount"),
    "fspick": ("fspick", "fspick"),
    "mount-setattr": ("mount_setattr to drop read-only", "mount_setattr"),
    "pivot-root": ("pivot_root", "pivot_root"),
    "bpf-program": ("load a BPF program", "bpf_program"),
    "bpf-map": ("make a BPF map", "bpf_map"),
    "perf": ("perf_event_open on the kernel", "perf_event"),
    "keyctl": ("join a session keyring, which no namespace divides", "keyctl_session"),
    "add-key": ("add_key to the session keyring", "add_key"),
    "request-key": ("request_key, which upcalls to the host", "request_key"),
    "userfaultfd": ("userfaultfd, to stall the kernel at will", "userfaultfd"),
    "io-uring": ("io_uring, whose operations no filter sees", "io_uring"),
    "ptrace": ("ptrace pid 1 of the node", "ptrace_attach"),
    "ptrace-me": ("be traced by the parent", "ptrace_traceme"),
    "process-vm-read": ("process_vm_readv", "process_vm_read"),
    "process-vm-write": ("process_vm_writev", "process_vm_write"),
    "pidfd-getfd": ("take a descriptor of another process", "pidfd_getfd"),
    "kcmp": ("kcmp, which tells kernel addresses apart", "kcmp"),
    "open-by-handle": ("open_by_handle_at, the way out of old containers", "open_by_handle"),
    "name-to-handle": ("name_to_handle_at", "name_to_handle"),
    "fanotify": ("fanotify on the host's file systems", "fanotify"),
    "kernel-log": ("read the kernel log by syslog(2)", "kernel_log"),
    "init-module": ("init_module", "init_module"),
    "finit-module": ("finit_module", "finit_module"),
    "delete-module": ("delete_module", "delete_module"),
    "kexec": ("kexec_load", "kexec"),
    "reboot": ("reboot(2)", "reboot"),
    "swapon": ("swapon", "swapon"),
    "accounting": ("acct(2) into a file of the node", "accounting"),
    "quotactl": ("quotactl on the host's disk", "quotactl"),
    "clock": ("set the machine's clock", "set_clock"),
    "adjtime": ("bend the machine's clock", "adjust_clock"),
    "hostname": ("sethostname(2)", "set_hostname"),
    "io-ports": ("iopl(3)", "io_ports"),
    "personality": ("switch address randomisation off", "personality"),
    "vmsplice": ("vmsplice", "vmsplice"),
    "unknown": ("a system call that does not exist yet", "unknown_call"),
    "x32": ("unshare through the x32 table", "x32_unshare"),
    "i386": ("unshare through int 0x80, past a filter for x86-64", "i386_unshare"),
    "tiocsti": ("type into a terminal by TIOCSTI", "push_input"),
    "tiocsti-64": ("TIOCSTI with a bit above the 32 that the kernel reads",
                   "push_input_beyond_32_bits"),
    "tioclinux": ("TIOCLINUX: paste from the console", "console_selection"),
    "tioclinux-64": ("TIOCLINUX with a bit above the 32", "console_selection_beyond_32_bits"),
    "capset": ("capset: all capabilities", "gain_capability"),
    "ambient": ("raise CAP_SYS_ADMIN into the ambient set", "raise_ambient"),
    "no-new-privs": ("take no_new_privs back", "unset_no_new_privs"),
    "setuid-program": ("a setuid program run by another user", "setuid_program"),
    "file-capabilities": ("a program with CAP_SYS_ADMIN in its file", "file_capabilities"),
    "foreign-uid": ("become a uid outside of the lab's range", "uid_of_the_host"),
    "raise-nofile": ("raise RLIMIT_NOFILE", "raise_limit", 7),
    "raise-core": ("raise RLIMIT_CORE, so that a crash runs the host's handler", "raise_limit", 4),
    "lock-memory": ("lock 64 MiB of memory", "lock_memory"),
    "real-time": ("real-time priority", "real_time_priority"),
    "nice": ("a nice value below zero", "nice_below_zero"),
    "io-real-time": ("real-time I/O priority", "io_real_time"),
}  # fmt: skip
OTHER_REFUSALS = {"foreign-uid": ("EINVAL",), "lock-memory": ("ENOMEM", "EAGAIN"),
                  "no-new-privs": ("EINVAL",)}  # fmt: skip
FATAL = {"x32", "i386"}  # the kernel may kill for a foreign table instead of refusing


@pytest.mark.parametrize(
    ("key", "function", "arguments"),
    [case(key, tries, "refused: " + " or ".join(OTHER_REFUSALS.get(key, NO)), key, function, rest)
     for key, (tries, function, *rest) in CALLS.items()],
)  # fmt: skip
def test_call(world, node, key, function, arguments):
    outcome = world.attack(node, "calls", function, *arguments)
    if key in FATAL and "ended" in outcome:
        assert outcome["ended"] > 128
        return
    assert outcome.get("refused") in (*NO, *OTHER_REFUSALS.get(key, ())), outcome


FAMILIES = {
    "AF_VSOCK": (40, 1), "AF_ALG": (38, 5), "AF_CAN": (29, 3), "AF_TIPC": (30, 1),
    "AF_RDS": (21, 5), "AF_BLUETOOTH": (31, 3), "AF_XDP": (44, 3), "AF_KEY": (15, 3),
    "AF_APPLETALK": (5, 2), "AF_X25": (9, 5), "AF_LLC": (26, 1), "AF_NFC": (39, 5),
    "AF_KCM": (41, 2), "AF_QIPCRTR": (42, 2), "AF_SMC": (43, 1), "AF_IB": (27, 3),
    "AF_MCTP": (45, 2), "AF_VSOCK-64": ((1 << 32) | 40, 1), "AF_UNKNOWN": (99, 1),
}  # fmt: skip
PROTOCOLS = {"AUDIT": 9, "XFRM": 6, "CRYPTO": 21, "CONNECTOR": 11, "SELINUX": 7, "SCSI": 18,
             "RDMA": 20, "UEVENT": 15, "ISCSI": 8, "ROUTE-64": 1 << 32 | 9}  # fmt: skip


@pytest.mark.parametrize(
    ("family", "kind"),
    [case(name, f"socket of the family {name}, which no network namespace divides or nobody needs",
          "refused as an unknown family", *numbers) for name, numbers in FAMILIES.items()],
)  # fmt: skip
def test_socket_family(world, node, family, kind):
    outcome = world.attack(node, "calls", "open_socket", family, kind)
    assert outcome.get("refused") in (*UNKNOWN, "ENOSYS"), outcome


@pytest.mark.parametrize(
    "protocol",
    [case(name, f"netlink to {name}", "refused as an unknown protocol", number)
     for name, number in PROTOCOLS.items()],
)  # fmt: skip
def test_netlink_protocol(world, node, protocol):
    outcome = world.attack(node, "calls", "open_socket", 16, 3, protocol)
    assert outcome.get("refused") in UNKNOWN, outcome


AS_A_DAEMON = ("unshare-user", "unshare-mount", "setns-own", "setns-user", "mount-tmpfs",
               "mount-proc", "mount-cgroup2", "remount-rw", "umount-mask", "fsopen", "open-tree",
               "pivot-root", "bpf-program", "perf", "keyctl", "io-uring", "ptrace",
               "open-by-handle", "fanotify", "kernel-log", "quotactl", "hostname", "tiocsti",
               "i386")  # fmt: skip


@attack(
    "the same calls from a daemon's process, which has CAP_SYS_ADMIN of the lab's user namespace "
    "(as a library that a student preloads into FRR would)",
    "refused: the filter is the same",
)
def test_calls_of_a_daemon(world, node):
    for key in AS_A_DAEMON:
        _, function, *arguments = CALLS[key]
        outcome = world.attack(node, "calls", function, *arguments, daemon=True)
        assert outcome.get("refused") in NO or outcome.get("ended", 0) > 128, (key, outcome)


@attack(
    "look for a process that was started with more rights than another",
    "each has no_new_privs, the filter, and the same thirteen capabilities at most",
)
def test_every_start_is_confined(world, node):
    allowed = {0, 1, 3, 4, 5, 6, 7, 8, 10, 11, 12, 13, 18}  # linux/capability.h
    for field, wanted in (("NoNewPrivs", "1"), ("Seccomp", "2")):
        assert world.attack(node, "files", "status", field)["won"] == wanted
    for field in ("CapBnd", "CapEff", "CapPrm", "CapInh", "CapAmb"):
        mask = int(world.attack(node, "files", "status", field)["won"], 16)
        assert {bit for bit in range(64) if mask >> bit & 1} <= allowed, field
