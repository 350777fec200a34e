"""The terminal socket: who may look and type, credit both ways, a worker that goes away."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session
from django.test import Client

from tests.fakes.sandboxes import LocalSandboxes
from topoweb.audit.models import Entry
from topoweb.core.plan.state import LabState, NamespaceState
from topoweb.core.topology.model import Node, Topology
from topoweb.engine.streams import StreamServer
from topoweb.engine.terminals import TerminalService
from topoweb.gateway import access, connection, terminal, terminal_relay
from topoweb.gateway.routing import websocket_application
from topoweb.labs import doorbells, services
from topoweb.labs.models import Lab
from topoweb.labs.streamclient import stream_key
from topoweb.protocol.frames import TERMINAL_OUTPUT, Stream

pytestmark = pytest.mark.django_db(transaction=True)
ORIGIN = (b"origin", b"http://localhost")
PATIENCE = 10
in_thread = sync_to_async
OPEN = {"type": "open", "node": "n1", "terminal": None, "columns": 80, "rows": 24}


class Browser:
    """A terminal socket as the browser has it."""

    def __init__(self, socket):
        self.socket = socket
        self.texts, self.output = [], bytearray()
        self.code = None
        self.spends = True

    async def tell(self, **message):
        await self.socket.send_to(text_data=json.dumps(message))

    async def open(self, **changes):
        await self.tell(**{**OPEN, **changes})

    async def type(self, text):
        await self.socket.send_to(bytes_data=text.encode() if isinstance(text, str) else text)

    async def step(self):
        event = await self.socket.receive_output(PATIENCE)
        if event["type"] == "websocket.close":
            self.code = event.get("code")
        elif (data := event.get("bytes")) is not None:
            self.output += data
            if self.spends:
                await self.tell(type="credit", bytes=len(data))
        else:
            self.texts.append(json.loads(event["text"]))

    async def until(self, condition):
        async with asyncio.timeout(PATIENCE):
            while not condition():
                assert self.code is None, f"closed with {self.code}, {self.texts}"
                await self.step()

    async def shows(self, text):
        await self.until(lambda: text.encode() in self.output)

    async def said(self, kind):
        """Return the first text of a kind not returned before."""
        found = lambda: next((t for t in self.texts if t["type"] == kind), None)  # noqa: E731
        await self.until(found)
        self.texts.remove(message := found())
        return message

    async def closes(self):
        async with asyncio.timeout(PATIENCE):
            while self.code is None:
                await self.step()
        return self.code

    def taken(self):
        return sum(text["bytes"] for text in self.texts if text["type"] == "credit")


class Worker:
    """A worker as far as terminals go; its labs run."""

    def __init__(self, run_directory, lab):
        self.path, self.lab = run_directory / "worker.sock", lab
        self.sandboxes = LocalSandboxes()
        self.program()

    def program(self, *arguments):
        self.sandboxes.program = arguments or ("/bin/sh", "-c", "echo ready; exec cat")

    async def start(self):
        self.service = TerminalService(self.sandboxes, shell="/bin/sh")
        self.server = StreamServer({Stream.TERMINAL: self.service.stream}, stream_key())
        await self.server.start(self.path)
        nodes = {node: Node(kind="host", name=node) for node in ("n1", "n2")}
        desired = LabState(namespaces={node: NamespaceState() for node in nodes})
        self.service.desired(self.lab, Topology(nodes=nodes), desired)

    async def stop(self):
        await self.server.stop()
        await self.service.stop()


@pytest.fixture
async def worker(run_directory, lab):
    one = Worker(run_directory, lab.pk)
    await one.start()
    yield one
    await one.stop()
    assert not one.sandboxes.left()


@pytest.fixture
async def connect(owner, lab):
    opened = []

    async def start(user=owner, headers=None):
        if headers is None:
            headers = [ORIGIN, await in_thread(cookie_of)(user)]
        path = f"/ws/labs/{lab.pk}/terminal"
        socket = WebsocketCommunicator(websocket_application, path, headers)
        opened.append(socket)
        connected, _ = await socket.connect(timeout=5)
        return Browser(socket) if connected else None

    yield start
    for socket in opened:
        with contextlib.suppress(asyncio.CancelledError):
            await socket.disconnect(timeout=5)


def cookie_of(user):
    client = Client()
    client.force_login(user)
    return b"cookie", f"sessionid={client.cookies['sessionid'].value}".encode()


async def at_work(connect, **changes):
    """A browser with an open terminal that echoes lines."""
    browser = await connect()
    await browser.open(**changes)
    await browser.shows("ready")
    return browser


# Who may look, who may type.


async def test_strangers(connect, worker, stranger):
    for headers in [ORIGIN], [ORIGIN, (b"cookie", b"sessionid=x")]:
        browser = await connect(headers=headers)
        await browser.open()
        assert await browser.closes() == 4401
    browser = await connect(stranger)
    await browser.open()
    assert await browser.closes() == 4404
    cookie = await in_thread(cookie_of)(stranger)
    assert await connect(headers=[(b"origin", b"http://evil.example"), cookie]) is None
    assert not worker.sandboxes.opened


async def test_opened_typed_and_ended(connect, worker, owner, lab):
    browser = await connect()
    await browser.open(columns=90, rows=20)
    opened = await browser.said("opened")
    assert (opened["node"], opened["write"], opened["missed"]) == ("n1", True, 0)
    assert (opened["columns"], opened["rows"]) == (90, 20)
    await browser.shows("ready")
    await browser.type("hello\n")
    await browser.shows("hello\r\nhello\r\n")
    await browser.until(lambda: browser.taken() == 6)
    await browser.type("\x04")
    assert await browser.said("ended") == {"type": "ended", "status": 0, "message": ""}
    assert await browser.closes() == 1000
    await browser.socket.disconnect()
    entry = await in_thread(Entry.objects.get)(verb="terminal")
    assert (entry.user_id, entry.lab_id) == (owner.pk, lab.pk)
    assert entry.detail == {"node": "n1", "terminal": opened["terminal"]}


async def test_signing_out_closes_the_terminal(connect, worker, monkeypatch):
    monkeypatch.setattr(terminal, "RECHECK", 0.05)
    monkeypatch.setattr(access, "KEPT", 0.0)
    browser = await at_work(connect)
    await in_thread(Session.objects.all().delete)()
    assert await browser.closes() == 4401


async def test_nothing_is_typed_once_the_lab_is_anothers(connect, worker, lab, stranger):
    """Without a doorbell the old answer holds for a second; after it the socket is closed."""
    browser = await at_work(connect)
    await in_thread(Lab.objects.filter(pk=lab.pk).update)(owner=stranger)
    await in_thread(doorbells.changed)(lab.pk)
    assert await browser.closes() == 4404
    await browser.type("late\n")
    assert await browser.socket.receive_nothing(0.2)
    (one,) = worker.service._terminals.values()
    assert one._output.read(0, 1000) == b"ready\r\n"


async def test_each_input_is_authorised_by_the_rows(connect, worker, monkeypatch):
    monkeypatch.setattr(access, "KEPT", 0.0)
    browser = await at_work(connect)
    await in_thread(Session.objects.all().delete)()
    await browser.type("late\n")
    assert await browser.closes() == 4401
    assert b"late" not in browser.output


async def test_an_answer_of_the_rows_is_kept_for_a_second(connect, worker, monkeypatch):
    looks = []
    true = access.look
    monkeypatch.setattr(access, "look", lambda *args: looks.append(args) or true(*args))
    monkeypatch.setattr(access, "KEPT", 60.0)
    browser = await at_work(connect)
    for number in range(20):
        await browser.type(f"word {number}\n")
        await browser.shows(f"word {number}\r\nword {number}\r\n")
    assert len(looks) <= 2


async def test_who_may_read_only_watches(connect, worker, stranger, monkeypatch):
    """Shared viewing is prepared: with a reader's right nothing but output comes through."""
    first = await at_work(connect)
    identity = (await first.said("opened"))["terminal"]
    monkeypatch.setattr(access, "may_type", lambda *_: False)
    second = await connect()
    await second.open(terminal=identity, columns=40)
    opened = await second.said("opened")
    assert (opened["write"], opened["columns"]) == (False, 80)
    await second.type("no\n")
    await second.tell(type="resize", columns=30, rows=10)
    await second.tell(type="end")
    await second.until(lambda: second.taken() == 3)
    monkeypatch.undo()
    await first.type("yes\n")
    await second.shows("yes\r\nyes\r\n")
    assert b"no" not in second.output
    third = await connect()
    monkeypatch.setattr(access, "may_type", lambda *_: False)
    await third.open()
    assert (await third.said("notice"))["code"] == "stream-refused"


