"""The mirror equals a full reading after every change, and reads only what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, address, apply, at, cable, inside, star, two_hosts, up
from topoweb.core.plan.actions import AddNamespace, RemoveDevice, RemoveNamespace
from topoweb.core.plan.state import LabState
from topoweb.kernel import mirror, observe

if TYPE_CHECKING:
    from topoweb.kernel.lab import LinuxKernel


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The nodes that each look has read."""
    found: list[set[str]] = []

    def read(manifest, nodes):
        found.append(set(nodes))
        return observe.read(manifest, nodes)

    monkeypatch.setattr(mirror, "read", read)
    return found


def _full(kernel: LinuxKernel) -> LabState:
    found = kernel.manifest(LAB)
    assert found
    return observe.observe(found)


def _agrees(kernel: LinuxKernel) -> LabState:
    """Assert that the mirror shows what a full reading just before and just after it shows."""
    while True:  # until no carrier came up in between; pytest's deadline ends what never rests
        before, mirrored, after = _full(kernel), kernel.observe(LAB), _full(kernel)
        if before == after:
            assert mirrored == after
            return mirrored


def _settled(kernel: LinuxKernel, looks: list[set[str]]) -> None:
    """Look until nothing happens any more: carriers and IPv6 addresses come by themselves."""
    kernel.observe(LAB)
    while looks:
        looks.clear()
        inside(kernel, "n1", "ping -c1 -W9 10.0.1.2")
        kernel.observe(LAB)


CHANGES = {
    "address": "ip addr add 10.7.0.1/16 dev eth0",
    "address gone": "ip addr del 10.0.1.1/24 dev eth0",
    "mtu": "ip link set eth0 mtu 1300",
    "mac": "ip link set eth0 address 02:00:00:00:00:77",
    "alias": "ip link set eth0 alias mine",
    "down": "ip link set eth0 down",
    "route": "ip route add 10.8.0.0/16 via 10.0.1.2",
    "IPv6 route": "ip -6 route add 2001:db8::/32 dev eth0",
    "bridge": "ip link add br7 type bridge",
    "forwarding": "sysctl -qw net.ipv4.conf.all.forwarding=1",
    "IPv6 forwarding": "sysctl -qw net.ipv6.conf.all.forwarding=1",
    "cable gone": "ip link del eth0",
}


@pytest.mark.parametrize("command", CHANGES.values(), ids=CHANGES.keys())
def test_what_a_user_types_is_seen(
    kernel: LinuxKernel, looks: list[set[str]], command: str
) -> None:
    apply(kernel, *two_hosts())
    _settled(kernel, looks)
    before = kernel.observe(LAB)
    assert looks == []
    inside(kernel, "n1", command)
    after = _agrees(kernel)
    assert after.namespaces["n1"] != before.namespaces["n1"]
    assert all("n1" in nodes for nodes in looks)


def test_silent_changes_of_a_device_that_is_down_are_seen(kernel: LinuxKernel) -> None:
    apply(kernel, *two_hosts())
    inside(kernel, "n1", "ip link add br7 type bridge")
    kernel.observe(LAB)
    for command in ("ip link set br7 type bridge ageing_time 700", "ip link set br7 alias quiet"):
        inside(kernel, "n1", command)
        _agrees(kernel)


def test_only_what_changed_is_read(kernel: LinuxKernel, looks: list[set[str]]) -> None:
    apply(kernel, *two_hosts(), AddNamespace(namespace="n3"), *up("n3 lo"))
    _settled(kernel, looks)
    apply(kernel, address("n2 eth0", "10.0.9.1/24"))
    kernel.observe(LAB)
    assert looks == [{"n2"}]
    _agrees(kernel)


def test_what_did_not_change_is_the_same_object(kernel: LinuxKernel, looks: list[set[str]]) -> None:
    apply(kernel, *two_hosts(), AddNamespace(namespace="n3"), *up("n3 lo"))
    _settled(kernel, looks)
    before = kernel.observe(LAB)
    assert kernel.observe(LAB) is before
    apply(kernel, address("n2 eth0", "10.0.9.1/24"))
    after = kernel.observe(LAB)
    assert after.namespaces["n1"] is before.namespaces["n1"]
    assert after.namespaces["n2"] != before.namespaces["n2"]


def test_growing_shrinking_and_names_that_come_again(kernel: LinuxKernel) -> None:
    apply(kernel, *star(3))
    _agrees(kernel)
    apply(kernel, RemoveNamespace(namespace="h2"))
    _agrees(kernel)
    apply(kernel, AddNamespace(namespace="h2"), cable("l9", "sw p9", "h2 eth0", a_master="br0"))
    _agrees(kernel)
    apply(kernel, RemoveDevice(at=at("sw p1")))
    _agrees(kernel)
    kernel.destroy(LAB)
    assert kernel.observe(LAB) == LabState()
    apply(kernel, *star(2))
    _agrees(kernel)


def test_an_overflow_reads_everything_again(
    kernel: LinuxKernel, looks: list[set[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "RECEIVE_BUFFER", 4096)
    apply(kernel, *two_hosts())
    _settled(kernel, looks)
    batch = "; ".join(f"ip addr add 10.77.{n}.1/24 dev eth0" for n in range(40))
    found = kernel.manifest(LAB)
    assert found
    inside(kernel, "n1", f"sh -c {batch.replace(' ', '${IFS}')}")
    kernel.observe(LAB)
    assert looks == [{"n1", "n2"}]
    _agrees(kernel)
