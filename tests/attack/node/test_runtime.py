"""Against what root does for a node: starts programs, writes files, reads logs, clears up."""

from __future__ import annotations

import hashlib
import shutil
import threading
from pathlib import Path

import pytest

from tests.attack.node.world import LAB, OTHER, RESIDENCES
from tests.attack.register import attack, case
from topoweb.core.errors import TopowebError
from topoweb.core.programs import Command, Residence

CRUN = Path(shutil.which("crun") or "/usr/bin/crun")


def digest():
    return hashlib.sha256(CRUN.read_bytes()).hexdigest()


@attack(
    "CVE-2019-5736: open the runtime by /proc/<pid>/exe while it enters, and overwrite it",
    "not writable; no environment, no program of the host is changed",
)
def test_overwrite_the_runtime(world, node):
    before = digest()
    outcome = []
    thread = threading.Thread(
        target=lambda: outcome.append(world.attack(node, "files", "overwrite_runtime", 4))
    )
    thread.start()
    entered = 0
    while thread.is_alive():
        world.run(*node, "/usr/bin/true")
        entered += 1
    thread.join()
    assert entered >= 5
    assert outcome[0]["won"]["won"] == []
    assert digest() == before


@attack("a program whose interpreter is /proc/self/exe: run the runtime inside", "nothing changes")
def test_shebang_of_the_runtime(world, node):
    before = digest()
    world.attack(node, "files", "shebang_of_the_runtime")
    done = world.run(*node, "/root/again", "run", "--bundle", "/root", "x")
    assert done.status != 0
    assert digest() == before


@attack("a preloaded library and a loader's configuration of the node", "do not reach the runtime")
def test_loader(world, node):
    world.run(*node, "/bin/sh", "-c", "echo /root/evil.so > /etc/ld.so.preload")
    try:
        done = world.run(*node, "/usr/bin/true")
        assert done.status == 0
        assert b"evil" in done.output  # the node's own programs look for it: the runtime did not
    finally:
        world.run(*node, "/bin/sh", "-c", "rm /etc/ld.so.preload")


PLACES = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/etc/passwd", "/etc/frr", "/var/log",
          "/run/frr", "/tmp"]  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [case(path.strip("/").replace("/", "-"), f"a symbolic link at {path}, where root writes, to a "
          "file of the host", "root does not follow it", path) for path in PLACES],
)  # fmt: skip
def test_link_where_root_writes(world, path):
    node = LAB, "n1"
    target = world.file
    made = world.attack(node, "files", "replace_by_link", path, target)
    assert "won" in made or made["refused"] in ("EBUSY", "EROFS"), made
    settle(world)
    world.sandboxes.furnish(*node, "dhcp", {"options": b"hostname x"})
    world.run(*node, "/usr/bin/true")
    world.untouched()
    world.sandboxes.vacate(LAB, ["n1"])  # a fresh node for the next
    world.untouched()


@attack("a FIFO at /etc/hosts: root waits for a reader that never comes", "root does not open it")
def test_fifo_where_root_writes(world):
    node = LAB, "n1"
    for path in ("/etc/hosts", "/etc/resolv.conf", "/etc/hostname"):
        world.attack(node, "files", "replace_by_fifo", path)
    finished = threading.Event()

    def work():
        settle(world)
        world.run(*node, "/usr/bin/true")
        finished.set()

    threading.Thread(target=work, daemon=True).start()
    assert finished.wait(30)
    world.sandboxes.vacate(LAB, ["n1"])


def settle(world):
    """Have the worker write again what it writes for a node: other names."""
    for names in ({"n1": "gamma", "n2": "beta"}, {"n1": "alpha", "n2": "beta"}):
        world.sandboxes.house(LAB, Residence(names=names, limits=RESIDENCES[LAB]))


BAD_NAMES = ["../precious", "../../../precious", "../../../../precious", "a/b", "..", ".", "",
             "a\0b", "x" * 300, "a\nb", " ", "é", "/proc/self"]  # fmt: skip


