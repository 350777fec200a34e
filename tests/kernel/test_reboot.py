"""The machine is started anew: labs are shown stopped, and run again with all their addresses."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.kernel import plans
from tests.kernel.sandboxed import wait_for
from tests.kernel.serviceslab import served
from tests.kernel.test_services_addresses import leasing
from tests.kernel.test_worker_killed import DEMO, Site
from topoweb.kernel import manifest
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EARLIER = "00000000-0000-0000-0000-000000000000"
MAC = re.compile(r"^\d+: ([^:@]+)\S* .* link/\w+ ([0-9a-f:]{17}) brd", re.MULTILINE)
ADDRESS = re.compile(r"^\d+: (\S+) +inet6? (\S+)", re.MULTILINE)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "data")
    site.data.mkdir()
    site.manage("prepare")
    try:
        yield site
    finally:
        site.end()
        site.manage("cleanup")


def written_on(kernel: LinuxKernel, lab: int) -> dict[str, set[tuple[str, str]]]:
    """Return the MACs and addresses of each node by interface; the kernel's own ones too."""
    found = kernel.manifest(lab)
    assert found
    return {
        node: {
            *MAC.findall(plans.inside(kernel, node, "ip -o link", lab)),
            *ADDRESS.findall(plans.inside(kernel, node, "ip -o addr", lab)),
        }
        for node in found.namespaces
    }


def read(site: Site) -> dict[str, set[tuple[str, str]]]:
    kernel = LinuxKernel(site.run_dir)
    try:
        return written_on(kernel, DEMO)
    finally:
        kernel.close()


def reboot(site: Site) -> None:
    """Leave what a machine has after it was started anew: files of another boot, and no lab."""
    site.workers[-1].kill()
    site.workers[-1].wait()
    found = manifest.read(site.run_dir, DEMO)
    assert found
    found.holder.kill()
    path = manifest.path_of(site.run_dir, DEMO)
    path.write_text(json.dumps({**json.loads(path.read_text()), "boot_id": EARLIER}))
    with contextlib.closing(sqlite3.connect(site.data / "topoweb.sqlite3")) as database:
        assert database.execute("UPDATE hosts_workerhost SET boot_id = ?", [EARLIER]).rowcount == 1
        database.commit()


def test_labs_are_shown_stopped_and_run_again_as_they_were(site: Site) -> None:
    site.manage("lab", "run", str(DEMO), "--no-wait")
    site.worker()
    site.until(lambda: site.row(DEMO).phase == "running")
    before = read(site)
    drawn = {item for of in before.values() for item in of}
    assert ("eth0", "10.20.1.11/24") in drawn
    assert any(address.startswith("fe80::") for _, address in drawn)
    reboot(site)
    site.worker()
    site.until(lambda: site.row(DEMO).phase == "stopped")
    site.manage("lab", "run", str(DEMO), "--no-wait")
    site.until(lambda: site.row(DEMO).phase == "running")
    assert read(site) == before


async def test_hosts_are_leased_the_same_addresses(kernel: LinuxKernel, tmp_path: Path) -> None:
    """The server has forgotten them: it finds them by the MACs."""
    hosts = ("h1", "h2")

    def leased() -> list[set[tuple[str, str]]]:
        return [
            {one for one in written_on(kernel, plans.LAB)[host] if one[1].startswith("10.0.1.")}
            for host in hosts
        ]

    seen = []
    for _ in range(2):
        async with served(kernel, tmp_path) as lab:
            await lab.draw(leasing())
            await asyncio.to_thread(wait_for, lambda: all(leased()))
            seen.append(leased())
    assert seen[0] == seen[1]
    assert seen[0][0] != seen[0][1]
