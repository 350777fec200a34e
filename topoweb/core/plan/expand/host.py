"""A host: a namespace with its loopback; its interfaces come with their cables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.plan.state import DeviceState

if TYPE_CHECKING:
    from topoweb.core.plan.expand.view import View
    from topoweb.core.topology.model import Interface

LOOPBACK_MTU = 65536  # drivers/net/loopback.c


def devices(view: View, node: str) -> list[DeviceState]:
    """Return the devices that a host has without any cable."""
    up = view.topology.nodes[node].lo_up
    return [DeviceState(name="lo", kind="loopback", up=up, mtu=LOOPBACK_MTU)]


def master(interface: Interface) -> str | None:  # noqa: ARG001 - one signature for all kinds
    """Return the bridge of an interface: a host has none."""
    return None
