"""The live state of a lab: kernel records folded over the drawing, as the canvas shows it.

``fold(state, events)`` gives the next state and the `Delta` that a browser needs. A node or a link
is rendered anew only when something of it changed; an unchanged rendering makes no delta.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from topoweb.core.topology.model import Topology
from topoweb.core.tracing.liveview import (
    IDLE,
    Rates,
    as_state,
    link_state,
    render_node,
)
from topoweb.core.tracing.records import (
    Counters,
    KernelEvent,
    NamespaceGone,
    NamespaceView,
    Overrun,
    Sample,
)
from topoweb.core.tracing.warnings import changes

if TYPE_CHECKING:
    from topoweb.core.plan.state import Endpoint, LabState, NamespaceState
    from topoweb.core.tracing.warnings import Warned

Rendered = Mapping[str, Any]
Changes = Mapping[str, Rendered | None]
End = tuple[str, str]  # node, interface name
Services = Mapping[str, Mapping[str, Mapping[str, Any]]]  # node → service → how it is


@dataclass(frozen=True, slots=True)
class Delta:
    """One LIVE message (docs/protocol.md). A None value removes the node or link."""

    rev: int
    full: bool
    time: float
    nodes: Changes
    links: Changes
    warnings: Changes = field(default_factory=dict)  # by `Warned.key`

    def __bool__(self) -> bool:
        return self.full or bool(self.nodes) or bool(self.links) or bool(self.warnings)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What should be: the drawing and its expansion. ``desired`` None: the lab is stopped.

    While a pass is ``applying`` it, what differs is not drift but work to be done.
    """

    topology: Topology = field(default_factory=Topology)
    desired: LabState | None = None
    ids: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # node → name → interface
    ends: Mapping[str, tuple[End, End]] = field(default_factory=dict)  # by link
    links: Mapping[str, frozenset[str]] = field(default_factory=dict)  # node → its links
    applying: bool = False

    @classmethod
    def of(cls, topology: Topology, desired: LabState | None, *, applying: bool = False) -> Drawn:
        """Return the drawing with its indexes."""
        ids: dict[str, dict[str, str]] = {}
        for key, interface in topology.interfaces.items():
            ids.setdefault(interface.node, {})[interface.name] = key
        ends: dict[str, tuple[End, End]] = {}
        links: dict[str, set[str]] = {}
        for key, link in topology.links.items():
            a, b = topology.interfaces[link.a], topology.interfaces[link.b]
            ends[key] = (a.node, a.name), (b.node, b.name)
            for node in (a.node, b.node):
                links.setdefault(node, set()).add(key)
        frozen = {node: frozenset(own) for node, own in links.items()}
        return cls(topology, desired, ids, ends, frozen, applying)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveState:
    """All that is known of a lab now. ``nodes`` and ``links`` are as last rendered."""

    rev: int = 0
    time: float = 0.0
    drawn: Drawn = field(default_factory=Drawn)
    views: Mapping[str, NamespaceView] = field(default_factory=dict)
    rates: Mapping[str, Rates] = field(default_factory=dict)
    sample: Sample = field(default_factory=lambda: Sample(0.0, {}))
    nodes: Mapping[str, Rendered] = field(default_factory=dict)
    links: Mapping[str, Rendered] = field(default_factory=dict)
    warnings: Mapping[str, Rendered] = field(default_factory=dict)  # as last told
    overrun: bool = False  # every namespace must be read again
    services: Services = field(default_factory=dict)  # as last told
    withheld: frozenset[str] = frozenset()  # nodes rendered without drift while a pass applies

    @property
    def stale(self) -> frozenset[str]:
        """Nodes whose routes must be read again."""
        return frozenset(node for node, view in self.views.items() if view.stale)


