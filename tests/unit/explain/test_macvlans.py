"""macvlan children of one parent, and the parent itself."""

from __future__ import annotations

import pytest

from tests.fakes.facts import FakeFacts
from tests.fakes.traces import Way, arp, ping
from tests.unit.explain.asking import judge
from tests.unit.explain.judging import commands, operation
from tests.unit.explain.judging import judge as judge_drop
from topoweb.core.tracing.explain.facts import Interface

FAILED = ("NEIGH_FAILED", "neigh_invalidate")


def hung(mode: str = "bridge", *, away: bool = True) -> FakeFacts:
    """h1 - r1; m1 and m2 have macvlans on h1's cable (in h1 itself when not ``away``)."""
    lab = FakeFacts()
    lab.node("h1", eth0="10.0.1.10/24")
    lab.node("r1", forward=True, eth0="10.0.1.1/24", eth1="10.0.2.1/24")
    lab.cable("l1", "h1/eth0", "r1/eth0")
    mac = lab.devices["h1"]["eth0"].mac
    for number in (1, 2):
        node = f"m{number}" if away else "h1"
        if away:
            lab.node(node)
        name = f"mv{number}"
        lab.devices[node][name] = Interface(
            name=name, kind="macvlan", mac=f"02:00:00:00:aa:{number:02x}", parent="eth0",
            parent_mac=mac if away else "", mode=mode, addresses=(f"10.0.1.{20 + number}/24",),
        )  # fmt: skip
    return lab


@pytest.mark.parametrize("mode", ["private", "vepa"])
def test_children_that_a_mode_keeps_apart(mode: str) -> None:
    lab = hung(mode)
    way = Way(lab, ping("10.0.1.21", "10.0.1.22")).go(drop=("m1/mv1", *FAILED))
    found = judge_drop(lab, way, "macvlan-apart", "m1")
    assert (found.params["owner"], found.params["value"]) == ("m2", mode)
    assert operation(found)["patch"] == {"options": {"mode": "bridge"}}
    assert commands(found) == ("ip link set mv1 type macvlan mode bridge",)


def test_one_child_of_two_in_another_mode() -> None:
    lab = hung()
    lab.change("m2", "mv2", mode="private")
    way = Way(lab, ping("10.0.1.21", "10.0.1.22")).go(drop=("m1/mv1", *FAILED))
    assert operation(judge_drop(lab, way, "macvlan-apart", "m1"))["id"] == "m2/mv2"


@pytest.mark.parametrize(("place", "target"), [("m1/mv1", "10.0.1.10"), ("h1/eth0", "10.0.1.21")])
def test_a_child_and_its_parent(place: str, target: str) -> None:
    lab = hung()
    source = "10.0.1.21" if place == "m1/mv1" else "10.0.1.10"
    way = Way(lab, ping(source, target)).go(drop=(place, *FAILED))
    found = judge_drop(lab, way, "macvlan-parent", place.partition("/")[0])
    assert found.remedy is not None
    assert found.remedy.params["node"] == "h1"


def test_a_frame_for_the_neighbour_on_the_card_comes_to_the_router() -> None:
    """The sender knew the MAC from before; the router throws the frame away."""
    lab = hung("private")
    mac = lab.devices["m2"]["mv2"].mac
    lab.neighbours["m1", "mv1", "10.0.1.22"] = ("reachable", mac)
    way = Way(lab, ping("10.0.1.21", "10.0.1.22")).go("m1/mv1>", "r1/eth0")
    way.go(drop=("r1/eth0", "OTHERHOST", "ip_rcv_core"))
    judge_drop(lab, way, "macvlan-apart", "m1")


def test_a_child_is_on_its_parents_cable() -> None:
    """A silent router is silent to the child as it would be to the parent."""
    lab = hung()
    lab.change("r1", "eth0", arp=False)
    sent = arp("10.0.1.21", "10.0.1.1")
    judge(lab, "arp", sent, Way(lab, sent).go("m1/mv1>"), code="arp-off", node="m1")


def test_children_in_their_parents_own_node() -> None:
    lab = hung("private", away=False)
    way = Way(lab, ping("10.0.1.10", "10.0.1.21")).go(drop=("h1/eth0", *FAILED))
    lab.change("h1", "mv1", addresses=())
    lab.node("h9", eth0="10.0.1.21/24")  # the address is elsewhere: no macvlan is to blame
    judge_drop(lab, way, "neighbour-silent", "h1")
