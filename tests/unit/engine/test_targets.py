"""Which address of a node a probe goes to."""

from __future__ import annotations

import pytest

from topoweb.core.errors import TopowebError
from topoweb.core.topology.model import Interface, Node, Topology
from topoweb.core.topology.targets import resolve

DRAWING = Topology(
    nodes={
        "h": Node(kind="host", name="h"),
        "r": Node(kind="router", name="r"),
        "v6": Node(kind="host", name="v6"),
        "sw": Node(kind="switch", name="sw", addresses=("10.0.1.200/24",)),
        "bare": Node(kind="host", name="bare"),
    },
    interfaces={
        "h0": Interface(node="h", name="eth0", addresses=("10.0.1.11/24",)),
        "r0": Interface(node="r", name="eth0", addresses=("2001:db8:9::1/64", "10.0.2.1/24")),
        "r1": Interface(node="r", name="eth1", addresses=("10.0.1.1/24",)),
        "v0": Interface(node="v6", name="eth0", addresses=("10.9.9.9/24", "2001:db8:9::7/64")),
        "b0": Interface(node="bare", name="eth0"),
    },
)


@pytest.mark.parametrize(
    ("source", "target", "address"),
    [
        ("h", "10.7.7.7", "10.7.7.7"),
        ("h", "2001:DB8::0:1", "2001:db8::1"),
        ("h", "r", "10.0.1.1"),  # the side that faces the source
        ("r", "h", "10.0.1.11"),
        ("v6", "r", "2001:db8:9::1"),
        ("bare", "r", "2001:db8:9::1"),  # no address to go by: the first drawn
        ("h", "sw", "10.0.1.200"),
    ],
)
def test_the_address_that_a_person_would_type(source, target, address):
    assert resolve(DRAWING, source, target) == address


def test_of_another_family_only_if_there_is_no_other():
    assert resolve(DRAWING, "h", "v6") == "10.9.9.9"


@pytest.mark.parametrize(("target", "words"), [("bare", "bare has no address"), ("x", "neither")])
def test_a_target_without_an_address_is_refused_in_words(target, words):
    with pytest.raises(TopowebError, match=words):
        resolve(DRAWING, "h", target)
