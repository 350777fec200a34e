"""Hosts that get their addresses and names from the lab's own servers."""

from __future__ import annotations

import asyncio
import functools
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.serviceslab import ServedLab, served
from tests.unit.core.drawing import Drawing
from topoweb.core.plan.diff import diff, drift
from topoweb.core.plan.expand import expand
from topoweb.core.tracing.records import AddressRecord, RouteRecord
from topoweb.kernel import netns
from topoweb.kernel.apply import addresses
from topoweb.kernel.monitor import LabMonitor

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from topoweb.core.topology.model import Topology
    from topoweb.core.tracing.records import KernelEvent
    from topoweb.kernel.lab import LinuxKernel

pytestmark = pytest.mark.ok_suite
LAB = 7
SHOWN_WITHIN = 2.0  # seconds from the server's ACK to the address in the kernel's own words


def leasing() -> Drawing:
    """A router that leases and resolves, a switch, and two hosts that ask."""
    drawing = (
        Drawing()
        .interface("h1.eth0", dhcp=True)
        .interface("h2.eth0", dhcp=True)
        .cable("r1.lan 10.0.1.1/24", "s1.p1")
        .cable("h1.eth0", "s1.p2")
        .cable("h2.eth0", "s1.p3")
    )
    options = {"interface": "r1-lan", "first": "10.0.1.50", "last": "10.0.1.60"}
    drawing.document["services"] = {
        "dhcp": {"node": "r1", "kind": "dhcp-server", "options": options},
        "dns": {
            "node": "r1",
            "kind": "dns",
            "options": {"records": [{"name": "www", "address": "10.0.1.1"}]},
        },
    }
    return drawing


def as_drawn(lab: ServedLab, topology: Topology) -> None:
    desired, observed = expand(LAB, topology), lab.kernel.observe(LAB)
    assert drift(desired, observed) == []
    assert not diff(desired, observed)


class Ear:
    """Hears a lab as the live view does."""

    def __init__(self, run_dir: Path) -> None:
        self._loop = asyncio.get_running_loop()
        self.events: asyncio.Queue[KernelEvent] = asyncio.Queue()
        self.monitor = LabMonitor(run_dir, self._deliver)

    def _deliver(self, lab: int, events: Sequence[KernelEvent]) -> None:
        for event in events:
            self._loop.call_soon_threadsafe(self.events.put_nowait, event)

    async def hears(self, node: str, kind: type[Any]) -> Any:
        while True:
            event = await self.events.get()
            record = getattr(event, "record", None)
            local = getattr(record, "address", "").startswith("fe80")
            if isinstance(record, kind) and getattr(event, "node", "") == node and not local:
                return record


