"""A lab of the exam on the real kernel, built by the product and traced by the product's tracer."""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec

from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.topology.validate import validate
from topoweb.core.tracing import pcapng
from topoweb.engine.reconcile import carries
from topoweb.engine.tracing import Tracing
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.netns import run_inside
from topoweb.kernel.probe import probe
from topoweb.kernel.trace.facts import LinuxFacts
from topoweb.kernel.trace.wake import notify
from topoweb.protocol.frames import Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.verdicts.case import Send
    from topoweb.core.topology.model import Topology
    from topoweb.engine.capture import CaptureSource

PROBES = {"icmp": "ping", "tcp": "tcp", "udp": "udp"}
DEADLINE = 20.0  # seconds for a trace; its own end comes after 10


class Session:
    """A reader of the TRACE stream that sends the packet when it is told to."""

    def __init__(self, lab: int, send: Send, act: Callable[[], object]) -> None:
        self.token = SimpleNamespace(lab=lab)
        self.params = {
            "source": send.source,
            "target": send.target,
            "protocol": send.protocol,
            "port": send.port,
        }
        self.messages: dict[str, dict[str, Any]] = {}
        self.traces: dict[int, dict[str, Any]] = {}
        self._act = act
        self.sent: asyncio.Task[object] | None = None

    async def ready(self) -> None:
        """Take whatever comes."""

    async def send(self, payload: bytes) -> None:
        message = msgspec.json.decode(payload)
        self.messages[message["type"]] = message
        if message["type"] == "trace":
            self.traces[message["trace"]["packet"]] = message["trace"]
        if message["type"] == "armed":
            self.sent = asyncio.create_task(asyncio.to_thread(self._act))


class Rig:
    """One lab at a time, made new for each case."""

    def __init__(self, run_dir: Path, source: CaptureSource, lab: int = 61) -> None:
        self.lab = lab
        self.kernel = LinuxKernel(run_dir)
        self.run_dir = run_dir
        self._tracing = Tracing(
            source, pcapng.blocks, facts=lambda number: LinuxFacts(run_dir, number, max_age=0.2)
        )
        self._open = ExitStack()

    def start(self) -> None:
        """Start the tracer. From the event loop."""
        self._tracing.start()

    async def close(self) -> None:
        await self._tracing.stop()
        await self.clear()
        self.kernel.close()

    async def build(self, topology: Topology) -> None:
        """Bring a drawing into the kernel, as the worker does."""
        wrong = [p.message for p in validate(topology) if p.severity == "error"]
        assert wrong == [], wrong
        await asyncio.to_thread(self._apply, topology)
        notify(self.run_dir, self.lab)

    def _apply(self, topology: Topology) -> None:
        desired = expand(self.lab, topology)
        plan = diff(desired, self.kernel.observe(self.lab))
        result = self.kernel.apply(self.lab, plan.steps, lambda _: None, lambda: False)
        assert not result.failures, result.failures

    async def settled(self) -> None:
        """Wait until all cables carry."""
        for _ in range(2000):
            if carries(await asyncio.to_thread(self.kernel.observe, self.lab)):
                return
            await asyncio.sleep(0.005)
        raise AssertionError("cables do not come up")

    async def clear(self) -> None:
        """Take the lab and all that listens in it away."""
        self._open.close()
        self._open = ExitStack()
        if self.kernel.manifest(self.lab) is not None:
            await asyncio.to_thread(self.kernel.destroy, self.lab)
            notify(self.run_dir, self.lab)
        self.lab += 1  # what the tracer has not read yet of this one is not of the next

    def run(self, order: str) -> subprocess.CompletedProcess[str]:
        """Run "node: program arguments" in the node's network namespace."""
        return subprocess.run(self._command(order), capture_output=True, text=True, timeout=30)

    def _command(self, order: str) -> list[str]:
        node, _, command = order.partition(": ")
        manifest = self.kernel.manifest(self.lab)
        assert manifest is not None
        path = manifest.holder.descriptor_path(manifest.namespaces[node].slot)
        return ["nsenter", f"--net={path}", *shlex.split(command)]

    def must(self, orders: Iterable[str]) -> None:
        for order in orders:
            done = self.run(order)
            assert done.returncode == 0, f"{order}: {done.stdout}{done.stderr}"

    def listen(self, node: str, protocol: str, port: int, address: str = "") -> None:
        """Open a port until the lab is cleared."""
        kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM

        def make() -> socket.socket:
            made = socket.socket(socket.AF_INET, kind)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel's least
            made.bind((address, port))
            if protocol == "tcp":
                made.listen(4096)
            return made

        fd = self.kernel.open_namespace(self.lab, node)
        try:
            self._open.enter_context(run_inside(fd, make))
        finally:
            os.close(fd)

    def set_host(self, name: str, value: str) -> None:
        """Set one of the host's settings until the lab is cleared."""
        path = Path("/proc/sys", name.replace(".", "/"))
        before = path.read_text()
        self._open.callback(path.write_text, before)
        path.write_text(value)

    def serve(self, order: str) -> None:
        """Run a program in a node until the lab is cleared."""
        program = subprocess.Popen(
            self._command(order), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._open.callback(program.wait)
        self._open.callback(program.kill)

    def send(self, send: Send) -> object:
        """Send it, in the calling thread."""
        if send.by:
            return self.run(f"{send.source}: {send.by}")
        fd = self.kernel.open_namespace(self.lab, send.source)
        try:
            return probe(fd, PROBES[send.protocol], send.target, port=send.port, count=1)
        finally:
            os.close(fd)

    async def trace(self, send: Send) -> Session:
        """Foretell, send and follow a packet through the product's TRACE stream."""
        session = Session(self.lab, send, lambda: self.send(send))
        streams: Any = self._tracing.handlers
        async with asyncio.timeout(DEADLINE):
            await streams[Stream.TRACE](session)
        if session.sent is not None:
            await session.sent
        return session
