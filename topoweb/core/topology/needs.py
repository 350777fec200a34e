"""What a drawing needs of the kernel beyond cables and bridges."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from topoweb.core.topology.model import Topology
    from topoweb.core.topology.problem import Problem


class Need(NamedTuple):
    """A feature of `kernel.features`, and what of the drawing needs it."""

    feature: str
    path: str  # JSON pointer
    name: str


def needs(topology: Topology) -> Iterator[Need]:
    """Yield what is needed, each feature by each object."""
    for key, node in topology.nodes.items():
        if node.kind == "switch" and node.vlan_filtering:
            yield Need("bridge_vlan", f"/nodes/{key}/vlan_filtering", node.name)
    for key, item in topology.interfaces.items():
        if item.kind != "port":
            name = f"{topology.nodes[item.node].name}:{item.name}"
            yield Need(item.kind, f"/interfaces/{key}/kind", name)


def lacking(topology: Topology, features: Mapping[str, Mapping[str, object]]) -> list[Problem]:
    """Return what a host with ``features`` cannot make; those not known are taken for there."""
    problems = []
    for need in needs(topology):
        known = features.get(need.feature, {"ok": True})
        if not known["ok"]:
            reason = str(known.get("reason", "")).rstrip(".")
            words = {"name": need.name, "feature": need.feature, "reason": reason}
            remedy = known.get("remedy", "")
            problems.append(problem("kernel-lacks", need.path, **words, remedy=remedy))
    return problems
