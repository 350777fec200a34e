"""Uplinks in the drawing and in the plan."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.kernel import FakeKernel
from topoweb.core.plan.actions import (
    Action,
    AddNamespace,
    CloseUplink,
    OpenUplink,
    RemoveNamespace,
)
from topoweb.core.plan.diff import diff, drift
from topoweb.core.plan.expand import expand
from topoweb.core.plan.state import BROKEN, CLOSED, DeviceState, LabState, RouteState
from topoweb.core.topology import operations
from topoweb.core.topology.model import Interface, Link, Node, Route, Topology

LAB, UNTIL = 3, 1_800_000_000


def drawing(kind: str = "uplink") -> Topology:
    return Topology(
        nodes={"h": Node(kind="host", name="h1"), "u": Node(kind=kind, name="up1")},  # type: ignore[arg-type]
        interfaces={
            "i": Interface(node="h", name="eth0", addresses=("10.0.1.11/24",)),
            "j": Interface(node="u", name="eth0", addresses=("10.0.1.1/24",)),
        },
        links={"l": Link(a="i", b="j")},
        routes={"d": Route(node="h", prefix="0.0.0.0/0", via="10.0.1.1")},
    )


def step(kernel: FakeKernel, desired: LabState) -> list[Action]:
    """Bring the kernel to what is desired; nothing may remain to be done."""
    plan = diff(desired, kernel.observe(LAB))
    assert not kernel.apply(LAB, plan.steps, lambda _: None, lambda: False).failures
    assert not diff(desired, kernel.observe(LAB))
    return [step.action for step in plan.steps]


@pytest.fixture
def running() -> FakeKernel:
    kernel = FakeKernel()
    step(kernel, expand(LAB, drawing(), uplink_until=UNTIL))
    return kernel


def test_it_is_opened_last_in_a_namespace_of_the_hosts() -> None:
    actions = step(FakeKernel(), expand(LAB, drawing(), uplink_until=UNTIL))
    assert AddNamespace(namespace="u", uplink=True) in actions
    assert AddNamespace(namespace="h") in actions
    assert actions[-1] == OpenUplink(namespace="u", until=UNTIL)


def test_without_a_grant_it_is_a_router_that_leads_nowhere() -> None:
    desired = expand(LAB, drawing())
    assert desired.namespaces["u"].uplink == CLOSED
    assert desired.namespaces["u"].forward_ipv4
    assert desired.namespaces["h"].uplink is None
    assert not any(isinstance(a, OpenUplink) for a in step(FakeKernel(), desired))


def test_the_end_of_the_grant_closes_it_and_nothing_else(running: FakeKernel) -> None:
    assert step(running, expand(LAB, drawing())) == [CloseUplink(namespace="u")]


def test_a_longer_grant_opens_it_anew(running: FakeKernel) -> None:
    desired = expand(LAB, drawing(), uplink_until=UNTIL + 60)
    assert step(running, desired) == [OpenUplink(namespace="u", until=UNTIL + 60)]


def test_drift_does_not_keep_it_open(running: FakeKernel) -> None:
    opened, closed = expand(LAB, drawing(), uplink_until=UNTIL), expand(LAB, drawing())
    for previous in (None, opened, closed):
        steps = diff(closed, running.observe(LAB), previous=previous).steps
        assert [one.action for one in steps] == [CloseUplink(namespace="u")]


@pytest.mark.parametrize("wanted", [CLOSED, UNTIL])
def test_what_lies_about_in_parts_is_settled(running: FakeKernel, wanted: int) -> None:
    observed = running.observe(LAB)
    broken = replace(observed.namespaces["u"], uplink=BROKEN)
    observed = LabState(namespaces={**observed.namespaces, "u": broken})
    desired = expand(LAB, drawing(), uplink_until=wanted or None)
    kind = OpenUplink if wanted else CloseUplink
    assert [type(one.action) for one in diff(desired, observed).steps] == [kind]


def test_removed_from_the_drawing_it_is_closed_before_its_namespace_goes(
    running: FakeKernel,
) -> None:
    alone = Topology(nodes={"h": Node(kind="host", name="h1")})
    actions = step(running, expand(LAB, alone, uplink_until=UNTIL))
    assert actions[0] == CloseUplink(namespace="u")
    assert actions[-1] == RemoveNamespace(namespace="u")


@pytest.mark.parametrize(("before", "after"), [("host", "uplink"), ("uplink", "host")])
def test_a_namespace_that_changes_hands_is_made_again(before: str, after: str) -> None:
    """Else root of the lab would sit in a namespace with a way out, or the host's in the lab."""
    kernel = FakeKernel()
    step(kernel, expand(LAB, drawing(before), uplink_until=UNTIL))
    old = expand(LAB, drawing(before), uplink_until=UNTIL)
    desired = expand(LAB, drawing(after), uplink_until=UNTIL)
    plan = diff(desired, kernel.observe(LAB), previous=old)
    actions = [one.action for one in plan.steps]
    remove = actions.index(RemoveNamespace(namespace="u"))
    assert remove < actions.index(AddNamespace(namespace="u", uplink=after == "uplink"))
    assert not kernel.apply(LAB, plan.steps, lambda _: None, lambda: False).failures
    assert not diff(desired, kernel.observe(LAB), previous=desired)


def test_the_hosts_side_is_no_drift(running: FakeKernel) -> None:
    desired = expand(LAB, drawing(), uplink_until=UNTIL)
    observed = running.observe(LAB)
    node = observed.namespaces["u"]
    wan = DeviceState(name="wan0", kind="veth", up=True)
    route = RouteState(prefix="0.0.0.0/0", via="100.127.0.1", device="wan0")
    seen = replace(node, devices={**node.devices, "wan0": wan}, routes=node.routes | {route})
    assert drift(desired, LabState(namespaces={**observed.namespaces, "u": seen})) == []
    host = replace(observed.namespaces["h"], devices={**node.devices, "wan0": wan})
    assert drift(desired, LabState(namespaces={"h": host})) != []


def test_automatic_addresses_make_it_the_gateway() -> None:
    cable = {"kind": "add", "collection": "links", "id": "l", "value": {"a": "i", "b": "j"}}
    bare = Topology(
        nodes=drawing().nodes,
        interfaces={
            "i": Interface(node="h", name="eth0"),
            "j": Interface(node="u", name="eth0"),
        },
    )
    topology, _ = operations.apply(bare, cable)
    assert topology.interfaces["j"].addresses == ("10.0.1.1/24",)
    (route,) = topology.routes.values()
    assert (route.node, route.prefix, route.via) == ("h", "0.0.0.0/0", "10.0.1.1")
