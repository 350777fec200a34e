"""Terminals in real sandboxes, by the stream socket: the shell of a node, hung up with it."""

from __future__ import annotations

import asyncio
import hashlib
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.fakes.viewer import Viewer
from tests.kernel.plans import LAB, apply, errors, two_hosts
from topoweb.core.limits import Limits
from topoweb.core.plan.state import LabState, NamespaceState
from topoweb.core.topology.model import Node, Topology
from topoweb.engine.housing import Housing
from topoweb.engine.streams import StreamServer
from topoweb.engine.terminals import TerminalService
from topoweb.protocol.frames import TERMINAL_OUTPUT, Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from topoweb.kernel.lab import LinuxKernel

SECRET = b"k" * 32
NODES = ("n1", "n2")
SHELL = "\x1b[1;"  # begins the prompt


class Site:
    """A lab of two hosts with terminals."""

    def __init__(self, kernel: LinuxKernel, path: Path) -> None:
        self.kernel, self.path = kernel, path
        self.viewers: list[Viewer] = []

    async def start(self) -> None:
        sandboxes = self.kernel.sandboxes
        self.service = TerminalService(sandboxes)
        self.housing = Housing(sandboxes, lambda _lab: Limits())
        self.housing.also(self.service.desired)
        self.server = StreamServer({Stream.TERMINAL: self.service.stream}, SECRET)
        await self.server.start(self.path)
        self.lab(*NODES)

    def lab(self, *nodes: str) -> None:
        topology = Topology(nodes={node: Node(kind="host", name=f"pc-{node}") for node in nodes})
        desired = LabState(namespaces={node: NamespaceState() for node in nodes})
        self.housing.desired(LAB, topology, desired if nodes else None)

    async def viewer(self, node: str = "n1", identity: str | None = None) -> Viewer:
        viewer = await Viewer.connect(self.path)
        self.viewers.append(viewer)
        viewer.open(SECRET, node, identity, (91, 33), lab=LAB, user=1, write=True)
        viewer.grant(TERMINAL_OUTPUT)
        return viewer

    async def shell(self, node: str = "n1") -> Viewer:
        viewer = await self.viewer(node)
        await viewer.shows(SHELL)
        return viewer

    async def stop(self) -> None:
        for viewer in self.viewers:
            await viewer.leave()
        await self.server.stop()
        await self.housing.close()
        await self.service.stop()


@pytest.fixture
async def site(kernel: LinuxKernel, tmp_path: Path) -> AsyncIterator[Site]:
    assert errors(await asyncio.to_thread(apply, kernel, *two_hosts())) == []
    one = Site(kernel, tmp_path / "s.sock")
    await one.start()
    try:
        yield one
    finally:
        await one.stop()
        await asyncio.to_thread(kernel.destroy, LAB)


async def ask(viewer: Viewer, line: str) -> str:
    """Type a line and return what it says."""
    before = len(viewer.output)
    viewer.type(f"{line}; echo en''d\n")
    await viewer.until(lambda: b"end\r\n" in viewer.output[before:])
    return viewer.output[before:].decode()


async def test_a_shell_in_a_node_names_it_and_knows_its_size(site: Site) -> None:
    viewer = await site.shell()
    prompt = re.search(rb"\x1b\[1;3\dmpc-n1\x1b\[0m:~# ", viewer.output)
    assert prompt, viewer.output
    said = await ask(viewer, "stty size; tty; hostname; echo $TERM $0")
    assert "33 91" in said
    assert "/dev/pts/0" in said
    assert "\r\npc-n1\r\n" in said
    assert "xterm-256color" in said
    assert "bash" in said
    viewer.tell(resize=[120, 40])
    assert "40 120" in await ask(viewer, "stty size")
    viewer.type("exit 3\n")
    assert (await viewer.said("ended"))["status"] in (3, -1)  # -1 before Linux 6.15


async def test_several_terminals_of_a_node_and_control_keys(site: Site) -> None:
    one, two = await site.shell(), await site.shell()
    assert "/dev/pts/1" in await ask(two, "tty")
    one.type("sleep 4321\n")
    async with asyncio.timeout(20):
        while "sleep 4321" not in (await ask(two, "ps ax | grep 'sleep 43[2]1'")):
            pass
    one.type("\x03")
    assert "130" in await ask(one, "echo $?")


async def test_a_flood_pauses_and_loses_nothing(site: Site) -> None:
    viewer = await site.shell()
    script = (
        "import hashlib,os,sys,tty; tty.setraw(1); d=os.urandom(2000000); "
        "w=sys.stdout.buffer; w.write(b'BEGIN'+d); w.write(hashlib.sha256(d).digest()+b'FINIS')"
    )
    viewer.type(f'python3 -c "{script}"\n')
    await viewer.until(lambda: b"FINIS" in viewer.output[-200:] and len(viewer.output) > 2_000_000)
    begun = viewer.output.rindex(b"BEGIN", 0, 3000) + 5
    shown, digest = viewer.output[begun : begun + 2_000_000], viewer.output[begun + 2_000_000 :]
    assert digest.startswith(hashlib.sha256(shown).digest() + b"FINIS")


async def test_leaving_and_coming_back(site: Site) -> None:
    viewer = await site.shell()
    identity = (await viewer.said("opened"))["terminal"]
    await ask(viewer, "echo remembered; export X=still-here")
    await viewer.leave()
    back = await site.viewer(identity=identity)
    await back.shows("remembered")
    assert "still-here" in await ask(back, "echo $X")


async def test_hung_up_with_end_and_with_the_lab(site: Site) -> None:
    one, two = await site.shell(), await site.shell("n2")
    one.tell(end=True)
    await one.said("ended")
    site.lab()
    assert (await two.said("ended"))["message"] == "The lab was stopped."


async def test_a_lab_that_is_destroyed_ends_its_terminals(site: Site) -> None:
    viewer = await site.shell()
    await asyncio.to_thread(site.kernel.destroy, LAB)
    assert (await viewer.said("ended"))["status"] in (137, -1, 129)


async def test_a_node_that_does_not_run(site: Site) -> None:
    site.service._names[LAB] = {**site.service._names.get(LAB, {}), "n9": "n9"}
    viewer: Any = await site.viewer("n9")
    assert await viewer.close_code() == "not_found"


async def test_escapes_from_one_terminal_do_not_reach_another(site: Site) -> None:
    """What a program writes on its terminal stays there; another's pty is not writable by name."""
    one, two = await site.shell(), await site.shell("n2")
    await ask(one, "printf '\\033]52;c;ZXZpbA==\\007' > /dev/pts/0; ls /dev/pts")
    before = len(two.output)
    assert "end" in await ask(two, "true")
    assert b"\x1b]52" not in two.output[before:]