@pytest.mark.parametrize(
    "what", [case(what, f"a {what} whose name is a path out of its directory",
                  "refused; nothing else is written, killed or removed, even when all is cleared",
                  what) for what in ("log", "place", "file", "node")],
)  # fmt: skip
def test_names_that_are_paths(world, what):
    sandboxes, node = world.sandboxes, (LAB, "n2")
    quarters = world.run_dir / "labs" / str(LAB) / "sandboxes"
    world.run(*node, "/usr/bin/true")
    precious = [quarters / "precious", quarters.parent / "precious", world.run_dir / "precious"]
    for path in precious:
        path.mkdir(exist_ok=True)
    for name in [*BAD_NAMES, str(precious[2])]:
        tries = {
            "log": lambda name=name: sandboxes.log(*node[:1], name, 100),
            "place": lambda name=name: sandboxes.furnish(*node, name, {"x": b"x"}),
            "file": lambda name=name: sandboxes.furnish(*node, "place", {name: b"x"}),
            "node": lambda name=name: sandboxes.furnish(LAB, name, "place", {"x": b"x"}),
        }
        with pytest.raises(TopowebError):
            tries[what]()
        if what == "node":
            with pytest.raises(TopowebError):
                sandboxes.run(LAB, name, Command(arguments=("/usr/bin/true",)))
    other = sandboxes.start(OTHER, "n1", Command(arguments=("/usr/bin/sleep", "605")), "alive")
    kept = [path.stat().st_ino for path in precious[1:]]
    sandboxes.vacate(LAB)
    assert [path.stat().st_ino for path in precious[1:]] == kept
    assert sandboxes.alive(other)
    sandboxes.end(other, patience=0.1)


@attack("a drawn name that is no host name: spaces, shell, newlines, markup", "made harmless")
def test_hostile_host_names(world):
    for name in ("$(id)", "a b;id", "x\nnameserver 1.2.3.4", "<b>", "..", "é" * 7, "-", ""):
        names = {"n1": name, "n2": name}
        world.sandboxes.house(OTHER, Residence(names=names, limits=RESIDENCES[OTHER]))
        world.sandboxes.vacate(OTHER, ["n2"])
        done = world.run(OTHER, "n2", "/usr/bin/hostname")
        assert done.status == 0
        assert set(done.output.decode().strip()) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
        hosts = world.run(OTHER, "n2", "/bin/cat", "/etc/hosts").output.decode()
        assert {line.split()[0] for line in hosts.splitlines()} == {"127.0.0.1", "::1", "127.0.1.1"}
        assert len(hosts.splitlines()) <= 4


@attack("environment and arguments that look like options of the runtime", "reach the program only")
def test_options_for_the_runtime(world, node):
    command = Command(
        arguments=("/usr/bin/printf", "%s\n", "--process", "/etc/shadow", "--cgroup", "/"),
        environment={"_LIBCRUN_INIT": "1", "LD_PRELOAD": "", "LISTEN_FDS": "9"},
    )
    done = world.sandboxes.run(*node, command)
    assert done.output.split() == [b"--process", b"/etc/shadow", b"--cgroup", b"/"]


@attack("gigabytes on standard output of a program that the worker waits for", "1 MiB is kept")
def test_endless_output(world, node):
    command = Command(arguments=("/usr/bin/head", "-c", "64M", "/dev/zero"))
    done = world.sandboxes.run(*node, command, timeout=60)
    assert len(done.output) <= 1 << 20
    done = world.sandboxes.run(*node, Command(arguments=("/usr/bin/yes",)), timeout=1)
    assert done.status == 124
    assert len(done.output) <= 1 << 20


