"""A plan of the part that changed is the plan of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.kernel import FakeKernel
from tests.fakes.kernel_devices import RefusedError
from tests.unit.core.drawing import routed
from tests.unit.core.strategies import ADDRESSES, RUNNABLE
from tests.unit.core.test_plan_diff import LAB, typed_actions
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.plan.focus import Comparison, focus, shared
from topoweb.core.topology.document import dump, parse

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Action, Plan
    from topoweb.core.topology.model import Topology

PROPERTIES: list[dict[str, Any]] = [
    *({"addresses": [one]} for one in ADDRESSES),
    *({"addresses": ADDRESSES[start : start + 3]} for start in range(4)),
    {"addresses": []},
    {"mtu": 1300},
    {"up": False},
]


def type_in(kernel: FakeKernel, actions: list[Action]) -> None:
    for action in actions:
        try:
            kernel.type_in(LAB, action)
        except (RefusedError, KeyError):
            continue


def agreement(kernel: FakeKernel, topology: Topology, previous: Comparison | None) -> Comparison:
    """Bring the kernel to a drawing, drift left alone, and return what was found at the end."""
    past = previous.desired if previous else None
    desired = shared(expand(LAB, topology), past)
    kernel.apply(LAB, plan(desired, kernel, past).steps, lambda _: None, lambda: False)
    observed = shared(kernel.observe(LAB), previous.observed if previous else None)
    assert not diff(desired, observed, previous=past)
    return Comparison(desired, observed, past)


def plan(desired: Any, kernel: FakeKernel, past: Any) -> Plan:
    return diff(desired, kernel.observe(LAB), previous=past)


def planned(seen: Comparison, topology: Topology) -> Plan:
    return diff(seen.desired, seen.observed, subjects(topology), previous=seen.previous)


def edited(topology: Topology, edits: list[tuple[int, int]]) -> Topology:
    """Change a few properties of interfaces, and take a route away for each."""
    document = dump(topology)
    for which, what in edits:
        for key in sorted(document["interfaces"])[which : which + 1]:
            document["interfaces"][key] |= PROPERTIES[what]
        for key in sorted(document["routes"])[which : which + 1]:
            del document["routes"][key]
    return parse(document)


@settings(max_examples=400, deadline=None)
@given(
    RUNNABLE,
    st.lists(typed_actions(), max_size=4),
    st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, len(PROPERTIES) - 1)), min_size=1, max_size=2
    ),
    st.lists(typed_actions(), max_size=2),
)
def test_the_plan_of_the_part_is_the_plan_of_the_whole(
    before: Topology, drift: list[Action], edits: list[tuple[int, int]], more: list[Action]
) -> None:
    kernel = FakeKernel()
    first = agreement(kernel, before, None)
    type_in(kernel, drift)
    agreed = agreement(kernel, before, first)
    after = edited(before, edits)
    type_in(kernel, more)
    now = Comparison(
        shared(expand(LAB, after), agreed.desired),
        shared(kernel.observe(LAB), agreed.observed),
        agreed.desired,
    )
    assert planned(focus(now, agreed), after) == planned(now, after)


def test_an_address_is_looked_for_on_its_node_alone() -> None:
    before = routed().parse()
    kernel = FakeKernel()
    agreed = agreement(kernel, before, agreement(kernel, before, None))
    document = dump(before)
    key, item = next(iter(document["interfaces"].items()))
    item["addresses"] = ["10.77.0.1/24"]
    desired = shared(expand(LAB, parse(document)), agreed.desired)
    now = Comparison(desired, shared(kernel.observe(LAB), agreed.observed), agreed.desired)
    assert list(focus(now, agreed).desired.namespaces) == [before.interfaces[key].node]
    assert planned(focus(now, agreed), parse(document)) == planned(now, parse(document))
    assert not focus(agreed, agreed).desired.namespaces  # nothing changed: nothing to look at
    assert focus(now, None) is now


def test_what_may_reach_another_node_is_looked_for_everywhere() -> None:
    before = routed().parse()
    kernel = FakeKernel()
    agreed = agreement(kernel, before, agreement(kernel, before, None))
    for change in ({"mtu": 1400}, {"up": False}, {"mac": "02:00:00:00:00:01"}):
        document = dump(before)
        next(iter(document["interfaces"].values())).update(change)
        desired = shared(expand(LAB, parse(document)), agreed.desired)
        now = Comparison(desired, shared(kernel.observe(LAB), agreed.observed), agreed.desired)
        assert focus(now, agreed) is now
