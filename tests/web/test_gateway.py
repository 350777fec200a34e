"""The lab socket: who may look, what is told, and how streams pass through."""

from __future__ import annotations

import asyncio
import contextlib
import json

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client

from topoweb.accounts.models import ApiToken
from topoweb.accounts.services import issue_api_token
from topoweb.engine.feeds import ConflatingFeed
from topoweb.engine.streams import StreamServer
from topoweb.gateway import connection, consumers, relay
from topoweb.gateway.routing import websocket_application
from topoweb.labs import doorbells, services
from topoweb.labs.models import Lab, LabStatus, Operation, Probe
from topoweb.labs.streamclient import stream_key
from topoweb.protocol import frames
from topoweb.protocol.frames import Kind, Stream

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = (b"origin", b"http://localhost")
in_thread = sync_to_async


@pytest.fixture
async def connect(owner):
    """Open a socket as the owner, or as given; all are closed at the end."""
    opened = []

    async def start(lab, headers=None, path=None):
        if headers is None:
            headers = [ORIGIN, await in_thread(cookie_of)(owner)]
        number = lab if isinstance(lab, int) else lab.pk
        socket = WebsocketCommunicator(websocket_application, path or f"/ws/labs/{number}", headers)
        opened.append(socket)
        connected, _ = await socket.connect(timeout=5)
        return socket if connected else None

    yield start
    for socket in opened:
        with contextlib.suppress(asyncio.CancelledError):
            await socket.disconnect(timeout=5)


def cookie_of(user):
    client = Client()
    client.force_login(user)
    return b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()


async def said(socket, kind):
    """Return the next message of a kind, passing over others."""
    async with asyncio.timeout(5):
        while (message := json.loads(await socket.receive_from(5)))["type"] != kind:
            pass
    return message


async def frame_of(socket):
    """Return the next binary frame, passing over text."""
    async with asyncio.timeout(5):
        while True:
            event = await socket.receive_output(5)
            if event.get("bytes") is not None:
                return frames.decode(event["bytes"])


async def close_code(socket):
    async with asyncio.timeout(10):
        while True:
            event = await socket.receive_output(10)
            if event["type"] == "websocket.close":
                return event["code"]


async def say(socket, **message):
    await socket.send_to(text_data=json.dumps(message))


def rename(user, lab, name, op_id="op-1"):
    operation = {
        "kind": "set",
        "collection": "nodes",
        "id": "n1",
        "patch": {"name": name},
    }
    lab.refresh_from_db()
    return services.apply_operation(user, lab, op_id, lab.seq, operation)


# Who may look.


async def test_hello(connect, lab, owner):
    socket = await connect(lab)
    hello = await said(socket, "hello")
    assert hello["seq"] == lab.seq
    assert hello["status"]["phase"] == "stopped"
    assert hello["user"] == {"id": owner.pk, "name": "owner"}
    assert (await said(socket, "problems"))["problems"] == []


async def test_signed_out(connect, lab):
    socket = await connect(lab, headers=[ORIGIN])
    assert await close_code(socket) == 4401
    socket = await connect(lab, headers=[ORIGIN, (b"cookie", b"sessionid=nonsense")])
    assert await close_code(socket) == 4401


async def test_another_users_lab_is_not_told_apart_from_none(connect, lab, stranger):
    cookie = await in_thread(cookie_of)(stranger)
    assert await close_code(await connect(lab, headers=[ORIGIN, cookie])) == 4404
    assert await close_code(await connect(lab.pk + 1000)) == 4404
    assert await close_code(await connect(10**30)) == 4404


async def test_a_page_of_another_site_is_refused(connect, lab, owner):
    cookie = await in_thread(cookie_of)(owner)
    assert await connect(lab, headers=[(b"origin", b"http://evil.example"), cookie]) is None
    assert await connect(lab, headers=[cookie]) is None


async def test_unknown_address_is_refused(connect, lab):
    assert await connect(lab, path="/ws/elsewhere") is None


async def test_api_token_needs_no_origin_and_can_be_revoked(connect, lab, owner, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK", 0.05)
    token = await in_thread(issue_api_token)(owner)
    socket = await connect(lab, headers=[(b"authorization", f"Bearer {token}".encode())])
    await said(socket, "hello")
    await in_thread(ApiToken.objects.all().delete)()
    assert await close_code(socket) == 4401
    socket = await connect(lab, headers=[(b"authorization", b"Bearer nonsense")])
    assert await close_code(socket) == 4401


async def test_signing_out_closes_the_socket(connect, lab, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK", 0.05)
    socket = await connect(lab)
    await said(socket, "hello")
    await in_thread(Session.objects.all().delete)()
    assert await close_code(socket) == 4401


async def test_deleting_the_lab_closes_the_socket(connect, lab):
    socket = await connect(lab)
    await said(socket, "hello")
    await in_thread(services.delete_lab)(lab)
    assert await close_code(socket) == 4404


async def test_giving_the_lab_away_is_noticed_at_the_next_open(connect, lab, stranger):
    socket = await connect(lab)
    await said(socket, "hello")
    await in_thread(Lab.objects.filter(pk=lab.pk).update)(owner=stranger)
    await say(socket, type="open", stream="live")
    assert await close_code(socket) == 4404


# What is refused.


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        "{}",
        "[" * 60_000,
        '{"type": "open"}',
        '{"type": "open", "stream": "pcap"}',
        '{"type": "open", "stream": ["live"]}',
        '{"type": "open", "stream": "live", "params": []}',
        '{"type": "credit", "stream": "live"}',
        '{"type": "credit", "stream": "live", "credit": 0}',
        '{"type": "credit", "stream": "live", "credit": -1}',
        '{"type": "credit", "stream": "live", "credit": true}',
        '{"type": "credit", "stream": "live", "credit": 1e9}',
        '{"type": "lab.changed", "stream": "live"}',
        '{"type": {}, "stream": "live"}',
        '{"type": "close", "stream": "live", "x": "' + "x" * 70_000 + '"}',
    ],
)
async def test_malformed_message(connect, lab, text):
    socket = await connect(lab)
    await socket.send_to(text_data=text)
    assert await close_code(socket) == 4400


