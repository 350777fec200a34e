"""The product from drawing to canvas, put together as the worker and the tracer do.

Real: the engine's supervisor, the kernel, the prober, the live view, the tracer. In memory: the
database. Left out: the sockets between the processes, which have tests of their own.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from typing import TYPE_CHECKING, Any

from tests.fakes.store import MemoryStore
from tests.kernel import plans
from tests.kernel.seed.readers import DEADLINE, Answer, File, Live, Packets, Rows
from topoweb.core.topology.document import parse
from topoweb.core.topology.model import Topology
from topoweb.core.topology.operations import apply
from topoweb.core.topology.validate import validate
from topoweb.core.tracing import pcapng
from topoweb.engine.live import LiveService
from topoweb.engine.ports import ProbeRequest
from topoweb.engine.supervisor import Supervisor
from topoweb.engine.tracing import Tracing
from topoweb.kernel.monitor import LabMonitor
from topoweb.kernel.trace.afpacket import AfPacketSource
from topoweb.kernel.trace.facts import LinuxFacts
from topoweb.kernel.trace.wake import notify
from topoweb.protocol.frames import Stream
from topoweb.worker.prober import LinuxProber

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.kernel.seed.drawings import Document, Operation
    from topoweb.core.plan.state import DeviceState, LabState
    from topoweb.engine.ports import Report
    from topoweb.kernel.lab import LinuxKernel

LAB = 12
RESTING = ("running", "stopped", "failed")


class SeedLab:
    """One lab of the tutorial, watched and captured from the beginning."""

    def __init__(self, run_dir: Path, kernel: LinuxKernel) -> None:
        self.kernel = kernel
        self.store = MemoryStore()
        self.topology = Topology()
        self._run_dir = run_dir
        self._source = AfPacketSource(run_dir)
        self._tracing = Tracing(
            self._source, pcapng.blocks, facts=lambda lab: LinuxFacts(run_dir, lab)
        )
        self._streams: Mapping[Stream, Any] = self._tracing.handlers  # our readers are no Session
        self._service: Any = LiveService(lambda deliver: LabMonitor(run_dir, deliver))
        self._supervisor = Supervisor(
            kernel, self.store, LinuxProber(kernel), listener=self._listen, sweep_interval=3600
        )
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._probe_ids = itertools.count(1)

    def _listen(
        self, lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
    ) -> None:
        self._service.desired(lab, topology, desired, applying=applying)
        if not applying:
            notify(self._run_dir, lab)

    async def start(self) -> None:
        await self._service.start()
        self._tracing.start()
        self.live, self.packets = Live(LAB), Packets(LAB)
        self._tasks = [
            asyncio.create_task(self._service.stream(self.live)),
            asyncio.create_task(self._streams[Stream.PACKETS](self.packets)),
            asyncio.create_task(self._supervisor.run(self._stop)),
        ]
        await self.packets.until(lambda: self.packets.started, "the capture runs")

    async def close(self) -> None:
        self._stop.set()
        *streams, supervisor = self._tasks
        await supervisor
        for task in streams:
            task.cancel()
        await asyncio.gather(*streams, return_exceptions=True)
        await self._tracing.stop()
        await self._service.stop()
        await asyncio.get_running_loop().shutdown_default_executor()

    # What a person draws.

    async def draw(self, document: Document) -> Report:
        """Draw it, press Run, return the report of the pass."""
        self.topology = parse(document)
        return await self._wish(running=True)

    async def change(self, *operations: Operation) -> Report:
        """Change the drawing of the running lab by operations."""
        batch = {"kind": "batch", "operations": list(operations)}
        self.topology, _ = apply(self.topology, batch)
        return await self._wish(running=True)

    async def stop(self) -> Report:
        """Press Stop."""
        return await self._wish(running=False)

    def begin(self, *, running: bool) -> int:
        """Say what is wished, and wait for nothing; return the generation."""
        generation = self.store.draw(LAB, self.topology, running=running)
        self._supervisor.wake(LAB)
        return generation

    async def _wish(self, *, running: bool) -> Report:
        report = await self.settled(self.begin(running=running))
        if report.phase == "running":
            await self._captured()
            await self.eventually(self._carrying, "all cables carry packets")
        return report

    async def settled(self, generation: int) -> Report:
        """Return the last report of a generation."""
        row = self.store.rows[LAB]
        await self.reported(lambda: row.observed_generation == generation and row.phase in RESTING)
        return self.store.reports[-1]

    async def reported(self, holds: Callable[[], object]) -> None:
        await asyncio.to_thread(self.store.wait, holds)

    async def _captured(self) -> None:
        """Wait until the tracer listens on every cable: it hears of them by a datagram."""
        await self.eventually(
            lambda: self._source.points(LAB) == len(self.topology.links), "all cables are captured"
        )

    def _carrying(self) -> bool:
        """True when the kernel has put every cable with two raised ends into operation.

        It does so a moment after the second end is up (net/core/link_watch.c), 10 to 100 ms here,
        and until then drops without a word what is sent.
        """
        found = self.kernel.observe(LAB).namespaces
        return all(
            device.oper == "up"
            for state in found.values()
            for device in state.devices.values()
            if device.up and (peer := device.peer) and found[peer.namespace].devices[peer.name].up
        )

    async def eventually(self, holds: Callable[[], object], what: str) -> None:
        """Ask until it holds: for what sends no notice."""
        try:
            async with asyncio.timeout(DEADLINE):
                while not holds():  # noqa: ASYNC110 - nothing tells of it
                    await asyncio.sleep(0.002)
        except TimeoutError:
            raise AssertionError(f"{what}: not within {DEADLINE} s") from None

    def problems(self) -> dict[str, str]:
        """Return code → severity of what is said of the drawing."""
        return {problem.code: problem.severity for problem in validate(self.topology)}

    # What a person asks.

    async def probe(self, kind: str, source: str, target: str, count: int) -> Mapping[str, Any]:
        number = next(self._probe_ids)
        self.store.ask(
            ProbeRequest(id=number, lab=LAB, kind=kind, source=source, target=target, count=count)
        )
        self._supervisor.wake(LAB)
        await asyncio.to_thread(self.store.wait, lambda: number in self.store.results, 40.0)
        return self.store.results[number]

    async def ping(self, source: str, target: str, count: int = 2) -> Mapping[str, Any]:
        return await self.probe("ping", source, target, count)

    async def verdict(self, source: str, target: str) -> str:
        """Return one ping in a word, with the ttl of a reply without loss: "reply 64"."""
        result = await self.ping(source, target)
        if result["verdict"] != "reply" or result["received"] < result["sent"]:
            lost = result["sent"] - result["received"]
            return result["verdict"] if lost == result["sent"] else f"{lost} lost"
        return f"reply {result['ttl']}"

    async def verdicts(self, *pairs: tuple[str, str]) -> list[str]:
        """Return several pings at once: most of the time of a failing one is patience."""
        return list(await asyncio.gather(*(self.verdict(*pair) for pair in pairs)))

    async def hops(self, source: str, target: str) -> list[str | None]:
        """Return the addresses that traceroute names."""
        result = await self.probe("traceroute", source, target, 1)
        return [hop["address"] for hop in result["hops"]]

    # What a person sees.

    async def traced(
        self, source: str, target: str, marker: tuple[str, str]
    ) -> tuple[Mapping[str, Any], Rows]:
        """Ping, and return the result with all packets that were under way meanwhile.

        ``marker`` is a ping that is answered: when its reply is in the list, all earlier packets
        are, so that what is not there was not there.
        """
        begun = time.time()
        result = await self.ping(source, target)
        ended = time.time()
        answer = await self.ping(*marker, count=1)
        assert answer["verdict"] == "reply", marker
        rows = self.packets.rows
        await self.packets.until(
            lambda: any(row.time > ended and row.source == marker[1] for row in rows.replies()),
            f"the reply of {marker[1]} on the canvas",
        )
        return result, Rows(row for row in rows if begun <= row.time <= ended)

    async def frame(self, number: int) -> bytes:
        """Return a packet's bytes, as the packet list has them."""
        answer = Answer(LAB, what="packet", number=number)
        await self._streams[Stream.QUERY](answer)
        return bytes.fromhex(answer.body["hex"])

    async def pcapng(self, *nodes: str) -> bytes:
        """Return the download of what crossed the cables of some nodes."""
        file = File(LAB, nodes=list(nodes))
        await self._streams[Stream.PCAP](file)
        return bytes(file.data)

    def device(self, place: str) -> DeviceState | None:
        """Return "net1:veth0" as the kernel has it, read by the product."""
        node, _, name = place.partition(":")
        found = self.kernel.observe(LAB).namespaces[node].devices
        return found.get(name)

    def inside(self, node: str, command: str) -> str:
        """Run a command inside a node, as an administrator does."""
        return plans.inside(self.kernel, node, command, lab=LAB)

    def namespace(self, node: str) -> int:
        """Return a descriptor of a node's namespace; the caller closes it."""
        return self.kernel.open_namespace(LAB, node)

    def counter(self, node: str, name: str) -> int:
        """Return a counter of the node's IPv4: "InAddrErrors" is nstat's IpInAddrErrors."""
        lines = self.inside(node, "cat /proc/net/snmp").splitlines()
        names, values = (line.split()[1:] for line in lines if line.startswith("Ip: "))
        return int(dict(zip(names, values, strict=True))[name])

    def mac(self, place: str) -> str:
        device = self.device(place)
        assert device is not None
        assert device.mac is not None
        return device.mac


def own_links() -> set[str]:
    """Return the interfaces of the machine's own namespace."""
    return set(os.listdir("/sys/class/net"))  # noqa: PTH208 - names, not paths
