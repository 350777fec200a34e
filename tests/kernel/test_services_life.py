"""Services in real nodes: death, a killed worker, a stopped lab, a missing program."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kernel.serviceslab import ServedLab, served
from tests.unit.core.drawing import Drawing
from topoweb.engine.servicerecords import Records
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.services import recipes

pytestmark = pytest.mark.ok_suite
LAB = 7


def drawing() -> Drawing:
    drawn = Drawing().cable("h1.eth0 10.0.0.1/24", "h2.eth0 10.0.0.2/24")
    kinds: dict[str, tuple[str, dict[str, Any]]] = {
        "web": ("http", {}),
        "echo": ("echo", {}),
        "own": ("command", {"line": "setsid sleep 4242 & exec sleep 4243"}),
    }
    drawn.document["services"] = {
        key: {"node": "h1", "kind": kind, "options": options}
        for key, (kind, options) in kinds.items()
    }
    return drawn


def pids(run_dir: Path) -> dict[str, int]:
    records = Records(run_dir / "labs" / str(LAB))
    found = {key: records.get(key) for key in records.keys()}  # noqa: SIM118 - no mapping
    return {key: one.started.pid for key, one in found.items() if one}


def sleepers() -> list[str]:
    """Return the command lines of the sleeps above that live, wherever they are."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:1] == [b"sleep"] and words[1] in (b"4242", b"4243"):
            found.append(words[1].decode())
    return sorted(found)


async def page(lab: ServedLab) -> str:
    return await lab.run("h2", "/usr/bin/curl", "-sS", "http://10.0.0.1/")


async def test_death_restart_and_end_for_sure(kernel: LinuxKernel, tmp_path: Path) -> None:
    async with served(kernel, tmp_path) as lab:
        await lab.draw(drawing())
        await lab.running("web", "echo", "own")
        assert sleepers() == ["4242", "4243"]
        before = pids(tmp_path)
        os.kill(before["web"], signal.SIGKILL)
        await lab.until(lambda now: now["web"]["state"] == "running" and now["web"]["restarts"] > 0)
        await page(lab)
        os.kill(before["own"], signal.SIGKILL)
        await lab.until(lambda now: now["own"]["state"] == "running" and now["own"]["restarts"] > 0)
        assert sleepers() == ["4242", "4243"]  # the old one's child went with it
        after = drawing()
        after.document["services"]["own"]["up"] = False
        del after.document["services"]["echo"]
        await lab.draw(after)
        assert sleepers() == []
        assert list(pids(tmp_path)) == ["web"]
    assert not (tmp_path / "labs" / str(LAB) / "services.json").exists()


async def test_a_killed_worker_leaves_services_to_the_next(tmp_path: Path) -> None:
    code = "import asyncio, sys; from tests.kernel.test_services_life import work; "
    code += "asyncio.run(work(sys.argv[1]))"
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", code, str(tmp_path)),
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": "."},
    )
    assert worker.stdout
    async with asyncio.timeout(60):
        assert await worker.stdout.readline() == b"ready\n"
    worker.kill()
    await worker.wait()
    before = pids(tmp_path)
    assert set(before) == {"web", "echo", "own"}
    os.kill(before["echo"], signal.SIGKILL)  # one dies while nobody looks
    kernel = LinuxKernel(tmp_path)
    try:
        async with served(kernel, tmp_path) as lab:
            await lab.draw(drawing())
            await lab.running("web", "echo", "own")
            now = pids(tmp_path)
            assert {key for key in now if now[key] != before[key]} == {"echo"}
            assert lab.statuses["web"]["restarts"] == 0
            await page(lab)
        assert sleepers() == []
    finally:
        kernel.close()


async def work(run_dir: str) -> None:
    """Be a worker until killed."""
    async with served(LinuxKernel(Path(run_dir)), Path(run_dir)) as lab:
        await lab.draw(drawing())
        await lab.running("web", "echo", "own")
        print("ready", flush=True)
        await asyncio.Event().wait()


async def test_a_missing_program_fails_alone(
    kernel: LinuxKernel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("topoweb.kernel.services.small.IPERF3", "/usr/bin/no-such-iperf3")
    drawn = drawing()
    drawn.document["services"]["perf"] = {"node": "h1", "kind": "iperf3", "options": {}}
    assert "perf" in recipes(drawn.parse())
    async with served(kernel, tmp_path) as lab:
        await lab.draw(drawn)
        await lab.running("web", "echo")
        await lab.until(lambda now: now.get("perf", {}).get("state") == "failed")
        assert "package iperf3" in lab.statuses["perf"]["message"]
        await page(lab)
