"""The terminal socket: a stranger's messages, a reader who types, malformed and endless input."""

from __future__ import annotations

import asyncio
import json

import pytest
from channels.testing import WebsocketCommunicator

from tests.attack.register import attack, case
from tests.web.terminalsocket import (
    OPEN,
    ORIGIN,
    Browser,
    Worker,
    at_work,
    connect,  # noqa: F401 - a fixture
    cookie_of,
    in_thread,
    worker,  # noqa: F401 - a fixture
)
from topoweb.core.plan.state import LabState, NamespaceState
from topoweb.core.topology.model import Node, Topology
from topoweb.engine.terminals import login
from topoweb.gateway import access, terminal, terminal_relay
from topoweb.gateway.routing import websocket_application
from topoweb.labs import doorbells, services
from topoweb.labs.models import Lab

pytestmark = pytest.mark.django_db(transaction=True)
MESSAGES = {
    "open-new": [OPEN],
    "open-by-id": [{**OPEN, "terminal": "AAAAAAAAAAAAAAAA"}],
    "resize": [OPEN, {"type": "resize", "columns": 80, "rows": 24}],
    "credit": [OPEN, {"type": "credit", "bytes": 1000}],
    "end": [OPEN, {"type": "end"}],
    "input": [OPEN, b"id\n"],
    "input-first": [b"id\n"],
}


async def send(browser, message):
    if isinstance(message, bytes):
        await browser.type(message)
    elif isinstance(message, str):
        await browser.socket.send_to(text_data=message)
    else:
        await browser.tell(**message)


def screens(worker):  # noqa: F811
    """Return all that was written on any terminal of the worker."""
    return b"".join(one._output.read(0, 1 << 20) for one in worker.service._terminals.values())


@pytest.mark.parametrize(
    "messages",
    [case(name, f"terminal socket of a lab of somebody else: {name}",
          "4404 as for no lab; no program is started, nothing is typed", messages)
     for name, messages in MESSAGES.items() if name != "input-first"],
)  # fmt: skip
async def test_a_stranger(connect, worker, stranger, messages):  # noqa: F811
    await at_work(connect)
    browser = await connect(stranger)
    for message in messages:
        await send(browser, message)
    assert await browser.closes() == 4404
    assert browser.output == b""
    assert len(worker.sandboxes.opened) == 1
    assert screens(worker) == b"ready\r\n"


@attack("terminal socket without a session, with a made-up one, from another site's page",
        "4401, 4401, 403; no program is started")  # fmt: skip
async def test_nobody(connect, worker, owner):  # noqa: F811
    for headers in ([ORIGIN], [ORIGIN, (b"cookie", b"sessionid=x")]):
        browser = await connect(headers=headers)
        await browser.open()
        assert await browser.closes() == 4401
    cookie = await in_thread(cookie_of)(owner)
    for origin in (b"http://evil.example", b"null", b"http://localhost.evil.example"):
        assert await connect(headers=[(b"origin", origin), cookie]) is None
    assert await connect(headers=[cookie]) is None
    assert not worker.sandboxes.opened


@attack("join another lab's terminal by its id, from a lab of one's own",
        "not found: an id counts in its lab only")  # fmt: skip
async def test_the_id_of_another_lab(connect, worker, stranger):  # noqa: F811
    first = await at_work(connect)
    identity = (await first.said("opened"))["terminal"]
    own = await in_thread(services.create_lab)(stranger, "own", None)
    worker.service.desired(
        own.pk,
        Topology(nodes={"n1": Node(kind="host", name="mine")}),
        LabState(namespaces={"n1": NamespaceState()}),
    )
    headers = [ORIGIN, await in_thread(cookie_of)(stranger)]
    socket = WebsocketCommunicator(websocket_application, f"/ws/labs/{own.pk}/terminal", headers)
    await socket.connect(timeout=5)
    spy = Browser(socket)
    try:
        await spy.open(terminal=identity)
        opened = await spy.said("opened")
        assert opened["terminal"] != identity  # a new one, in the own lab
        assert [lab for lab, _, _ in worker.sandboxes.opened] == [worker.lab, own.pk]
        await spy.shows("ready\r\n")
        await spy.type("spying\n")
        await spy.shows("spying\r\nspying\r\n")
        assert b"spying" not in first.output
    finally:
        await socket.disconnect(timeout=5)


@attack("a node of another lab, a node that is not drawn, a path as a node",
        "refused; no program is started")  # fmt: skip
async def test_foreign_nodes(connect, worker):  # noqa: F811
    for node in ("n9", "../../../../../../etc", "..", "/etc", "n1/../n2", "n1\u0000", "N1", " n1"):
        browser = await connect()
        await browser.open(node=node)
        assert await browser.closes() in (1000, 4400)
    assert not worker.sandboxes.opened


READERS = {
    "input": b"rm -rf /\n",
    "a-status-report": b"\x1b[?1;2c\x1b[5n",
    "resize": {"type": "resize", "columns": 33, "rows": 11},
    "end": {"type": "end"},
    "a-control-for-the-worker": {"type": "resize", "columns": 80, "rows": 24, "write": True},
}


@pytest.mark.parametrize(
    "message",
    [case(name, f"a viewer who may only read sends {name}",
          "taken and dropped; program, size and screen stay", message)
     for name, message in READERS.items()],
)  # fmt: skip
async def test_a_reader(connect, worker, monkeypatch, message):  # noqa: F811
    monkeypatch.setattr(access, "KEPT", 0.0)
    first = await at_work(connect)
    identity = (await first.said("opened"))["terminal"]
    reader = await connect()
    with monkeypatch.context() as reading:
        reading.setattr(access, "may_type", lambda *_: False)
        await reader.open(terminal=identity, columns=40, rows=10)
        assert (await reader.said("opened"))["write"] is False
        await send(reader, message)
        await reader.type("after it")
        dropped = len(b"after it") + (len(message) if isinstance(message, bytes) else 0)
        await reader.until(lambda: reader.taken() == dropped)  # all of it has been handled
    await first.type("mine\n")
    await reader.shows("mine\r\nmine\r\n")
    assert screens(worker) == b"ready\r\nmine\r\nmine\r\n"
    (one,) = worker.service._terminals.values()
    assert one._size == (80, 24)


