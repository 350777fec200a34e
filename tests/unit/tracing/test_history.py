"""What nodes held at a moment: changes undone, marked, bounded, exported and brought back."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from topoweb.core.tracing import history
from topoweb.core.tracing.history import NEAR_NS, History
from topoweb.core.tracing.records import (
    ALL_RECORDS,
    AddressRecord,
    Dump,
    FdbRecord,
    ForwardingRecord,
    Gone,
    LinkRecord,
    NamespaceGone,
    NeighbourRecord,
    Overrun,
    PortRecord,
    RouteRecord,
    Seen,
)

MS = 1_000_000


def link(index, *, up=True, master=0, stp_state=None):
    return LinkRecord(
        index=index, name=f"eth{index}", kind="veth", up=up, carrier=up, oper="up", mac=None,
        mtu=1500, master=master, stp_state=stp_state,
    )  # fmt: skip


def neighbour(state, address="10.0.0.2"):
    return NeighbourRecord(index=1, address=address, mac=None, state=state)


ROUTE = RouteRecord(prefix="0.0.0.0/0", via="10.0.0.1", index=1, metric=0, proto="static")


def begun(*records, capacity=history.CAPACITY):
    known = History(capacity)
    known.fold([Dump("n", ALL_RECORDS, (*records, link(1)))], 100)
    return known


def rows(known, table, time_ns, node="n"):
    found = known.at(node, time_ns)["tables"][table]
    return [(row["change"], row) for row in found]


def test_a_neighbour_as_it_was():
    known = begun(neighbour("incomplete"))
    known.fold([Seen("n", neighbour("reachable"))], 200 * MS)
    ((change, row),) = rows(known, "neighbours", 100 * MS)
    assert (change, row["state"], row["interface"]) == ("changed", "incomplete", "eth1")
    assert row["now"]["state"] == "reachable"
    assert row["changed_at"] == 200 * MS / 1e9
    assert not row["near"]
    ((change, row),) = rows(known, "neighbours", 200 * MS)
    assert (change, row["state"], row["now"]) == ("same", "reachable", None)


def test_a_change_just_after_may_have_been_before():
    known = begun(neighbour("incomplete"))
    known.fold([Seen("n", neighbour("reachable"))], 200 * MS)
    assert rows(known, "neighbours", 200 * MS - NEAR_NS)[0][1]["near"]
    assert not rows(known, "neighbours", 200 * MS - NEAR_NS - 1)[0][1]["near"]


def test_what_came_and_what_went():
    known = begun(ROUTE)
    known.fold([Gone("n", ROUTE)], 200)
    known.fold([Seen("n", AddressRecord(index=1, address="10.0.0.9/24"))], 300)
    assert [change for change, _ in rows(known, "routes", 150)] == ["gone"]
    assert [change for change, _ in rows(known, "routes", 250)] == []
    assert [change for change, _ in rows(known, "addresses", 250)] == ["new"]
    assert [change for change, _ in rows(known, "addresses", 300)] == ["same"]


def test_a_mac_that_moves_is_one_row():
    known = begun(link(2, master=9), link(3, master=9), FdbRecord(index=2, mac="aa", age=0))
    known.fold([Seen("n", FdbRecord(index=3, mac="aa", age=0))], 200)
    known.fold([Gone("n", FdbRecord(index=2, mac="aa", age=0))], 201)  # of its old place: late
    ((change, row),) = rows(known, "fdb", 150)
    assert (change, row["interface"], row["now"]["interface"]) == ("changed", "eth2", "eth3")


def test_a_port_and_a_setting():
    known = begun(link(2, stp_state="learning"), ForwardingRecord(family=4, on=False))
    known.fold([Seen("n", PortRecord(index=2, stp_state="forwarding"))], 200)
    known.fold([Seen("n", ForwardingRecord(family=4, on=True))], 200)
    states = {row["interface"]: row for _, row in rows(known, "interfaces", 150)}
    assert states["eth2"]["stp_state"] == "learning"
    assert rows(known, "forwarding", 150)[0][1]["on"] is False


def test_an_interface_that_goes_takes_its_rows_along():
    known = begun(neighbour("reachable"), AddressRecord(index=1, address="10.0.0.9/24"))
    known.fold([Gone("n", link(1))], 200)
    for table in ("interfaces", "neighbours", "addresses"):
        assert [change for change, _ in rows(known, table, 150)] == ["gone"]
    assert known.stale == {"n"}  # its IPv4 routes went without a word


def test_an_interface_that_goes_down_makes_routes_doubtful():
    known = begun(ROUTE)
    known.fold([Seen("n", link(1, up=False))], 200)
    assert known.stale == {"n"}
    known.fold([Dump("n", frozenset({RouteRecord}), ())], 210)
    assert known.stale == set()
    assert [change for change, _ in rows(known, "routes", 205)] == ["gone"]


def test_the_first_reading_is_no_change():
    known = begun(neighbour("reachable"))
    found = known.at("n", 50)
    assert (found["exact"], found["as_of"]) == (False, 100 / 1e9)
    assert [row["change"] for row in found["tables"]["neighbours"]] == ["same"]
    assert known.at("n", 100)["exact"]


def test_a_bounded_log_says_how_far_it_reaches():
    known = begun(capacity=2)
    for time_ns, state in ((200, "incomplete"), (300, "reachable"), (400, "stale")):
        known.fold([Seen("n", neighbour(state))], time_ns)
    assert not known.at("n", 150)["exact"]
    assert known.at("n", 150)["as_of"] == 200 / 1e9
    assert known.at("n", 250)["exact"]
    assert rows(known, "neighbours", 250)[0][1]["state"] == "incomplete"


def test_a_node_that_nobody_knows():
    known = begun()
    assert known.at("other", 150)["exact"] is False
    known.fold([NamespaceGone("n"), Overrun(), Seen("n", neighbour("stale"))], 200)
    assert known.at("n", 150)["as_of"] == 0
    assert known.overrun


def test_an_export_tells_the_same_story():
    known = begun(neighbour("incomplete"), ROUTE)
    known.fold([Seen("n", neighbour("reachable"))], 200)
    known.fold([Gone("n", ROUTE)], 300)
    exported = history.check(json.loads(json.dumps(known.export(100, 300))))
    for moment in (100, 150, 200, 250, 300):
        assert history.at(exported, "n", moment) == known.at("n", moment)
    shorter = known.export(100, 250)
    assert [row["change"] for row in history.at(shorter, "n", 150)["tables"]["routes"]] == ["same"]


@pytest.mark.parametrize(
    "spoil",
    [
        {"version": 2},
        {"changes": [[1, "n", "routes", "k", None]]},
        {"state": {"n": {"passwords": {}}}},
        {"state": {"n": {"routes": {"k": {"prefix": ["a"]}}}}},
        {"known": {"n": -1}},
        {"more": 1},
    ],
)
def test_an_export_of_somebody_else_is_checked(spoil):
    good = begun(ROUTE).export(0, 300)
    history.check(good)
    with pytest.raises(ValueError, match=r"\S"):
        history.check(good | spoil)


@given(
    st.lists(
        st.tuples(
            st.booleans(),
            st.sampled_from(["10.0.0.2", "10.0.0.3"]),
            st.sampled_from(["incomplete", "reachable", "stale"]),
        ),
        max_size=30,
    )
)
def test_every_past_moment_is_what_was_known_then(steps):
    known, told = begun(), []
    for number, (there, address, state) in enumerate(steps):
        record = neighbour(state, address)
        known.fold([Seen("n", record) if there else Gone("n", record)], 200 + number)
        table = known.at("n", 200 + number)["tables"]["neighbours"]
        told.append({row["address"]: row["state"] for row in table})
    for number, then in enumerate(told):
        table = known.at("n", 200 + number)["tables"]["neighbours"]
        seen = {row["address"]: row["state"] for row in table if row["change"] != "new"}
        assert seen == then
