"""The supervisor restarts what dies and ends what it started."""

import asyncio
import os
import signal
import sys

from topoweb.worker.launch import processes
from topoweb.worker.launch.processes import Child, Supervisor

PROGRAM = "import sys, time; open(sys.argv[1], 'a').write('x'); time.sleep(600)"


async def _until(condition):
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a file of another process is the condition
            await asyncio.sleep(0.02)


async def test_a_child_that_dies_is_started_again_and_stopped_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "BACKOFF", (0.01,))
    marks = tmp_path / "marks"
    supervisor = Supervisor()
    child = Child("child", [sys.executable, "-c", PROGRAM, str(marks)], dict(os.environ))
    await supervisor.start(child)
    await _until(lambda: marks.exists() and marks.read_text() == "x")
    first = child.process.pid
    os.kill(first, signal.SIGKILL)
    await _until(lambda: marks.read_text() == "xx")
    assert child.process.pid != first
    await supervisor.stop()
    assert child.process.returncode == -signal.SIGTERM
    assert marks.read_text() == "xx"