async def test_a_right_that_changes_is_told(connect, worker, lab, monkeypatch):
    browser = await at_work(connect)
    with monkeypatch.context() as changed:
        changed.setattr(access, "may_type", lambda *_: False)
        await in_thread(doorbells.changed)(lab.pk)
        assert (await browser.said("writer"))["write"] is False
        await browser.type("no\n")
        await browser.until(lambda: browser.taken() == 3)
    await in_thread(doorbells.changed)(lab.pk)
    assert (await browser.said("writer"))["write"] is True
    await browser.type("yes\n")
    await browser.shows("yes\r\nyes\r\n")
    assert b"no" not in browser.output


# What is refused.


@pytest.mark.parametrize(
    "message",
    [
        "nonsense",
        "[]",
        "[" * 900,
        "{" + " " * 2000 + "}",
        {},
        {"type": "open"},
        {**OPEN, "node": 5},
        {**OPEN, "node": "x" * 41},
        {**OPEN, "terminal": ""},
        {**OPEN, "terminal": ["x"]},
        {**OPEN, "columns": 0},
        {**OPEN, "rows": 1001},
        {**OPEN, "rows": True},
        {**OPEN, "rows": 1.5},
        {"type": "resize", "columns": 80, "rows": 24},
        {"type": "credit", "bytes": 1},
        {"type": "end"},
        {"type": "lab.changed", "lab": 1},
        {"type": ["open"]},
        b"typed before it is open",
    ],
)
async def test_malformed_first_message(connect, worker, message):
    browser = await connect()
    if isinstance(message, bytes):
        await browser.type(message)
    else:
        text = message if isinstance(message, str) else json.dumps(message)
        await browser.socket.send_to(text_data=text)
    assert await browser.closes() == 4400
    assert not worker.sandboxes.opened


