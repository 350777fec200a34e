"""A lab in which nothing happens is heard of all the same: silence means an absent worker."""

from __future__ import annotations

import asyncio

import msgspec

from tests.unit.live.drawn import DESIRED, DUMPS, TOPOLOGY
from tests.unit.live.test_ticks import PATIENCE, reading
from topoweb.core.tracing.records import Sample
from topoweb.engine import live
from topoweb.engine.live import LiveService


class Still:
    """A kernel in which nothing changes."""

    def __init__(self, _deliver):
        self.known = frozenset()

    def watch(self, lab):
        fresh, self.known = frozenset({"n1", "n2"}) - self.known, frozenset({"n1", "n2"})
        return fresh, frozenset()

    def unwatch(self, lab):
        pass

    def dump(self, lab, nodes, kinds=frozenset()):
        return [dump for dump in DUMPS if dump.node in nodes]

    def sample(self, lab, nodes):
        return Sample(1.0, {})

    def close(self):
        pass


async def test_a_quiet_lab_says_that_nothing_has_changed(monkeypatch):
    monkeypatch.setattr(live, "QUIET", 0.0)
    service = LiveService(Still)
    await service.start()
    service.desired(1, TOPOLOGY, DESIRED)
    try:
        async with asyncio.timeout(PATIENCE), reading(service) as reader:
            while True:
                told = [msgspec.json.decode(one) for one in await reader.take()]
                if any(not one["full"] and one["nodes"] == one["links"] == {} for one in told):
                    break
    finally:
        await service.stop()
