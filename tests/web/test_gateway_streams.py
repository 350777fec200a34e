"""The lab socket: how streams pass through, and what happens when their service is away."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import asyncio
import json

import pytest
from channels.layers import get_channel_layer

from tests.web.labsocket import (
    connect,  # noqa: F401 - a fixture
    frame_of,
    said,
    say,
    worker,  # noqa: F401 - a fixture
)
from topoweb.engine.streams import StreamServer
from topoweb.gateway import connection, relay
from topoweb.labs.streamclient import stream_key
from topoweb.protocol.frames import Kind, Stream

pytestmark = pytest.mark.django_db(transaction=True)


async def number(socket):
    frame = await frame_of(socket)
    assert (frame.stream, frame.kind) == (Stream.LIVE, Kind.DATA)
    return json.loads(frame.payload)["n"]


async def test_a_stream_passes_by_credit(connect, lab, owner, worker):
    socket = await connect(lab)
    await said(socket, "problems")
    await say(socket, type="open", stream="live", params={"a": 1})
    assert await number(socket) == 0
    ((token, params),) = worker.opened
    assert (token.lab, token.user, token.stream, token.write) == (lab.pk, owner.pk, 1, False)
    assert params == {"a": 1}
    for value in 1, 2, 3:
        worker.publish(value)
        assert await number(socket) == value
    worker.publish(4)  # the four frames of the beginning are used up
    worker.publish(5)
    assert await socket.receive_nothing(0.2)
    await say(socket, type="credit", stream="live", credit=1)
    assert await number(socket) == 5
    await say(socket, type="close", stream="live")
    await say(socket, type="credit", stream="live", credit=1)  # crossed with the close
    worker.publish(6)
    assert await socket.receive_nothing(0.1)
    await say(socket, type="open", stream="live")
    assert await number(socket) == 6


async def test_a_worker_that_restarts_is_found_again(connect, lab, worker, monkeypatch):
    monkeypatch.setattr(relay, "BACKOFF", (0.02,))
    socket = await connect(lab)
    await said(socket, "problems")
    await say(socket, type="open", stream="live")
    assert await number(socket) == 0
    await worker.stop()
    notice = await said(socket, "notice")
    assert (notice["code"], notice["stream"]) == ("stream-away", "live")
    worker.publish(7)
    await worker.start()
    assert (await said(socket, "notice"))["code"] == "stream-back"
    assert await number(socket) == 7
    assert await socket.receive_nothing(0.1)


async def test_a_tracer_that_is_away_is_said_once(connect, lab, monkeypatch):
    monkeypatch.setattr(relay, "BACKOFF", (0.01,))
    socket = await connect(lab)
    await said(socket, "problems")
    await say(socket, type="open", stream="packets")
    assert (await said(socket, "notice"))["code"] == "stream-away"
    assert await socket.receive_nothing(0.2)


async def test_a_refusal_ends_the_stream(connect, lab, worker):
    await worker.stop()
    worker.server = StreamServer({}, stream_key())
    await worker.server.start(worker_path := connection.settings.TOPOWEB_RUN / "worker.sock")
    assert worker_path.exists()
    socket = await connect(lab)
    await say(socket, type="open", stream="live")
    assert (await said(socket, "notice"))["code"] == "stream-refused"


async def test_a_silent_worker_counts_as_away(connect, lab, run_directory, monkeypatch):
    monkeypatch.setattr(connection, "SILENCE", 0.05)
    monkeypatch.setattr(relay, "BACKOFF", (0.01,))
    connections = 0

    async def mute(_reader, writer):
        nonlocal connections
        connections += 1
        held.append(writer)

    held = []
    server = await asyncio.start_unix_server(mute, run_directory / "worker.sock")
    try:
        socket = await connect(lab)
        await say(socket, type="open", stream="live")
        assert (await said(socket, "notice"))["code"] == "stream-away"
        assert connections >= 1
    finally:
        server.close()
        for writer in held:
            writer.close()


async def test_disconnect_leaves_no_task_and_no_group(connect, lab, worker):
    before = asyncio.all_tasks()
    socket = await connect(lab)
    await say(socket, type="open", stream="live")
    await number(socket)
    left = asyncio.all_tasks() - before
    await socket.disconnect()
    _, pending = await asyncio.wait(left, timeout=5)
    assert not pending
    assert not get_channel_layer().groups.get(f"lab.{lab.pk}")