def fold(state: LiveState, events: Iterable[KernelEvent], time: float) -> tuple[LiveState, Delta]:
    """Return the state after ``events`` and what changed. ``time``: wall clock, seconds."""
    by_node: dict[str, list[Any]] = {}
    views = dict(state.views)
    overrun, dirty = state.overrun, set[str]()
    for event in events:
        if isinstance(event, Overrun):
            overrun = True
        elif isinstance(event, NamespaceGone):
            views.pop(event.node, None)
            by_node.pop(event.node, None)
            dirty.add(event.node)
        else:
            by_node.setdefault(event.node, []).append(event)
    for node, own in by_node.items():
        views[node] = views.get(node, NamespaceView()).folded(own)
    state = replace(state, views=views, overrun=overrun)
    return _render(state, dirty | by_node.keys(), time)


def draw(state: LiveState, drawn: Drawn, time: float) -> tuple[LiveState, Delta]:
    """Return the state under a new drawing and what changed with it."""
    before = state.drawn
    if before.desired is None or drawn.desired is None:
        nodes: Iterable[str] = state.views.keys() | state.nodes.keys() | drawn.topology.nodes.keys()
        links: Iterable[str] = state.links.keys() | drawn.ends.keys()
    else:
        nodes = _redrawn_nodes(before, drawn) | state.withheld
        nodes |= {key for key, node in state.nodes.items() if node["drift"]}
        links = _redrawn_links(before, drawn)
    rates = {key: value for key, value in state.rates.items() if key in drawn.ends}
    state = replace(state, drawn=drawn, rates=rates, withheld=frozenset())
    return _render(state, nodes, time, links)


def _redrawn_nodes(before: Drawn, after: Drawn) -> set[str]:
    """Return the nodes of which something else is wished."""
    old = before.desired.namespaces if before.desired else {}
    new = after.desired.namespaces if after.desired else {}
    drawn = before.topology.nodes.keys() ^ after.topology.nodes.keys()
    return drawn | {
        key
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key) or before.ids.get(key) != after.ids.get(key)
    }


def _redrawn_links(before: Drawn, after: Drawn) -> set[str]:
    old, new = before.topology.links, after.topology.links
    return {
        key
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key) or before.ends.get(key) != after.ends.get(key)
    }


def serve(state: LiveState, services: Services, time: float) -> tuple[LiveState, Delta]:
    """Return the state with services as they are now, and the nodes where that is news."""
    nodes = services.keys() | state.services.keys()
    changed = {node for node in nodes if services.get(node) != state.services.get(node)}
    return _render(replace(state, services=services), changed, time)


def sample(state: LiveState, new: Sample, time: float) -> tuple[LiveState, Delta]:
    """Return the state with rates from two samples, and the links whose rates changed."""
    span = new.clock - state.sample.clock
    rates: dict[str, Rates] = {}
    for link, ends in state.drawn.ends.items():
        for end, (node, name) in enumerate(ends):
            pair = _counted(state, new, node, name)
            if pair is not None and span > 0:
                rates[link] = Rates.between(*pair, span, mirrored=end == 1)
                break
    changed = {k for k in rates.keys() | state.rates.keys() if rates.get(k) != state.rates.get(k)}
    state = replace(state, rates=rates, sample=new)
    return _render(state, (), time, changed)


def warn(state: LiveState, warnings: Iterable[Warned], time: float) -> tuple[LiveState, Delta]:
    """Return the state with these warnings in place of what was, and what is new of them."""
    changed = changes(state.warnings, warnings)
    if not changed:
        return state, Delta(state.rev, False, time, {}, {})
    told = _patched(state.warnings, changed)
    state = replace(state, rev=state.rev + 1, time=time, warnings=told)
    return state, Delta(state.rev, False, time, {}, {}, changed)


def snapshot(state: LiveState) -> Delta:
    """Return everything as one full message."""
    return Delta(state.rev, True, state.time, state.nodes, state.links, state.warnings)


def merge(older: Delta, newer: Delta) -> Delta:
    """Return one delta that has the effect of both."""
    if newer.full:
        return newer
    joined = (
        {**getattr(older, part), **getattr(newer, part)} for part in ("nodes", "links", "warnings")
    )
    if older.full:  # a full message has nothing to remove
        joined = ({k: v for k, v in part.items() if v is not None} for part in joined)
    return Delta(newer.rev, older.full, newer.time, *joined)


