from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.kernel import FakeKernel
from tests.fakes.kernel_devices import RefusedError
from tests.unit.core.drawing import Drawing, routed, two_hosts
from tests.unit.core.strategies import ADDRESSES, RUNNABLE
from topoweb.core.plan.actions import (
    Action,
    AddAddress,
    AddBridge,
    AddRoute,
    AddVeth,
    RemoveAddress,
    RemoveDevice,
    RemoveNamespace,
    RemoveRoute,
    SetDevice,
    SetForwarding,
    VethEnd,
)
from topoweb.core.plan.diff import diff, drift
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.plan.state import DeviceState, Endpoint, LabState, RouteState

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Plan
    from topoweb.core.topology.model import Topology

LAB = 7


def at(text: str) -> Endpoint:
    namespace, _, name = text.partition(".")
    return Endpoint(namespace=namespace, name=name)


def run(kernel: FakeKernel, plan: Plan) -> None:
    """Apply a plan; every step must succeed."""
    result = kernel.apply(LAB, plan.steps, lambda _: None, lambda: False)
    assert [f"{f.step.reason}: {f.message}" for f in result.failures] == []


def deploy(topology: Topology, **options: Any) -> FakeKernel:
    kernel = FakeKernel(**options)
    run(kernel, diff(expand(LAB, topology), kernel.observe(LAB), subjects(topology)))
    return kernel


def edit(kernel: FakeKernel, before: Topology, after: Topology) -> list[Action]:
    """Bring a running lab from one drawing to the next, as the engine does."""
    desired = expand(LAB, after)
    plan = diff(desired, kernel.observe(LAB), subjects(after), previous=expand(LAB, before))
    run(kernel, plan)
    return [step.action for step in plan.steps]


def settled(kernel: FakeKernel, topology: Topology) -> bool:
    desired, observed = expand(LAB, topology), kernel.observe(LAB)
    return not diff(desired, observed) and drift(desired, observed) == []


def test_a_fresh_lab_is_as_drawn_after_its_plan() -> None:
    for drawing in (two_hosts(), routed()):
        assert settled(deploy(drawing.parse()), drawing.parse())


def test_forwarding_is_always_set_because_a_new_namespace_copies_the_hosts() -> None:
    topology = routed().parse()
    assert settled(deploy(topology, host_forwards=True), topology)


def test_every_step_has_a_reason_and_a_drawn_subject() -> None:
    topology = routed().parse()
    plan = diff(expand(LAB, topology), LabState(), subjects(topology))
    ids = {*topology.nodes, *topology.interfaces, *topology.links, *topology.routes}
    for step in plan.steps:
        assert step.reason
        assert step.subject in ids, step


def test_a_changed_address_is_one_removal_and_one_add_and_keeps_the_routes() -> None:
    before = two_hosts().route("h1", "0.0.0.0/0", "10.0.0.2").parse()
    after = replace(before, interfaces=dict(before.interfaces))
    end = before.interfaces["h1-eth0"]
    after.interfaces["h1-eth0"] = replace(end, addresses=("10.0.0.9/24",))  # type: ignore[index]
    kernel = deploy(before)
    actions = edit(kernel, before, after)
    default = RouteState(prefix="0.0.0.0/0", via="10.0.0.2", device="eth0")
    assert actions == [
        RemoveAddress(at=at("h1.eth0"), address="10.0.0.1/24"),
        AddAddress(at=at("h1.eth0"), address="10.0.0.9/24"),
        AddRoute(namespace="h1", route=default),  # the last address took it along
    ]
    assert settled(kernel, after)


def test_a_cable_that_is_switched_off_and_on_keeps_routes_and_ipv6() -> None:
    drawing = Drawing().cable("h1.eth0 10.0.0.1/24 2001:db8::1/64", "h2.eth0 10.0.0.2/24")
    drawing.route("h1", "0.0.0.0/0", "10.0.0.2").route("h1", "::/0", "2001:db8::2")
    on = drawing.parse()
    drawing.document["links"]["l1"]["up"] = False
    off = drawing.parse()
    kernel = deploy(on)
    actions = edit(kernel, on, off)
    assert SetDevice(at=at("h1.eth0"), up=False) in actions
    assert settled(kernel, off)
    edit(kernel, off, on)
    assert settled(kernel, on)
    assert len(kernel.observe(LAB).namespaces["h1"].routes) == 2


