"""What a user makes without end inside a node: seen, told, and taken away, without a stall."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.kernel.sandboxed import run
from tests.kernel.test_rate import two_hosts
from tests.kernel.watched import Watch, shell, watching
from topoweb.core.limits import MIB, Limits
from topoweb.kernel import ceilings
from topoweb.kernel.load import LoadReader

if TYPE_CHECKING:
    from pathlib import Path

    from topoweb.kernel.lab import LinuxKernel
    from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes

LAB = 33
LIMIT = 20  # interfaces that users may add
MADE = 60
PATIENCE = 60.0


async def devices(watch: Watch, node: str) -> set[str]:
    found = json.loads(await shell(watch.kernel, node, "ip -j link show", LAB))
    return {device["ifname"] for device in found}


async def make(watch: Watch, count: int) -> None:
    for number in range(count):
        await shell(watch.kernel, "n1", f"ip link add name b{number} type bridge", LAB)


async def test_too_many_interfaces_are_told_and_the_newest_taken_away(kernel: LinuxKernel) -> None:
    async with watching(kernel) as watch:
        await watch.start(LAB, two_hosts())
        watch.store.rows[LAB].limits = replace(Limits(), node_links=LIMIT)
        before = await devices(watch, "n1")
        await make(watch, MADE)
        found = await watch.until(LAB, "links", PATIENCE)
        assert found is not None
        assert (found.node, found.params["limit"]) == ("n1", LIMIT)
        assert LIMIT < int(found.params["count"]) <= MADE
        await watch.until(LAB, "links", PATIENCE, gone=True)
        left = await devices(watch, "n1")
        assert left == before | {f"b{number}" for number in range(LIMIT)}
        assert await devices(watch, "n2") == await devices(watch, "n2") - {"b0"}


async def test_what_was_drawn_is_never_taken_away(kernel: LinuxKernel) -> None:
    """Not even under a name that the drawing has not: a device with our tag is no protection."""
    async with watching(kernel) as watch:
        wanted = await watch.start(LAB, two_hosts())
        for number in range(3):
            await shell(kernel, "n1", f"ip link add name b{number} type bridge", LAB)
            await shell(kernel, "n1", f"ip link set b{number} alias topoweb:{LAB}:l1:a", LAB)
        reader = LoadReader(kernel, 0)
        keep = wanted.namespaces["n1"].devices.keys()
        assert await asyncio.to_thread(reader.trim, LAB, "n1", keep, 100, 5.0) == 3
        assert {"lo", "eth0"} <= await devices(watch, "n1")


async def test_trimming_stops_when_its_time_is_over(kernel: LinuxKernel) -> None:
    async with watching(kernel) as watch:
        await watch.start(LAB, two_hosts())
        await make(watch, 3)
        reader = LoadReader(kernel, 0)
        assert await asyncio.to_thread(reader.trim, LAB, "n1", ("lo", "eth0"), 3, -1.0) == 0


async def test_neighbours_and_connections_are_counted_by_node(kernel: LinuxKernel) -> None:
    async with watching(kernel) as watch:
        await watch.start(LAB, two_hosts())
        reader = LoadReader(kernel, 0)
        (before,) = reader.load(LAB, ["n1"], tables=True)
        for last in range(10, 210):
            entry = f"ip neigh add 10.0.0.{last} lladdr 02:00:00:00:00:01 dev eth0"
            await shell(kernel, "n1", entry, LAB)
        (after,) = reader.load(LAB, ["n1"], tables=True)
        assert before.neighbours is not None
        assert after.neighbours is not None
        assert 200 <= after.neighbours - before.neighbours < 220
        assert after.connections_max > 0
        (quick,) = reader.load(LAB, ["n1"], tables=False)
        assert (quick.neighbours, quick.connections) == (None, None)


def test_a_lab_that_is_gone_carries_nothing(kernel: LinuxKernel) -> None:
    assert LoadReader(kernel, 0).load(LAB, ["n1"], tables=True) == []
    assert LoadReader(kernel, 0).trim(LAB, "n1", (), 1, 1.0) == 0


def test_a_host_short_of_memory_says_so() -> None:
    assert ceilings.pressure(MIB) == ()
    (problem,) = ceilings.pressure(1 << 50)
    assert problem.code == "limit-host-memory"


def test_the_neighbour_tables_of_the_host_are_read() -> None:
    tables = ceilings.neighbour_tables()
    assert {"arp_cache", "ndisc_cache"} <= tables.keys()
    assert all(table.limit > 0 for table in tables.values())
    assert all(table.entries >= 0 and table.refused >= 0 for table in tables.values())


def test_the_connection_ceiling_is_lowered_and_never_raised(tmp_path: Path) -> None:
    path = tmp_path / "nf_conntrack_max"
    path.write_text("262144\n")
    assert ceilings.lower_conntrack_max(10_000, path) == 10_000
    assert ceilings.lower_conntrack_max(20_000, path) == 10_000
    assert path.read_text() == "10000"
    assert ceilings.lower_conntrack_max(1, tmp_path / "absent") is None


def test_neighbour_ceilings_are_raised_and_never_lowered(tmp_path: Path) -> None:
    before = {"gc_thresh1": 128, "gc_thresh2": 512, "gc_thresh3": 1024}
    directory = tmp_path / "ipv4/neigh/default"  # of a kernel without IPv6
    directory.mkdir(parents=True)
    for name, value in before.items():
        (directory / name).write_text(str(value))

    def now() -> dict[str, int]:
        return {name: int((directory / name).read_text()) for name in before}

    ceilings.raise_neighbours_max(512, tmp_path)
    assert now() == before
    ceilings.raise_neighbours_max(16384, tmp_path)
    assert now() == {"gc_thresh1": 2048, "gc_thresh2": 8192, "gc_thresh3": 16384}


def test_a_node_neither_sees_nor_sets_the_ceiling_of_neighbours(sandboxes: LinuxSandboxes) -> None:
    assert ceilings.neighbour_tables()["arp_cache"].limit == int(
        (ceilings.NEIGHBOURS / "ipv4/neigh/default/gc_thresh3").read_text()
    )
    refused = run(sandboxes, "n1", "sysctl -w net.ipv4.neigh.default.gc_thresh3=9")
    assert refused.status != 0
    assert b"cannot stat" in refused.output
