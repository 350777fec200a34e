"""Using up what labs share: the attacker is stopped at the lab's ceilings, the others go on.

The attacker's lab has narrow limits (`world.SMALL`). After each attack another lab starts a
program and a packet goes through it; the host makes a process, a file and a namespace.
"""

from __future__ import annotations

import os
import pty
import subprocess
import threading
import time
from pathlib import Path

import pytest

from tests.attack.node.world import GREEDY, OTHER, SMALL
from tests.attack.register import attack, case
from tests.kernel.plans import inside
from topoweb.core.programs import Command

GREEDY_NODE = (GREEDY, "n1")
NEIGHBOUR = (GREEDY, "n2")  # of the same lab: it may suffer
SLACK = 1.5


@pytest.fixture
def victim(world):
    """The world; afterwards the other lab and the host must be as well as before."""
    yield world
    assert world.run(OTHER, "n1", "/usr/bin/true").status == 0
    inside(world.kernel, "n1", "ping -c1 -W5 10.0.1.2", lab=OTHER)
    subprocess.run(["unshare", "-n", "true"], check=True)
    for descriptor in pty.openpty():
        os.close(descriptor)
    world.sandboxes.vacate(GREEDY)


def peak(world, name, *arguments, timeout=60.0):
    return world.attack(GREEDY_NODE, "exhaust", name, *arguments, timeout=timeout)


@attack("a fork bomb", "EAGAIN at the node's ceiling of processes")
def test_fork_bomb(victim):
    outcome = peak(victim, "fork_bomb", 3)
    assert outcome["won"]["refused"] == "EAGAIN", outcome
    assert outcome["won"]["made"] <= SMALL.node_processes


@attack("a fork bomb in every node of a lab", "EAGAIN at the lab's ceiling")
def test_fork_bombs_together(victim):
    outcomes = []
    threads = [
        threading.Thread(
            target=lambda place=place: outcomes.append(
                victim.attack(place, "exhaust", "fork_bomb", 3)
            )
        )
        for place in (GREEDY_NODE, NEIGHBOUR)
    ]
    for thread in threads:
        thread.start()
    assert victim.run(OTHER, "n1", "/usr/bin/true").status == 0  # meanwhile
    for thread in threads:
        thread.join()
    made = sum(one.get("won", {}).get("made", 0) for one in outcomes)
    assert made <= SMALL.processes


@attack("a fork bomb of a shell that leaves its session", "stopped, and gone with the node")
def test_shell_bomb(victim):
    script = "b() { setsid sleep 5 & b | b & }; b; sleep 2"
    victim.run(*GREEDY_NODE, "/bin/bash", "-c", script, timeout=4)
    victim.sandboxes.vacate(GREEDY)
    assert victim.run(*GREEDY_NODE, "/usr/bin/true").status == 0


@attack("anonymous memory beyond the lab's ceiling", "the program is killed, nothing else")
def test_memory(victim):
    outcome = peak(victim, "memory", 2 * SMALL.memory >> 20)
    assert outcome.get("ended", 0) > 128 or outcome["won"] in (["signal", 9], ["exit", 12])


@attack("memory in memfds, which no file system bounds", "charged to the lab: killed or refused")
def test_memfd(victim):
    outcome = peak(victim, "mapping", 2 * SMALL.memory >> 20)
    assert outcome.get("ended", 0) > 128 or outcome["won"] in (
        ["signal", 9], ["exit", 12], ["exit", 28], ["signal", 7]
    )  # fmt: skip


@attack(
    "shared memory: /dev/shm and System V",
    "files within the bound of the disk; segments charged to the lab",
)
def test_shared_memory(victim):
    outcome = peak(victim, "shared_memory", 2 * SMALL.memory >> 20)
    if "ended" in outcome:
        assert outcome["ended"] > 128
        return
    assert outcome["won"]["posix"] <= SMALL.disk >> 20
    assert outcome["won"]["posix refused"] == "ENOSPC"
    assert outcome["won"]["system v"] != ["exit", 0]


@attack("POSIX message queues", "EMFILE at 64 KiB")
def test_message_queues(victim):
    outcome = peak(victim, "message_queues", 300)["won"]
    assert outcome["refused"] in ("EMFILE", "ENOSPC", "ENOMEM"), outcome
    assert outcome["made"] <= 16


@pytest.mark.parametrize("folder", ["/root", "/tmp", "/var", "/etc", "/run"])
@attack("fill the disk", "ENOSPC at the lab's bound; the host's disk is not touched")
def test_disk(victim, folder):
    before = os.statvfs(victim.run_dir).f_bfree * os.statvfs(victim.run_dir).f_frsize
    outcome = peak(victim, "fill_disk", folder)["won"]
    assert outcome["refused"] == "ENOSPC"
    assert outcome["written"] <= SMALL.disk
    after = os.statvfs(victim.run_dir).f_bfree * os.statvfs(victim.run_dir).f_frsize
    assert before - after < 64 << 20  # other processes of the machine write as well


@attack("fill the disk through a log", "bounded apart from the lab's files")
def test_disk_by_log(victim):
    command = Command(arguments=("/usr/bin/head", "-c", "64M", "/dev/zero"))
    started = victim.sandboxes.start(*GREEDY_NODE, command, "endless")
    for _ in range(600):
        if not victim.sandboxes.alive(started):
            break
        time.sleep(0.05)
    victim.sandboxes.end(started, patience=0.2)
    assert victim.attack(NEIGHBOUR, "files", "append", "/root/x")["won"] == "written"


@attack("fill the inodes", "ENOSPC at the lab's bound")
def test_inodes(victim):
    outcome = peak(victim, "fill_inodes", "/root")["won"]
    assert outcome["refused"] == "ENOSPC"
    assert outcome["made"] <= SMALL.inodes