def test_a_moved_cable_end_frees_its_name_first() -> None:
    before = two_hosts().interface("h3.eth0").parse()
    after = replace(before, links={"l1": replace(before.links["l1"], b="h3-eth0")})
    kernel = deploy(before)
    actions = edit(kernel, before, after)
    assert [type(a) for a in actions[:2]] == [RemoveDevice, AddVeth]
    assert settled(kernel, after)


def test_a_removed_node_goes_last_and_frees_the_name_its_neighbour_needs() -> None:
    before = two_hosts().node("h3").parse()
    after = (
        Drawing()
        .cable("h1.eth0 10.0.0.1/24", "h3.eth0 10.0.0.3/24")
        .route("h1", "0.0.0.0/0", "10.0.0.3")
        .parse()
    )
    kernel = deploy(before)
    actions = edit(kernel, before, after)
    assert actions[-1] == RemoveNamespace(namespace="h2")
    assert RemoveDevice(at=at("h1.eth0")) in actions
    assert settled(kernel, after)


def test_the_route_of_a_vanishing_cable_makes_room_for_its_successor() -> None:
    before = (
        Drawing()
        .cable("h1.eth0 10.0.0.1/24", "h2.eth0 10.0.0.2/24")
        .cable("h1.eth1 10.0.1.1/24", "h3.eth0 10.0.1.3/24")
        .route("h1", "0.0.0.0/0", "10.0.0.2")
        .parse()
    )
    drawing = Drawing().interface("h1.eth0").cable("h1.eth1 10.0.1.1/24", "h3.eth0 10.0.1.3/24")
    drawing.document["links"] = {"l2": drawing.document["links"].pop("l1")}
    after = drawing.route("h1", "0.0.0.0/0", "10.0.1.3").parse()
    kernel = deploy(before)
    edit(kernel, before, after)
    assert settled(kernel, after)


def test_removing_a_node_needs_no_step_for_its_cables() -> None:
    before = routed().parse()
    after = routed()
    for key in ("nodes", "interfaces", "links", "routes"):
        after.document[key] = {
            k: v
            for k, v in after.document[key].items()
            if "s1" not in (k, v.get("node"))
            and not str(v.get("b", "")).startswith("s1")
            and not str(v.get("a", "")).startswith("s1")
        }
    kernel = deploy(before)
    actions = edit(kernel, before, after.parse())
    assert RemoveNamespace(namespace="s1") in actions
    assert not [a for a in actions if isinstance(a, RemoveDevice)]


def test_an_emptied_drawing_drops_the_namespaces_and_nothing_else() -> None:
    kernel = deploy(routed().parse())
    plan = diff(LabState(), kernel.observe(LAB))
    assert {type(step.action) for step in plan.steps} == {RemoveNamespace}
    run(kernel, plan)
    assert kernel.observe(LAB) == LabState()


def test_a_lost_namespace_is_made_again_with_its_cables() -> None:
    topology = routed().parse()
    kernel = deploy(topology)
    kernel.drop_namespace(LAB, "s1")
    edit(kernel, topology, topology)
    assert settled(kernel, topology)


def test_an_untagged_cable_of_a_dead_worker_is_made_again() -> None:
    topology = two_hosts().parse()
    kernel = deploy(topology)
    kernel.type_in(LAB, RemoveDevice(at=at("h1.eth0")))
    ends = [
        VethEnd(at=at(f"{h}.eth0"), mac=None, mtu=1500, master=None, up=False, tag="")
        for h in ("h1", "h2")
    ]
    kernel.type_in(LAB, AddVeth(a=ends[0], b=ends[1]))
    actions = edit(kernel, topology, topology)
    assert isinstance(actions[0], RemoveDevice)
    assert settled(kernel, topology)


