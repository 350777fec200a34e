"""Services of one small program, each used from another node."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.serviceslab import served
from tests.unit.core.drawing import Drawing

if TYPE_CHECKING:
    from pathlib import Path

    from topoweb.kernel.lab import LinuxKernel

pytestmark = pytest.mark.ok_suite


def serving(node: str = "h1", **services: tuple[str, dict[str, Any]]) -> Drawing:
    """Two hosts; services by id on one of them."""
    drawing = Drawing().cable("h1.eth0 10.0.0.1/24", "h2.eth0 10.0.0.2/24")
    drawing.document["services"] = {
        key: {"node": node, "kind": kind, "options": options}
        for key, (kind, options) in services.items()
    }
    return drawing


async def test_page_echo_iperf3_and_command(kernel: LinuxKernel, tmp_path: Path) -> None:
    drawing = serving(
        web=("http", {"port": 8080, "text": "<b>bold</b>"}),
        echo=("echo", {}),
        perf=("iperf3", {}),
        own=("command", {"line": "echo begin; exec nc -lk 10.0.0.1 9000"}),
    )
    async with served(kernel, tmp_path) as lab:
        await lab.draw(drawing)
        await lab.running("web", "echo", "perf", "own")
        page = await lab.run("h2", "/usr/bin/curl", "-sS", "http://10.0.0.1:8080/")
        assert "<h1>h1</h1>" in page
        assert "&lt;b&gt;bold" in page
        tcp = await lab.run("h2", "/usr/bin/nc", "10.0.0.1", "7", stdin=b"hello")
        assert tcp == "hello"
        udp = await lab.run(
            "h2", "/usr/bin/socat", "-t1", "-", "UDP4:10.0.0.1:7", stdin=b"datagram"
        )
        assert udp == "datagram"
        said = await lab.run("h2", "/usr/bin/iperf3", "-c", "10.0.0.1", "-t", "1", "-J")
        assert '"sum_received"' in said
        assert kernel.sandboxes.log(7, "service-own", 100) == b"begin\n"
