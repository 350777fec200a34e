"""What is heard while the counters are read is told before the rest of that reading."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import msgspec

from tests.unit.live.drawn import DESIRED, DUMPS, TOPOLOGY
from topoweb.core.tracing.records import AddressRecord, Sample, Seen
from topoweb.engine.live import LiveService

PATIENCE = 10.0  # seconds
NEWS = Seen("n1", AddressRecord(index=10, address="10.0.7.1/24"))


class SlowTables:
    """A kernel of two nodes that hears something while it counts, and then reads tables slowly."""

    def __init__(self, deliver):
        self.deliver = deliver
        self.known = frozenset()
        self.counted = 0
        self.go = threading.Event()  # tables may be read on

    def watch(self, lab):
        fresh, self.known = frozenset({"n1", "n2"}) - self.known, frozenset({"n1", "n2"})
        return fresh, frozenset()

    def unwatch(self, lab):
        pass

    def dump(self, lab, nodes, kinds=frozenset()):
        if self.counted > 1:
            assert self.go.wait(2 * PATIENCE)
        return [dump for dump in DUMPS if dump.node in nodes]

    def sample(self, lab, nodes):
        self.counted += 1
        if self.counted == 2:  # from then on a tick also reads the tables of some nodes
            self.deliver(lab, [NEWS])
        return Sample(float(self.counted), {})

    def close(self):
        self.go.set()


@contextlib.asynccontextmanager
async def reading(service):
    """A reader of a lab from before its first full reading."""
    watching = service._watching(1)
    entered = asyncio.create_task(watching.__aenter__())
    await asyncio.sleep(0)  # the view is made at once, and waits then
    try:
        yield service._views[1].feed.subscribe()
    finally:
        await entered
        await watching.__aexit__(None, None, None)


async def test_news_do_not_wait_for_the_tables_of_a_tick():
    kernels = []

    def make(deliver):
        kernels.append(SlowTables(deliver))
        return kernels[0]

    service = LiveService(make)
    await service.start()
    service.desired(1, TOPOLOGY, DESIRED)
    try:
        async with asyncio.timeout(PATIENCE), reading(service) as reader:
            while True:
                told = [msgspec.json.decode(one) for one in await reader.take()]
                found = [one["nodes"].get("n1") for one in told if one["nodes"].get("n1")]
                if any("10.0.7.1/24" in one["interfaces"]["eth0"]["addresses"] for one in found):
                    break
            assert not kernels[0].go.is_set()
            kernels[0].go.set()
    finally:
        kernels[0].go.set()
        await service.stop()
