from __future__ import annotations

from typing import Any

from tests.unit.core.drawing import Drawing
from tests.unit.core.test_topology_operations import add, batch, change, remove
from topoweb.core.topology.model import Topology
from topoweb.core.topology.operations import apply, invert


def cable(topology: Topology, a: str, b: str, **properties: Any) -> Topology:
    """Draw a cable between two nodes with a new interface at each, as the editor does."""
    number = len(topology.links)
    operations = []
    for end, node in (("a", a), ("b", b)):
        name = f"e{number}{end}"
        operations.append(add("interfaces", f"i{number}{end}", node=node, name=name, **properties))
    link = add("links", f"c{number}", a=f"i{number}a", b=f"i{number}b")
    return apply(topology, batch(*operations, link))[0]


def nodes(*names: str) -> Topology:
    drawing = Drawing()
    for name in names:
        drawing.node(name)
    return drawing.parse()


def addresses(topology: Topology) -> dict[str, tuple[str, ...]]:
    return {k: i.addresses for k, i in topology.interfaces.items() if i.addresses}


def defaults(topology: Topology) -> dict[str, str | None]:
    return {r.node: r.via for r in topology.routes.values() if r.prefix == "0.0.0.0/0"}


def test_two_hosts_share_a_subnet() -> None:
    topology = cable(nodes("h1", "h2"), "h1", "h2")
    assert addresses(topology) == {"i0a": ("10.0.1.11/24",), "i0b": ("10.0.1.12/24",)}
    assert defaults(topology) == {}


def test_each_segment_gets_the_next_subnet() -> None:
    topology = cable(nodes("h1", "h2", "r1"), "h1", "r1")
    topology = cable(topology, "r1", "h2")
    assert addresses(topology) == {
        "i0a": ("10.0.1.11/24",),
        "i0b": ("10.0.1.1/24",),
        "i1a": ("10.0.2.1/24",),
        "i1b": ("10.0.2.11/24",),
    }
    assert defaults(topology) == {"h1": "10.0.1.1", "h2": "10.0.2.1"}


def test_a_router_that_comes_later_is_still_the_gateway() -> None:
    topology = cable(nodes("h1", "h2", "r1", "s1"), "h1", "s1")
    topology = cable(topology, "h2", "s1")
    assert defaults(topology) == {}
    topology = cable(topology, "r1", "s1")
    assert addresses(topology)["i2a"] == ("10.0.1.1/24",)
    assert defaults(topology) == {"h1": "10.0.1.1", "h2": "10.0.1.1"}


def test_the_segments_own_subnet_is_used() -> None:
    drawing = Drawing().cable("h1.eth0 192.168.5.1/28", "s1.p1").node("h2").node("r1").parse()
    topology = cable(cable(drawing, "h2", "s1"), "r1", "s1")
    assert topology.interfaces["i1a"].addresses == ("192.168.5.11/28",)
    assert topology.interfaces["i2a"].addresses == ("192.168.5.2/28",)


def test_a_pair_subnet_is_completed() -> None:
    drawing = Drawing().interface("h1.eth0", "10.7.0.0/31").interface("h2.eth0").parse()
    topology, _ = apply(drawing, add("links", "l1", a="h1-eth0", b="h2-eth0"))
    assert topology.interfaces["h2-eth0"].addresses == ("10.7.0.1/31",)


def test_what_a_user_set_is_not_touched() -> None:
    drawing = (
        Drawing()
        .cable("h1.eth0", "s1.p1")  # cleared by its user
        .interface("h2.eth0", "2001:db8::2/64")
        .route("h2", "0.0.0.0/0", "10.0.1.99")
        .interface("s1.p2")
        .node("r1")
        .parse()
    )
    topology, _ = apply(drawing, add("links", "l9", a="h2-eth0", b="s1-p2"))
    topology = cable(topology, "r1", "s1")
    assert topology.interfaces["h1-eth0"].addresses == ()
    assert topology.interfaces["h2-eth0"].addresses == ("2001:db8::2/64",)
    assert defaults(topology) == {"h2": "10.0.1.99"}


def test_subnets_in_use_are_passed_over() -> None:
    drawing = (
        Drawing()
        .cable("h1.eth0 10.0.1.1/24", "h2.eth0 10.0.1.2/24")
        .interface("h3.eth0", "10.0.2.5/23")
        .route("h3", "10.0.4.0/24", "10.0.2.1")
        .node("h4")
        .parse()
    )
    topology = cable(drawing, "h4", "h1")
    assert topology.interfaces["i1a"].addresses == ("10.0.5.11/24",)


def test_a_full_subnet_and_a_full_pool_leave_the_interface_alone() -> None:
    drawing = Drawing().cable("h1.eth0 10.9.0.1/31", "s1.p1").cable("h2.eth0 10.9.0.0/31", "s1.p2")
    topology = cable(drawing.node("h3").parse(), "h3", "s1")
    assert topology.interfaces["i2a"].addresses == ()
    drawing = Drawing().interface("h1.eth0", "10.0.0.1/8").node("h2").node("h3")
    topology = cable(drawing.parse(), "h2", "h3")
    assert topology.interfaces["i0a"].addresses == ()


def test_a_large_segment_gets_a_large_subnet() -> None:
    operations = [add("nodes", "s1", kind="switch", name="s1")]
    for n in range(300):
        operations += [
            add("nodes", f"h{n}", kind="host", name=f"h{n}"),
            add("interfaces", f"i{n}", node=f"h{n}", name="eth0"),
            add("interfaces", f"p{n}", node="s1", name=f"p{n}"),
            add("links", f"l{n}", a=f"i{n}", b=f"p{n}"),
        ]
    topology, _ = apply(Topology(), batch(*operations))
    given = [topology.interfaces[f"i{n}"].addresses[0] for n in range(300)]
    assert len(set(given)) == 300
    assert given[0] == "10.0.2.11/23"
    assert given[299] == "10.0.3.54/23"


def test_it_can_be_switched_off() -> None:
    off = apply(nodes("h1", "h2"), change("document", "", auto_address=False))[0]
    assert addresses(cable(off, "h1", "h2")) == {}


def test_one_undo_step_takes_cable_and_addresses_back() -> None:
    before = nodes("h1", "r1")
    operation = batch(
        add("interfaces", "i1", node="h1", name="eth0"),
        add("interfaces", "i2", node="r1", name="eth0"),
        add("links", "l1", a="i1", b="i2"),
    )
    after, changes = apply(before, operation)
    assert [c["op"] for c in changes] == ["add", "add", "add", "set", "set", "add"]
    assert changes[-1]["collection"] == "routes"
    assert apply(after, invert(changes))[0] == before


def test_a_cable_that_is_removed_again_in_the_batch() -> None:
    operation = batch(
        add("interfaces", "i1", node="h1", name="eth0"),
        add("interfaces", "i2", node="h2", name="eth0"),
        add("links", "l1", a="i1", b="i2"),
        remove("nodes", "h2"),
    )
    topology, _ = apply(nodes("h1", "h2"), operation)
    assert set(topology.interfaces) == {"i1"}


def test_switching_a_cable_off_and_on_addresses_nothing() -> None:
    bare = Drawing().cable("h1.eth0", "h2.eth0").parse()
    for up in (False, True):
        bare, _ = apply(bare, change("links", "l1", up=up))
    assert addresses(bare) == {}
