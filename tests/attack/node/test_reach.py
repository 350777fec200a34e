"""What a node can reach of the host, the worker, another lab, another node: nothing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from tests.attack.node.world import LAB, OTHER
from tests.attack.register import attack, case

REFUSALS = ("EACCES", "EPERM", "ENOENT", "ENOTDIR", "EROFS", "ENXIO", "ENODATA", "EIO", "ENODEV")

WRITES = {
    "core-pattern": ("kernel/core_pattern: a program that the kernel runs as root", "|/root/x"),
    "modprobe": ("kernel/modprobe: likewise", "/root/x"),
    "hotplug": ("kernel/hotplug: likewise", "/root/x"),
    "panic": ("kernel/panic", "1"),
    "sysrq": ("kernel/sysrq", "1"),
    "pid-max": ("kernel/pid_max", "301"),
    "randomize": ("kernel/randomize_va_space", "0"),
    "kptr": ("kernel/kptr_restrict", "0"),
    "dmesg": ("kernel/dmesg_restrict", "0"),
    "perf": ("kernel/perf_event_paranoid", "-1"),
    "bpf": ("kernel/unprivileged_bpf_disabled", "0"),
    "ptrace-scope": ("kernel/yama/ptrace_scope", "0"),
    "drop-caches": ("vm/drop_caches", "3"),
    "overcommit": ("vm/overcommit_memory", "1"),
    "mmap-min": ("vm/mmap_min_addr", "0"),
    "file-max": ("fs/file-max", "10"),
    "suid-dumpable": ("fs/suid_dumpable", "2"),
    "protected-links": ("fs/protected_symlinks", "0"),
    "pipe-size": ("fs/pipe-max-size", "2147483648"),
    "inotify": ("fs/inotify/max_user_watches", "99999999"),
    "binfmt": ("fs/binfmt_misc/register", ":x:M::\\x7fELF::/root/x:F"),
    "userns-ceiling": ("user/max_user_namespaces", "100"),
    "netns-ceiling": ("user/max_net_namespaces", "100000"),
    "rmem": ("net/core/rmem_max", "2147483647"),
    "conntrack-max": ("net/netfilter/nf_conntrack_max", "100000000"),
    "gc-thresh": ("net/ipv4/neigh/default/gc_thresh3", "100000000"),
    "tcp-mem": ("net/ipv4/tcp_mem", "1 1 1"),
    "jit": ("net/core/bpf_jit_enable", "2"),
}


@pytest.mark.parametrize(
    ("path", "text"),
    [case(key, f"write /proc/sys/{path}", "refused, or absent: it is the whole machine's",
          path.split(":")[0], text) for key, (path, text) in WRITES.items()],
)  # fmt: skip
def test_settings_of_the_machine(world, node, path, text):
    host = Path("/proc/sys", path)
    before = _content(host)
    outcome = world.attack(node, "files", "write", f"/proc/sys/{path}", text)
    assert outcome.get("refused") in (*REFUSALS, "EINVAL"), outcome
    assert _content(host) == before


def _content(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        return str(error)


PROC_WRITES = {
    "sysrq-trigger": ("/proc/sysrq-trigger", "h"),
    "uid-map": ("/proc/self/uid_map", "0 0 4294967295"),
    "setgroups": ("/proc/self/setgroups", "allow"),
    "pid1-memory": ("/proc/1/mem", "x"),
    "pid1-program": ("/proc/1/exe", "x"),
    "loginuid": ("/proc/self/loginuid", "0"),
    "irq": ("/proc/irq/default_smp_affinity", "1"),
    "uevent-helper": ("/sys/kernel/uevent_helper", "/root/x"),
    "cgroup-release": ("/sys/fs/cgroup/release_agent", "/root/x"),
    "usr": ("/usr/bin/topoweb-attack", "x"),
    "usr-lib": ("/usr/lib/topoweb-attack", "x"),
    "skeleton": ("/skeleton/passwd", "root::0:0"),
    "root": ("/topoweb-attack", "x"),
    "furnished": ("/run/topoweb/attack", "x"),
}


@pytest.mark.parametrize(
    ("path", "text"),
    [case(key, f"write {path}", "refused, or absent", path, text)
     for key, (path, text) in PROC_WRITES.items()],
)  # fmt: skip
def test_files_of_the_machine(world, node, path, text):
    outcome = world.attack(node, "files", "write", path, text)
    assert outcome.get("refused") in (*REFUSALS, "EINVAL", "EISDIR"), outcome
    assert not Path("/usr/bin/topoweb-attack").exists()


READS = [
    "/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/key-users", "/proc/kallsyms", "/proc/cmdline",
    "/proc/timer_list", "/proc/sched_debug", "/proc/slabinfo", "/proc/modules", "/proc/vmallocinfo",
    "/proc/kpagecount", "/proc/acpi",
    "/proc/scsi", "/proc/1/mem", "/dev/mem", "/dev/kmsg", "/dev/port", "/dev/vda", "/dev/sda",
    "/dev/loop-control", "/dev/fuse", "/dev/kvm", "/dev/net/tun", "/sys/kernel", "/sys/fs/cgroup",
    "/sys/class/net", "/sys/firmware", "/etc/shadow", "/home", "/boot", "/srv", "/opt",
    "/run/docker.sock", "/run/postgresql", "/run/systemd", "/run/netns", "/mnt",
]  # fmt: skip


@pytest.mark.parametrize(
    "path", [case(path.strip("/").replace("/", "-"), f"read {path}", "refused, absent or empty",
                  path) for path in READS],
)  # fmt: skip
def test_reading(world, node, path):
    outcome = world.attack(node, "files", "read", path)
    assert outcome.get("refused") in REFUSALS, outcome


@pytest.mark.parametrize(
    "path", [case(path.strip("/").replace("/", "-"), f"write to {path}", "absent", path)
             for path in ("/dev/mem", "/dev/kmsg", "/dev/port", "/dev/vda", "/dev/nvram")],
)  # fmt: skip
def test_writing_to_devices(world, node, path):
    assert world.attack(node, "files", "overwrite", path).get("refused") in REFUSALS


DEVICES = {
    "disk": ("060000", 254, 0), "memory": ("020000", 1, 1), "port": ("020000", 1, 4),
    "kmsg": ("020000", 1, 11), "fuse": ("020000", 10, 229), "kvm": ("020000", 10, 232),
    "tun": ("020000", 10, 200), "loop": ("060000", 7, 0), "console": ("020000", 5, 1),
}  # fmt: skip


@pytest.mark.parametrize(
    "device",
    [case(name, f"mknod: the device {name}", "refused", numbers)
     for name, numbers in DEVICES.items()],
)  # fmt: skip
def test_devices(world, node, device):
    assert world.attack(node, "files", "make_device", *device).get("refused") in REFUSALS


@attack("look through /dev", "the harmless ones, pseudo-terminals and shared memory only")
def test_what_is_in_dev(world, node):
    allowed = {"null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "mqueue",
               "fd", "stdin", "stdout", "stderr", "core", "console"}  # fmt: skip
    assert set(world.attack(node, "files", "devices")["won"]) <= allowed


@attack("oom_score_adj -1000: let the host's programs be killed instead", "refused")
def test_oom_score(world, node):
    for score in ("-1000", "0"):
        outcome = world.attack(node, "files", "write", "/proc/self/oom_score_adj", score)
        assert outcome.get("refused") in REFUSALS, outcome


@attack("connect to a TCP port of the host by every address that it has", "no way there")
def test_ports_of_the_host(world, node):
    own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None)}
    for address in {"127.0.0.1", "::1", "127.0.1.1", "0.0.0.0", "localhost", *own}:
        outcome = world.attack(node, "network", "connect", address, world.port)
        assert "refused" in outcome, (address, outcome)


@attack("the cloud's metadata service at 169.254.169.254", "no way there")
def test_metadata(world, node):
    assert "refused" in world.attack(node, "network", "connect", "169.254.169.254", 80)


@attack("an abstract Unix socket of the host", "ECONNREFUSED: they belong to a network namespace")
def test_abstract_socket(world, node):
    outcome = world.attack(node, "network", "connect_abstract", world.abstract)
    assert outcome == {"refused": "ECONNREFUSED"}
    names = world.attack(node, "network", "abstract_names")["won"]
    assert not [name for name in names if world.word in name or "systemd" in name]


@attack("the worker's stream socket and run directory by their path", "absent")
def test_run_directory(world, node):
    for path in (world.path, world.run_dir, world.file, world.run_dir / "owner"):
        assert world.attack(node, "network", "connect_path", path) == {"refused": "ENOENT"}
        assert world.attack(node, "files", "read", path) == {"refused": "ENOENT"}


@attack("root's file by root, cwd and fd of each process that is seen", "absent")
def test_root_of_other_processes(world, node):
    outcome = world.attack(node, "files", "links_through_root", world.file)
    assert outcome == {"refused": "ENOENT"}
    assert world.attack(node, "files", "read", f"/proc/1/root{world.file}")["refused"] == "ENOENT"


@attack("leave a chroot by a directory held open", "ends at the node's own root")
def test_chroot(world, node):
    outcome = world.attack(node, "calls", "chroot_and_climb", world.file)
    assert outcome == {"refused": "ENOENT"}


@attack("the worker's environment, by one's own and by that of each process", "nothing of it")
def test_environment(world, node):
    own = world.attack(node, "files", "environment")["won"]
    assert not [name for name in own if "TOPOWEB" in name.upper() or "DJANGO" in name.upper()]
    seen = world.attack(node, "files", "processes")["won"]
    assert "1" in seen
    assert world.word not in str(seen)
    assert str(world.run_dir) not in str(seen)


@attack("processes of the host, the worker, other labs and other nodes", "the node's own only")
def test_processes(world, node):
    assert world.attack((LAB, "n2"), "files", "environment")["won"]  # its sandbox is there
    seen = world.attack(node, "files", "processes")["won"]
    strange = [one for one, _ in seen.values() if "catatonit" not in one and "python3" not in one]
    assert strange == []


@attack("descriptors that the worker left open, in one's own process and in pid 1", "none")
def test_descriptors(world, node):
    for pid in ("self", "1"):
        outcome = world.attack(node, "files", "descriptors", pid)
        if "refused" in outcome:
            continue
        left = [where for number, where in outcome["won"].items() if int(number) > 2]
        own = ("/proc/", "anon_inode:[signalfd]")  # the listing itself; catatonit's
        assert not [where for where in left if not where.startswith(own)], left
        assert str(world.run_dir) not in str(outcome)


@attack("a secret of the worker, or another lab, in mountinfo and /proc/self/cgroup", "neither")
def test_what_proc_tells(world, node):
    told = world.attack(node, "files", "mounts")["won"]
    told += world.attack(node, "files", "read", "/proc/self/cgroup")["won"]
    for secret in ((world.run_dir / "owner").read_text(), world.word, str(OTHER), str(world.file)):
        assert secret not in told


@attack("a mount of the node, beside its own five, that takes writes", "all are read-only")
def test_no_writable_mount(world, node):
    own = {"/etc", "/root", "/tmp", "/run", "/var", "/proc", "/dev", "/dev/pts", "/dev/shm",
           "/dev/mqueue", "/dev/console"}  # fmt: skip
    for line in world.attack(node, "files", "mounts")["won"].splitlines():
        fields = line.split()
        if fields[4] in own or fields[4].startswith(("/proc/", "/dev/")):
            continue
        assert "ro" in fields[5].split(","), line
        assert "nosuid" in fields[5].split(",") or fields[4] == "/", line


@attack("any file below / with a word of the host, of another lab or of another node", "none")
def test_files_of_others(world, node):
    for place in ((OTHER, "n1"), (LAB, "n2")):
        path = f"/root/{world.word}"
        assert world.attack(place, "files", "append", path, world.word)["won"] == "written"
    assert world.attack(node, "files", "search", world.word, timeout=120)["won"] == []
    found = world.attack((LAB, "n2"), "files", "search", world.word)["won"]
    assert found == [f"/root/{world.word}"]  # the search itself finds what is there


@attack("signals to all processes, as root", "only those of the node are reached")
def test_signals(world, node):
    assert world.attack(node, "calls", "kill_all").get("refused") is None
    assert world.run(OTHER, "n1", "/usr/bin/true").status == 0
    assert world.run(LAB, "n2", "/usr/bin/true").status == 0


@attack("a descriptor handed over by a name of the host", "ECONNREFUSED")
def test_handing_over(world, node):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as taker:
        taker.bind("\0topoweb-attack-descriptors")
        taker.setblocking(False)
        assert world.attack(node, "calls", "pass_descriptor") == {"refused": "ECONNREFUSED"}
        with pytest.raises(BlockingIOError):
            taker.recv(1)
