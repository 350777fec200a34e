"""The worker is killed while services run and a terminal is open: everything else goes on."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.benchmarks._terminals import PROMPT, Server
from tests.browser.product import _descendants, served
from tests.kernel.privilege import needs_uid_ranges
from tests.kernel.sandboxed import wait_for
from tests.unit.core.drawing import Drawing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks._terminals import Socket
    from tests.browser.product import Product

PATIENCE = 60.0  # seconds; a busy machine is slow
PAGE = "curl -sS --max-time 5 http://10.0.2.2/"
OF_SERVICES = re.compile("/run/topoweb/|/usr/lib/frr/")


def drawing() -> dict[str, Any]:
    """A host, a router that speaks OSPF, and a host with a page."""
    drawn = (
        Drawing(auto_address=False)
        .cable("h1.eth0 10.0.1.2/24", "r1.a 10.0.1.1/24")
        .cable("h2.eth0 10.0.2.2/24", "r1.b 10.0.2.1/24")
        .route("h1", "0.0.0.0/0", "10.0.1.1")
        .route("h2", "0.0.0.0/0", "10.0.2.1")
    )
    ospf = {"ospf": [{"prefix": "10.0.0.0/8"}]}
    drawn.document["services"] = {
        "web": {"node": "h2", "kind": "http", "options": {}},
        "frr": {"node": "r1", "kind": "frr", "options": ospf},
    }
    return drawn.document


class Lab:
    """A running lab of `drawing`, seen from outside."""

    def __init__(self, product: Product, number: int) -> None:
        self.product, self.number = product, number
        self._path = product.run / "labs" / str(number)

    def services(self) -> dict[str, int]:
        """Return the pid of each service, as it is written down for the next worker."""
        try:
            found = json.loads((self._path / "services.json").read_text())["services"]
        except FileNotFoundError:
            return {}
        return {key: one["pid"] for key, one in found.items()}

    def programs(self) -> set[tuple[int, str]]:
        """Return pid and command line of what services run in the router and the page's host."""
        namespaces = json.loads((self._path / "manifest.json").read_text())["namespaces"]
        inodes = {namespaces[node]["inode"] for node in ("r1", "h2")}
        found = set()
        for path in Path("/proc").glob("[0-9]*"):
            try:
                line = (path / "cmdline").read_text()
                if OF_SERVICES.search(line) and (path / "ns/net").stat().st_ino in inodes:
                    found.add((int(path.name), line))
            except OSError:
                continue  # it has just ended
        return found

    def shows_its_page(self) -> bool:
        page = self.product.inside(self.number, "h1", "sh", "-c", f"{PAGE} || true")
        return "<h1>h2</h1>" in page

    def serves(self) -> bool:
        ospf = any("ospfd" in line for _, line in self.programs())
        return len(self.services()) == 2 and ospf and self.shows_its_page()


async def fetch(socket: Socket) -> None:
    """Get the page by the terminal."""
    socket.output.clear()
    socket.type(f"{PAGE}; echo en''d\n".encode())
    await socket.until(lambda: b"end\r\n" in socket.output)
    assert b"<h1>h2</h1>" in socket.output


@contextlib.contextmanager
def killed(product: Product) -> Iterator[None]:
    """Kill the worker; another comes when the block ends."""
    found = _descendants(product.process.pid).items()
    (worker,) = [pid for pid, line in found if "manage.py worker" in line]
    product.process.send_signal(signal.SIGSTOP)
    try:
        os.kill(worker, signal.SIGKILL)
        yield
    finally:
        product.process.send_signal(signal.SIGCONT)


@needs_uid_ranges  # several processes
async def test_services_and_forwarding_go_on_and_are_adopted() -> None:
    with served(rootless=False) as product:
        server = Server(product)
        lab = Lab(product, await asyncio.to_thread(server.run, drawing()))
        try:
            await asyncio.to_thread(wait_for, lab.serves, PATIENCE)
            async with server.socket(lab.number) as socket:
                await socket.shell("h1")
                await fetch(socket)
                services, programs = lab.services(), lab.programs()
                with killed(product):
                    assert lab.shows_its_page()
                    assert lab.programs() == programs
                await comes_back(socket)
                await fetch(socket)
                assert lab.services() == services
                await asyncio.to_thread(is_looked_after, lab, services, programs)
        finally:
            await asyncio.to_thread(server.call, "DELETE", f"/labs/{lab.number}")


async def comes_back(socket: Socket) -> None:
    """Wait for the new shell, and the note that says so."""
    socket.notices = True
    await socket.until(lambda: socket.texts[-1]["type"] == "opened" and socket.texts[1:])
    codes = [text["code"] for text in socket.texts if text["type"] == "notice"]
    assert codes == ["stream-away", "stream-back"]
    await socket.until(lambda: PROMPT in socket.output)


def is_looked_after(lab: Lab, services: dict[str, int], programs: set[tuple[int, str]]) -> None:
    """The new worker starts again what dies, and that alone."""
    os.kill(services["web"], signal.SIGKILL)
    wait_for(lambda: lab.services().get("web", services["web"]) != services["web"], PATIENCE)
    wait_for(lab.shows_its_page, PATIENCE)
    assert lab.services()["frr"] == services["frr"]
    ended, begun = programs - lab.programs(), lab.programs() - programs
    assert {pid for pid, _ in ended} == {services["web"]}
    assert [pid for pid, _ in begun] == [lab.services()["web"]]
