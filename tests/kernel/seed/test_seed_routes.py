"""S14 to S18: gateways, the other leg, forwarding in the transit node, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel import plans
from tests.kernel.seed.drawings import TO_NET2, WAY_BACK, chain, forward, route
from tests.kernel.seed.lab import LAB

if TYPE_CHECKING:
    from tests.kernel.seed.lab import SeedLab

NET1 = ("host", "192.167.3.1")  # a ping that always works
FORWARDING = {"net1": {"forward_ipv4": True}}


async def test_s14_gateway_must_be_on_link(lab: SeedLab) -> None:
    await lab.draw(chain())
    before = lab.kernel.observe(LAB)
    report = await lab.change(route("far", "host", "10.9.9.0/24", "10.1.1.1"))
    assert lab.problems()["route-off-link"] == "error"
    assert (report.phase, report.steps_done) == ("failed", 0)
    (failure,) = report.failures
    assert failure["subject"] == "far"
    assert "10.1.1.1" in failure["message"]
    assert lab.kernel.observe(LAB) == before


async def test_s14_kernel_itself_refuses_the_gateway(lab: SeedLab) -> None:
    await lab.draw(chain())
    refused = plans.apply(lab.kernel, plans.route("host", "10.9.9.0/24", "10.1.1.1"), lab=LAB)
    (message,) = plans.errors(refused)
    assert "Nexthop has invalid gateway" in message


async def test_s15_other_leg_answers_without_forwarding(lab: SeedLab) -> None:
    await lab.draw(chain(routes=TO_NET2))
    shown = ("192.167.2.0/24", "192.167.3.1", "veth3")
    await lab.live.until(lambda: shown in lab.live.routes("host"), "the route is shown")
    result, seen = await lab.traced("host", "192.167.2.1", marker=NET1)
    assert (result["verdict"], result["received"], result["ttl"]) == ("reply", 2, 64)
    assert seen.icmp().hops() == [
        ("net1-host", "192.167.3.2", "192.167.2.1"),
        ("net1-host", "192.167.2.1", "192.167.3.2"),
    ]
    nodes = lab.kernel.observe(LAB).namespaces.values()
    assert not any(node.forward_ipv4 for node in nodes)
    assert lab.counter("net1", "ForwDatagrams") == 0


@pytest.mark.parametrize("forwards", [(), ("host",)], ids=["nowhere", "at_the_host_only"])
async def test_s16_forwarding_off_in_transit_node(lab: SeedLab, forwards: tuple[str, ...]) -> None:
    await lab.draw(chain(routes=TO_NET2))
    await lab.change(*map(forward, forwards))
    dropped = lab.counter("net1", "InAddrErrors")
    result, seen = await lab.traced("host", "192.167.2.2", marker=NET1)
    assert (result["verdict"], result["sent"], result["received"]) == ("no_answer", 2, 0)
    assert len(seen.on("net1-host").requests()) == 2
    assert seen.on("net1-net2").icmp() == []
    assert seen.replies() == []
    assert lab.counter("net1", "InAddrErrors") == dropped + 2
    assert lab.counter("net1", "ForwDatagrams") == 0


async def test_s16_forwarding_on_in_transit_node(lab: SeedLab) -> None:
    await lab.draw(chain(routes=TO_NET2))
    await lab.change(forward("net1"))
    await lab.live.until(lambda: lab.live.node("net1").get("forward_ipv4"), "net1 shows it")
    _, seen = await lab.traced("host", "192.167.2.2", marker=NET1)
    assert len(seen.on("net1-net2").requests()) == 2
    assert lab.counter("net1", "ForwDatagrams") == 2
    assert lab.counter("net1", "InAddrErrors") == 0


async def test_s17_request_without_reply(lab: SeedLab) -> None:
    await lab.draw(chain(nodes=FORWARDING, routes=TO_NET2))
    result, seen = await lab.traced("host", "192.167.2.2", marker=NET1)
    assert (result["verdict"], result["sent"], result["received"]) == ("no_answer", 2, 0)
    assert [row.ttl for row in seen.on("net1-net2").requests()] == [63, 63]
    assert seen.replies() == []
    # A reply that cannot be made leaves no trace (net/ipv4/icmp.c, icmp_reply): the counter tells
    # of net2's own attempts, by which the same missing route is found.
    assert lab.counter("net2", "OutNoRoutes") == 0
    own = await lab.probe("traceroute", "net2", "192.167.3.2", 1)
    assert (own["verdict"], own["sent"]) == ("unreachable", 0)
    assert lab.counter("net2", "OutNoRoutes") == 1


async def test_s18_return_route_gives_ttl_63(lab: SeedLab) -> None:
    await lab.draw(chain(nodes=FORWARDING, routes=TO_NET2))
    await lab.change(route("way-back", "net2", "192.167.3.0/24", "192.167.2.1"))
    result, seen = await lab.traced("host", "192.167.2.2", marker=NET1)
    assert (result["verdict"], result["received"], result["ttl"]) == ("reply", 2, 63)
    assert [(row.link, row.ttl) for row in seen.requests()][:2] == [
        ("net1-host", 64),
        ("net1-net2", 63),
    ]
    assert [(row.link, row.ttl) for row in seen.replies()][:2] == [
        ("net1-net2", 64),
        ("net1-host", 63),
    ]
    assert await lab.hops("host", "192.167.2.2") == ["192.167.3.1", "192.167.2.2"]


async def test_s18_return_route_alone_does_not_help(lab: SeedLab) -> None:
    await lab.draw(chain(nodes=FORWARDING, routes=TO_NET2 | WAY_BACK))
    assert await lab.verdict("host", "192.167.2.2") == "reply 63"
    await lab.change(forward("net1", on=False))
    assert await lab.verdict("host", "192.167.2.2") == "no_answer"
