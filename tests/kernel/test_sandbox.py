"""Sandboxes: what a program in a node sees and may do, and that nothing of it stays."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, apply, errors, node, pings, star, two_hosts
from tests.kernel.sandboxed import ask, opened, run, says, shell, wait_for
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import Limits
from topoweb.core.plan.actions import RemoveNamespace
from topoweb.core.programs import Command, Residence, Started
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.sandbox import container

if TYPE_CHECKING:
    from topoweb.kernel.holder import Holder
    from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes

ROOT = Path(__file__).parents[2]
NAMES = {"n1": "alpha", "n2": "not a name!"}


@pytest.fixture
def sandboxes(kernel: LinuxKernel) -> LinuxSandboxes:
    """The sandboxes of a lab of two hosts with a cable."""
    assert errors(apply(kernel, *two_hosts())) == []
    kernel.sandboxes.house(LAB, Residence(names=NAMES))
    return kernel.sandboxes


def first_process(sandboxes: LinuxSandboxes, name: str) -> Holder:
    return sandboxes._lodging(LAB).ensure(name)


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


def test_what_the_host_has_is_not_seen(sandboxes: LinuxSandboxes, tmp_path: Path) -> None:
    said = says(sandboxes, "n1", "ls -a / /etc /proc; env; cat /proc/mounts /proc/1/environ")
    assert "TOPOWEB" not in said
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


def test_tools_work(sandboxes: LinuxSandboxes) -> None:
    line = (
        "ip addr show eth0 && ip route add 10.9.0.0/16 via 10.0.1.2 && ss -tln && bridge link"
        " && nft add table inet t && nft list ruleset && ping -c1 -W5 10.0.1.2"
        " && iptables -A INPUT -p tcp --dport 99 -j DROP && tc qdisc show"
        " && python3 -c 'print(\"snake\")' && getent hosts alpha && vi --version | head -1"
    )
    said = says(sandboxes, "n1", line)
    for word in ("10.0.1.1/24", "table inet t", "1 received", "snake", "127.0.1.1"):
        assert word in said
    packets = says(
        sandboxes,
        "n1",
        "tcpdump -ni eth0 -c1 -w /root/a.pcap icmp 2> /root/said & "
        "until grep -q listening /root/said; do sleep 0.1; done; ping -c1 10.0.1.2 > /dev/null;"
        "wait; tcpdump -nr /root/a.pcap 2> /dev/null",
    )
    assert "ICMP echo request" in packets


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