TYPED = [
    SetDevice(at=at("h1.eth0"), mtu=1400),
    SetDevice(at=at("h1.eth0"), up=False),
    AddAddress(at=at("h1.eth0"), address="10.0.0.77/24"),
    RemoveAddress(at=at("h1.eth0"), address="10.0.0.1/24"),
    AddRoute(namespace="h2", route=RouteState(prefix="10.9.0.0/16", via="10.0.0.1")),
    SetForwarding(namespace="h2", ipv4=True),
    AddBridge(namespace="h1", name="br7", up=True, mtu=1500, stp=False, ageing=300, tag=""),
]


@pytest.mark.parametrize("typed", TYPED)
def test_what_a_user_types_stays_until_it_is_restored(typed: Action) -> None:
    topology = two_hosts().parse()
    kernel = deploy(topology)
    kernel.type_in(LAB, typed)
    desired = expand(LAB, topology)
    assert drift(desired, kernel.observe(LAB))
    assert edit(kernel, topology, topology) == []
    run(kernel, diff(desired, kernel.observe(LAB), restore=True))
    assert settled(kernel, topology)


def test_an_ageing_time_that_is_not_told_is_neither_a_change_nor_drift() -> None:
    """As during a topology change of the spanning tree."""
    topology = routed().parse()
    observed, desired = deploy(topology).observe(LAB), expand(LAB, topology)
    switch = observed.namespaces["s1"]
    untold = replace(switch.devices["br0"], ageing=None)
    devices = {**switch.devices, "br0": untold}
    namespaces = {**observed.namespaces, "s1": replace(switch, devices=devices)}
    told = replace(observed, namespaces=namespaces)
    assert not diff(desired, told)
    assert drift(desired, told) == []


def test_a_change_elsewhere_leaves_drift_alone_and_a_change_there_enforces() -> None:
    before = two_hosts().parse()
    kernel = deploy(before)
    kernel.type_in(LAB, SetDevice(at=at("h1.eth0"), mtu=1400))
    drawing = two_hosts()
    drawing.document["interfaces"]["h2-eth0"]["mtu"] = 1300
    middle = drawing.parse()
    assert edit(kernel, before, middle) == [SetDevice(at=at("h2.eth0"), mtu=1300)]
    drawing.document["interfaces"]["h1-eth0"]["mtu"] = 1300
    assert edit(kernel, middle, drawing.parse()) == [SetDevice(at=at("h1.eth0"), mtu=1300)]


def test_a_drawn_route_replaces_the_users_route_to_the_same_place() -> None:
    before = two_hosts().parse()
    kernel = deploy(before)
    typed = RouteState(prefix="10.9.0.0/16", via="10.0.0.7", device="eth0")
    kernel.type_in(LAB, AddRoute(namespace="h1", route=typed))
    after = two_hosts().route("h1", "10.9.0.0/16", "10.0.0.2").parse()
    actions = edit(kernel, before, after)
    assert actions[0] == RemoveRoute(namespace="h1", route=typed)
    assert settled(kernel, after)


def test_devices_of_users_stay_without_restore_and_kernel_made_ones_always() -> None:
    topology = two_hosts().parse()
    kernel = deploy(topology)
    end = VethEnd(at=at("h1.mine"), mac=None, mtu=1500, master=None, up=True, tag="")
    kernel.type_in(LAB, AddVeth(a=end, b=replace(end, at=at("h2.mine"))))
    observed = kernel.observe(LAB)
    tunnel = DeviceState(name="tunl0", kind="other", up=False)
    observed.namespaces["h1"].devices["tunl0"] = tunnel  # type: ignore[index]
    desired = expand(LAB, topology)
    assert not diff(desired, observed)
    plan = diff(desired, observed, restore=True)
    assert [s.action for s in plan.steps] == [RemoveDevice(at=at("h1.mine"))]
    assert {d.path for d in drift(desired, observed)} == {"interfaces/mine"}


def test_a_foreign_device_in_the_way_is_removed() -> None:
    topology = two_hosts().parse()
    kernel = FakeKernel()
    bare = Drawing().node("h1").node("h2").parse()
    run(kernel, diff(expand(LAB, bare), LabState()))
    kernel.type_in(
        LAB,
        AddBridge(namespace="h1", name="eth0", up=True, mtu=1500, stp=False, ageing=300, tag=""),
    )
    edit(kernel, bare, topology)
    assert settled(kernel, topology)


