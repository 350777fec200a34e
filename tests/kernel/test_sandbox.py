"""Sandboxes: what a program in a node sees and may do."""

from __future__ import annotations

import os
import re
import select
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB
from tests.kernel.sandboxed import ask, first_process, opened, run, says, shell, wait_for
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.programs import Command, Residence, Started
from topoweb.kernel.sandbox import container

if TYPE_CHECKING:
    from topoweb.kernel.lab import LinuxKernel
    from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes

ROOT = Path(__file__).parents[2]


def test_a_terminal_is_a_terminal(sandboxes: LinuxSandboxes) -> None:
    with opened(sandboxes, "n1", columns=91, rows=33) as terminal:
        said = ask(terminal, "tty; stty size; hostname; pwd; cat /etc/hostname")
        assert "/dev/pts/0" in said
        assert "33 91" in said
        assert said.count("alpha") == 2
        assert "/root" in said
        os.write(terminal.master, b"exit 3\n")
        assert select.select([terminal.pidfd], [], [], 10)[0], "the shell does not end"


def test_a_second_terminal_sees_the_first_and_no_other_node(sandboxes: LinuxSandboxes) -> None:
    with opened(sandboxes, "n1") as one, opened(sandboxes, "n1") as two:
        ask(one, "sleep 4321 & true")
        assert "sleep 4321" in ask(two, "ps ax")
        assert "/dev/pts/1" in ask(two, "tty")
        with opened(sandboxes, "n2") as other:
            said = ask(other, "ps ax; hostname")
            assert "sleep 4321" not in said
            assert "not-a-name" in said  # a drawn name that is no host name is made one


def test_hanging_up_ends_the_shell(sandboxes: LinuxSandboxes) -> None:
    with opened(sandboxes, "n1") as terminal:
        ask(terminal, "true")
        pidfd = os.dup(terminal.pidfd)
    try:
        assert select.select([pidfd], [], [], 10)[0]
    finally:
        os.close(pidfd)


def status_of(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+):\s*(.*?)\r?$", text, re.MULTILINE))


@pytest.mark.parametrize("way", ["terminal", "run", "start"])
def test_every_program_is_held_down(sandboxes: LinuxSandboxes, way: str) -> None:
    line = "cat /proc/self/status /proc/self/limits; echo fds: $(ls /proc/self/fd)"
    if way == "terminal":
        with opened(sandboxes, "n1") as terminal:
            said = ask(terminal, line)
    elif way == "run":
        said = says(sandboxes, "n1", line)
    else:
        sandboxes.start(LAB, "n1", shell(line + "; echo end"), "status")
        wait_for(lambda: b"end\n" in sandboxes.log(LAB, "status", 1 << 16))
        said = sandboxes.log(LAB, "status", 1 << 16).decode()
    status = status_of(said)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"
    for kind in ("CapBnd", "CapEff", "CapPrm"):
        assert int(status[kind], 16) == 0x43DFB, kind
    assert (int(status["CapInh"], 16), int(status["CapAmb"], 16)) == (0, 0)
    assert re.search(r"Max open files\s+1024\s+1024", said)
    assert re.search(r"Max core file size\s+0\s+0", said)
    assert status["fds"].split() == ["0", "1", "2", "3"]  # 3 is ls' own


def test_a_daemon_has_one_capability_more(sandboxes: LinuxSandboxes) -> None:
    command = shell("cat /proc/self/status", daemon=True)
    status = status_of(sandboxes.run(LAB, "n1", command).output.decode())
    assert int(status["CapBnd"], 16) == 0x43DFB | 1 << 21
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


def test_run_gives_status_output_and_input(sandboxes: LinuxSandboxes) -> None:
    done = sandboxes.run(
        LAB,
        "n1",
        shell("cat; echo $WORD; pwd; echo bad >&2; exit 7", environment={"WORD": "x y"}),
        stdin=b"in\n",
    )
    assert (done.status, done.output) == (7, b"in\nx y\n/root\nbad\n")
    assert run(sandboxes, "n1", "kill -9 $$").status == 137
    long = run(sandboxes, "n1", "head -c 3000000 /dev/zero; echo; exit 4")
    assert (long.status, len(long.output)) == (4, 1 << 20)


def test_run_kills_what_lasts_too_long_and_what_it_leaves(sandboxes: LinuxSandboxes) -> None:
    late = sandboxes.run(LAB, "n1", shell("echo on; sleep 700"), timeout=0.3)
    assert (late.status, late.output) == (124, b"on\n")
    left = run(sandboxes, "n1", "setsid sleep 701 > /dev/null 2>&1 & echo done")
    assert left.output == b"done\n"
    assert "sleep 70" not in says(sandboxes, "n1", "ps ax -o args | grep -v ps")


def test_an_absent_program_is_said(sandboxes: LinuxSandboxes) -> None:
    command = Command(arguments=("/usr/bin/no-such-program",))
    with pytest.raises(TopowebError) as caught:
        sandboxes.run(LAB, "n1", command)
    assert caught.value.kind is ErrorKind.INVALID
    with pytest.raises(TopowebError):
        sandboxes.start(LAB, "n1", command, "log")
    with pytest.raises(TopowebError):
        sandboxes.terminal(LAB, "n1", command, 80, 24)


def test_a_node_that_does_not_run_has_no_sandbox(
    kernel: LinuxKernel, sandboxes: LinuxSandboxes
) -> None:
    for lab, name in ((LAB, "n3"), (LAB + 1, "n1")):
        with pytest.raises(TopowebError) as caught:
            sandboxes.run(lab, name, shell("true"))
        assert caught.value.kind is ErrorKind.NOT_FOUND
    kernel.destroy(LAB)
    with pytest.raises(TopowebError) as caught:
        sandboxes.run(LAB, "n1", shell("true"))
    assert caught.value.kind is ErrorKind.NOT_FOUND


