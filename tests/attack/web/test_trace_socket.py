"""The trace verb over the lab's socket: a stranger, a reader, and wishes that are none."""

from __future__ import annotations

import pytest

from tests.attack.register import attack, case
from tests.attack.web.conftest import SECRET
from tests.attack.web.test_foreign_socket import until_closed
from tests.fakes.tracer import serving
from tests.web.labsocket import (
    ORIGIN,
    close_code,
    connect,  # noqa: F401 - a fixture
    cookie_of,
    frame_of,
    in_thread,
    said,
    say,
)
from topoweb.gateway import trace
from topoweb.labs.models import Lab, Probe
from topoweb.labs.streamclient import stream_key
from topoweb.protocol.frames import Stream

pytestmark = pytest.mark.django_db(transaction=True)
WISH = {"source": "n1", "target": "n2", "protocol": "icmp"}


@pytest.fixture
async def tracer(run_directory):
    async with serving(run_directory / "tracer.sock", stream_key()) as one:
        yield one


@pytest.fixture
async def running(drawn):
    await in_thread(Lab.objects.update)(running=True)
    return drawn


@attack("a trace in a lab of somebody else", "4404; the tracer is not asked, nothing is sent")
async def test_a_stranger(connect, running, tracer, stranger):  # noqa: F811
    cookie = await in_thread(cookie_of)(stranger)
    socket = await connect(running, headers=[ORIGIN, cookie])
    await say(socket, type="open", stream="trace", params=WISH)
    heard, code = await until_closed(socket)
    assert code == 4404
    assert not [event for event in heard if event.get("bytes") or SECRET in str(event)]
    assert not tracer.opened
    assert not await in_thread(Probe.objects.exists)()


@attack("a trace by someone who may look at the lab only", "refused; nothing is sent")
async def test_a_reader(connect, running, tracer, monkeypatch):  # noqa: F811
    monkeypatch.setattr(trace, "can", lambda user, verb, lab: verb == "read")
    socket = await connect(running)
    await said(socket, "problems")
    await say(socket, type="open", stream="trace", params=WISH)
    assert (await said(socket, "notice"))["code"] == "stream-refused"
    assert not tracer.opened
    assert not await in_thread(Probe.objects.exists)()


@attack("a right to run probes that ends between dry run and packet", "nothing is sent")
async def test_a_right_that_ends(connect, running, tracer, monkeypatch):  # noqa: F811
    answers = iter([True, False])
    monkeypatch.setattr(trace, "can", lambda *_: next(answers))
    socket = await connect(running)
    await said(socket, "problems")
    await say(socket, type="open", stream="trace", params=WISH)
    assert [(await frame_of(socket)).stream for _ in range(2)] == [Stream.TRACE] * 2
    assert (await said(socket, "notice"))["code"] == "stream-refused"
    assert tracer.opened
    assert not await in_thread(Probe.objects.exists)()


BAD = {
    "none": {},
    "another-lab": {**WISH, "lab": 1},
    "no-protocol": {**WISH, "protocol": "sctp"},
    "port-as-text": {**WISH, "protocol": "tcp", "port": "80"},
    "port-as-truth": {**WISH, "protocol": "tcp", "port": True},
    "port-too-large": {**WISH, "protocol": "udp", "port": 65536},
    "node-as-object": {**WISH, "source": {"id": "n1"}},
    "node-as-path": {**WISH, "source": "../n1"},
    "long-target": {**WISH, "target": "1" * 65},
}


@pytest.mark.parametrize(
    "params",
    [case(name, f"lab socket: a trace with malformed params, {name}", "4400", params)
     for name, params in BAD.items()],
)  # fmt: skip
async def test_malformed(connect, running, tracer, params):  # noqa: F811
    socket = await connect(running)
    await said(socket, "problems")
    await say(socket, type="open", stream="trace", params=params)
    assert await close_code(socket) == 4400
    assert not tracer.opened


TARGETS = ["-f", "127.0.0.1; id", "$(id)", "fe80::1%eth0", "10.0.0.2/24", "h2"]


@attack("a trace to a target that is neither a node nor an address", "refused; nothing is sent")
async def test_targets(connect, running, tracer):  # noqa: F811
    socket = await connect(running)
    await said(socket, "problems")
    for target in TARGETS:
        await say(socket, type="open", stream="trace", params={**WISH, "target": target})
        assert (await said(socket, "notice"))["code"] == "stream-refused"
    assert not tracer.opened
