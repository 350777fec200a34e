"""S21 to S23: the PC behind the host, and return routes on every hop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kernel.seed.drawings import forward, remove, route, windows
from tests.kernel.seed.lab import LAB

if TYPE_CHECKING:
    from tests.kernel.seed.lab import SeedLab

MARKER = ("win", "172.168.111.2")  # a ping that always works
NET1_BACK = route("net1-back", "net1", "172.168.111.0/24", "192.167.3.2")
NET2_BACK = route("net2-back", "net2", "172.168.111.0/24", "192.167.2.1")


async def test_s21_hosts_other_leg_needs_no_forwarding(lab: SeedLab) -> None:
    await lab.draw(windows())
    result, seen = await lab.traced("win", "192.167.3.2", marker=MARKER)
    assert (result["verdict"], result["received"], result["ttl"]) == ("reply", 2, 64)
    assert {row.link for row in seen.icmp()} == {"host-win"}
    assert not lab.kernel.observe(LAB).namespaces["host"].forward_ipv4


async def test_s21_behind_the_host_without_and_with_forwarding(lab: SeedLab) -> None:
    await lab.draw(windows())
    result, seen = await lab.traced("win", "192.167.3.1", marker=MARKER)
    assert (result["verdict"], result["sent"]) == ("no_answer", 2)
    assert seen.on("net1-host").icmp() == []
    assert lab.counter("host", "InAddrErrors") == 2

    await lab.change(forward("host"))
    result, seen = await lab.traced("win", "192.167.3.1", marker=MARKER)
    assert (result["verdict"], result["sent"]) == ("no_answer", 2)
    arrived = seen.on("net1-host").icmp()
    assert [(row.source, row.destination, row.ttl) for row in arrived] == [
        ("172.168.111.1", "192.167.3.1", 63)
    ] * 2
    assert arrived.replies() == []


async def test_s22_return_route_in_net1(lab: SeedLab) -> None:
    await lab.draw(windows())
    await lab.change(forward("host"), NET1_BACK)
    assert await lab.verdicts(("win", "192.167.3.1"), ("win", "192.167.2.1")) == ["reply 63"] * 2


async def test_s22_net1s_other_leg_depends_on_the_hosts_route(lab: SeedLab) -> None:
    await lab.draw(windows())
    await lab.change(forward("host"), NET1_BACK, remove("routes", "to-net2"))
    result, seen = await lab.traced("win", "192.167.2.1", marker=MARKER)
    assert (result["verdict"], result["received"]) == ("no_answer", 0)
    # The host's default route sends it straight back.
    assert {row.link for row in seen.requests()} == {"host-win"}
    assert {row.along for row in seen.requests()} == {"ab", "ba"}


async def test_s22_return_routes_on_every_hop(lab: SeedLab) -> None:
    await lab.draw(windows())
    await lab.change(forward("host"), NET1_BACK)
    result, seen = await lab.traced("win", "192.167.2.2", marker=MARKER)
    assert (result["verdict"], result["sent"]) == ("no_answer", 2)
    last = seen.on("net1-net2").icmp()
    assert [(row.source, row.ttl) for row in last] == [("172.168.111.1", 62)] * 2
    assert seen.replies() == []

    await lab.change(NET2_BACK)
    result, seen = await lab.traced("win", "192.167.2.2", marker=MARKER)
    assert (result["verdict"], result["received"], result["ttl"]) == ("reply", 2, 62)
    there = ("172.168.111.1", "192.167.2.2")
    assert seen.icmp().hops() == [
        ("host-win", *there),
        ("net1-host", *there),
        ("net1-net2", *there),
        ("net1-net2", *there[::-1]),
        ("net1-host", *there[::-1]),
        ("host-win", *there[::-1]),
    ]


async def test_s23_net2_reaches_the_pcs_lan_card(lab: SeedLab) -> None:
    await lab.draw(windows())
    before = await lab.ping("net2", "192.168.20.48")
    assert (before["verdict"], before["sent"]) == ("unreachable", 0)
    await lab.change(
        forward("host"),
        route("net1-lan", "net1", "192.168.20.0/24", "192.167.3.2"),
        route("net2-lan", "net2", "192.168.20.0/24", "192.167.2.1"),
    )
    assert await lab.verdict("net2", "192.168.20.48") == "reply 62"
    assert await lab.hops("net2", "192.168.20.48") == [
        "192.167.2.1",
        "192.167.3.2",
        "192.168.20.48",
    ]
