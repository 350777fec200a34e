"""The worker's doorbell, heard and rung."""

from __future__ import annotations

import asyncio
import contextlib
import threading

import pytest
from channels.layers import InMemoryChannelLayer

from topoweb.protocol import doorbell
from topoweb.worker import consumer
from topoweb.worker.consumer import Bell, Consumer

SOON = 5


class Heard:
    def __init__(self):
        self.labs = []
        self._event = asyncio.Event()

    def wake(self, lab):
        self.labs.append(lab)
        self._event.set()

    async def until(self, labs):
        async with asyncio.timeout(SOON):
            while self.labs != labs:
                self._event.clear()
                await self._event.wait()


@contextlib.asynccontextmanager
async def hearing(layer):
    heard = Heard()
    task = asyncio.create_task(Consumer(layer, "local", heard.wake).run())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_ring_wakes_the_lab_and_noise_does_not():
    layer = InMemoryChannelLayer()
    async with hearing(layer) as heard:
        channel = doorbell.worker_channel("local")
        await layer.send(channel, dict(doorbell.wake(3)))
        await layer.send(channel, {"type": "lab.drop_tables", "lab": 3})
        await layer.send(channel, {"type": "lab.wake", "lab": "4"})
        await layer.send(channel, dict(doorbell.wake(5)))
        await heard.until([3, 5])


async def test_a_layer_that_goes_away_is_heard_again(monkeypatch):
    monkeypatch.setattr(consumer, "RETRY", 0.0)

    class Flaky(InMemoryChannelLayer):
        flushed = 0
        faults = 2

        async def receive(self, channel):
            if self.faults:
                self.faults -= 1
                raise ConnectionError("Redis is away")
            return await super().receive(channel)

        async def flush(self):
            self.flushed += 1

    layer = Flaky()
    async with hearing(layer) as heard:
        await layer.send(doorbell.worker_channel("local"), dict(doorbell.wake(3)))
        await heard.until([3])
    assert layer.flushed == 2


async def test_the_bell_rings_from_any_thread():
    layer = InMemoryChannelLayer()
    viewer = await layer.new_channel()
    await layer.group_add(doorbell.lab_group(3), viewer)
    bell = Bell(layer, asyncio.get_running_loop())
    thread = threading.Thread(target=bell.ring, args=[3])
    thread.start()
    async with asyncio.timeout(SOON):
        assert await layer.receive(viewer) == doorbell.changed(3)
    thread.join()


async def test_a_bell_that_cannot_ring_harms_nobody(caplog):
    class Dead(InMemoryChannelLayer):
        def __init__(self):
            super().__init__()
            self.tried = asyncio.Event()

        async def group_send(self, group, message):
            self.tried.set()
            raise ConnectionError("Redis is away")

    layer = Dead()
    Bell(layer, asyncio.get_running_loop()).ring(3)
    async with asyncio.timeout(SOON):
        await layer.tried.wait()
    await asyncio.sleep(0)
    assert "not heard" in caplog.text


def test_a_bell_whose_loop_has_ended_harms_nobody():
    loop = asyncio.new_event_loop()
    loop.close()
    Bell(InMemoryChannelLayer(), loop).ring(3)


@pytest.mark.parametrize("message", [{}, {"type": "lab.wake"}, {"type": None, "lab": 1}])
def test_malformed_rings_are_not_believed(message):
    heard = []
    Consumer(InMemoryChannelLayer(), "local", heard.append).hear(message)
    assert heard == []