def test_a_started_program_ends_with_its_children(sandboxes: LinuxSandboxes) -> None:
    text = "(setsid sleep 801 &); sleep 802 & echo up; wait"
    program = sandboxes.start(LAB, "n1", shell(text), "log")
    other = sandboxes.start(LAB, "n1", shell("sleep 803"), "log2")
    wait_for(lambda: sandboxes.log(LAB, "log", 99) == b"up\n")
    assert sandboxes.alive(program)
    assert not sandboxes.alive(Started(program.pid, program.start + 1))
    sandboxes.end(program)
    assert not sandboxes.alive(program)
    left = says(sandboxes, "n1", "ps ax -o args")
    assert "sleep 801" not in left
    assert "sleep 802" not in left
    assert sandboxes.alive(other)
    sandboxes.end(program)  # again is no harm
    stubborn = sandboxes.start(LAB, "n1", shell("trap '' TERM; echo up; sleep 804"), "log3")
    wait_for(lambda: sandboxes.log(LAB, "log3", 99) == b"up\n")
    sandboxes.end(stubborn, patience=0.1)
    assert not sandboxes.alive(stubborn)


def test_a_daemon_that_left_its_starter_dies_with_it(sandboxes: LinuxSandboxes) -> None:
    text = "(setsid sh -c 'echo $$ > /tmp/pid; exec sleep 811' &); exit 0"
    program = sandboxes.start(LAB, "n1", shell(text), "log")
    wait_for(lambda: not sandboxes.alive(program))
    wait_for(lambda: "sleep 811" in says(sandboxes, "n1", "ps ax -o args"))
    sandboxes.end(program)
    assert "sleep 811" not in says(sandboxes, "n1", "ps ax -o args")


def test_furnished_files_are_seen_and_not_written(sandboxes: LinuxSandboxes) -> None:
    sandboxes.furnish(LAB, "n1", "web", {"a.txt": b"one", "b.txt": b"two"})
    assert says(sandboxes, "n1", "cat /run/topoweb/web/*") == "onetwo"
    sandboxes.furnish(LAB, "n1", "web", {"a.txt": b"three"})  # while it runs
    assert says(sandboxes, "n1", "cat /run/topoweb/web/*") == "three"
    refused = run(sandboxes, "n1", "echo x > /run/topoweb/web/a.txt; rm -r /run/topoweb/web")
    assert refused.output.count(b"Read-only file system") >= 2
    assert run(sandboxes, "n1", "mv /run/topoweb /run/other").status != 0
    assert says(sandboxes, "n2", "ls /run/topoweb") == ""
    for name in ("../x", "", "a/b", ".."):
        with pytest.raises(TopowebError) as caught:
            sandboxes.furnish(LAB, "n1", name, {})
        assert caught.value.kind is ErrorKind.INVALID


def test_a_student_s_link_leads_the_worker_nowhere(
    kernel: LinuxKernel, sandboxes: LinuxSandboxes, tmp_path: Path
) -> None:
    target = tmp_path / "victim"
    target.mkdir()
    (target / "hosts").write_text("precious")
    says(
        sandboxes,
        "n1",
        f"rm -r /etc/* /var/*; ln -s {target} /var/lib; ln -s {target}/hosts /etc/hosts;"
        f"ln -s {target}/hosts /etc/hostname; ln -s {target} /run/web",
    )
    sandboxes.furnish(LAB, "n1", "web", {"hosts": b"x"})
    first = first_process(sandboxes, "n1")
    os.kill(first.pid, signal.SIGKILL)
    wait_for(lambda: not first.alive())
    assert run(sandboxes, "n1", "true").status == 0  # made anew on the same files
    sandboxes.house(LAB, Residence(names={"n1": "other"}))
    kernel.destroy(LAB)
    assert [path.name for path in target.iterdir()] == ["hosts"]
    assert (target / "hosts").read_text() == "precious"


def test_what_the_host_has_is_not_seen(sandboxes: LinuxSandboxes, tmp_path: Path) -> None:
    said = says(sandboxes, "n1", "ls -a / /etc /proc; env; cat /proc/mounts /proc/1/environ")
    assert "TOPOWEB" not in said.replace("TOPOWEB_PROGRAM=", "")  # its mark, without root
    for name in ("shadow", "home\n", "sys/kernel"):
        assert name not in said
    for path in (ROOT, tmp_path, "/root/.bashrc", "/var/lib/dpkg", "/home", "/opt", "/boot"):
        assert run(sandboxes, "n1", f"ls {path}").status != 0, path


def test_proc_is_read_only_but_for_the_own_network(sandboxes: LinuxSandboxes) -> None:
    says(sandboxes, "n1", "sysctl -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1")
    assert says(sandboxes, "n2", "sysctl -n net.ipv4.ip_forward") == "0\n"
    for path in ("self/oom_score_adj", "sys/kernel/hostname", "sysrq-trigger", "sys/vm/swappiness"):
        said = run(sandboxes, "n1", f"echo 1 > /proc/{path}")
        assert re.search(rb"Read-only|Directory nonexistent", said.output), path
    assert says(sandboxes, "n1", "cat /proc/self/oom_score_adj") == f"{container.OOM_SCORE}\n"
    for path in container.MASKED:
        assert says(sandboxes, "n1", f"if [ -f {path} ]; then cat {path}; fi") == "", path