@attack("a program that ignores SIGTERM, forks and leaves its session", "killed with its service")
def test_end_is_the_end(world, node):
    script = "trap '' TERM HUP INT; (setsid sleep 601 &); (sleep 602 &); sleep 603"
    started = world.sandboxes.start(
        *node, Command(arguments=("/bin/bash", "-c", script)), "stubborn"
    )
    assert world.sandboxes.alive(started)
    world.sandboxes.end(started, patience=0.2)
    assert not world.sandboxes.alive(started)
    seen = world.attack(node, "files", "processes")["won"]
    assert "sleep 60" not in str(seen)


@attack("a reused pid: ending a program by its number with another start time", "nothing is ended")
def test_reused_pid(world, node):
    started = world.sandboxes.start(*node, Command(arguments=("/usr/bin/sleep", "604")), "one")
    stranger = type(started)(started.pid, started.start + 1)
    assert not world.sandboxes.alive(stranger)
    world.sandboxes.end(stranger)
    assert world.sandboxes.alive(started)
    world.sandboxes.end(started, patience=0.2)


@attack("a log of control characters, forged lines and gigabytes", "bounded; given as bytes")
def test_hostile_log(world, node):
    script = (
        "printf '\\033]52;c;ZXZpbA==\\007\\n2026-01-01 ERROR topoweb: forged\\n';"
        "head -c 100M /dev/zero | tr '\\0' x"
    )
    started = world.sandboxes.start(
        *node, Command(arguments=("/bin/bash", "-c", script)), "hostile"
    )
    deadline = threading.Event()
    for _ in range(600):
        if not world.sandboxes.alive(started):
            break
        deadline.wait(0.1)
    world.sandboxes.end(started)
    assert len(world.sandboxes.log(LAB, "hostile", 65536)) <= 65536
    logs = world.run_dir / "labs" / str(LAB)
    assert sum(p.stat().st_size for p in logs.rglob("hostile*") if p.is_file()) < 64 << 20


@attack("shrink, unlink or reopen the log by the descriptor that the program was given",
        "its own log at most")  # fmt: skip
def test_log_descriptor(world, node):
    script = (
        "import os; print(os.readlink('/proc/self/fd/1'));\n"
        "try: os.open('/proc/self/fd/1', os.O_RDWR); print('reopened')\n"
        "except OSError as e: print(e)\n"
        "try: os.open('/proc/self/fd/1/..', os.O_RDONLY); print('parent')\n"
        "except OSError as e: print(e)\n"
    )
    command = Command(arguments=("/usr/bin/python3", "-c", script))
    started = world.sandboxes.start(*node, command, "descriptor")
    for _ in range(600):
        if not world.sandboxes.alive(started):
            break
        threading.Event().wait(0.05)
    said = world.sandboxes.log(LAB, "descriptor", 4096)
    world.sandboxes.end(started)
    assert b"parent" not in said
    assert b"reopened" not in said


@attack("directories nested a thousandfold, so that clearing up recurses", "cleared all the same")
def test_deep_directories(world):
    node = LAB, "n2"
    script = "import os\nfor _ in range(4000):\n os.mkdir('d'); os.chdir('d')"
    world.run(*node, "/usr/bin/python3", "-c", f"import os; os.chdir('/root')\n{script}")
    world.sandboxes.vacate(LAB, ["n2"])
    assert world.attack(node, "files", "read", "/root") == {"refused": "ENODATA"}


@attack("a million-entry directory and files without permissions", "cleared all the same")
def test_stubborn_files(world):
    node = LAB, "n2"
    script = (
        "cd /root && mkdir a && touch a/b && chmod 000 a && mkfifo f && ln -s / l && ln f h "
        "&& touch -- '-rf' && touch $'new\\nline' && for i in $(seq 3000); do : > n$i; done"
    )
    assert world.run(*node, "/bin/bash", "-c", script).status == 0
    world.sandboxes.vacate(LAB, ["n2"])
    assert world.attack(node, "files", "read", "/root") == {"refused": "ENODATA"}
