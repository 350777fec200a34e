"""The network of another lab, and of the host: entered, heard, or given something."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from tests.attack.node.world import GREEDY, LAB, OTHER
from tests.attack.register import attack, case
from tests.kernel.plans import inside
from topoweb.core.programs import Command
from topoweb.kernel.holder import find_holders

NO = ("EPERM", "EACCES", "ENOSYS", "EINVAL", "ENOENT", "ESRCH", "EBADF", "EOPNOTSUPP", "ENODEV",
      "EEXIST", "ENONET", "ENOTDIR")  # fmt: skip
MARK = "topoweb-secret0"  # an interface of the other lab


@pytest.fixture
def other(world):
    """The other lab with an interface in it that has a name of its own."""
    inside(world.kernel, "n1", f"ip link add {MARK} type bridge", lab=OTHER)
    yield world
    inside(world.kernel, "n1", f"ip link del {MARK}", lab=OTHER)


def holder(world, lab):
    found = world.kernel.manifest(lab)
    assert found
    return found.holder


def links_of_the_host():
    return {path.name for path in Path("/sys/class/net").iterdir()}


@pytest.mark.parametrize(
    "way",
    [
        case("holder", "enter another lab by /proc/<its holder>/fd/100", "absent",
             lambda world: f"/proc/{holder(world, OTHER).pid}/fd/100"),
        case("holder-userns", "enter another lab's user namespace by its holder", "absent",
             lambda world: f"/proc/{holder(world, OTHER).pid}/ns/user"),
        case("worker", "enter the host's network namespace by the worker's /proc", "absent",
             lambda world: f"/proc/{os.getpid()}/ns/net"),
        case("named", "enter a named namespace of the host", "absent",
             lambda world: "/run/netns/anything"),
        case("pid-1", "enter the network namespace of pid 1", "refused",
             lambda world: "/proc/1/ns/net"),
        case("pid-1-for-children", "enter pid 1's namespace for children", "refused",
             lambda world: "/proc/1/ns/pid_for_children"),
    ],
)  # fmt: skip
def test_enter(world, node, way):
    outcome = world.attack(node, "calls", "setns", way(world))
    assert outcome.get("refused") in NO, outcome


@attack("enter any namespace by a pidfd of each pid up to 40,000", "refused, or no such process")
def test_enter_by_pidfd(world, node):
    for pid in (1, 2, holder(world, OTHER).pid, os.getpid(), os.getppid()):
        outcome = world.attack(node, "calls", "setns_by_pidfd", pid)
        assert outcome.get("refused") in NO, (pid, outcome)


@attack("RTM_NEWNSID: number another lab's namespace by the pid of its holder, of the worker, "
        "of each visible process", "refused, or the node's own")  # fmt: skip
def test_assign_number(other, node):
    for pid in (1, 2, holder(other, OTHER).pid, holder(other, LAB).pid, os.getpid()):
        outcome = other.attack(node, "network", "assign_nsid", "pid", pid)
        assert outcome.get("refused") in NO or MARK not in outcome["won"], (pid, outcome)
    outcome = other.attack(node, "network", "assign_nsid", "fd", "/proc/1/ns/net")
    assert outcome.get("refused") in NO or MARK not in outcome["won"], outcome


@attack("RTM_GETLINK with IFLA_TARGET_NETNSID over all numbers", "neighbours of one's own lab only")
def test_look_by_number(other, node):
    won = other.attack(node, "network", "namespaces_by_number")["won"]
    seen = {name for names in won.values() for name in names}
    assert MARK not in seen
    assert seen <= {"lo", "eth0"}


MOVES = {
    "pid-1": ("pid", lambda world: 1),
    "host-pid-1": ("pid", lambda world: os.getppid()),
    "worker": ("pid", lambda world: os.getpid()),
    "other-lab": ("pid", lambda world: holder(world, OTHER).pid),
    "own-holder": ("pid", lambda world: holder(world, LAB).pid),
    "descriptor-0": ("fd", lambda world: "/proc/1/ns/net"),
    "number": ("nsid", lambda world: 77),
    "negative-number": ("nsid", lambda world: -1),
}


@pytest.mark.parametrize(
    ("way", "target"),
    [case(key, f"move an interface out of the node: {key}",
          "refused, or it stays where it is; nothing new on the host", way, target)
     for key, (way, target) in MOVES.items()],
)  # fmt: skip
def test_move_an_interface(world, node, way, target):
    before = links_of_the_host()
    there = inside(world.kernel, "n1", "ip -o link", lab=OTHER)
    inside(world.kernel, "n1", "ip link add mover type bridge", lab=LAB)
    try:
        outcome = world.attack(node, "network", "move_interface", "mover", way, target(world))
        assert outcome.get("refused") in NO or "mover" in outcome["won"], outcome
        assert links_of_the_host() == before
        assert inside(world.kernel, "n1", "ip -o link", lab=OTHER).count("\n") == there.count("\n")
    finally:
        inside(world.kernel, "n1", "ip link del mover", lab=LAB)


@pytest.mark.parametrize(
    ("way", "target"),
    [case(key, f"make an interface elsewhere: {key}", "refused, or it is the node's own",
          way, target) for key, (way, target) in MOVES.items()],
)  # fmt: skip
def test_make_an_interface_elsewhere(world, node, way, target):
    before = links_of_the_host()
    outcome = world.attack(node, "network", "make_interface_elsewhere", way, target(world))
    assert links_of_the_host() == before
    assert "topoweb-attack" not in inside(world.kernel, "n1", "ip -o link", lab=OTHER)
    if outcome.get("refused") in NO:
        return
    assert outcome == {"won": "made"}, outcome
    inside(world.kernel, "n1", "ip link del topoweb-attack", lab=LAB)  # raises when it is elsewhere


@attack("ip netns exec, nsenter and unshare with all their ways", "each fails")
def test_tools_that_enter(world, node):
    pid = holder(world, OTHER).pid
    for line in (
        "nsenter -t 1 -a true", "nsenter -t 1 -n true", f"nsenter -t {pid} -n true",
        "unshare -n true", "unshare -Ur true", "unshare -m true",
        "ip netns add x", "ip netns attach x 1", f"ip netns attach x {pid}",
        "ip netns exec x true", "chroot /proc/1/root /usr/bin/nsenter -t 1 -m true",
    ):  # fmt: skip
        assert world.run(*node, "/usr/bin/env", *line.split()).status != 0, line


@attack("NETLINK_LISTEN_ALL_NSID while another lab and the host change", "nothing of them is heard")
def test_hear_all(other, node):
    def stir():
        for word in ("up", "down") * 3:
            inside(other.kernel, "n1", f"ip link set {MARK} {word}", lab=OTHER)

    heard = beside(other, node, "hear_all_namespaces", 3, stir=stir)
    assert MARK not in str(heard)


@attack("capture while another lab sends", "no frame of it is seen")
def test_sniff(world, node):
    def stir():
        inside(world.kernel, "n1", f"ping -c3 -i0.2 -W1 -p {'5ec2e7' * 2} 10.0.1.2", lab=OTHER)

    outcome = beside(world, node, "sniff", bytes.fromhex("5ec2e7").decode("latin-1"), 3, stir=stir)
    assert "won" not in outcome


def beside(world, node, name, *arguments, stir):
    """Run an attack while ``stir`` makes a noise elsewhere."""
    outcome = []
    thread = threading.Thread(
        target=lambda: outcome.append(world.attack(node, "network", name, *arguments))
    )
    thread.start()
    try:
        while thread.is_alive():
            stir()
    finally:
        thread.join()
    return outcome[0]


@attack("see the host's and other labs' sockets and neighbours by sock_diag and netlink", "no")
def test_tables_of_others(world, node):
    listeners = world.attack(node, "network", "listeners")["won"]
    assert not [one for one in listeners if one.endswith(f":{world.port}")]
    assert world.attack(node, "network", "interfaces")["won"] == ["eth0", "lo"]


@attack("have the kernel load modules by link types and nft expressions", "no module more")
def test_modules(world, node):
    before = Path("/proc/modules").read_text() if Path("/proc/modules").exists() else ""
    for kind in ("wireguard", "gre", "vxlan", "can", "ppp", "hsr", "batadv", "gtp", "netdevsim"):
        world.attack(node, "network", "loose_modules", kind)
        world.run(*node, "/usr/sbin/ip", "link", "del", "topoweb-m0")
    after = Path("/proc/modules").read_text() if Path("/proc/modules").exists() else ""
    assert {line.split()[0] for line in after.splitlines()} == {
        line.split()[0] for line in before.splitlines()
    }


@attack("forge a holder: a process with its name and its variables", "not believed")
def test_forged_holder(world, node):
    owner = (world.run_dir / "owner").read_text()
    before = sorted(find_holders(owner), key=str)
    command = Command(
        arguments=("/bin/bash", "-c", "exec -a topoweb-holder /usr/bin/sleep infinity"),
        environment={"TOPOWEB_LAB": "junk", "TOPOWEB_OWNER": owner[:16]},
    )
    forged = world.sandboxes.start(*node, command, "forged")
    try:
        wait_for(forged, b"topoweb-holder\0infinity\0")
        assert sorted(find_holders(owner), key=str) == before
        assert set(world.kernel.labs()) == {LAB, OTHER, GREEDY}
    finally:
        world.sandboxes.end(forged, patience=0.1)


def wait_for(started, line):
    until = time.monotonic() + 20
    while Path("/proc", str(started.pid), "cmdline").read_bytes() != line:
        assert time.monotonic() < until
        time.sleep(0.01)  # nobody tells when a process becomes another program
