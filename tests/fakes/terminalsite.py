"""A terminal service on a real socket, with its lab of two nodes and its viewers."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.sandboxes import LocalSandboxes
from tests.fakes.viewer import PATIENCE, Viewer
from topoweb.core.plan.state import LabState, NamespaceState
from topoweb.core.topology.model import Node, Topology
from topoweb.engine.streams import StreamServer
from topoweb.engine.terminals import TerminalService
from topoweb.protocol.frames import TERMINAL_OUTPUT, Stream

SECRET = b"s" * 32
LAB, USER = 3, 7


class Site:
    """A terminal service, its socket and its lab of two nodes."""

    def __init__(self, path):
        self.path = path
        self.sandboxes = LocalSandboxes()
        self.viewers = []

    async def start(self, **options):
        self.service = TerminalService(self.sandboxes, shell="/bin/sh", **options)
        self.server = StreamServer({Stream.TERMINAL: self.service.stream}, SECRET)
        await self.server.start(self.path)
        self.lab("h1", "h2")

    def lab(self, *nodes):
        """Say which nodes run; none: the lab does not."""
        topology = Topology(nodes={node: Node(kind="host", name=f"name-{node}") for node in nodes})
        desired = LabState(namespaces={node: NamespaceState() for node in nodes})
        self.service.desired(LAB, topology, desired if nodes else None)

    async def viewer(self, *, node="h1", identity=None, size=(80, 24), credit=None, **token):
        viewer = await Viewer.connect(self.path)
        self.viewers.append(viewer)
        what = {"lab": LAB, "user": USER, "write": True, **token}
        viewer.open(SECRET, node, identity, size, **what)
        viewer.grant(TERMINAL_OUTPUT if credit is None else credit)
        return viewer

    async def stop(self):
        for viewer in self.viewers:
            await viewer.leave()
        await self.server.stop()
        await self.service.stop()
        assert not self.sandboxes.left(), "programs are left"


def descriptors():
    """Terminals and pidfds that this process has open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    names = [str(link.readlink()) for link in links]
    return sorted(name for name in names if "ptmx" in name or "pidfd" in name)


async def reached(condition):
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - the service has no event for it
            await asyncio.sleep(0.005)


@pytest.fixture
async def site(tmp_path):
    before = descriptors()
    one = Site(tmp_path / "s.sock")
    await one.start()
    yield one
    await one.stop()
    assert descriptors() == before


def running(site, *program):
    site.sandboxes.program = program
