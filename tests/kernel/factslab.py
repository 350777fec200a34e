"""A small network that the explainer is asked about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kernel.plans import address, apply, bridge, cable, errors, node, route, up
from topoweb.core.plan.actions import AddNamespace

if TYPE_CHECKING:
    from topoweb.kernel.lab import LinuxKernel


def lan(kernel: LinuxKernel) -> None:
    """h1 - sw - r - h2: 10.0.1.0/24 on the switch, 10.0.2.0/24 behind the router."""
    plan = [*node("h1"), *node("sw"), *node("r", ipv4=True, ipv6=True), *node("h2")]
    plan.sort(key=lambda action: not isinstance(action, AddNamespace))
    plan += [bridge("sw"), cable("l1", "sw p1", "h1 eth0", a_master="br0")]
    plan += [cable("l2", "sw p2", "r eth0", a_master="br0"), cable("l3", "r eth1", "h2 eth0")]
    plan += up("h1 lo", "r lo", "h2 lo")
    for place, prefix in (
        ("h1 eth0", "10.0.1.11/24"),
        ("r eth0", "10.0.1.1/24"),
        ("r eth1", "10.0.2.1/24"),
        ("h2 eth0", "10.0.2.11/24"),
        ("h1 eth0", "2001:db8:1::11/64"),
        ("r eth0", "2001:db8:1::1/64"),
        ("r eth1", "2001:db8:2::1/64"),
    ):
        plan.append(address(place, prefix))
    plan += [route("h1", "0.0.0.0/0", "10.0.1.1"), route("h2", "0.0.0.0/0", "10.0.2.1")]
    assert errors(apply(kernel, *plan)) == []
