"""S10 to S13: three machines in a row; only neighbours answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kernel.seed.drawings import HOST_WIN, NET1_HOST, NET1_NET2, chain, document, route

if TYPE_CHECKING:
    from tests.kernel.seed.lab import SeedLab

NET2 = ("net1", "192.167.2.2")  # a ping that always works


async def test_s10_host_reaches_its_neighbour(lab: SeedLab) -> None:
    await lab.draw(chain())
    result, seen = await lab.traced("host", "192.167.3.1", marker=NET2)
    assert (result["verdict"], result["received"], result["ttl"]) == ("reply", 2, 64)
    on_cable = seen.on("net1-host")
    infos = [row.info for row in on_cable if row.protocol in ("ARP", "ICMP")]
    assert infos[:2] == [
        "who has 192.167.3.1? tell 192.167.3.2",
        f"192.167.3.1 is at {lab.mac('net1:veth2')}",
    ]
    assert [info.split(" id ")[0] for info in infos[2:4]] == ["echo request", "echo reply"]
    assert {row.ttl for row in on_cable.icmp()} == {64}
    await lab.live.until(
        lambda: (
            lab.live.neighbours("net1").get("192.167.2.2") == lab.mac("net2:veth1")
            and lab.live.neighbours("net1").get("192.167.3.2") == lab.mac("host:veth3")
        ),
        "net1 knows both neighbours' MAC addresses",
    )


async def test_s11_default_route_turns_unreachable_into_silence(lab: SeedLab) -> None:
    await lab.draw(document(NET1_NET2, NET1_HOST, HOST_WIN))
    without = await lab.ping("host", "192.167.2.1")
    assert (without["verdict"], without["sent"]) == ("unreachable", 0)
    await lab.change(route("default", "host", "0.0.0.0/0", "172.168.111.1"))
    default = ("0.0.0.0/0", "172.168.111.1", "eth0")
    await lab.live.until(lambda: default in lab.live.routes("host"), "the default route is shown")
    result, seen = await lab.traced("host", "192.167.2.1", marker=NET2)
    assert (result["verdict"], result["sent"], result["received"]) == ("no_answer", 2, 0)
    assert seen.icmp().hops() == [("host-win", "172.168.111.2", "192.167.2.1")]
    assert len(seen.requests()) == 2


async def test_s12_only_neighbours_answer(lab: SeedLab) -> None:
    await lab.draw(document(NET1_NET2, NET1_HOST, HOST_WIN))
    found = await lab.verdicts(
        ("net1", "192.167.2.2"),
        ("net1", "192.167.3.2"),
        ("net1", "172.168.111.2"),
        ("net2", "192.167.2.1"),
        ("net2", "192.167.3.1"),
        ("net2", "192.167.3.2"),
    )
    unreachable = "unreachable"
    assert found == ["reply 64", "reply 64", unreachable, "reply 64", unreachable, unreachable]
    refused = await lab.ping("net2", "192.167.3.1")
    assert refused["sent"] == 0
    assert refused["message"].startswith("Network is unreachable")


async def test_s13_lo_down_cuts_a_node_from_itself_only(lab: SeedLab) -> None:
    await lab.draw(chain(nodes={"net1": {"lo_up": False}}))
    assert lab.problems()["loopback-down"] == "warning"
    itself, others, other = await lab.verdicts(
        ("net1", "192.167.2.1"), ("net2", "192.167.2.1"), ("host", "192.167.3.1")
    )
    assert (itself, others, other) == ("no_answer", "reply 64", "reply 64")
    await lab.live.until(lambda: lab.live.state("net1:lo") == "off", "lo is shown off")
