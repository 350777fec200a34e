"""A lab with a granted way out: what a student in it may not reach, and what closes it.

"The host" and "the Internet" are namespaces of `tests/kernel/outside`: no real network is touched.
"""

from __future__ import annotations

import contextlib
import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.attack.node.world import run_attack
from tests.attack.register import attack, case
from tests.kernel.outside import HOST, HOST_PUBLIC, SERVER, Lab, Outside, shell
from tests.kernel.test_uplink import CONFIG
from topoweb.core.errors import TopowebError
from topoweb.core.programs import Command, Residence
from topoweb.kernel.lab import LinuxKernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a way out is root's to give")
NUMBER = 41_020
NODE = (NUMBER, "h")
REFUSALS = ("ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "ETIMEDOUT", "timed out", "EACCES")
NO = ("EPERM", "EACCES", "ENOSYS", "EINVAL", "ENOENT", "EOPNOTSUPP", "ENODEV", "EEXIST", "ESRCH")


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    with contextlib.ExitStack() as stack:
        outside = Outside(stack)
        kernel = LinuxKernel(tmp_path_factory.mktemp("run"), uplink=CONFIG)
        stack.callback(kernel.close)
        lab = Lab(outside, kernel, NUMBER)
        stack.callback(lambda: outside.on_host(lambda: kernel.destroy(NUMBER)))
        assert not lab.bring(int(time.time()) + 3600).failures
        kernel.sandboxes.house(NUMBER, Residence(names={"h": "h1", "u": "up1"}))
        yield lab


def tries(out, *arguments, **options):
    return run_attack(out.kernel.sandboxes, NODE, *arguments, **options)


@pytest.fixture(scope="module")
def attempts(out):
    """Try all targets side by side while the way out is open: each takes until its time-out."""
    assert out.reaches(SERVER, timeout=10)
    targets = list(TARGETS.values())
    with ThreadPoolExecutor(len(targets)) as pool:
        found = pool.map(lambda target: tries(out, "network", "connect", *target), targets)
        return dict(zip(targets, found, strict=True))


TARGETS = {
    "host-address": (HOST, 80),
    "host-public-address": (HOST_PUBLIC, 80),
    "gateway-of-the-host": ("192.168.77.1", 80),
    "network-of-the-host": ("192.168.99.1", 80),
    "private-10": ("10.9.9.9", 80),
    "private-172": ("172.16.5.5", 80),
    "carrier-100-64": ("100.64.1.1", 80),
    "metadata": ("169.254.169.254", 80),
    "smtp": (SERVER, 25),
    "smtps": (SERVER, 465),
    "submission": (SERVER, 587),
    "far-end-of-the-uplink": ("100.127.0.1", 80),
    "loopback": ("127.0.0.1", 80),
}


@pytest.mark.parametrize(
    ("address", "port"),
    [case(key, f"through a granted uplink: {key} ({address}:{port})",
          "no connection: dropped or refused by the rules", address, port)
     for key, (address, port) in TARGETS.items()],
)  # fmt: skip
def test_targets(attempts, address, port):
    assert attempts[address, port].get("refused") in REFUSALS


@attack("see or change the uplink's namespace by the number of the cable's far end",
        "refused: it belongs to the host's user namespace")  # fmt: skip
def test_by_number(out):
    before = out.shell("u", "nft list ruleset; ip -o link; ip -4 -o addr")
    won = tries(out, "network", "namespaces_by_number")["won"]
    assert not [names for names in won.values() if "wan0" in names]
    for number in range(4):
        outcome = tries(out, "network", "make_interface_elsewhere", "nsid", number)
        assert outcome.get("refused") in NO, outcome
    assert out.shell("u", "nft list ruleset; ip -o link; ip -4 -o addr") == before


@attack("a program in the uplink's own node", "refused: none runs there")
def test_program_in_the_uplink(out):
    with pytest.raises(TopowebError):
        out.kernel.sandboxes.run(NUMBER, "u", Command(arguments=("/usr/bin/true",)))


@attack("spoofed sources and an address of the host's network on one's own interface",
        "they do not come out")  # fmt: skip
def test_spoofed(out):
    server = out.outside.datagrams(5300)
    for source in ("10.0.9.9", HOST, "8.8.4.4"):
        out.shell("h", f"ip addr add {source}/32 dev lo")
        with out.sender(source) as liar:
            liar.sendto(b"spoofed", (SERVER, 5300))
        out.shell("h", f"ip addr del {source}/32 dev lo")
    with out.sender("10.0.1.11") as honest:
        honest.sendto(b"honest", (SERVER, 5300))
    assert server.recv(100) == b"honest"
    server.close()


@attack("a flood through a granted uplink", "held to the rate of the grant; the host's link is not")
def test_flood(out):
    with out.node("u") as fd:
        before = _sent(fd)
        began = time.monotonic()
        won = tries(out, "exhaust", "flood", SERVER, 4000, 2)["won"]
        span = time.monotonic() - began
        octets = _sent(fd) - before
    assert won > 100
    assert octets <= CONFIG.rate / 8 * span + 300_000


def _sent(fd):
    text = shell(fd, "ip -s -j link show dev wan0")
    return int(text.partition('"tx":{"bytes":')[2].partition(",")[0])


@attack("IPv6 through a granted uplink, past rules for IPv4", "there is no way")
def test_ipv6(out):
    assert out.shell("u", "ip -6 route show default; ip -6 addr show dev wan0") == ""


@attack("go on after the grant was revoked, with a connection that stands", "it ends")
def test_revoked(out):
    with out.connection(SERVER) as passes:
        assert not out.bring(None).failures
        assert not passes()
    assert not out.reaches(SERVER)
    assert "topoweb" not in out.outside.ruleset()
