"""A switching loop: the guard names a cable of it in time, and other labs live on."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from tests.kernel.watched import Watch, shell, watching
from topoweb.core.topology.document import parse

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology
    from topoweb.kernel.lab import LinuxKernel

LOOP, OTHER = 31, 32
IN_TIME = 20.0  # seconds until the warning: a storm leaves little of a small machine
PATIENCE = 30.0


def triangle() -> Topology:
    """Draw three switches without spanning tree, each cabled to both others, and a host."""
    ends = [("s1", "s2"), ("s2", "s3"), ("s3", "s1"), ("s1", "h1")]
    interfaces = {
        f"{node}-{other}": {"node": node, "name": f"to-{other}"}
        for pair in ends
        for node, other in (pair, pair[::-1])
    }
    interfaces["h1-s1"]["addresses"] = ["10.0.0.1/24"]  # type: ignore[assignment]
    kinds = {"s1": "switch", "s2": "switch", "s3": "switch", "h1": "host"}
    return parse(
        {
            "format": "topoweb",
            "version": 1,
            "nodes": {name: {"kind": kind, "name": name} for name, kind in kinds.items()},
            "interfaces": interfaces,
            "links": {f"{a}{b}": {"a": f"{a}-{b}", "b": f"{b}-{a}"} for a, b in ends},
        }
    )


async def begin(watch: Watch) -> None:
    """Send one broadcast into the loop: an ARP request that nobody answers."""
    entry = "ip neigh replace 10.0.0.9 dev to-s1 lladdr ff:ff:ff:ff:ff:ff nud permanent"
    await shell(watch.kernel, "h1", entry, LOOP)
    with contextlib.suppress(AssertionError):
        await shell(watch.kernel, "h1", "ping -c1 -W1 10.0.0.9", LOOP)


async def test_a_loop_is_named_within_five_seconds_and_others_live_on(
    kernel: LinuxKernel,
) -> None:
    async with watching(kernel) as watch:
        other = parse(
            {
                "format": "topoweb",
                "version": 1,
                "nodes": {"a": {"kind": "host", "name": "a"}, "b": {"kind": "host", "name": "b"}},
                "interfaces": {
                    "ia": {"node": "a", "name": "eth0", "addresses": ["10.0.0.1/24"]},
                    "ib": {"node": "b", "name": "eth0", "addresses": ["10.0.0.2/24"]},
                },
                "links": {"l": {"a": "ia", "b": "ib"}},
            }
        )
        await watch.start(OTHER, other)
        await watch.start(LOOP, triangle())
        storm = asyncio.create_task(begin(watch))
        found = await watch.until(LOOP, "storm", IN_TIME)
        assert found.link in {"s1s2", "s2s3", "s3s1"}  # the host's cable is not of the loop
        assert found.params["rate"] > 1000
        stored = watch.store.rows[LOOP]
        await asyncio.to_thread(watch.store.wait, lambda: [w.link for w in stored.warnings])
        assert "0% packet loss" in await shell(
            watch.kernel, "a", "ping -c3 -i0.2 -W5 10.0.0.2", OTHER
        )
        assert not watch.told.get(OTHER)
        await storm


async def test_a_cable_with_a_storm_is_held_down_and_let_go_when_it_is_over(
    kernel: LinuxKernel,
) -> None:
    async with watching(kernel, cut=True) as watch:
        await watch.start(LOOP, triangle())
        storm = asyncio.create_task(begin(watch))
        found = await watch.until(LOOP, "storm", IN_TIME)
        await storm
        node, other = found.link[:2], found.link[2:]
        assert "rate 1Mbit" in await shell(
            watch.kernel, node, f"tc qdisc show dev to-{other}", LOOP
        )
        await shell(watch.kernel, node, f"ip link set to-{other} down", LOOP)
        await watch.until(LOOP, "storm", PATIENCE, gone=True)
        stored = watch.store.rows[LOOP]
        await asyncio.to_thread(watch.store.wait, lambda: stored.warnings == ())
        assert "tbf" not in await shell(watch.kernel, node, f"tc qdisc show dev to-{other}", LOOP)
