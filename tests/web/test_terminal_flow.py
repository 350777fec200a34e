"""The terminal socket: credit both ways, a browser or a worker that goes away and comes back."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import asyncio
import hashlib
import os

import pytest
from channels.layers import get_channel_layer

from tests.web.terminalsocket import (
    PATIENCE,
    at_work,
    connect,  # noqa: F401 - a fixture
    worker,  # noqa: F401 - a fixture
)
from topoweb.gateway import connection, terminal_relay
from topoweb.protocol.frames import TERMINAL_OUTPUT

pytestmark = pytest.mark.django_db(transaction=True)


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
    browser = await at_work(connect, ready="ready")
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
    await back.shows("ready\r\n")
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
    await browser.shows("ready\r\n")
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
    await browser.shows("ready\r\n")


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