async def test_lease_name_and_route(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = leasing()
    async with served(kernel, tmp_path) as lab:
        topology = await lab.draw(drawing)
        await lab.running("dhcp", "dns", "dhcp:h1-eth0", "dhcp:h2-eth0")
        for host in ("h1", "h2"):
            await lab.see(host, "10.0.1.5", "/usr/sbin/ip", "-4", "address", "show", "eth0")
        routes = await lab.run("h1", "/usr/sbin/ip", "-4", "route")
        assert "default via 10.0.1.1 dev eth0 proto dhcp" in routes
        assert "nameserver 10.0.1.1" in await lab.run("h1", "/usr/bin/cat", "/etc/resolv.conf")
        said = await lab.run("h1", "/usr/bin/dig", "+short", "r1.lab")
        assert said.strip() == "10.0.1.1"
        said = await lab.run("h1", "/usr/bin/dig", "+short", "www.lab")
        assert said.strip() == "10.0.1.1"
        await lab.run("h1", "/usr/bin/ping", "-c1", "-W5", "www.lab")
        as_drawn(lab, topology)


async def test_lease_is_shown_soon_after_the_ack(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = leasing()
    asking = drawing.document["interfaces"]
    asking["h1-eth0"]["dhcp"] = asking["h2-eth0"]["dhcp"] = False
    async with served(kernel, tmp_path) as lab:
        await lab.draw(drawing)
        await lab.running("dhcp")
        ear = Ear(tmp_path)
        try:
            await asyncio.to_thread(ear.monitor.watch, LAB)
            asking["h1-eth0"]["dhcp"] = True
            acked = asyncio.create_task(said_in_log(lab, "DHCPACK"))
            shown = asyncio.create_task(ear.hears("h1", AddressRecord))
            await lab.draw(drawing)
            async with asyncio.timeout(20):
                at_ack = await acked
                record = await shown
            late = asyncio.get_running_loop().time() - at_ack
            assert record.address.startswith("10.0.1.5")
            assert not record.drawable
            assert late <= SHOWN_WITHIN
            async with asyncio.timeout(20):
                while (await ear.hears("h1", RouteRecord)).proto != "dhcp":
                    pass
        finally:
            await asyncio.to_thread(ear.monitor.close)


async def said_in_log(lab: ServedLab, words: str) -> float:
    """Return the loop's time when the DHCP server has said so."""
    read = functools.partial(lab.kernel.sandboxes.log, LAB, "service-dhcp", 65536)
    while words.encode() not in await asyncio.to_thread(read):
        pass
    return asyncio.get_running_loop().time()


async def test_dhcp_turned_off_gives_the_address_back(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = leasing()
    async with served(kernel, tmp_path) as lab:
        await lab.draw(drawing)
        show = ("/usr/sbin/ip", "-4", "-brief", "address", "show", "eth0")
        await lab.see("h1", "10.0.1.5", *show)
        drawing.document["interfaces"]["h1-eth0"]["dhcp"] = False
        await lab.draw(drawing)
        assert "10.0.1.5" not in await lab.run("h1", *show)
        assert "default" not in await lab.run("h1", "/usr/sbin/ip", "-4", "route")


async def test_hosts_address_themselves(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = Drawing().cable("r1.lan 2001:db8:1::1/64", "h1.eth0")
    options = {"interface": "r1-lan", "dns": "2001:db8:1::1"}
    drawing.document["services"] = {
        "ra": {"node": "r1", "kind": "router-advertisements", "options": options}
    }
    async with served(kernel, tmp_path) as lab:
        topology = await lab.draw(drawing)
        await lab.running("ra")
        said = await lab.see("h1", "2001:db8:1:", "/usr/sbin/ip", "-6", "address", "show", "eth0")
        assert "dynamic" in said
        assert "default via fe80" in await lab.run("h1", "/usr/sbin/ip", "-6", "route")
        await lab.see("h1", " 0% packet loss", "/usr/bin/ping", "-c1", "-W1", "2001:db8:1::1")
        as_drawn(lab, topology)


async def test_a_host_that_heeds_no_advertisements_passes_that_on_to_no_node(
    kernel: LinuxKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "copies_the_host", lambda: True)
    written: list[tuple[str, str]] = []
    real = netns.write_sysctl

    def write(path: str, value: str) -> None:
        written.append((path, value))
        real(path, value)

    monkeypatch.setattr(netns, "write_sysctl", write)
    async with served(kernel, tmp_path) as lab:
        await lab.draw(Drawing().cable("h1.eth0", "r1.lan 2001:db8:1::1/64"))
        for name in ("accept_ra", "autoconf"):
            assert written.count((f"net/ipv6/conf/default/{name}", "1")) == 2
        assert written.count(("net/ipv6/conf/default/accept_dad", "0")) == 1
        where = "/proc/sys/net/ipv6/conf/eth0/accept_ra"
        assert await lab.run("h1", "/usr/bin/cat", where) == "1\n"


async def test_a_lease_leaves_what_is_drawn(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = leasing().route("h1", "0.0.0.0/0", "10.0.1.9")
    drawing.document["interfaces"]["h1-eth0"]["addresses"] = ["10.0.1.5/24"]
    async with served(kernel, tmp_path) as lab:
        topology = await lab.draw(drawing)
        show = ("/usr/sbin/ip", "-4", "-brief", "address", "show", "eth0")
        said = await lab.see("h1", "10.0.1.5", *show)
        while said.count("/24") < 2:
            said = await lab.see("h1", "10.0.1.5", *show)
        routes = await lab.run("h1", "/usr/sbin/ip", "-4", "route", "show", "default")
        assert routes.count("default") == 1
        assert "via 10.0.1.9" in routes
        as_drawn(lab, topology)
