"""The dry run: what the worker's next pass would do, as commands a person could type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.plan.render import render
from topoweb.core.plan.state import LabState
from topoweb.core.texts import refusal
from topoweb.core.topology import operations
from topoweb.labs import queries, uplinks
from topoweb.labs.drawing import drawing_of
from topoweb.labs.quotas import limits_of_lab

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology
    from topoweb.labs.models import Lab


def steps(lab: Lab) -> list[dict[str, Any]]:
    """Return the steps from what the worker last observed to the drawing.

    ``lab`` was read with its status row.
    """
    drawn = drawing_of(lab).topology
    stands = _standing(lab, drawn)
    rate = limits_of_lab(lab.pk).link_rate
    until = uplinks.until_of(lab.pk)
    observed = LabState()
    if stands is not None:
        observed = expand(lab.pk, stands, link_rate=rate, uplink_until=until)
    names = {
        key: node.name
        for topology in (stands, drawn)
        if topology is not None
        for key, node in topology.nodes.items()
    }
    desired = expand(lab.pk, drawn, link_rate=rate, uplink_until=until)
    plan = diff(desired, observed, subjects(drawn))
    return [
        {"command": command, "reason": step.reason, "subject": step.subject}
        for step in plan.steps
        for command in render(step.action, names)
    ]


def _standing(lab: Lab, topology: Topology) -> Topology | None:
    """Return the drawing that the worker last applied, as far as the rows tell; None: nothing."""
    status = queries.status_json(lab)
    if status["phase"] == "stopped" or status["observed_generation"] == 0:
        return None
    later = queries.changes_after(lab.pk, status["observed_generation"])
    if later is None:
        raise refusal(ErrorKind.CONFLICT, "plan-too-far")
    for changes in later:
        topology, _ = operations.apply(topology, operations.invert(changes))
    return topology
