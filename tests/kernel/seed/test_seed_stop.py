"""S40: after Stop nothing is left, and what holds a namespace is named."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.kernel.seed.drawings import bridge, chain
from tests.kernel.seed.lab import LAB, own_links
from topoweb.kernel import spaces

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from tests.kernel.seed.lab import SeedLab


@contextmanager
def left_inside(lab: SeedLab, node: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that somebody forgot inside a node."""
    namespace = lab.namespace(node)
    try:
        process = subprocess.Popen(
            ["nsenter", f"--net=/proc/self/fd/{namespace}", "cat"],
            pass_fds=[namespace],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    finally:
        os.close(namespace)
    with process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(b"inside\n")
            process.stdin.flush()
            assert process.stdout.readline() == b"inside\n"
            yield process
        finally:
            process.kill()


async def test_s40_stop_removes_everything(lab: SeedLab) -> None:
    before = own_links()
    await lab.draw(chain())
    await lab.draw(bridge())
    assert await lab.verdict("net8", "192.177.1.3") == "reply 64"
    report = await lab.stop()
    assert (report.phase, report.failures) == ("stopped", ())
    assert lab.kernel.labs() == []
    assert lab.kernel.manifest(LAB) is None
    assert own_links() == before
    await lab.live.until(
        lambda: not any(node["present"] for node in lab.live.nodes.values()), "the canvas is empty"
    )


async def test_s40_process_left_inside_is_told_not_forgotten(
    lab: SeedLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spaces, "GONE_TIMEOUT", 0.3)
    await lab.draw(chain())
    with left_inside(lab, "net1") as process:
        generation = lab.begin(running=False)
        await lab.reported(lambda: lab.store.reports[-1].failures)
        told = lab.store.reports[-1]
        assert told.phase == "stopping"
        assert "net1" in told.message
        process.kill()
        process.wait()
        report = await lab.settled(generation)
    assert (report.phase, report.failures) == ("stopped", ())
    assert lab.kernel.labs() == []