def test_clashing_names_do_not_break_the_plan() -> None:
    """Such a drawing does not run, but its plan can be looked at."""
    drawing = two_hosts().cable("h1.eth1", "h3.eth0")
    drawing.document["interfaces"]["h1-eth1"]["name"] = "eth0"
    diff(expand(LAB, drawing.parse()), LabState())


@settings(max_examples=300, deadline=None)
@given(RUNNABLE)
def test_any_lab_can_be_made(topology: Topology) -> None:
    assert settled(deploy(topology), topology)


@settings(max_examples=300, deadline=None)
@given(RUNNABLE, RUNNABLE)
def test_any_lab_can_become_any_other(before: Topology, after: Topology) -> None:
    kernel = deploy(before)
    edit(kernel, before, after)
    assert settled(kernel, after)


@st.composite
def typed_actions(draw: st.DrawFn) -> Action:
    port = Endpoint(
        namespace=f"n{draw(st.integers(0, 3))}", name=draw(st.sampled_from(["e0", "e1", "lo"]))
    )
    address = draw(st.sampled_from(ADDRESSES))
    tap = VethEnd(at=replace(port, name="tap"), mac=None, mtu=1500, master=None, up=True, tag="")
    route = RouteState(prefix="10.9.0.0/16", device=port.name)
    return draw(
        st.sampled_from(
            [
                SetDevice(at=port, up=False),
                SetDevice(at=port, up=True),
                SetDevice(at=port, mtu=1234),
                AddAddress(at=port, address=address),
                RemoveAddress(at=port, address=address),
                RemoveDevice(at=port),
                AddRoute(namespace=port.namespace, route=route),
                SetForwarding(namespace=port.namespace, ipv4=True, ipv6=False),
                AddVeth(a=tap, b=replace(tap, at=replace(tap.at, name="tap2"))),
            ]
        )
    )


@settings(max_examples=300, deadline=None)
@given(RUNNABLE, RUNNABLE, st.lists(typed_actions(), max_size=8))
def test_restore_brings_back_the_drawing_whatever_was_typed(
    before: Topology, after: Topology, typed: list[Action]
) -> None:
    kernel = deploy(before)
    for action in typed:
        try:
            kernel.type_in(LAB, action)
        except (RefusedError, KeyError):
            continue
    run(kernel, diff(expand(LAB, after), kernel.observe(LAB), restore=True))
    assert settled(kernel, after)


@settings(max_examples=200, deadline=None)
@given(RUNNABLE, st.lists(typed_actions(), max_size=8))
def test_a_pass_without_a_change_leaves_drift_and_is_done_after_one(
    topology: Topology, typed: list[Action]
) -> None:
    kernel = deploy(topology)
    for action in typed:
        try:
            kernel.type_in(LAB, action)
        except (RefusedError, KeyError):
            continue
    desired = expand(LAB, topology)
    plan = diff(desired, kernel.observe(LAB), previous=desired)
    kernel.apply(LAB, plan.steps, lambda _: None, lambda: False)
    again = diff(desired, kernel.observe(LAB), previous=desired)
    assert not again


def test_removing_a_primary_address_puts_its_secondary_back() -> None:
    drawing = Drawing().cable("h1.eth0 10.0.0.1/24 10.0.0.2/24", "h2.eth0 10.0.0.9/24")
    before = drawing.parse()
    drawing.document["interfaces"]["h1-eth0"]["addresses"] = ["10.0.0.2/24"]
    kernel = deploy(before)
    actions = edit(kernel, before, drawing.parse())
    assert actions[-1] == AddAddress(at=at("h1.eth0"), address="10.0.0.2/24")
    assert settled(kernel, drawing.parse())


def test_a_bridge_that_is_made_again_gets_its_ports_back() -> None:
    topology = Drawing().cable("h1.eth0", "s1.p1").parse()
    kernel = deploy(topology)
    bridge = AddBridge(namespace="s1", name="br0", up=True, mtu=1500, stp=False, ageing=300, tag="")
    for action in (
        RemoveDevice(at=at("s1.br0")),
        bridge,  # without our tag: not the one that we made
        SetDevice(at=at("s1.p1"), master="br0"),
    ):
        kernel.type_in(LAB, action)
    edit(kernel, topology, topology)
    assert settled(kernel, topology)
