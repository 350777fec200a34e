"""From a change in a real namespace to the LIVE message at the end of the stream socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.plan.state import LabState
from topoweb.core.topology.model import Interface, Link, Node, Topology
from topoweb.core.tracing.liveview import as_state
from topoweb.core.tracing.records import Gone, LinkRecord, NamespaceView, Overrun
from topoweb.engine.live import LiveService
from topoweb.engine.streams import StreamServer
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.monitor import LabMonitor
from topoweb.protocol import frames
from topoweb.protocol.frames import Frame, Kind, Stream
from topoweb.protocol.stream import LENGTH, StreamToken, sign

SECRET = b"k" * 32
LAB = 4
_nonces = itertools.count()


def star(hosts, *, stp=False):
    """Hosts on one switch."""
    return Topology(
        nodes={
            "s": Node(kind="switch", name="s", stp=stp),
            **{f"h{i}": Node(kind="host", name=f"h{i}") for i in range(hosts)},
        },
        interfaces={
            **{
                f"e{i}": Interface(
                    node=f"h{i}", name="eth0", addresses=(f"10.1.{i // 250}.{i % 250 + 1}/24",)
                )
                for i in range(hosts)
            },
            **{f"p{i}": Interface(node="s", name=f"p{i}") for i in range(hosts)},
        },
        links={f"l{i}": Link(a=f"e{i}", b=f"p{i}") for i in range(hosts)},
    )


class Running:
    """A lab in the kernel, the live service over it, and the stream socket before it."""

    def __init__(self, directory):
        self.directory = directory
        self.kernel = LinuxKernel(directory)
        self.live = LiveService(lambda deliver: LabMonitor(directory, deliver))
        self.server = StreamServer(
            {Stream.LIVE: self.live.stream, Stream.QUERY: self.live.query}, SECRET
        )
        self.desired = LabState()

    async def start(self):
        await self.live.start()
        await self.server.start(self.directory / "worker.sock")

    async def stop(self):
        await self.server.stop()
        await self.live.stop()
        await asyncio.to_thread(self.kernel.destroy, LAB)
        self.kernel.close()

    async def apply(self, topology):
        """Do what a pass does."""
        desired = expand(LAB, topology)
        observed = await asyncio.to_thread(self.kernel.observe, LAB)
        plan = diff(desired, observed, previous=self.desired)
        self.live.desired(LAB, topology, desired, applying=True)
        result = await asyncio.to_thread(
            self.kernel.apply, LAB, plan.steps, lambda _done: None, lambda: False
        )
        assert not result.failures
        self.desired = desired
        self.live.desired(LAB, topology, desired)

    @contextlib.asynccontextmanager
    async def spawn(self, node, *command):
        """Run a program inside a node."""
        fd = self.kernel.open_namespace(LAB, node)
        try:
            process = await asyncio.create_subprocess_exec(
                *("nsenter", f"--net=/proc/self/fd/{fd}", *command),
                pass_fds=[fd],
                stderr=subprocess.DEVNULL,
            )
        finally:
            os.close(fd)
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def inside(self, node, command):
        """Run a program inside a node to its end."""
        async with self.spawn(node, *command.split()) as process:
            assert await process.wait() == 0


class Viewer:
    """A browser as far as the stream is concerned: it patches what it shows."""

    def __init__(self, path):
        self.path = path
        self.nodes, self.links, self.rev, self.messages = {}, {}, 0, []

    async def open(self, stream=Stream.LIVE, params=None, credit=4):
        self.stream = stream
        self.reader, self.writer = await asyncio.open_unix_connection(self.path, limit=1 << 21)
        token = StreamToken(
            lab=LAB,
            user=1,
            stream=stream,
            write=False,
            expires=int(time.time()) + 60,
            nonce=str(next(_nonces)),
        )
        self.put(Kind.OPEN, {"token": sign(token, SECRET), "params": params or {}})
        self.put(Kind.CREDIT, {"credit": credit})

    def put(self, kind, body):
        data = frames.encode(Frame(self.stream, kind, 0, json.dumps(body).encode()))
        self.writer.write(LENGTH.pack(len(data)) + data)

    async def receive(self):
        (length,) = LENGTH.unpack(await self.reader.readexactly(4))
        return frames.decode(await self.reader.readexactly(length))

    async def until(self, wanted, deadline=10.0):
        """Take messages until ``wanted(self)`` holds; return the seconds it took."""
        begun = time.monotonic()
        async with asyncio.timeout(deadline):
            while not wanted(self):
                frame = await self.receive()
                assert frame.kind is Kind.DATA, frame
                self.put(Kind.CREDIT, {"credit": 1})
                self.take(json.loads(frame.payload))
        return time.monotonic() - begun

    def take(self, message):
        self.messages.append(message)
        if message["full"]:
            self.nodes, self.links = {}, {}
        assert message["rev"] >= self.rev
        self.rev = message["rev"]
        for mine, theirs in (self.nodes, message["nodes"]), (self.links, message["links"]):
            mine.update({key: value for key, value in theirs.items() if value is not None})
            for key in [key for key, value in theirs.items() if value is None]:
                mine.pop(key, None)

    def close(self):
        self.writer.close()


@pytest.fixture
async def running():
    threads = threading.active_count()
    with tempfile.TemporaryDirectory(prefix="tw-") as directory:
        lab = Running(Path(directory))
        await lab.start()
        viewers = []

        async def viewer(**options):
            viewers.append(Viewer(lab.directory / "worker.sock"))
            await viewers[-1].open(**options)
            return viewers[-1]

        lab.viewer = viewer
        try:
            yield lab
        finally:
            for one in viewers:
                one.close()
            await lab.stop()
    loop = asyncio.get_running_loop()
    await loop.shutdown_default_executor()
    assert threading.active_count() == threads


async def test_a_running_lab_is_shown_as_drawn(running):
    await running.apply(star(3))
    viewer = await running.viewer()
    up = dict.fromkeys(("l0", "l1", "l2"), "up")
    await viewer.until(
        lambda v: (
            all(n["present"] for n in v.nodes.values())
            and {key: link["state"] for key, link in v.links.items()} == up
        )
    )
    assert viewer.messages[0]["full"]
    assert [node["drift"] for node in viewer.nodes.values()] == [[]] * 4
    host = viewer.nodes["h0"]["interfaces"]["eth0"]
    assert (host["id"], host["state"], host["addresses"][0]) == ("e0", "up", "10.1.0.1/24")
    assert viewer.nodes["s"]["interfaces"]["p0"]["master"] == "br0"


async def test_the_view_equals_what_the_kernel_package_observes(running):
    await running.apply(star(3, stp=True))
    await running.inside("h0", "ip route add default via 10.1.0.9")
    await running.inside("h1", "ip -6 address add 2001:db8::1/64 dev eth0 nodad")
    monitor = LabMonitor(running.directory, lambda _lab, _events: None)
    try:
        fresh, gone = monitor.watch(LAB)
        assert (fresh, gone) == ({"s", "h0", "h1", "h2"}, set())
        dumps = monitor.dump(LAB, fresh)
        observed = running.kernel.observe(LAB)
    finally:
        monitor.close()
    for dump in dumps:
        peers = {d.name: d.peer for d in observed.namespaces[dump.node].devices.values() if d.peer}
        view = as_state(NamespaceView().folded([dump]), peers)
        expected = observed.namespaces[dump.node]
        assert {n: d for n, d in view.devices.items() if "stp" not in n}.keys()
        assert view.routes == expected.routes
        assert (view.forward_ipv4, view.forward_ipv6) == (
            expected.forward_ipv4,
            expected.forward_ipv6,
        )
        for name, device in expected.devices.items():
            mine = view.devices[name]
            for field in (
                "kind",
                "up",
                "mac",
                "mtu",
                "master",
                "addresses",
                "stp",
                "ageing",
                "tag",
            ):
                assert getattr(mine, field) == getattr(device, field), (dump.node, name, field)


async def test_what_is_typed_in_a_node_shows_as_drift_at_once(running):
    await running.apply(star(2))
    viewer = await running.viewer()
    await viewer.until(lambda v: v.nodes.get("h0", {}).get("present"))
    begun = time.monotonic()
    await running.inside("h0", "ip address add 10.9.9.9/24 dev eth0")
    await viewer.until(lambda v: v.nodes["h0"]["drift"])
    assert time.monotonic() - begun < 1
    assert viewer.nodes["h0"]["drift"] == [
        {
            "path": "interfaces/eth0/addresses",
            "drawn": ["10.1.0.1/24"],
            "actual": ["10.1.0.1/24", "10.9.9.9/24"],
        }
    ]
    await running.inside("h0", "ip link set eth0 down")
    await viewer.until(lambda v: v.links["l0"]["state"] == "down")
    assert viewer.nodes["h0"]["interfaces"]["eth0"]["state"] == "off"
    await viewer.until(lambda v: v.nodes["s"]["interfaces"]["p0"]["state"] == "nocarrier")
    await viewer.until(lambda v: v.nodes["h0"]["routes"] == [])  # went without a notification


async def test_a_lab_grows_shrinks_and_stops_while_it_is_watched(running):
    await running.apply(star(1))
    viewer = await running.viewer()
    await viewer.until(lambda v: v.links.get("l0", {}).get("state") == "up")
    await running.apply(star(3))
    await viewer.until(lambda v: v.links.get("l2", {}).get("state") == "up")
    assert viewer.nodes["h2"]["present"]
    await running.apply(star(2))
    await viewer.until(lambda v: "h2" not in v.nodes and "l2" not in v.links)
    await asyncio.to_thread(running.kernel.destroy, LAB)  # being watched must not pin it
    running.live.desired(LAB, Topology(), None)
    await viewer.until(lambda v: not v.nodes and not v.links)


async def test_traffic_shows_as_rates(running):
    await running.apply(star(2))
    viewer = await running.viewer()
    await viewer.until(lambda v: v.links.get("l0", {}).get("state") == "up")
    script = (
        "exec 3<>/dev/udp/10.1.0.2/9; end=$((SECONDS+20)); "
        "while [ $SECONDS -lt $end ]; do printf %01000d 0 >&3 || true; done"
    )
    async with running.spawn("h0", "bash", "-c", script):
        await viewer.until(lambda v: v.links["l0"]["rate_ab"] > 10_000)
        await viewer.until(lambda v: v.links["l1"]["rate_ba"] > 10_000)
        assert viewer.links["l0"]["pps_ab"] > 1
    await viewer.until(lambda v: v.links["l0"]["rate_ab"] < 1000)
    await viewer.until(lambda v: any(e["port"] == "p0" for e in v.nodes["s"]["fdb"]))
    await viewer.until(
        lambda v: any(n["address"] == "10.1.0.2" for n in v.nodes["h0"]["neighbours"])
    )


async def test_query_and_a_lab_that_does_not_run(running):
    viewer = await running.viewer(stream=Stream.QUERY, params={"what": "live"})
    frame = await viewer.receive()
    message = json.loads(frame.payload)
    assert (message["full"], message["nodes"], message["links"]) == (True, {}, {})
    assert json.loads((await viewer.receive()).payload)["code"] == "done"
    await running.apply(star(2))
    viewer = await running.viewer(stream=Stream.QUERY, params={"what": "live"})
    assert json.loads((await viewer.receive()).payload)["links"]["l1"]["state"] == "up"
    viewer = await running.viewer(stream=Stream.QUERY, params={"what": "secrets"})
    assert json.loads((await viewer.receive()).payload)["code"] == "invalid"


async def test_many_viewers_come_and_go(running):
    await running.apply(star(1))
    for _ in range(5):
        viewers = [await running.viewer() for _ in range(4)]
        for viewer in viewers:
            await viewer.until(lambda v: v.links.get("l0", {}).get("state") == "up")
            viewer.close()
    assert len(running.live._views) <= 1


async def test_overrun_is_repaired_by_reading_again(running):
    await running.apply(star(1))
    viewer = await running.viewer()
    await viewer.until(lambda v: v.links.get("l0", {}).get("state") == "up")
    view = running.live._views[LAB]
    device = view._state.views["h0"].table(LinkRecord)
    lost = next(record for record in device.values() if record.name == "eth0")
    running.live.deliver(LAB, [Gone("h0", lost)])  # as if what followed had been lost
    await viewer.until(lambda v: v.links["l0"]["state"] == "missing")
    running.live.deliver(LAB, [Overrun()])
    await viewer.until(lambda v: v.links["l0"]["state"] == "up")


async def test_latency_from_kernel_to_message(running):
    await running.apply(star(20))
    viewer = await running.viewer()
    await viewer.until(lambda v: len(v.nodes) == 21)
    took = []
    for number in range(15):
        wanted = f"10.8.0.{number + 1}/32"
        async with running.spawn("h7", *f"ip address add {wanted} dev eth0".split()):
            begun = time.monotonic()
            await viewer.until(
                lambda v, w=wanted: w in v.nodes["h7"]["interfaces"]["eth0"]["addresses"]
            )
            took.append(time.monotonic() - begun)
    took.sort()
    print("address added (process start included) to message, ms:", [round(t * 1e3) for t in took])
    assert took[len(took) // 2] < 0.5  # the figure itself is a matter for the benchmark
