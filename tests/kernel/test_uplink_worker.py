"""Uplinks with the real worker, its database and its death, on a host of namespaces."""

from __future__ import annotations

import contextlib
import json
import signal
import sqlite3
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.kernel.outside import SERVER, Lab, Outside
from tests.kernel.privilege import needs_uid_ranges
from tests.kernel.test_worker_killed import ROOT, Site
from tests.unit.core.test_plan_uplink import drawing
from topoweb.core.topology.document import dump
from topoweb.kernel import netns
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = needs_uid_ranges  # of root: no one else opens uplinks
LAB = 2  # the first is the demo lab


class HostSite(Site):
    """A site whose worker lives in the host's namespace of `Outside`."""

    def __init__(self, data: Path, outside: Outside) -> None:
        super().__init__(data)
        self.outside = outside

    def worker(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "manage.py"), "worker"]
        self.workers.append(
            netns.run_inside(
                self.outside.host, lambda: subprocess.Popen(command, env=self.environment)
            )
        )
        return self.workers[-1]

    def said(self) -> tuple[str, str]:
        """Return phase and message of the lab, of one moment."""
        database = sqlite3.connect(f"file:{self.data}/topoweb.sqlite3?mode=ro", uri=True)
        with contextlib.closing(database):
            query = "SELECT phase, message FROM labs_labstatus WHERE lab_id = ?"
            phase, message = database.execute(query, (LAB,)).fetchone()
            return phase, message

    @contextlib.contextmanager
    def lab(self) -> Iterator[Lab]:
        kernel = LinuxKernel(self.run_dir)
        try:
            yield Lab(self.outside, kernel, LAB)
        finally:
            kernel.close()

    def reaches(self) -> bool:
        with self.lab() as lab:
            return lab.reaches(SERVER, timeout=2)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[HostSite]:
    with contextlib.ExitStack() as stack:
        site = HostSite(tmp_path / "data", Outside(stack))
        site.data.mkdir()
        site.manage("prepare")
        file = tmp_path / "out.json"
        file.write_text(json.dumps({**dump(drawing()), "name": "out"}))
        site.manage("lab", "import", str(file))
        try:
            yield site
        finally:
            site.end()
            netns.run_inside(site.outside.host, lambda: site.manage("cleanup"))


def test_from_grant_to_stop(site: HostSite) -> None:
    before = site.outside.ruleset()
    site.manage("uplink", "grant", str(LAB), "--hours", "1")
    site.manage("lab", "run", str(LAB), "--no-wait")
    worker = site.worker()
    site.until(lambda: site.row(LAB).phase == "running")
    site.until(lambda: "uplink" in site.features())
    assert site.features()["uplink"] == {"ok": True, "reason": "", "remedy": ""}
    assert site.reaches()

    worker.send_signal(signal.SIGKILL)
    worker.wait()
    opened = site.outside.ruleset()
    assert site.reaches()  # nobody is there but the kernel
    site.worker()
    site.manage("lab", "run", "1", "--no-wait")  # the new one is at work when this one runs
    site.until(lambda: site.row(1).phase == "running")
    assert site.outside.ruleset() == opened  # adopted as it is

    site.manage("uplink", "revoke", str(LAB))
    site.until(lambda: "closed" in site.said()[1])
    assert not site.reaches()
    assert site.row(LAB).phase == "running"
    with site.lab() as lab:
        lab.shell("h", "ping -c1 -W5 10.0.1.1")

    site.manage("uplink", "grant", str(LAB), "--hours", str(5 / 3600))
    site.until(lambda: site.said() == ("running", ""))
    assert site.reaches()
    site.until(lambda: "closed" in site.said()[1])  # nobody did anything
    assert not site.reaches()
    assert site.outside.ruleset() == before

    site.manage("uplink", "grant", str(LAB), "--hours", "1")
    site.until(lambda: site.said() == ("running", ""))
    site.manage("lab", "stop", str(LAB), "--no-wait")
    site.until(lambda: site.row(LAB).phase == "stopped")
    assert site.outside.ruleset() == before
