"""S27 to S32: macvlan children of one card, and the switch that it hangs on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.kernel.kindslab import Tap
from tests.kernel.seed.drawings import add, change, document, remove
from tests.kernel.seed.lab import LAB

if TYPE_CHECKING:
    from tests.kernel.seed.drawings import Document
    from tests.kernel.seed.lab import SeedLab

GATEWAY, PARENT = "192.166.56.1", "192.166.56.100"
M1, M2 = "192.166.56.122", "192.166.56.123"


def child(node: str, name: str, address: str = "", **more: Any) -> dict[str, Any]:
    """Return a macvlan child of the host's card."""
    addresses = [f"{address}/24"] if address else []
    made = {"node": node, "name": name, "addresses": addresses, **more}
    return {"kind": "macvlan", "parent": "host-par", **made}


def card(mode: str, *, hairpin: bool = False) -> Document:
    """A host with one card on a switch, and two children of the card in namespaces m1 and m2."""
    drawn = document(
        f"host:par={PARENT}/24 sw:p1",
        f"gw:eth0={GATEWAY}/24 sw:p2",
        nodes={name: {} for name in ("m1", "m2")} | {"sw": {"kind": "switch"}},
    )
    options = {"mode": mode}
    drawn["interfaces"]["m1-mac1"] = child("m1", "mac1", M1, options=options)
    drawn["interfaces"]["m2-mac2"] = child("m2", "mac2", M2, options=options)
    drawn["interfaces"]["sw-p1"]["bridge_port"] = {"hairpin": hairpin}
    return drawn


async def test_s28_bridge_mode_children_meet_inside_the_card(lab: SeedLab) -> None:
    report = await lab.draw(card("bridge"))
    assert (report.phase, report.failures) == ("running", ())
    places = ("host:par", "m1:mac1", "m2:mac2")
    assert len({lab.mac(place) for place in places}) == 3
    assert await lab.verdict("m1", GATEWAY) == "reply 64"
    # At the switch: a bridge-mode frame passes by the taps of the card itself (macvlan_queue_xmit).
    with Tap(lab.kernel, LAB, "sw:p1", "icmp") as tap:
        assert await lab.verdict("m1", M2) == "reply 64"
        assert await lab.verdict("m1", GATEWAY) == "reply 64"
        lines = tap.lines()
    assert lines
    assert [line for line in lines if M2 in line] == []


async def test_s27_child_and_parent_cannot_talk_unless_the_host_has_a_child(lab: SeedLab) -> None:
    await lab.draw(card("bridge"))
    assert lab.problems()["child-apart-from-parent"] == "warning"
    child_asks, parent_asks = await lab.verdicts(("m1", PARENT), ("host", M1))
    assert "reply" not in child_asks
    assert "reply" not in parent_asks
    own = child("host", "mach", "192.166.56.101")
    # The card's own network would still take the answer the wrong way.
    way = add("routes", "own", node="host", prefix=f"{M1}/32", device="host-mach")
    await lab.change(add("interfaces", "host-mach", **own), way)
    assert await lab.verdict("m1", "192.166.56.101") == "reply 64"


async def test_s29_private_children_are_apart_even_with_hairpin(lab: SeedLab) -> None:
    await lab.draw(card("private", hairpin=True))
    outside, sibling = await lab.verdicts(("m1", GATEWAY), ("m1", M2))
    assert outside == "reply 64"
    assert "reply" not in sibling


async def test_s30_vepa_needs_a_switch_that_hairpins(lab: SeedLab) -> None:
    await lab.draw(card("vepa"))
    outside, sibling = await lab.verdicts(("m1", GATEWAY), ("m1", M2))
    assert outside == "reply 64"
    assert "reply" not in sibling
    await lab.change(change("interfaces", "sw-p1", bridge_port={"hairpin": True}))
    assert "hairpin on" in lab.inside("sw", "bridge -d link show dev p1")
    result, seen = await lab.traced("m1", M2, marker=("m1", GATEWAY))
    assert (result["verdict"], result["received"]) == ("reply", 2)
    requests = [row for row in seen.icmp() if (row.source, row.destination) == (M1, M2)]
    assert len(requests) == 2 * 2  # to the switch, and back by the same cable
    assert {row.link for row in requests} == {"host-sw"}


async def test_s31_passthru_is_alone_and_has_its_parents_mac(lab: SeedLab) -> None:
    drawn = card("bridge")
    await lab.draw(drawn)
    # Another mode needs another device; the card is free at once, in the same plan.
    alone = {"mode": "passthru"}
    report = await lab.change(remove("nodes", "m2"), change("interfaces", "m1-mac1", options=alone))
    assert (report.phase, report.failures) == ("running", ())
    assert lab.mac("m1:mac1") == lab.mac("host:par")
    assert "promiscuity 0" not in lab.inside("host", "ip -d link show par")
    assert await lab.verdict("m1", GATEWAY) == "reply 64"
    second = child("host", "second", options=alone)
    report = await lab.change(add("interfaces", "host-second", **second))
    assert report.phase == "failed"
    assert lab.problems()["passthru-alone"] == "error"
    assert lab.device("m1:mac1") is not None  # what runs goes on


async def test_s32_child_loses_its_carrier_with_its_parent(lab: SeedLab) -> None:
    await lab.draw(card("bridge"))
    await lab.live.until(lambda: lab.live.state("m1:mac1") == "up", "the child is up")
    await lab.change(change("interfaces", "host-par", up=False))
    await lab.live.until(lambda: lab.live.state("m1:mac1") == "nocarrier", "no carrier")
    device = lab.device("m1:mac1")
    assert device is not None
    assert (device.up, device.oper) == (True, "down")  # as all whose parent is in another namespace
    await lab.change(change("interfaces", "host-par", up=True))
    assert await lab.verdict("m1", GATEWAY) == "reply 64"
