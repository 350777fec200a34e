"""Sandboxes of an ordinary user: the same calls, one user id, no control groups."""

from __future__ import annotations

from tests.kernel.rootless import run_without_root

SCRIPT = """
import os, select, sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from topoweb.core.programs import Command, Residence
from topoweb.kernel.lab import LinuxKernel
from plans import LAB, apply, errors, two_hosts

home = Path(sys.argv[1])
(home / "secret").write_text("secret")
kernel = LinuxKernel(home / "run")
assert errors(apply(kernel, *two_hosts())) == []
sandboxes = kernel.sandboxes
sandboxes.house(LAB, Residence(names={"n1": "alpha"}))

def shell(text, **more):
    return Command(arguments=("/bin/sh", "-c", text), **more)

def says(node, text):
    done = sandboxes.run(LAB, node, shell(text))
    assert done.status == 0, done
    return done.output.decode()

def wait_for(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "in vain"
        time.sleep(0.01)

status = dict(line.split(":", 1) for line in says("n1", "cat /proc/self/status").splitlines())
assert status["NoNewPrivs"].strip() == "1"
assert status["Seccomp"].strip() == "2"
assert int(status["CapBnd"], 16) == 0x43DFB
assert says("n1", "hostname; id -u; cat /proc/self/uid_map").split() == [
    "alpha", "0", "0", "0", "1"]
assert "1 received" in says("n1", "ping -c1 -W5 10.0.1.2")
says("n1", "sysctl -w net.ipv4.ip_forward=1; echo mine > /root/file")
assert sandboxes.run(LAB, "n1", shell("echo 1 > /proc/self/oom_score_adj")).status != 0
assert sandboxes.run(LAB, "n1", shell(f"cat {home}/secret")).status != 0
assert sandboxes.run(LAB, "n1", shell("unshare -U true")).status != 0
assert says("n1", "chown frr:frr /root/file; stat -c %U /root/file") == "root\\n"
packets = says("n1", "tcpdump -ni eth0 -c1 icmp 2> /root/said & "
    "until grep -q listening /root/said; do sleep 0.1; done; ping -c1 10.0.1.2 > /dev/null; wait")
assert "ICMP echo request" in packets

terminal = sandboxes.terminal(LAB, "n1", Command(arguments=("/bin/bash", "--norc")), 90, 30)
os.write(terminal.master, b"tty; stty size; echo en''d\\n")
seen = b""
while b"end\\r\\n" not in seen:
    assert select.select([terminal.master], [], [], 20)[0], seen
    seen += os.read(terminal.master, 4096)
assert b"/dev/pts/0" in seen and b"30 90" in seen, seen
os.close(terminal.master)

program = sandboxes.start(LAB, "n1", shell("(setsid sleep 801 &); echo up; sleep 802"), "log")
wait_for(lambda: sandboxes.log(LAB, "log", 99) == b"up\\n")
assert sandboxes.alive(program)
other = sandboxes.start(LAB, "n1", shell("sleep 803"), "log2")
sandboxes.end(program)
left = says("n1", "ps ax -o args")
assert "sleep 801" not in left and "sleep 802" not in left and "sleep 803" in left, left
assert sandboxes.run(LAB, "n1", shell("sleep 9"), timeout=0.2).status == 124
sandboxes.furnish(LAB, "n1", "web", {"a": b"hello"})
assert says("n1", "cat /run/topoweb/web/a") == "hello"
assert "sleep" not in says("n2", "ps ax -o args")
sandboxes.house(LAB, Residence(names={"n1": "beta"}))
assert says("n1", "hostname") == "beta\\n"
sandboxes.vacate(LAB, ["n1"])
assert not sandboxes.alive(other)
assert says("n1", "ls /root") == ""
kernel.destroy(LAB)
kernel.close()
assert not list((home / "run/labs").iterdir())
print("ok")
"""


def test_sandboxes_work_without_root() -> None:
    run_without_root(SCRIPT)