@attack("pseudo-terminals until the machine's pool is empty", "ENOSPC at sixteen a node")
def test_terminals(victim):
    outcome = peak(victim, "terminals")["won"]
    assert outcome["made"] <= 16, outcome


@attack("open files until the machine's table is full", "EMFILE at 1,024 a process")
def test_descriptors(victim):
    outcome = peak(victim, "descriptors")["won"]
    assert outcome["refused"] == "EMFILE"
    assert outcome["made"] <= 1024


@attack("inotify instances until the user's are used up", "EMFILE; another lab's user has its own")
def test_watches(victim):
    outcome = peak(victim, "watches", 1000)["won"]
    assert outcome["refused"] == "EMFILE", outcome
    there = victim.attack((OTHER, "n1"), "exhaust", "watches", 8)["won"]
    assert there == {"made": 8}


@attack("pipes of the largest size", "charged to the lab and its user")
def test_pipes(victim):
    outcome = peak(victim, "pipes")
    if "ended" in outcome:
        assert outcome["ended"] > 128
        return
    assert outcome["won"]["bytes"] <= SLACK * SMALL.memory


@attack("queued signals", "EAGAIN at the limit of the lab's user")
def test_signals(victim):
    outcome = peak(victim, "signals")
    assert "ended" in outcome or outcome["won"]["refused"] == "EAGAIN", outcome


@attack("burn every processor for two seconds", "the lab's share of one")
def test_processor(victim):
    won = peak(victim, "spin", 2)["won"]
    assert won <= SLACK * 2 * SMALL.cpu + 0.2, won


@pytest.mark.parametrize(
    ("program", "count", "text"),
    [
        case("routes", "30,000 routes", "charged to the lab; others unharmed",
             "ip", 30_000, "route add unreachable 100.64.@"),
        case("neighbours", "20,000 permanent neighbours", "others unharmed",
             "ip", 20_000, "neigh add 172.16.@ lladdr 02:00:00:00:00:01 dev eth0"),
        case("addresses", "2,000 addresses", "others unharmed",
             "ip", 2_000, "addr add 172.20.@/32 dev lo"),
        case("interfaces", "100 bridges in one node", "others unharmed; drained slowly",
             "ip", 100, "link add topoweb-b# type bridge"),
        case("nft-tables", "1,000 nft tables", "charged to the lab; others unharmed",
             "nft", 1_000, "add table inet topoweb#"),
        case("rules", "300 routing rules", "others unharmed",
             "ip", 300, "rule add prio 20# from 10.9.@ table 99"),
    ],
)  # fmt: skip
def test_kernel_tables(victim, program, count, text):
    """The kernel may take them or refuse; what counts is that the others do not notice."""
    before = time.monotonic()
    inside(victim.kernel, "n1", "ip link add quick type bridge", lab=OTHER)
    inside(victim.kernel, "n1", "ip link del quick", lab=OTHER)
    quiet = time.monotonic() - before
    outcome = peak(victim, "batch", program, count, text, timeout=40)
    before = time.monotonic()
    inside(victim.kernel, "n1", "ip link add quick type bridge", lab=OTHER)
    inside(victim.kernel, "n1", "ip link del quick", lab=OTHER)
    assert time.monotonic() - before < 20 * quiet + 2.0, outcome
    empty(victim, program)


def empty(world, program):
    """Take away what the flood left in the namespace: it outlives the sandbox."""
    nft = "nft flush ruleset"
    for line in {
        "nft": [nft],
        "ip": ["ip route flush type unreachable", "ip neigh flush dev eth0 nud permanent",
               "ip addr flush dev lo to 172.20.0.0/16"],
    }[program]:  # fmt: skip
        subprocess.run(
            ["nsenter", f"--net={namespace(world)}", *line.split()], capture_output=True, timeout=60
        )
    if program == "ip":
        script = (
            "for i in $(ip -br link show type bridge | grep -o '^topoweb-b[0-9]*'); do"
            " ip link del $i; done; while ip rule del table 99; do :; done"
        )
        subprocess.run(
            ["nsenter", f"--net={namespace(world)}", "sh", "-c", script],
            capture_output=True, timeout=120,
        )  # fmt: skip


def namespace(world):
    found = world.kernel.manifest(GREEDY)
    assert found
    return found.holder.descriptor_path(found.namespaces["n1"].slot)


@attack("flood the cable of one's own lab", "another lab's packets go through")
def test_flood(victim):
    outcome = []
    thread = threading.Thread(
        target=lambda: outcome.append(peak(victim, "flood", "10.0.1.2", 9, 3))
    )
    thread.start()
    said = inside(victim.kernel, "n1", "ping -c5 -i0.2 -W5 10.0.1.2", lab=OTHER)
    thread.join()
    assert " 0% packet loss" in said
    assert outcome[0]["won"] > 100


@attack("processes that no terminal has any more, after the node's programs are ended", "killed")
def test_survivors(victim):
    script = "(trap '' TERM HUP; setsid bash -c 'exec -a topoweb-attack-survivor sleep 606' &) &"
    command = Command(arguments=("/bin/bash", "-c", f"{script} sleep 606"))
    victim.sandboxes.start(*GREEDY_NODE, command, "survivors")
    until = time.monotonic() + 20
    while not survivors():
        assert time.monotonic() < until
        time.sleep(0.01)
    victim.sandboxes.vacate(GREEDY)
    assert survivors() == []


def survivors():
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"topoweb-attack-survivor" in path.read_bytes():
                found.append(path.parent.name)
        except OSError:
            continue
    return found
