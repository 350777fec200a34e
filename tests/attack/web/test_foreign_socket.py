"""The lab's WebSocket: who may open it, what a stranger or a torn-off viewer gets, bad messages."""

from __future__ import annotations

import asyncio
import json

import pytest
from django.contrib.sessions.models import Session

from tests.attack.register import attack, case
from tests.attack.web.conftest import SECRET
from tests.web.labsocket import (
    ORIGIN,
    close_code,
    connect,  # noqa: F401 - a fixture
    cookie_of,
    frame_of,
    in_thread,
    said,
    say,
    worker,  # noqa: F401 - a fixture
)
from topoweb.gateway import consumers
from topoweb.labs import services
from topoweb.labs.models import Lab

pytestmark = pytest.mark.django_db(transaction=True)
MESSAGES = {
    "open live": {"type": "open", "stream": "live"},
    "open packets": {"type": "open", "stream": "packets"},
    "credit": {"type": "credit", "stream": "live", "credit": 16},
    "close": {"type": "close", "stream": "live"},
}


@pytest.fixture
async def strangers_cookie(stranger):
    return await in_thread(cookie_of)(stranger)


async def until_closed(socket):
    """Return all that a socket said before its close code, and the code."""
    heard = []
    async with asyncio.timeout(10):
        while (event := await socket.receive_output(10))["type"] != "websocket.close":
            heard.append(event)
    return heard, event["code"]


@pytest.mark.parametrize(
    "message",
    [
        case(name.replace(" ", "-"), f"WebSocket of a lab of somebody else: {name}",
             "4404 as for no lab; nothing is told, the worker is not asked", message)
        for name, message in MESSAGES.items()
    ],
)  # fmt: skip
async def test_a_strangers_message(connect, drawn, worker, strangers_cookie, message):  # noqa: F811
    socket = await connect(drawn, headers=[ORIGIN, strangers_cookie])
    await say(socket, **message)
    heard, code = await until_closed(socket)
    assert code == 4404
    assert not [event for event in heard if event.get("bytes") or SECRET in str(event)]
    assert not [event for event in heard if "hello" in str(event)]
    assert worker.opened == []


@attack(
    "WebSocket of one's own lab with another lab's number in a stream's params",
    "the token names the lab of the address alone",
)
async def test_another_lab_in_the_params(connect, drawn, stranger, worker, strangers_cookie):  # noqa: F811
    own = await in_thread(services.create_lab)(stranger, "own", None)
    socket = await connect(own, headers=[ORIGIN, strangers_cookie])
    params = {"lab": drawn.pk, "lab_id": drawn.pk, "token": {"lab": drawn.pk}, "user": 1}
    await say(socket, type="open", stream="live", params=params)
    await frame_of(socket)
    ((token, _),) = worker.opened
    assert (token.lab, token.user, token.write) == (own.pk, stranger.pk, False)


PATHS = [
    "/ws/labs/{own}/../{lab}", "/ws/labs/{own}?lab={lab}#{lab}", "/ws/labs/-1", "/ws/labs/0x1",
    "/ws/labs/" + "9" * 400, "/ws/labs/%31", "/ws/labs//{lab}", "/ws/labs/{lab}/",
]  # fmt: skip


@attack("WebSocket addresses that name a lab in a crooked way", "refused, or one's own lab")
async def test_crooked_addresses(connect, drawn, stranger, strangers_cookie):  # noqa: F811
    own = await in_thread(services.create_lab)(stranger, "own", None)
    for path in PATHS:
        where = path.format(own=own.pk, lab=drawn.pk)
        socket = await connect(own, headers=[ORIGIN, strangers_cookie], path=where)
        if socket is not None and where != f"/ws/labs/{own.pk}?lab={drawn.pk}#{drawn.pk}":
            assert await close_code(socket) == 4404


ORIGINS = {
    "none": [],
    "another-site": [(b"origin", b"http://evil.example")],
    "null": [(b"origin", b"null")],
    "ours-as-a-prefix": [(b"origin", b"http://localhost.evil.example")],
    "ours-as-a-user": [(b"origin", b"http://localhost@evil.example")],
    "no-url": [(b"origin", b"localhost\xff\x00")],
    "bearer-without-token": [(b"origin", b"http://evil.example"), (b"authorization", b"Bearer ")],
}


@pytest.mark.parametrize(
    "headers",
    [case(name, f"WebSocket handshake with the user's cookies, Origin: {name}", "403", given)
     for name, given in ORIGINS.items()],
)  # fmt: skip
async def test_origin(connect, drawn, owner, headers):  # noqa: F811
    cookie = await in_thread(cookie_of)(owner)
    assert await connect(drawn, headers=[*headers, cookie]) is None