@attack("a viewer who may only read opens a terminal of their own", "refused")
async def test_a_reader_opens(connect, worker, monkeypatch):  # noqa: F811
    monkeypatch.setattr(access, "may_type", lambda *_: False)
    browser = await connect()
    await browser.open()
    assert (await browser.said("notice"))["code"] == "stream-refused"
    assert not worker.sandboxes.opened


@attack("typing on after the lab was given away, with the socket still open",
        "4404; nothing of it reaches the program")  # fmt: skip
async def test_after_the_right_is_gone(connect, worker, lab, stranger):  # noqa: F811
    browser = await at_work(connect)
    await in_thread(Lab.objects.filter(pk=lab.pk).update)(owner=stranger)
    await in_thread(doorbells.changed)(lab.pk)
    await browser.type("late\n")
    assert await browser.closes() == 4404
    assert b"late" not in screens(worker)


BAD = {
    "no-json": "open",
    "no-object": "[]",
    "deep": "[" * 1000,
    "long": json.dumps({**OPEN, "padding": "x" * 2000}),
    "node-as-object": {**OPEN, "node": {"$ne": ""}},
    "node-as-number": {**OPEN, "node": 1},
    "node-too-long": {**OPEN, "node": "n" * 41},
    "terminal-as-list": {**OPEN, "terminal": []},
    "columns-zero": {**OPEN, "columns": 0},
    "columns-huge": {**OPEN, "columns": 10**9},
    "rows-negative": {**OPEN, "rows": -1},
    "rows-as-float": {**OPEN, "rows": 24.5},
    "rows-as-boolean": {**OPEN, "rows": True},
    "resize-first": {"type": "resize", "columns": 80, "rows": 24},
    "credit-first": {"type": "credit", "bytes": 9},
    "input-first": b"id\n",
    "a-handler's-name": {"type": "lab.changed"},
}


@pytest.mark.parametrize(
    "message",
    [case(name, f"terminal socket: a malformed message, {name}",
          "4400; no program is started", message) for name, message in BAD.items()],
)  # fmt: skip
async def test_malformed(connect, worker, message):  # noqa: F811
    browser = await connect()
    await send(browser, message)
    assert await browser.closes() == 4400
    assert not worker.sandboxes.opened


@attack("terminal socket: a second open, a frame over 64 KiB, credit out of range",
        "4400")  # fmt: skip
async def test_malformed_later(connect, worker):  # noqa: F811
    for message in (OPEN, b"x" * 65537, {"type": "credit", "bytes": 10**12},
                    {"type": "credit", "bytes": -1}):  # fmt: skip
        browser = await at_work(connect)
        await send(browser, message)
        assert await browser.closes() == 4400, message


@attack("terminal socket: input without end to a program that does not read",
        "4400 beyond 1 MiB: memory stays flat")  # fmt: skip
async def test_endless_input(connect, worker):  # noqa: F811
    worker.program("/bin/sh", "-c", "stty raw; echo ready; exec sleep 99")
    browser = await at_work(connect, ready="ready")
    for _ in range(terminal_relay.MAX_WAITING // 65536 + 5):
        await browser.type(b"x" * 65536)
    assert await browser.closes() == 4400


@attack("terminal socket: more messages than a browser sends", "4400")
async def test_flood(connect, worker):  # noqa: F811
    browser = await at_work(connect)
    for _ in range(2 * terminal.MESSAGES_PER_SECOND + 2):
        await browser.tell(type="resize", columns=80, rows=24)
    assert await browser.closes() == 4400


@attack("more terminals than a lab may have", "refused with the ceiling's words")
async def test_too_many(connect, worker):  # noqa: F811
    worker.service._ceilings = lambda _lab, _user: (3, 9)
    for _ in range(3):
        await at_work(connect)
    browser = await connect()
    await browser.open()
    notice = await browser.said("notice")
    assert (notice["code"], "3" in notice["message"]) == ("stream-refused", True)
    assert len(worker.sandboxes.opened) == 3


HOSTILE = ["$(touch x)", "`id`", "\\u@\\h", "${PATH}", "a\x1b]0;x\x07", "!!", "%s", "';id;'"]


@attack("a node's name that a shell's prompt would run or obey", "only its harmless characters")
def test_prompt():
    for name in HOSTILE:
        for shell in ("/bin/bash", "/bin/sh"):
            prompt = login(shell, "n1", name).environment["PS1"]
            bare = login(shell, "n1", "h1").environment["PS1"]
            assert not set(prompt) - set(bare) - set("abcdefghijklmnopqrstuvwxyzPATHx0;"), prompt
            assert "$(" not in prompt
            assert "`" not in prompt


@attack("a program that the worker cannot start any more: the worker stops while one types",
        "typed bytes are dropped, not kept for the next program")  # fmt: skip
async def test_input_for_a_dead_program(connect, worker):  # noqa: F811
    assert isinstance(worker, Worker)
    browser = await at_work(connect)
    await worker.stop()
    await browser.type("for the old one\n")
    await browser.said("notice")
    await worker.start()
    await browser.until(lambda: browser.output.count(b"ready") == 2)
    await browser.type("new\n")
    async with asyncio.timeout(10):
        await browser.shows("new\r\nnew\r\n")
    assert b"old" not in browser.output
