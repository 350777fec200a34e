"""Holding devices to a rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from topoweb.core.plan.actions import SetRate
from topoweb.kernel import qdisc

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Step
    from topoweb.kernel.apply.site import Site


def set_rate(site: Site, step: Step) -> None:
    """Put a token bucket at the device's root in place of what is there, or take it away."""
    action = cast(SetRate, step.action)
    site.queue(step, qdisc.set_rate(site.index(action.at.name), action.rate))
