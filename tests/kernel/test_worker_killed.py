"""The worker as a process of its own: SIGKILL in the middle of an apply, SIGTERM, cleanup."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.topology.document import parse
from topoweb.kernel import manifest
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
DEADLINE = 120.0  # seconds; a busy machine is slow, a broken worker is never done
DEMO, LARGE = 1, 2
HOSTS = 500
ANSWER = re.compile(r"bytes from .* icmp_seq=(\d+) ")


class Row(NamedTuple):
    phase: str
    steps_done: int
    updated: str


class Site:
    """A data directory with a database, and the commands of a person who uses it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.run_dir = data / "run"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TOPOWEB_", "PYTEST_"))}
        self.environment = {**kept, "TOPOWEB_DATA": str(data), "TOPOWEB_LOG": "WARNING"}
        self.workers: list[subprocess.Popen[bytes]] = []

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def worker(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "manage.py"), "worker"]
        self.workers.append(subprocess.Popen(command, env=self.environment))
        return self.workers[-1]

    def row(self, lab: int) -> Row:
        query = "SELECT phase, steps_done, updated FROM labs_labstatus WHERE lab_id = ?"
        return Row(*self._select(query, lab))

    def features(self) -> dict[str, dict[str, object]]:
        return json.loads(self._select("SELECT features FROM hosts_workerhost")[0])

    def _select(self, query: str, *values: int) -> tuple[Any, ...]:
        database = sqlite3.connect(f"file:{self.data}/topoweb.sqlite3?mode=ro", uri=True)
        with contextlib.closing(database):
            return database.execute(query, values).fetchone()

    def namespaces(self, lab: int) -> int:
        found = manifest.read(self.run_dir, lab)
        return len(found.namespaces) if found else 0

    def document(self, lab: int) -> object:
        return json.loads(self.manage("lab", "export", str(lab)))

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert all(worker.poll() in (None, 0, -signal.SIGKILL) for worker in self.workers)
            assert time.monotonic() < deadline, [self.row(lab) for lab in (DEMO, LARGE)]
            time.sleep(0.002)

    def end(self) -> None:
        for worker in self.workers:
            worker.kill()
            worker.wait()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path / "data")
    site.data.mkdir()
    site.manage("prepare")  # the demo lab is two subnets and a router
    drawing = tmp_path / "large.json"
    drawing.write_text(json.dumps(star(HOSTS)))
    site.manage("lab", "import", str(drawing))
    try:
        yield site
    finally:
        site.end()
        site.manage("cleanup")


def star(hosts: int) -> dict[str, object]:
    """Return the document of a switch with so many hosts around it."""
    nodes: dict[str, object] = {"s": {"kind": "switch", "name": "s"}}
    interfaces, links = {}, {}
    for n in range(hosts):
        nodes[f"n{n}"] = {"kind": "host", "name": f"h{n}"}
        address = f"10.30.{n // 250}.{n % 250 + 1}/16"
        interfaces[f"i{n}"] = {"node": f"n{n}", "name": "eth0", "addresses": [address]}
        interfaces[f"p{n}"] = {"node": "s", "name": f"p{n}"}
        links[f"l{n}"] = {"a": f"i{n}", "b": f"p{n}"}
    head = {"format": "topoweb", "version": 1, "name": "large", "auto_address": False}
    return {**head, "nodes": nodes, "interfaces": interfaces, "links": links}


@contextlib.contextmanager
def pings(site: Site, source: str, target: str) -> Iterator[Callable[[int], None]]:
    """Ping all the while; yield a function that waits for so many more replies."""
    where = manifest.read(site.run_dir, DEMO)
    assert where is not None
    path = where.holder.descriptor_path(where.namespaces[source].slot)
    command = ["nsenter", f"--net={path}", "ping", "-n", "-i", "0.05", target]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as ping:
        assert ping.stdout is not None

        seen: list[int] = []

        def replies(number: int) -> None:
            until = len(seen) + number
            while len(seen) < until:
                seen.extend(map(int, ANSWER.findall(ping.stdout.readline())))

        try:
            replies(1)
            yield replies
        finally:
            ping.send_signal(signal.SIGINT)
            seen.extend(map(int, ANSWER.findall(ping.stdout.read())))
    assert seen == list(range(1, len(seen) + 1)), "an answer is missing"


def test_killed_in_the_middle_it_converges_and_labs_forward_all_the_while(site: Site):
    drawings = [site.document(lab) for lab in (DEMO, LARGE)]
    site.manage("lab", "run", str(DEMO), "--no-wait")
    worker = site.worker()
    site.until(lambda: site.row(DEMO).phase == "running")
    with pings(site, "pc1", "10.20.2.12") as replies:
        site.manage("lab", "run", str(LARGE), "--no-wait")
        for made in (0, HOSTS, HOSTS):  # namespaces that there are when the worker is killed
            known = site.row(LARGE)
            site.until(lambda: site.row(LARGE) != known)  # noqa: B023 - called at once
            site.until(lambda: site.namespaces(LARGE) >= made)  # noqa: B023
            worker.kill()
            worker.wait()
            assert site.row(LARGE).phase in ("starting", "changing")
            replies(5)  # nobody is there but the kernel
            worker = site.worker()
        site.until(lambda: site.row(LARGE).phase == "running")
        kernel = LinuxKernel(site.run_dir)
        try:
            for lab, drawing in zip((DEMO, LARGE), drawings, strict=True):
                assert not diff(expand(lab, parse(drawing)), kernel.observe(lab))
                assert site.document(lab) == drawing
        finally:
            kernel.close()
        worker.terminate()
        assert worker.wait(DEADLINE) == 0
        replies(5)


def test_only_one_worker_a_run_directory(site: Site):
    site.worker()
    lock = site.run_dir / "worker.lock"
    site.until(lambda: lock.exists() and lock.read_text() == str(site.workers[0].pid))
    second = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), "worker"],
        env=site.environment,
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert second.returncode == 1
    assert f"pid {site.workers[0].pid}" in second.stderr


def test_a_probe_by_the_command_line_and_the_host_in_its_row(site: Site):
    site.manage("lab", "run", str(DEMO), "--no-wait")
    site.worker()
    site.until(lambda: site.row(DEMO).phase == "running")
    ping = ["lab", "--json", "probe", str(DEMO), "ping", "pc1", "pc4", "--count", "1"]
    result = json.loads(site.manage(*ping))["result"]
    assert (result["verdict"], result["ttl"]) == ("reply", 63)
    site.until(lambda: site.features() != {})
    assert site.features()["veth"]["ok"] is True


def test_cleanup_says_what_it_removes_and_removes_it(site: Site):
    site.manage("lab", "run", str(DEMO), "--no-wait")
    worker = site.worker()
    site.until(lambda: site.row(DEMO).phase == "running")
    worker.terminate()
    assert worker.wait(DEADLINE) == 0
    assert site.manage("cleanup", "--dry-run") == f"would remove lab {DEMO}: 7 namespaces\n"
    assert site.manage("cleanup") == f"removed lab {DEMO}: 7 namespaces\n"
    assert site.manage("cleanup") == "nothing of ours is here\n"
    assert manifest.read(site.run_dir, DEMO) is None