@attack(
    "WebSocket with a nonsense bearer, to be spared the Origin check, and the user's cookies",
    "4401: with a bearer the cookies do not count",
)
async def test_bearer_beside_cookies(connect, drawn, owner):  # noqa: F811
    cookie = await in_thread(cookie_of)(owner)
    headers = [(b"origin", b"http://evil.example"), (b"authorization", b"Bearer x"), cookie]
    assert await close_code(await connect(drawn, headers=headers)) == 4401


COOKIES = ["", "sessionid=", "sessionid=\xff", "sessionid=" + "a" * 5000, "sessionid=../../x",
           "sessionid[]=1", "sessionid=a; sessionid=b", "=;;=;sessionid"]  # fmt: skip


@attack("WebSocket with made-up and malformed session cookies", "4401")
async def test_made_up_cookies(connect, drawn):  # noqa: F811
    for cookie in COOKIES:
        headers = [ORIGIN, (b"cookie", cookie.encode("latin-1"))]
        assert await close_code(await connect(drawn, headers=headers)) == 4401


TEARS = {
    "signed-out": (4401, lambda lab, user: Session.objects.all().delete()),
    "barred": (4401, lambda lab, user: type(user).objects.update(is_active=False)),
    "lab-given-away": (4404, lambda lab, user: Lab.objects.update(owner=user.pk + 1)),
    "lab-deleted": (4404, lambda lab, user: services.delete_lab(lab)),
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "tear"),
    [case(name, f"keeping an open lab socket and its stream: {name}",
          f"closed with {code} at the next look, the stream with it", code, tear)
     for name, (code, tear) in TEARS.items()],
)  # fmt: skip
async def test_rights_that_ended(connect, drawn, stranger, worker, monkeypatch, code, tear):  # noqa: F811
    monkeypatch.setattr(consumers, "RECHECK", 0.05)
    socket = await connect(drawn)
    await said(socket, "problems")
    await say(socket, type="open", stream="live")
    await frame_of(socket)
    owner = await in_thread(lambda: drawn.owner)()
    assert stranger.pk == owner.pk + 1
    await in_thread(tear)(drawn, owner)
    _, closed = await until_closed(socket)
    assert closed == code
    worker.publish(99)  # nobody is there to hear it
    assert await socket.receive_nothing(0.1)


BAD = {
    "no-json": "nonsense",
    "no-object": "[1]",
    "deep-nesting": "[" * 60_000,
    "deep-objects": '{"a":' * 12_000,
    "huge-number": '{"type": "credit", "stream": "live", "credit": ' + "9" * 5000 + "}",
    "huge-float": '{"type": "credit", "stream": "live", "credit": 1e999}',
    "negative-credit": '{"type": "credit", "stream": "live", "credit": -9}',
    "boolean-credit": '{"type": "credit", "stream": "live", "credit": true}',
    "over-64-KiB": json.dumps({"type": "open", "stream": "live", "params": {"x": "x" * 70_000}}),
    "stream-of-the-worker": '{"type": "open", "stream": "query", "params": {"what": "live"}}',
    "stream-by-number": '{"type": "open", "stream": 1}',
    "stream-as-object": '{"type": "open", "stream": {"live": 1}}',
    "a-handler's-name": '{"type": "lab.changed", "stream": "live"}',
    "a-method's-name": '{"type": "disconnect", "stream": "live"}',
    "lone-surrogate": '{"type": "\\ud800", "stream": "live"}',
}


@pytest.mark.parametrize(
    "text",
    [case(name, f"lab socket: a malformed message, {name}", "4400; the server stands", text)
     for name, text in BAD.items()],
)  # fmt: skip
async def test_bad_messages(connect, drawn, text):  # noqa: F811
    socket = await connect(drawn)
    await socket.send_to(text_data=text)
    assert await close_code(socket) == 4400
    other = await connect(drawn)
    assert (await said(other, "hello"))["seq"] == drawn.seq


@attack("lab socket: bytes of a stream's frame, as only the worker sends them", "4400")
async def test_bytes_from_a_browser(connect, drawn):  # noqa: F811
    socket = await connect(drawn)
    await socket.send_to(bytes_data=b"\x04\x02\x00\x00\x00\x00\x00\x00rm -rf /")
    assert await close_code(socket) == 4400


@attack("lab socket: more messages than a browser sends", "4400")
async def test_flood(connect, drawn):  # noqa: F811
    socket = await connect(drawn)
    for _ in range(2 * consumers.MESSAGES_PER_SECOND + 2):
        await say(socket, type="credit", stream="live", credit=1)
    assert await close_code(socket) == 4400
