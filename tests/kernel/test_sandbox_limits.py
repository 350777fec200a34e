"""What bounds the programs of a lab: one lab's hunger ends in that lab."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, apply, errors, star
from tests.kernel.privilege import needs_control_groups
from tests.kernel.sandboxed import NAMES, run, says, shell, wait_for
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import Limits
from topoweb.core.programs import Command, Residence

if TYPE_CHECKING:
    from topoweb.kernel.lab import LinuxKernel
    from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes


class TestLimits:
    """One lab's hunger ends in that lab."""

    @pytest.fixture
    def hungry(self, kernel: LinuxKernel, sandboxes: LinuxSandboxes) -> LinuxSandboxes:
        limits = Limits(
            processes=40, node_processes=30, memory=48 << 20, node_memory=32 << 20,
            disk=4 << 20, inodes=200, cpu=0.5,
        )  # fmt: skip
        sandboxes.house(LAB, Residence(names=NAMES, limits=limits))
        assert errors(apply(kernel, *star(2), lab=LAB + 1)) == []
        return sandboxes

    @pytest.fixture(autouse=True)
    def the_neighbours_are_well(self, kernel: LinuxKernel, hungry: LinuxSandboxes) -> object:
        yield
        done = hungry.run(LAB + 1, "h1", shell("ping -c2 -W5 10.0.0.2"))
        assert done.status == 0, done
        kernel.destroy(LAB + 1)

    @needs_control_groups
    def test_processes(self, hungry: LinuxSandboxes) -> None:
        said = run(
            hungry, "n1", "for i in $(seq 60); do sleep 30 & done; ps ax | grep -c '[s]leep 30'"
        )
        assert b"Cannot fork" in said.output or b"fork" in said.output
        bomb = hungry.start(LAB, "n1", shell("f() { f | f & }; f; sleep 900"), "bomb")
        pings_other = hungry.run(LAB + 1, "h1", shell("ping -c3 -i0.2 -W5 10.0.0.2"))
        assert pings_other.status == 0
        hungry.end(bomb)
        assert "sleep" not in says(hungry, "n1", "ps ax -o args")

    @needs_control_groups
    def test_a_full_node_says_so(self, hungry: LinuxSandboxes) -> None:
        says(hungry, "n1", "true")
        filler = hungry.start(
            LAB,
            "n1",
            Command(
                arguments=(
                    "/usr/bin/python3", "-c",
                    "import os, time\nargv = ['sleep', '999']\nwhile True:\n"
                    " try: os.posix_spawn('/bin/sleep', argv, {})\n"
                    " except OSError: time.sleep(0.01)",
                )
            ),
            "log",
        )  # fmt: skip

        def refused() -> bool:
            try:
                run(hungry, "n1", "true")
            except TopowebError as error:
                return error.kind is ErrorKind.LIMIT
            return False

        wait_for(refused)
        hungry.end(filler)
        says(hungry, "n1", "true")

    @needs_control_groups
    def test_memory(self, hungry: LinuxSandboxes) -> None:
        hog = "/usr/bin/python3 -c 'x = bytearray(100 << 20); print(len(x))'"
        done = run(hungry, "n1", hog)
        assert done.status != 0
        assert b"104857600" not in done.output
        assert run(hungry, "n2", "true").status == 0

    def test_disk_and_inodes(self, hungry: LinuxSandboxes) -> None:
        full = run(hungry, "n1", "head -c 9000000 /dev/zero > /root/big")
        assert b"No space left" in full.output
        says(hungry, "n1", "rm /root/big")
        many = run(hungry, "n1", "for i in $(seq 300); do : > /tmp/$i || break; done")
        assert b"No space left" in many.output
        hungry.house(LAB, Residence(names=NAMES, limits=Limits()))  # raised while it runs
        more = "head -c 9000000 /dev/zero > /root/big; for i in $(seq 300); do : > /tmp/$i; done"
        says(hungry, "n1", more)

    def test_terminals(self, hungry: LinuxSandboxes) -> None:
        code = "import os\nn = 0\ntry:\n while 1: os.openpty(); n += 1\n"
        code += "except OSError as e: print(n, e.errno)"
        done = hungry.run(LAB, "n1", Command(arguments=("/usr/bin/python3", "-c", code)))
        assert done.output == b"16 28\n"  # ENOSPC

    def test_shared_memory_and_queues(self, hungry: LinuxSandboxes) -> None:
        full = run(hungry, "n1", "head -c 9000000 /dev/zero > /dev/shm/big")
        assert b"No space left" in full.output
        code = "import resource; print(resource.prlimit(0, 12))"  # RLIMIT_MSGQUEUE
        done = hungry.run(LAB, "n1", Command(arguments=("/usr/bin/python3", "-c", code)))
        assert done.output == b"(65536, 65536)\n"


SPAN = 500_000_000  # ns
SPINS = "taskset -c 0 sh -c 'while :; do :; done' &"


@needs_control_groups
def test_labs_share_a_processor_evenly(kernel: LinuxKernel, sandboxes: LinuxSandboxes) -> None:
    """However many programs one of them runs on it."""
    assert errors(apply(kernel, *star(2), lab=LAB + 1)) == []
    limits = Limits(cpu=4.0)  # more than there is to share
    for lab, node, spinners in ((LAB, "n1", 8), (LAB + 1, "h1", 1)):
        sandboxes.house(lab, Residence(names=NAMES, limits=limits))
        sandboxes.start(lab, node, shell(SPINS * spinners + "wait"), "spins")
    wait_for(lambda: used(sandboxes, LAB) > 0 and used(sandboxes, LAB + 1) > 0)
    before = used(sandboxes, LAB), used(sandboxes, LAB + 1)
    wait_for(lambda: used(sandboxes, LAB) > before[0] + SPAN)
    many, one = used(sandboxes, LAB) - before[0], used(sandboxes, LAB + 1) - before[1]
    assert 0.5 < one / many < 2.0  # without groups it is 1 : 8
    kernel.destroy(LAB + 1)


def used(sandboxes: LinuxSandboxes, lab: int) -> int:
    """Return how long the spinning programs of a lab have had a processor, ns."""
    root = sandboxes._groups.unified
    assert root
    total = 0
    for group in (root / str(lab)).rglob("program-*/cgroup.procs"):
        for pid in group.read_text().split():
            total += int(Path("/proc", pid, "schedstat").read_text().split()[0])
    return total
