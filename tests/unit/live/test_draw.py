"""A new drawing renders only what it changes, and shows what rendering all of it would show."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from tests.unit.live.drawn import ADDRESS, DUMPS, ETH0, TOPOLOGY
from topoweb.core.plan.expand import expand
from topoweb.core.topology.model import Interface, Link, Node
from topoweb.core.tracing import live
from topoweb.core.tracing.live import Drawn, LiveState
from topoweb.core.tracing.records import AddressRecord, Gone, NamespaceGone, Seen

I1 = TOPOLOGY.interfaces["i1"]
VARIANTS = [
    TOPOLOGY,
    replace(TOPOLOGY, interfaces={**TOPOLOGY.interfaces, "i1": replace(I1, mtu=1400)}),
    replace(TOPOLOGY, interfaces={**TOPOLOGY.interfaces, "i1": replace(I1, name="eth7")}),
    replace(TOPOLOGY, links={}),
    replace(TOPOLOGY, links={"l1": Link(a="i1", b="i2", up=False)}),
    replace(
        TOPOLOGY,
        nodes={**TOPOLOGY.nodes, "n3": Node(kind="host", name="h3")},
        interfaces={**TOPOLOGY.interfaces, "i3": Interface(node="n3", name="eth0")},
    ),
]
EVENTS = [
    Seen("n1", replace(ETH0, mtu=1300)),
    Seen("n1", ETH0),
    Gone("n1", ADDRESS),
    Seen("n1", ADDRESS),
    Seen("n1", AddressRecord(index=10, address="10.9.9.9/24")),
    NamespaceGone("n3"),
    *DUMPS,
]


def _whole(state: LiveState) -> LiveState:
    """The same views and drawing, rendered from nothing."""
    return live.draw(LiveState(views=state.views), state.drawn, 1.0)[0]


@pytest.mark.parametrize("seed", range(40))
def test_any_order_of_drawings_and_events(seed: int) -> None:
    choose = random.Random(seed)
    state, _ = live.fold(LiveState(), DUMPS, 1.0)
    shown: dict[str, object] = {}
    for _ in range(30):
        if choose.random() < 0.5:
            state, delta = live.fold(state, [choose.choice(EVENTS)], 1.0)
        else:
            topology = choose.choice(VARIANTS)
            desired = None if choose.random() < 0.1 else expand(1, topology)
            drawn = Drawn.of(topology, desired, applying=choose.random() < 0.5)
            state, delta = live.draw(state, drawn, 1.0)
        shown = {k: v for k, v in {**shown, **delta.nodes}.items() if v is not None}
        whole = _whole(state)
        assert (state.nodes, state.links) == (whole.nodes, whole.links)
        assert shown == whole.nodes


def test_only_what_changed_is_rendered(monkeypatch: pytest.MonkeyPatch) -> None:
    state, _ = live.fold(LiveState(), DUMPS, 1.0)
    state, _ = live.draw(state, Drawn.of(TOPOLOGY, expand(1, TOPOLOGY)), 1.0)
    rendered: list[str] = []
    render = live.render_node
    monkeypatch.setattr(
        live, "render_node", lambda node, *rest: rendered.append(node) or render(node, *rest)
    )
    for applying in (True, False):
        drawn = Drawn.of(VARIANTS[1], expand(1, VARIANTS[1]), applying=applying)
        state, _ = live.draw(state, drawn, 1.0)
    assert rendered == ["n1", "n1"]
