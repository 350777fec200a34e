"""What two looks at the nodes of a lab are worth a warning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from topoweb.core.plan.expand import expand
from topoweb.core.topology.model import Interface, Link, Node, Topology
from topoweb.core.tracing import live
from topoweb.core.tracing.live import LiveState
from topoweb.core.tracing.load import FLOOD, NEIGHBOURS, STORM, Load, Ward, judge
from topoweb.core.tracing.records import Counters
from topoweb.core.tracing.warnings import Warned, changes

SPAN = 2.0  # seconds between the two looks
QUIET = Counters(0, 0, 0, 0)


def topology(*cables: str) -> Topology:
    """Return cables "s1-s2"; nodes whose name begins with s are switches."""
    nodes: dict[str, Node] = {}
    interfaces: dict[str, Interface] = {}
    links: dict[str, Link] = {}
    for cable in cables:
        a, b = cable.split("-")
        for node, other in ((a, b), (b, a)):
            nodes[node] = Node(kind="switch" if node[0] == "s" else "host", name=node.upper())
            interfaces[f"{node}.{other}"] = Interface(node=node, name=f"to-{other}")
        links[cable] = Link(a=f"{a}.{b}", b=f"{b}.{a}")
    return Topology(nodes=nodes, interfaces=interfaces, links=links)


def ward(*cables: str, rate: int | None = None) -> Ward:
    drawn = topology(*cables)
    return Ward.of(drawn, expand(1, drawn, link_rate=rate), node_links=3)


def packets(received: float, sent: float) -> Counters:
    """Return what has been counted after `SPAN` seconds at these packets a second."""
    return Counters(round(received * SPAN), round(sent * SPAN), 0, 0)


def looks(node: str, **counted: Counters) -> tuple[Load, Load]:
    names = {name.replace("_", "-"): value for name, value in counted.items()}
    bridges = frozenset({"br0"} & names.keys())
    first = Load(node=node, clock=10.0, counters=dict.fromkeys(names, QUIET), bridges=bridges)
    return first, replace(first, clock=10.0 + SPAN, counters=names)


def judged(lab: Ward, *pairs: tuple[Load, Load], stormy: frozenset[str] = frozenset()):
    before = {first.node: first for first, _ in pairs}
    return judge(lab, before, [second for _, second in pairs], stormy)


def storm_in(rate: float) -> list[tuple[Load, Load]]:
    both = packets(rate, rate)
    heard = packets(rate, 0)
    return [
        looks("s1", br0=heard, to_s2=both, to_s3=both, to_h1=packets(0, rate)),
        looks("s2", br0=heard, to_s1=both, to_s3=both),
        looks("s3", br0=heard, to_s1=both, to_s2=both),
    ]


LOOP = ("s1-s2", "s2-s3", "s3-s1", "s1-h1")


def test_a_cable_of_the_loop_is_named_once() -> None:
    (found,) = judged(ward(*LOOP), *storm_in(2 * STORM)).warnings
    assert found.code == "storm"
    assert found.link in LOOP[:3]
    assert found.params == {"link": found.params["link"], "rate": 2 * STORM}
    assert " – " in str(found.params["link"])
    assert str(found.params["link"]).startswith("S")  # names, not ids


def test_the_cable_named_before_stays_named() -> None:
    for named in LOOP[:3]:
        verdict = judged(ward(*LOOP), *storm_in(2 * STORM), stormy=frozenset({named}))
        assert [one.link for one in verdict.warnings] == [named]


def test_few_broadcasts_are_no_storm() -> None:
    assert judged(ward(*LOOP), *storm_in(0.9 * STORM)).warnings == ()


def test_fast_unicast_is_no_storm() -> None:
    """A switch forwards it; its own bridge device receives nothing."""
    fast = packets(100 * STORM, 100 * STORM)
    verdict = judged(ward("s1-h1", "s1-h2"), looks("s1", br0=QUIET, to_h1=fast, to_h2=fast))
    assert verdict.warnings == ()


def test_two_loops_are_named_both() -> None:
    lab = ward("s1-s2", "s3-s4")
    both, heard = packets(9 * STORM, 9 * STORM), packets(9 * STORM, 0)
    pairs = [
        looks(a, br0=heard, **{f"to_{b}": both})
        for a, b in (("s1", "s2"), ("s2", "s1"), ("s3", "s4"), ("s4", "s3"))
    ]
    assert {one.link for one in judged(lab, *pairs).warnings} == {"s1-s2", "s3-s4"}


def test_a_flood_names_its_cable() -> None:
    (found,) = judged(ward("h1-h2"), looks("h1", to_h2=packets(0, 2 * FLOOD))).warnings
    assert (found.code, found.link, found.params["rate"]) == ("flood", "h1-h2", 2 * FLOOD)


@pytest.mark.parametrize(("share", "unbridled"), [(0.9, False), (1.1, False), (1.5, True)])
def test_a_cable_beyond_its_rate_is_put_back(share: float, unbridled: bool) -> None:
    rate = 8_000_000
    bytes_sent = round(rate / 8 * share * SPAN)
    pair = looks("h1", to_h2=Counters(0, 1, 0, bytes_sent))
    assert judged(ward("h1-h2", rate=rate), pair).unbridled is unbridled
    assert not judged(ward("h1-h2"), pair).unbridled  # without a limit


def test_interfaces_that_nobody_drew_are_counted() -> None:
    counters = {f"b{n}": QUIET for n in range(5)} | {"lo": QUIET, "to-h2": QUIET, "sit0": QUIET}
    verdict = judge(ward("h1-h2"), {}, [Load(node="h1", clock=1.0, counters=counters)])
    assert verdict.excess == {"h1": 2}
    (found,) = verdict.warnings
    assert (found.key, found.params) == ("links:h1", {"node": "H1", "count": 5, "limit": 3})


def test_full_tables_are_told() -> None:
    load = Load(
        node="h1",
        clock=1.0,
        counters={},
        neighbours=NEIGHBOURS + 1,
        connections=95,
        connections_max=100,
    )
    found = judge(ward("h1-h2"), {}, [load]).warnings
    assert {one.key for one in found} == {"neighbours:h1", "conntrack:h1"}
    calm = replace(load, neighbours=NEIGHBOURS, connections=89)
    assert judge(ward("h1-h2"), {}, [calm]).warnings == ()
    assert judge(ward("h1-h2"), {}, [replace(calm, connections_max=0)]).warnings == ()


def test_a_device_made_anew_starts_from_zero_without_alarm() -> None:
    first, second = looks("h1", to_h2=QUIET)
    first = replace(first, counters={"to-h2": Counters(10**9, 10**9, 10**12, 10**12)})
    assert judged(ward("h1-h2", rate=1000), (first, second)).warnings == ()


def test_changes_make_the_new_out_of_the_old() -> None:
    one, two = Warned(code="a", message="1", link="l"), Warned(code="b", message="2", node="n")
    assert changes({}, [one]) == {"a:l": one.as_json()}
    assert changes({"a:l": one.as_json()}, [one]) == {}
    assert changes({"a:l": one.as_json()}, [two]) == {"a:l": None, "b:n": two.as_json()}
    assert "node" not in one.as_json()


def test_live_tells_each_warning_once_and_takes_it_back() -> None:
    one = Warned(code="a", message="1", link="l")
    state, delta = live.warn(LiveState(), [one], 1.0)
    assert delta.warnings == {"a:l": one.as_json()}
    assert bool(delta)
    assert live.snapshot(state).warnings == delta.warnings
    assert not live.warn(state, [one], 2.0)[1]
    after, taken = live.warn(state, [], 3.0)
    assert taken.warnings == {"a:l": None}
    assert live.snapshot(after).warnings == {}
    assert live.merge(delta, taken).warnings == {"a:l": None}
    assert live.merge(live.snapshot(state), taken).warnings == {}
