"""The terminal socket: who may look and type, and what is refused."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import json

import pytest
from channels.testing import WebsocketCommunicator
from django.contrib.sessions.models import Session

from tests.web.terminalsocket import (
    OPEN,
    ORIGIN,
    Browser,
    at_work,
    connect,  # noqa: F401 - a fixture
    cookie_of,
    in_thread,
    worker,  # noqa: F401 - a fixture
)
from topoweb.audit.models import Entry
from topoweb.gateway import access, terminal, terminal_relay
from topoweb.gateway.routing import websocket_application
from topoweb.labs import doorbells, services
from topoweb.labs.models import Lab

pytestmark = pytest.mark.django_db(transaction=True)


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
    await browser.shows("ready\r\n")
    await browser.type("hello\n")
    await browser.shows("hello\r\nhello\r\n")
    await browser.until(lambda: browser.taken() == 6)
    await browser.type("\x04")
    ended = await browser.said("ended")
    assert (ended["status"], ended["message"], ended["code"]) == (0, "", "")
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
    browser = await at_work(connect, ready="ready")
    for _ in range(terminal_relay.MAX_WAITING // 65536 + 3):
        await browser.type(b"x" * 65536)
    assert await browser.closes() == 4400


async def test_a_refusal_is_said_and_closes(connect, worker):
    browser = await connect()
    await browser.open(node="n9")
    notice = await browser.said("notice")
    assert (notice["code"], notice["message"]) == ("stream-refused", "This node does not run.")
    assert (notice["said"], notice["params"]) == ("node-not-running", {})
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
