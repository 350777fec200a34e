"""Sandboxes come, are found again and go, and nothing of them stays."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kernel.plans import LAB, apply, errors, node, pings, two_hosts
from tests.kernel.sandboxed import ask, first_process, opened, says, shell, wait_for
from topoweb.core.plan.actions import RemoveNamespace
from topoweb.core.programs import Residence, Started
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes

ROOT = Path(__file__).parents[2]


def test_files_stay_when_a_sandbox_is_made_anew(sandboxes: LinuxSandboxes) -> None:
    says(sandboxes, "n1", "echo mine > /root/file; echo 10.0.1.2 peer >> /etc/hosts")
    first = first_process(sandboxes, "n1")
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: not first.alive())
    assert says(sandboxes, "n1", "cat /root/file; getent hosts peer").split() == [
        "mine",
        "10.0.1.2",
        "peer",
    ]
    assert first_process(sandboxes, "n1") != first


def test_a_log_keeps_its_end_and_stays_small(sandboxes: LinuxSandboxes) -> None:
    text = "i=0; while [ $i -lt 60 ]; do head -c 65536 /dev/zero | tr '\\0' x; i=$((i+1));"
    text += "sleep 0.02; done; echo last; sleep 900"
    program = sandboxes.start(LAB, "n1", shell(text), "noise")
    path = sandboxes._lodging(LAB).quarters.logs / "noise"
    wait_for(lambda: sandboxes.log(LAB, "noise", 9).endswith(b"last\n"))
    wait_for(lambda: path.stat().st_blocks * 512 <= 256 << 10)
    assert sandboxes.alive(program), "a full log must not end a program"
    assert path.stat().st_size == 60 * 65536 + 5
    assert sandboxes.log(LAB, "noise", 65536) == b"x" * (65536 - 5) + b"last\n"
    assert sandboxes.log(LAB, "none", 10) == b""


def test_nodes_may_be_added_and_removed_while_sandboxes_run(
    kernel: LinuxKernel, sandboxes: LinuxSandboxes
) -> None:
    program = sandboxes.start(LAB, "n1", shell("sleep 900"), "log")
    before = kernel.manifest(LAB)
    assert errors(apply(kernel, *node("n3"))) == []
    after = kernel.manifest(LAB)
    assert before
    assert after
    assert before.holder != after.holder
    assert sandboxes.alive(program)
    assert "sleep 900" in says(sandboxes, "n1", "ps ax -o args; ping -c1 -W5 10.0.1.2")
    assert says(sandboxes, "n3", "hostname") == "n3\n"
    first = first_process(sandboxes, "n3")
    assert errors(apply(kernel, RemoveNamespace(namespace="n3"))) == []
    assert not first.alive()
    assert errors(apply(kernel, *node("n3"))) == []
    assert "lo" in says(sandboxes, "n3", "ip -br link; ls /root")
    assert sandboxes.alive(program)


def test_a_node_that_is_named_anew_knows_it(sandboxes: LinuxSandboxes) -> None:
    assert says(sandboxes, "n1", "hostname") == "alpha\n"
    says(sandboxes, "n2", "echo 10.0.1.1 mine >> /etc/hosts")
    sandboxes.house(LAB, Residence(names={"n1": "beta", "n2": "gamma"}))
    assert says(sandboxes, "n1", "hostname; cat /etc/hostname; getent hosts beta").split() == [
        *("beta", "beta", "127.0.1.1", "beta")
    ]
    said = says(sandboxes, "n2", "hostname; cat /etc/hosts")
    assert "gamma\n" in said
    assert "10.0.1.1 mine" in said  # a student's own file stays


def test_notes_and_groups_of_ended_programs_go(sandboxes: LinuxSandboxes, tmp_path: Path) -> None:
    for _ in range(5):
        ended = sandboxes.start(LAB, "n1", shell("true"), "log")
        wait_for(lambda one=ended: not sandboxes.alive(one))
    assert len(list((tmp_path / "programs").iterdir())) == 1
    sandboxes.vacate(LAB)
    assert list((tmp_path / "programs").iterdir()) == []


def test_vacate_ends_all_of_a_node(sandboxes: LinuxSandboxes) -> None:
    with opened(sandboxes, "n1") as terminal:
        ask(terminal, "(setsid nohup sleep 901 > /dev/null 2>&1 &); touch /root/mine")
        stays = sandboxes.start(LAB, "n2", shell("sleep 902"), "log")
        first = first_process(sandboxes, "n1")
        sandboxes.vacate(LAB, ["n1"])
        assert not first.alive()
        assert select.select([terminal.pidfd], [], [], 10)[0]
    assert sandboxes.alive(stays)
    assert "sleep 901" not in says(sandboxes, "n1", "ps ax -o args")
    assert says(sandboxes, "n1", "ls /root") == ""
    sandboxes.vacate(LAB)
    assert not sandboxes.alive(stays)


def test_many_threads_make_one_sandbox(sandboxes: LinuxSandboxes) -> None:
    found: list[int] = []

    def enter() -> None:
        found.append(int(says(sandboxes, "n1", "ls -di /proc/1/ns/pid | cut -d' ' -f1")))

    threads = [threading.Thread(target=enter) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


ADOPTED = """
import os, signal, sys
from pathlib import Path
from tests.kernel.plans import LAB, apply, errors, two_hosts
from tests.kernel.sandboxed import shell
from topoweb.kernel.lab import LinuxKernel
kernel = LinuxKernel(Path(sys.argv[1]))
assert errors(apply(kernel, *two_hosts())) == []
program = kernel.sandboxes.start(LAB, "n1", shell("echo hello; sleep 950"), "log")
print(program.pid, program.start, flush=True)
kernel.sandboxes.furnish(LAB, "n1", "web", {"a": b"old"})
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_sandboxes_are_found_again_after_a_violent_death(
    kernel: LinuxKernel, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ADOPTED, str(tmp_path)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    program = Started(*map(int, done.stdout.split()))
    again = LinuxKernel(tmp_path)  # knows only what is written down
    try:
        sandboxes = again.sandboxes
        assert sandboxes.alive(program)
        assert sandboxes.log(LAB, "log", 99) == b"hello\n"
        assert "sleep 950" in says(sandboxes, "n1", "ps ax -o args; cat /run/topoweb/web/a")
        with opened(sandboxes, "n1") as terminal:
            assert "sleep 950" in ask(terminal, "ps ax -o args")
        other = sandboxes.start(LAB, "n1", shell("sleep 951"), "log2")
        sandboxes.end(program)
        assert not sandboxes.alive(program)
        assert "sleep 950" not in says(sandboxes, "n1", "ps ax -o args")
        again.destroy(LAB)
        assert not sandboxes.alive(other)
    finally:
        again.close()


def test_a_lab_whose_holder_died_leaves_its_programs_no_home(
    kernel: LinuxKernel, sandboxes: LinuxSandboxes
) -> None:
    program = sandboxes.start(LAB, "n1", shell("sleep 960"), "log")
    lost = kernel.manifest(LAB)
    assert lost
    lost.holder.kill()
    assert errors(apply(kernel, *two_hosts())) == []  # built anew
    assert not sandboxes.alive(program)
    pings(kernel, "n1", "10.0.1.2")
    assert "sleep 960" not in says(sandboxes, "n1", "ps ax -o args")
