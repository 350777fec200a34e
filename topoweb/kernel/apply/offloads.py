"""Offloads of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from topoweb.core.plan.actions import SetOffloads
from topoweb.kernel import offload

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Step
    from topoweb.kernel.apply.site import Site


def set_offloads(site: Site, step: Step) -> None:
    """Switch a device's offloads; at once, since no netlink message of ours does it."""
    action = cast(SetOffloads, step.action)
    offload.set_offloads(site.netlink.socket, action.at.name, on=action.on)