async def test_binary_message(connect, lab):
    socket = await connect(lab)
    await socket.send_to(bytes_data=b"\x01\x02\x00\x00\x00\x00\x00\x00")
    assert await close_code(socket) == 4400


async def test_flood(connect, lab):
    socket = await connect(lab)
    for _ in range(2 * consumers.MESSAGES_PER_SECOND + 2):  # some may fall into a next second
        await say(socket, type="credit", stream="live", credit=1)
    assert await close_code(socket) == 4400


# Facts.


async def test_an_accepted_operation_reaches_every_viewer(connect, lab, owner):
    sockets = [await connect(lab) for _ in range(3)]
    for socket in sockets:
        await said(socket, "hello")
    accepted = await in_thread(rename)(owner, lab, "alpha")
    for socket in sockets:
        (operation,) = (await said(socket, "operations"))["operations"]
        assert operation == accepted.operation
        assert operation["changes"][0]["patch"] == {"name": "alpha"}


async def test_a_lost_doorbell_costs_latency_only(connect, lab, owner, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK", 0.05)
    monkeypatch.setattr(doorbells, "_ring", lambda *_arguments, **_options: None)
    socket = await connect(lab)
    await said(socket, "hello")
    await in_thread(rename)(owner, lab, "alpha")
    assert (await said(socket, "operations"))["operations"][0]["seq"] == 1


async def test_many_operations_come_once_each_and_in_order(connect, lab, owner):
    socket = await connect(lab)
    seq = (await said(socket, "hello"))["seq"]

    def work():
        for number in range(30):
            rename(owner, lab, f"h{number}", f"op-{number}")

    writing = asyncio.create_task(in_thread(work)())
    seen = []
    while len(seen) < 30:
        seen += [o["seq"] for o in (await said(socket, "operations"))["operations"]]
    await writing
    assert seen == list(range(seq + 1, seq + 31))


async def test_pruned_operations_start_anew(connect, lab, owner):
    socket = await connect(lab)
    await said(socket, "hello")

    def work():
        rename(owner, lab, "a", "op-a")
        Operation.objects.filter(lab=lab).delete()
        doorbells.changed(lab.pk)

    await in_thread(transaction.atomic(work))()
    lab = await in_thread(Lab.objects.get)(pk=lab.pk)
    assert (await said(socket, "hello"))["seq"] == lab.seq


async def test_status_problems_and_probes(connect, lab, owner):
    def wait(status="waiting", **fields):
        return Probe.objects.create(
            lab=lab,
            user=owner,
            kind="ping",
            source="n1",
            target="10.0.0.2",
            status=status,
            **fields,
        )

    await in_thread(wait)("done")
    pending = await in_thread(wait)("running")
    socket = await connect(lab)
    hello = await said(socket, "hello")
    assert (await said(socket, "probe"))["probe"]["id"] == pending.pk  # not the finished one

    def change():
        status = {"phase": "running", "observed_generation": 3}
        LabStatus.objects.update_or_create(lab=lab, defaults=status)
        Probe.objects.filter(pk=pending.pk).update(status="done", result={"verdict": "reply"})
        doorbells.changed(lab.pk)

    await in_thread(change)()
    status = (await said(socket, "status"))["status"]
    assert {**hello["status"], "phase": "running", "observed_generation": 3} == status
    probe = (await said(socket, "probe"))["probe"]
    assert (probe["status"], probe["result"]) == ("done", {"verdict": "reply"})

    def duplicate():
        operation = {
            "kind": "set",
            "collection": "interfaces",
            "id": "i2",
            "patch": {"addresses": ["10.0.0.1/24"]},
        }
        lab.refresh_from_db()
        services.apply_operation(owner, lab, "op-d", lab.seq, operation)

    await in_thread(duplicate)()
    assert (await said(socket, "problems"))["problems"]


# Streams.


@pytest.fixture
async def worker(run_directory):
    """A worker as far as streams go: one feed whose state is a number."""

    class Worker:
        value = 0
        opened = []
        server = None

        def __init__(self):
            self.feed = ConflatingFeed(
                lambda: {"n": self.value, "full": True},
                lambda _older, newer: newer,
                lambda message: (json.dumps(message).encode(),),
            )

        def publish(self, value):
            self.value = value
            self.feed.publish({"n": value})

        async def live(self, session):
            self.opened.append((session.token, session.params))
            reader = self.feed.subscribe()
            while True:
                await session.ready()
                for payload in await reader.take():
                    await session.send(payload)

        async def start(self):
            self.server = StreamServer({Stream.LIVE: self.live}, stream_key())
            await self.server.start(run_directory / "worker.sock")

        async def stop(self):
            await self.server.stop()

    one = Worker()
    await one.start()
    yield one
    await one.stop()


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
