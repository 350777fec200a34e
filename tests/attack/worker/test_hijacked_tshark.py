"""tshark taken over by the packet that it reads: what is in its place may do nothing.

The sandbox is the same; only the program is another.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from pathlib import Path

import pytest

from tests.attack.register import attack, case
from topoweb.core.errors import TopowebError
from topoweb.kernel.sandbox import cgroups, dissector
from topoweb.kernel.sandbox.dissector import Dissector

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0
    or not Path("/usr/bin/python3").exists()
    or not all(map(shutil.which, ("crun", "tshark"))),
    reason="needs root, crun, tshark and the host's python3",
)
INSIDE = """
import json, os, socket, ctypes
def tried(what):
    try:
        return str(what())
    except (OSError, ValueError) as error:
        return f"refused: {error}"
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return "done"
"""


@pytest.fixture
def run():
    """Run Python in tshark's place; return what it prints, as JSON."""
    directory = Path(tempfile.mkdtemp(prefix="tw-"))
    one = Dissector(directory, cgroups.find(os.urandom(4).hex()))
    before = dissector.ARGUMENTS, dissector.TIMEOUT

    def hijacked(script, timeout=60.0):
        dissector.ARGUMENTS = ("/usr/bin/python3", "-S", "-c", INSIDE + script)
        dissector.TIMEOUT = timeout
        return json.loads(one.dissect(b"x" * 60, 60, 0))

    yield hijacked
    dissector.ARGUMENTS, dissector.TIMEOUT = before
    one.close()
    shutil.rmtree(directory)


@attack(
    "a hijacked tshark looks for power: user ids, capabilities, other namespaces", "it has none"
)
def test_power(run):
    said = run(
        "status = dict(line.split(':', 1) for line in open('/proc/self/status'))\n"
        "print(json.dumps([status[key].split() for key in"
        " ('CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs', 'Seccomp')]"
        " + [open('/proc/self/uid_map').read().split(), os.listdir('/proc')]))"
    )
    assert said[:3] == [["0" * 16]] * 3
    assert said[3:5] == [["1"], ["2"]]
    inside, outside, count = said[5]
    assert (inside, count) == ("0", "1")
    assert int(outside) == dissector.UID > 100_000
    assert [name for name in said[6] if name.isdecimal()] == ["1"]


FILES = {
    "shadow": "open('/etc/shadow').read()",
    "environment": "open('/proc/1/environ').read().count('SECRET') or 1 / 0",
    "kernel-pointers": "open('/proc/kallsyms').read(10)[:9].strip('0 ') or open('/none')",
    "root's-home": "os.listdir('/root')[0]",
    "write-root": "open('/x', 'w')",
    "write-usr": "open('/usr/x', 'w')",
    "write-tmp": "open('/tmp/x', 'w')",
    "write-sysctl": "open('/proc/sys/kernel/core_pattern', 'w')",
    "device": "os.mknod('/dev/sda', 0o60600, os.makedev(8, 0))",
    "run-directory": "os.listdir('/mnt')[0]",
}


@pytest.mark.parametrize(
    "expression",
    [case(name, f"a hijacked tshark reaches for files: {name}", "refused, or nothing is there", e)
     for name, e in FILES.items()],
)  # fmt: skip
def test_files(run, expression):
    script = f"""
try:
    said = tried(lambda: {expression})
except (IndexError, ZeroDivisionError):
    said = "refused: nothing there"
print(json.dumps(said))
"""
    assert run(script).startswith("refused")


CALLS = {
    "socket-inet": "socket.socket(socket.AF_INET)",
    "socket-unix": "socket.socket(socket.AF_UNIX)",
    "socket-netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
    "socket-packet": "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "unshare-user": "call(272, 0x10000000)",
    "mount": "call(165, b'none', b'/tmp', b'tmpfs', 0, 0)",
    "ptrace": "call(101, 16, 1, 0, 0)",
    "bpf": "call(321, 0, 0, 0)",
    "io_uring": "call(425, 8, 0)",
    "keyctl": "call(250, 0, -3, 1)",
    "terminal-ioctl": "call(16, 0, 0x5412, b'x')",
}


@pytest.mark.parametrize(
    "expression",
    [case(name, f"a hijacked tshark calls the kernel: {name}", "no such call", e)
     for name, e in CALLS.items()],
)  # fmt: skip
def test_calls(run, expression):
    assert run(f"print(json.dumps(tried(lambda: {expression})))").startswith("refused")


@attack("a hijacked tshark sends to the host's services", "no network, no socket")
def test_network(run):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = (
            f"print(json.dumps(tried(lambda: socket.create_connection(('127.0.0.1', {port})))))"
        )
        assert run(script).startswith("refused")
        server.settimeout(0.2)
        with pytest.raises(TimeoutError):
            server.accept()


@pytest.mark.parametrize(
    "script",
    [
        case("memory", "a hijacked tshark takes memory without end",
             "killed within its bound", "x = [bytearray(1 << 24) for _ in range(100)]; print(1)"),
        case("processes", "a hijacked tshark forks without end", "its children die with it",
             "\nfor _ in range(1000):\n    os.fork()\nprint(1)"),
        case("time", "a hijacked tshark does not end", "killed when its time is over",
             "\nwhile True: pass"),
        case("output", "a hijacked tshark writes without end", "the rest is thrown away",
             "\nwhile True: print('x' * 4096)"),
    ],
)  # fmt: skip
def test_exhaustion(run, script):
    began = time.monotonic()
    with pytest.raises((TopowebError, ValueError)):
        run(script, timeout=5.0)
    assert time.monotonic() - began < 40
