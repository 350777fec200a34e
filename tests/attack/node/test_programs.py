"""Services, DHCP and terminals for real: what a student writes runs in the node and only there."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
from pathlib import Path

import pytest

from tests.attack.node.world import GREEDY, LAB, OTHER
from tests.attack.register import attack, case
from tests.web.drawings import two_hosts
from topoweb.core.errors import TopowebError
from topoweb.core.programs import Command
from topoweb.core.topology.document import parse
from topoweb.kernel.services import recipes
from topoweb.kernel.services.scripts import script

OWNED = "topoweb-attack-owned"
CODE = f"$(>/tmp/{OWNED})"
LEASES = {
    "ip": {"ip": CODE},
    "mask": {"mask": f"24;>/tmp/{OWNED}"},
    "lease": {"lease": f"a[{CODE}]"},
    "lease-arithmetic": {"lease": f"x[`>/tmp/{OWNED}`]+1"},
    "router": {"router": CODE},
    "router-option": {"router": "-batch /etc/passwd"},
    "router-glob": {"router": "/* *"},
    "dns": {"dns": f"1.1.1.1 `>/tmp/{OWNED}` ;>/tmp/{OWNED}"},
    "domain": {"domain": f"x;{CODE}"},
    "domain-format": {"domain": "%s%n%x\\n"},
    "hostname": {"hostname": f"'{CODE}\"{CODE}"},
    "serverid": {"serverid": CODE},
    "message": {"message": CODE},
    "everything": dict.fromkeys(
        ("ip", "mask", "router", "dns", "domain", "hostname", "serverid", "bootfile"),
        f"`>/tmp/{OWNED}`",
    ),
    "loader": {"opt43": "x", "LD_PRELOAD": "/root/x.so", "ENV": f"/tmp/{OWNED}", "IFS": "/"},
}  # fmt: skip


@pytest.mark.parametrize(
    "lease", [case(key, f"a rogue DHCP server's lease with code in it: {key}",
                   "text: nothing of it is run, resolv.conf has its two kinds of line", lease)
              for key, lease in LEASES.items()],
)  # fmt: skip
def test_a_rogue_lease(world, lease):
    node = GREEDY, "n2"
    for event in ("bound", "renew", "nak", "deconfig"):
        command = Command(
            arguments=("/bin/sh", "-s", event),
            environment={"interface": "lo", "ip": "10.66.0.1", "lease": "600", **lease},
        )
        world.sandboxes.run(*node, command, stdin=script("udhcpc.sh"))
    left = world.run(*node, "/bin/sh", "-c", "ls /tmp /root /; cat /etc/resolv.conf").output
    assert OWNED.encode() not in left.replace(CODE.encode(), b"").replace(
        f">/tmp/{OWNED}".encode(), b""
    )
    assert world.attack(node, "files", "read", f"/tmp/{OWNED}") == {"refused": "ENOENT"}
    assert not Path("/tmp", OWNED).exists()
    for line in world.run(*node, "/bin/cat", "/etc/resolv.conf").output.decode().splitlines():
        assert line.split()[0] in ("search", "nameserver"), line


def recipe_of(kind, **options):
    document = two_hosts()
    document["services"] = {"s1": {"node": "n1", "kind": kind, "options": options}}
    (found,) = recipes(parse(document)).values()
    return found


def serve(world, node, recipe):
    if recipe.files:
        world.sandboxes.furnish(*node, recipe.place, recipe.files)
    return world.sandboxes.start(*node, recipe.command, recipe.place)


def ended(world, started, seconds=20.0):
    until = time.monotonic() + seconds
    while world.sandboxes.alive(started):
        assert time.monotonic() < until
        time.sleep(0.02)


@attack("an own command that looks for the host", "runs in the node, sees the node")
def test_own_command(world, node):
    line = (
        f"id -u; hostname; >/tmp/{OWNED}; cat {world.file}; ls {world.run_dir}; "
        "cat /proc/1/cmdline; echo; kill -9 -1; echo never"
    )
    started = serve(world, node, recipe_of("command", line=line))
    ended(world, started)
    said = world.sandboxes.log(LAB, "service-s1", 65536).decode()
    assert said.startswith("0\nalpha\n")
    assert world.word not in said
    assert "catatonit" in said
    assert not Path("/tmp", OWNED).exists()
    assert world.run(*node, "/usr/bin/true").status == 0


@attack("an own command that writes over its own furnished files and over another service's",
        "read-only; they are written anew at each start")  # fmt: skip
def test_furnished_files(world, node):
    world.sandboxes.furnish(*node, "service-other", {"page.html": b"right"})
    script_text = (
        "for f in /run/topoweb/*/*; do echo wrong > $f; rm -f $f; mv $f /tmp; chmod 777 $f; done; "
        "mkdir /run/topoweb/x; rm -rf /run/topoweb; mount -o remount,rw /run/topoweb; "
        "cat /run/topoweb/service-other/page.html"
    )
    done = world.run(*node, "/bin/sh", "-c", script_text)
    assert done.output.endswith(b"right")


@attack("FRR's configuration that writes files, opens a telnet port, and speaks to the shell",
        "in the node only; canaries stay")  # fmt: skip
def test_frr(world, node):
    if not Path("/usr/lib/frr/zebra").exists():
        pytest.skip("FRR is not installed (Debian: frr)")
    config = (
        f"hostname x\nlog file {world.file}\nlog file /etc/shadow\npassword x\nenable password x\n"
        f"debug zebra events\n!\nline vty\n!\nstart-shell sh -c '>/tmp/{OWNED}-frr'\n"
        f"copy running-config {world.file}\nwrite file\nservice advanced-vty\n"
    )
    started = serve(world, node, recipe_of("frr", config=config))
    try:
        until = time.monotonic() + 30
        while b"line " not in (said := world.sandboxes.log(LAB, "service-s1", 65536)):
            assert world.sandboxes.alive(started), said
            assert time.monotonic() < until, said
            time.sleep(0.05)
        shadow = Path("/etc/shadow").read_bytes() if Path("/etc/shadow").exists() else b""
        assert b"zebra" not in shadow.lower()
        assert world.attack(node, "files", "read", f"/tmp/{OWNED}-frr") == {"refused": "ENOENT"}
        assert not Path("/tmp", f"{OWNED}-frr").exists()
    finally:
        world.sandboxes.end(started, patience=1.0)


@contextlib.contextmanager
def terminal(world, place):
    command = Command(arguments=("/bin/bash", "--norc"), environment={"PS1": "$ "})
    opened = world.sandboxes.terminal(*place, command, 80, 24)
    try:
        yield opened
    finally:
        os.close(opened.master)
        os.close(opened.pidfd)


def ask(opened, line):
    os.write(opened.master, f"{line}; echo en''d\n".encode())
    seen, until = b"", time.monotonic() + 20
    while b"end\r\n" not in seen:
        assert select.select([opened.master], [], [], until - time.monotonic())[0], seen
        seen += os.read(opened.master, 65536)
    return seen.decode(errors="replace")


@attack("reach the terminals of another lab, of another node and of the host by /dev/pts",
        "each node has its own: only its own are seen")  # fmt: skip
def test_foreign_terminals(world, node):
    with terminal(world, (OTHER, "n1")) as theirs, terminal(world, node) as mine:
        ask(theirs, "true")
        said = ask(mine, "ls /dev/pts; for t in /dev/pts/*; do echo intruder > $t; done 2>&1")
        assert said.count("intruder\r\n") <= 2  # the own one, and the echo of what was typed
        ready = select.select([theirs.master], [], [], 0.3)[0]
        assert not ready or b"intruder" not in os.read(theirs.master, 65536)


@attack("programs of a closed terminal: nohup, setsid, disown", "they end with the node")
def test_after_hanging_up(world):
    node = GREEDY, "n1"
    with terminal(world, node) as opened:
        ask(opened, "nohup setsid sleep 608 >/dev/null 2>&1 & disown; trap '' HUP")
    seen = world.attack(node, "files", "processes")["won"]
    assert "sleep 608" in str(seen)  # a program may outlive its terminal
    world.sandboxes.vacate(GREEDY)
    assert "sleep 608" not in _all_processes()


def _all_processes():
    found = ""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found += path.read_text(errors="replace").replace("\0", " ")
    return found


@attack("resize and signals from inside: stty, SIGWINCH, SIGSTOP of every process",
        "the worker goes on; the node is cleared")  # fmt: skip
def test_stopped_processes(world):
    node = GREEDY, "n1"
    world.run(*node, "/bin/bash", "-c", "kill -STOP -1", timeout=3)
    finished = threading.Event()

    def clear():
        world.sandboxes.vacate(GREEDY, ["n1"])
        finished.set()

    threading.Thread(target=clear, daemon=True).start()
    assert finished.wait(30)
    assert world.run(*node, "/usr/bin/true").status == 0


@attack("a hundred starts at once in one node, whose first process was just killed",
        "each runs or is refused; none outside")  # fmt: skip
def test_starts_at_once(world):
    node = GREEDY, "n1"
    outcomes = []

    def work():
        try:
            outcomes.append(world.run(*node, "/usr/bin/readlink", "/proc/self/ns/pid").output)
        except TopowebError as error:
            outcomes.append(error.code.encode())

    threads = [threading.Thread(target=work) for _ in range(24)]
    for thread in threads:
        thread.start()
    world.sandboxes.vacate(GREEDY, ["n1"])
    for thread in threads:
        thread.join()
    host = str(Path("/proc/self/ns/pid").readlink()).encode()
    assert len(outcomes) == 24
    assert not [one for one in outcomes if host in one]
