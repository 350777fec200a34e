"""Doorbells ring after the commit, on both layers, and never break a request."""

from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.layers import channel_layers, get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.db import transaction

from tests.web.servers import redis  # noqa: F401 - a fixture
from topoweb.labs import doorbells
from topoweb.protocol.doorbell import changed, lab_group, wake, worker_channel

SOON = 5  # seconds


@pytest.fixture(params=["memory", "redis"])
def layer(request, settings):
    if request.param == "redis":
        socket = request.getfixturevalue("redis")
        settings.CHANNEL_LAYERS = {
            "default": {
                "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
                "CONFIG": {"hosts": [f"unix://{socket}"]},
            }
        }
    channel_layers.backends = {}
    yield get_channel_layer()
    channel_layers.backends = {}


@pytest.mark.django_db(transaction=True)
async def test_worker_and_viewers_hear_it(layer):
    viewer = await layer.new_channel()
    await layer.group_add(lab_group(7), viewer)
    listening = [
        asyncio.create_task(layer.receive(channel)) for channel in (worker_channel("local"), viewer)
    ]
    async with asyncio.timeout(SOON):
        while not all(task.done() for task in listening):  # a bell before the ears is lost
            await sync_to_async(doorbells.wake)(7)
            await asyncio.wait(listening, timeout=0.1)
    assert [task.result() for task in listening] == [wake(7), changed(7)]
    await layer.flush()


@pytest.mark.django_db(transaction=True)
async def test_a_command_finds_the_servers_redis(run_directory, redis):  # noqa: F811
    channel_layers.backends = {}
    doorbells.find_server()
    assert channel_layers.backends == {}  # no server here
    (run_directory / "redis").mkdir()
    (run_directory / "redis" / "redis.sock").symlink_to(redis)
    doorbells.find_server()
    server = RedisPubSubChannelLayer(hosts=[f"unix://{redis}"], prefix="topoweb")
    heard = asyncio.create_task(server.receive(worker_channel("local")))
    async with asyncio.timeout(SOON):
        while not heard.done():
            await sync_to_async(doorbells.wake)(7)
            await asyncio.wait([heard], timeout=0.1)
    assert heard.result() == wake(7)
    await server.flush()
    channel_layers.backends = {}


@pytest.mark.django_db(transaction=True)
def test_rolled_back_wish_rings_nobody(monkeypatch):
    rings = []
    monkeypatch.setattr(doorbells, "_ring", lambda lab, *, wake: rings.append((lab, wake)))
    with transaction.atomic():
        doorbells.wake(1)
        transaction.set_rollback(True)
    with transaction.atomic():
        doorbells.wake(2)
        doorbells.changed(3)
        assert rings == []
    assert rings == [(2, True), (3, False)]


@pytest.mark.django_db(transaction=True)
def test_silent_layer_loses_no_fact(monkeypatch):
    class Broken:
        async def send(self, *_):
            raise ConnectionError

    monkeypatch.setattr(doorbells, "get_channel_layer", Broken)
    doorbells.wake(1)  # logged, not raised