def counting_nodes(drawn: Drawn) -> frozenset[str]:
    """Return few nodes whose counters cover every link: one end of a cable tells both."""
    chosen: set[str] = set()
    for node in sorted(drawn.links, key=lambda n: (-len(drawn.links[n]), n)):
        others = (end for link in drawn.links[node] for end, _ in drawn.ends[link])
        if any(other not in chosen for other in others if other != node):
            chosen.add(node)
    return frozenset(chosen)


def _counted(
    state: LiveState, new: Sample, node: str, name: str
) -> tuple[Counters, Counters] | None:
    """Return the counters of an end in the old and the new sample."""
    view = state.views.get(node)
    device = view.named.get(name) if view and node in new.counters else None
    if device is None:
        return None
    before = state.sample.counters.get(node, {}).get(device.index)
    after = new.counters[node].get(device.index)
    return (before, after) if before is not None and after is not None else None


def _render(
    state: LiveState, dirty: Iterable[str], time: float, dirty_links: Iterable[str] = ()
) -> tuple[LiveState, Delta]:
    """Render the dirty nodes, their links and ``dirty_links``; keep and tell what differs."""
    drawn = state.drawn
    links = {*dirty_links}
    fresh_nodes: dict[str, Rendered | None] = {}
    if drawn.applying:
        dirty = frozenset(dirty)
        state = replace(state, withheld=state.withheld | dirty)
    for node in dirty:
        fresh_nodes[node] = _node(state, node)
        links |= drawn.links.get(node, frozenset())
    fresh_links = {link: _link(state, link) for link in links}
    changed_nodes = {k: v for k, v in fresh_nodes.items() if v != state.nodes.get(k)}
    changed_links = {k: v for k, v in fresh_links.items() if v != state.links.get(k)}
    if not changed_nodes and not changed_links:
        return state, Delta(state.rev, False, time, {}, {})
    state = replace(
        state,
        rev=state.rev + 1,
        time=time,
        nodes=_patched(state.nodes, changed_nodes),
        links=_patched(state.links, changed_links),
    )
    return state, Delta(state.rev, False, time, changed_nodes, changed_links)


def _patched(
    old: Mapping[str, Rendered], changes: Mapping[str, Rendered | None]
) -> Mapping[str, Rendered]:
    merged = {**old, **changes}
    return {key: value for key, value in merged.items() if value is not None}


def _node(state: LiveState, node: str) -> Rendered | None:
    drawn = state.drawn
    if drawn.desired is None or (node not in state.views and node not in drawn.topology.nodes):
        return None
    view = state.views.get(node)
    wished = drawn.desired.namespaces.get(node)
    actual = as_state(view, _peers(state, wished)) if view is not None else None
    expected = None if drawn.applying else wished
    rendered = render_node(node, view, drawn.ids.get(node, {}), expected, actual)
    services = state.services.get(node)
    return {**rendered, "services": services} if services else rendered


def _peers(state: LiveState, wished: NamespaceState | None) -> Mapping[str, Endpoint]:
    """Return the other ends that are where they are wished, by interface name.

    Both ends of a cable carry its tag; a stranger with the right name does not.
    """
    desired = state.drawn.desired
    if wished is None or desired is None:
        return {}
    peers: dict[str, Endpoint] = {}
    for name, device in wished.devices.items():
        peer = device.peer
        view = state.views.get(peer.namespace) if peer else None
        if peer is None or view is None or peer.name not in view.named:
            continue
        if view.named[peer.name].tag == desired.namespaces[peer.namespace].devices[peer.name].tag:
            peers[name] = peer
    return peers


def _link(state: LiveState, link: str) -> Rendered | None:
    drawn = state.drawn
    if drawn.desired is None or link not in drawn.ends:
        return None
    devices = [
        state.views[node].named.get(name) if node in state.views else None
        for node, name in drawn.ends[link]
    ]
    word = link_state(devices, drawn.topology.links[link].up)
    return {"state": word, **state.rates.get(link, IDLE)._asdict()}