@pytest.mark.parametrize(
    "message",
    [
        OPEN,
        {"type": "resize", "columns": 80},
        {"type": "resize", "columns": -1, "rows": 24},
        {"type": "credit"},
        {"type": "credit", "bytes": 0},
        {"type": "credit", "bytes": 10**9},
        {"type": "credit", "bytes": 1e3},
        b"x" * 65537,
    ],
)
async def test_malformed_later_message(connect, worker, message):
    browser = await at_work(connect)
    if isinstance(message, bytes):
        await browser.type(message)
    else:
        await browser.tell(**message)
    assert await browser.closes() == 4400


async def test_a_flood_of_messages(connect, worker, monkeypatch):
    monkeypatch.setattr(terminal, "MESSAGES_PER_SECOND", 20)
    browser = await at_work(connect)
    for _ in range(50):
        await browser.tell(type="resize", columns=80, rows=24)
    assert await browser.closes() == 4400


async def test_a_flood_of_input(connect, worker):
    worker.program("/bin/sh", "-c", "stty raw; echo ready; exec sleep 99")
    browser = await at_work(connect)
    for _ in range(terminal_relay.MAX_WAITING // 65536 + 3):
        await browser.type(b"x" * 65536)
    assert await browser.closes() == 4400


async def test_a_refusal_is_said_and_closes(connect, worker):
    browser = await connect()
    await browser.open(node="n9")
    notice = await browser.said("notice")
    assert (notice["code"], notice["message"]) == ("stream-refused", "This node does not run.")
    assert await browser.closes() == 1000


async def test_the_terminal_of_another_lab_cannot_be_joined(connect, worker, owner):
    browser = await at_work(connect)
    identity = (await browser.said("opened"))["terminal"]
    other = await in_thread(services.create_lab)(owner, "other")
    path = f"/ws/labs/{other.pk}/terminal"
    headers = [ORIGIN, await in_thread(cookie_of)(owner)]
    socket = WebsocketCommunicator(websocket_application, path, headers)
    await socket.connect(timeout=5)
    stray = Browser(socket)
    worker.service._adopted = 0
    await stray.open(terminal=identity)
    assert (await stray.said("notice"))["code"] == "stream-refused"
    await socket.disconnect()


# Flow.


async def test_a_slow_browser_pauses_the_program_and_loses_nothing(connect, worker):
    amount = 1_500_000
    script = (
        "import hashlib,os,sys,tty; tty.setraw(1); h=hashlib.sha256()\n"
        f"for _ in range({amount // 1000}):\n"
        "  d=os.urandom(1000); h.update(d); sys.stdout.buffer.write(d)\n"
        "sys.stdout.buffer.write(h.digest())"
    )
    worker.program("/usr/bin/env", "python3", "-c", script)
    browser = await connect()
    browser.spends = False
    await browser.open()
    await browser.until(lambda: len(browser.output) == TERMINAL_OUTPUT)
    assert await browser.socket.receive_nothing(0.2)
    browser.spends = True
    await browser.tell(type="credit", bytes=TERMINAL_OUTPUT)
    await browser.said("ended")
    assert browser.output[amount:] == hashlib.sha256(browser.output[:amount]).digest()


async def test_a_large_paste_arrives_whole(connect, worker):
    data = os.urandom(400_000)
    script = (
        "import hashlib,os,tty; tty.setraw(0); print('ready', end='', flush=True); d=b''\n"
        f"while len(d) < {len(data)}: d+=os.read(0, 65536)\n"
        "print(hashlib.sha256(d).hexdigest())"
    )
    worker.program("/usr/bin/env", "python3", "-c", script)
    browser = await at_work(connect)
    for start in range(0, len(data), 65536):
        await browser.type(data[start : start + 65536])
    await browser.said("ended")
    assert hashlib.sha256(data).hexdigest().encode() in browser.output
    assert browser.taken() == len(data)


# Coming back.


async def test_a_browser_that_comes_back_finds_its_program(connect, worker):
    browser = await at_work(connect)
    identity = (await browser.said("opened"))["terminal"]
    await browser.socket.disconnect()
    back = await connect()
    await back.open(terminal=identity)
    opened = await back.said("opened")
    assert (opened["terminal"], opened["replay"]) == (identity, len(browser.output))
    await back.shows("ready")
    assert len(worker.sandboxes.opened) == 1


async def test_end_arrives_though_the_browser_leaves_at_once(connect, worker):
    browser = await at_work(connect)
    await browser.tell(type="end")
    await browser.socket.disconnect()
    async with asyncio.timeout(PATIENCE):
        while worker.service._terminals:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_end_arrives_even_while_the_terminal_opens(connect, worker):
    worker.sandboxes.gate.clear()
    browser = await connect()
    await browser.open()
    async with asyncio.timeout(PATIENCE):
        while not worker.sandboxes.opened:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await browser.tell(type="end")
    leaving = asyncio.create_task(browser.socket.disconnect(timeout=5))
    await asyncio.sleep(0)
    worker.sandboxes.gate.set()
    await leaving
    async with asyncio.timeout(PATIENCE):
        while worker.service._in_lab:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_worker_that_restarts_gives_a_new_terminal_and_says_so(
    connect, worker, monkeypatch
):
    monkeypatch.setattr(terminal_relay, "BACKOFF", (0.02,))
    browser = await at_work(connect)
    identity = (await browser.said("opened"))["terminal"]
    await worker.server.stop()  # as by SIGKILL: the program's end cannot be told
    await worker.service.stop()
    assert (await browser.said("notice"))["code"] == "stream-away"
    await browser.type("for the old one\n")
    browser.output.clear()
    await worker.start()
    notice = await browser.said("notice")
    assert (notice["code"], notice["message"]) == ("stream-back", terminal_relay.REPLACED)
    opened = await browser.said("opened")
    assert opened["terminal"] != identity
    await browser.until(lambda: browser.taken() == len("for the old one\n"))
    await browser.shows("ready")
    await browser.type("new\n")
    await browser.shows("new\r\nnew\r\n")
    assert b"old" not in browser.output


async def test_a_connection_that_breaks_finds_the_same_terminal(connect, worker, monkeypatch):
    monkeypatch.setattr(terminal_relay, "BACKOFF", (0.02,))
    browser = await at_work(connect)
    identity = (await browser.said("opened"))["terminal"]
    await worker.server.stop()
    assert (await browser.said("notice"))["code"] == "stream-away"
    await worker.server.start(worker.path)
    notice = await browser.said("notice")
    assert (notice["code"], notice["message"]) == ("stream-back", terminal_relay.BACK)
    assert (await browser.said("opened"))["terminal"] == identity
    await browser.type("on\n")
    await browser.shows("on\r\non\r\n")


async def test_an_id_that_is_no_more_gives_a_new_terminal_and_says_so(connect, worker):
    browser = await connect()
    await browser.open(terminal="long-gone")
    assert (await browser.said("notice"))["message"] == terminal_relay.REPLACED
    assert (await browser.said("opened"))["terminal"] != "long-gone"


async def test_a_worker_that_is_away_is_said_once(connect, worker, monkeypatch):
    monkeypatch.setattr(terminal_relay, "BACKOFF", (0.01,))
    await worker.server.stop()
    browser = await connect()
    await browser.open()
    assert (await browser.said("notice"))["code"] == "stream-away"
    assert await browser.socket.receive_nothing(0.2)
    await worker.server.start(worker.path)
    assert (await browser.said("notice"))["code"] == "stream-back"
    await browser.shows("ready")


async def test_a_silent_worker_counts_as_away(connect, worker, monkeypatch):
    monkeypatch.setattr(connection, "SILENCE", 0.1)
    monkeypatch.setattr(terminal_relay, "BACKOFF", (0.01,))
    browser = await at_work(connect)
    assert (await browser.said("notice"))["code"] == "stream-away"


async def test_disconnect_leaves_no_task_and_no_group(connect, worker, lab):
    before = asyncio.all_tasks()
    browser = await at_work(connect)
    await browser.tell(type="end")
    await browser.closes()
    left = asyncio.all_tasks() - before
    await browser.socket.disconnect()
    _, pending = await asyncio.wait(left, timeout=5)
    assert not pending
    assert not get_channel_layer().groups.get(f"lab.{lab.pk}")
