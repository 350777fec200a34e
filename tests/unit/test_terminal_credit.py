"""Credit and input of terminals: who pauses the program, who is cut off, what waits."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import time
import tracemalloc

import pytest

from tests.fakes.terminalsite import (
    running,
    site,  # noqa: F401 - a fixture
)
from topoweb.engine import terminal
from topoweb.protocol.frames import TERMINAL_INPUT, TERMINAL_OUTPUT

# Credit.


async def test_a_slow_reader_pauses_the_program_and_loses_nothing(site):
    amount = 3_000_000
    script = (
        "import hashlib,os,sys,tty; tty.setraw(1); h=hashlib.sha256()\n"
        f"for _ in range({amount // 1000}):\n"
        "  d=os.urandom(1000); h.update(d); sys.stdout.buffer.write(d)\n"
        "sys.stdout.buffer.write(b'DIGEST'+h.digest())"
    )
    running(site, "/usr/bin/env", "python3", "-c", script)
    viewer = await site.viewer()
    await viewer.said("opened")
    await viewer.until(lambda: len(viewer.output) >= TERMINAL_OUTPUT, spend=False)
    assert len(viewer.output) == TERMINAL_OUTPUT
    with pytest.raises(TimeoutError):  # not a byte without credit
        await asyncio.wait_for(viewer.reader.readexactly(1), 0.2)
    pieces = itertools.cycle((1, 999, 70_000))
    while not any(text["type"] == "ended" for text in viewer.texts):
        viewer.grant(next(pieces))
        await viewer.step()
    digest = hashlib.sha256(viewer.output[:amount]).digest()
    assert viewer.output[amount:] == b"DIGEST" + digest


async def test_the_slowest_who_may_write_rules(site):
    running(site, "/usr/bin/yes")
    first = await site.viewer()
    identity = (await first.said("opened"))["terminal"]
    second = await site.viewer(identity=identity, credit=100_000)
    await second.said("opened")
    await second.until(lambda: len(second.output) == 100_000, spend=False)
    seen = len(first.output)

    async def reads_on():
        await first.until(lambda: False)

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reads_on(), 0.3)
    assert len(first.output) - seen < 2 * TERMINAL_OUTPUT
    await second.leave()
    wanted = len(first.output) + 1_000_000
    await first.until(lambda: len(first.output) > wanted)  # on at its own pace


async def test_who_may_only_read_is_cut_off_and_told(site, monkeypatch):
    monkeypatch.setattr(terminal, "LAG", 200_000)
    running(site, "/usr/bin/yes")
    first = await site.viewer()
    identity = (await first.said("opened"))["terminal"]
    watcher = await site.viewer(identity=identity, write=False, credit=70_000)
    opened = await watcher.said("opened")
    assert opened["write"] is False
    await watcher.until(lambda: len(watcher.output) == 70_000, spend=False)
    wanted = len(first.output) + 2_000_000
    await first.until(lambda: len(first.output) > wanted)
    watcher.grant(1000)
    again = await watcher.said("opened")
    assert again["missed"] > 1_000_000
    assert again["terminal"] == identity


async def test_twenty_floods_keep_memory_flat_and_others_quick(site):
    running(site, "/bin/sh", "-c", "exec cat /dev/urandom")
    await asyncio.gather(*[site.viewer(node="h2") for _ in range(19)])
    floods = list(site.viewers)
    for viewer in floods:
        await viewer.said("opened")

    async def watch(viewer):
        while True:
            size = await viewer.step()
            viewer.output.clear()
            viewer.grant(size)

    readers = [asyncio.create_task(watch(viewer)) for viewer in floods[:15]]  # four do not read
    running(site, "/bin/cat")
    quiet = await site.viewer()
    await quiet.said("opened")
    took = []
    tracemalloc.start()
    try:
        for number in range(60):
            if number == 20:
                settled = tracemalloc.get_traced_memory()[0]
            begun = time.monotonic()
            quiet.type(f"word {number}\n")
            await quiet.shows(f"word {number}\r\nword {number}\r\n")
            took.append(time.monotonic() - begun)
        assert tracemalloc.get_traced_memory()[0] - settled < 4_000_000
    finally:
        tracemalloc.stop()
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    took.sort()
    print("echo beside 19 floods, ms:", [round(t * 1e3) for t in (took[30], took[57])])
    assert took[30] < 1.0  # the figure itself is a matter for the benchmark


# Input.


async def test_input_waits_for_a_program_that_does_not_read(site):
    """The kernel takes some, the rest waits, nothing is lost."""
    script = (
        "import hashlib,os,sys,tty; tty.setraw(0); print('go', end='', flush=True)\n"
        "while not os.path.exists(sys.argv[1]): os.sched_yield()\n"
        "d=b''\n"
        f"while len(d) < {TERMINAL_INPUT}: d+=os.read(0, 65536)\n"
        "print(hashlib.sha256(d).hexdigest())"
    )
    go = site.path.parent / "go"
    running(site, "/usr/bin/env", "python3", "-c", script, str(go))
    viewer = await site.viewer()
    await viewer.shows("go")
    data = os.urandom(TERMINAL_INPUT)
    for start in range(0, len(data), 16384):
        viewer.type(data[start : start + 16384])
    viewer.grant(0)
    await viewer.until(lambda: viewer.beats)
    assert viewer.taken < len(data)
    go.touch()
    await viewer.said("ended")
    assert hashlib.sha256(data).hexdigest().encode() in viewer.output
    assert viewer.taken == len(data)


async def test_a_stuck_program_can_be_hung_up_and_resized(site):
    script = "import tty,time; tty.setraw(0); print('go', flush=True); time.sleep(99)"
    running(site, "/usr/bin/env", "python3", "-c", script)
    viewer = await site.viewer()
    await viewer.shows("go")
    for _ in range(4):
        viewer.type(b"x" * 16384)
    viewer.tell(resize=[90, 30])
    viewer.tell(end=True)
    assert (await viewer.said("ended"))["status"] == 129  # SIGHUP


async def test_more_input_than_granted_is_refused(site):
    running(site, "/bin/sleep", "99")
    viewer = await site.viewer()
    await viewer.said("opened")
    for _ in range(8):
        viewer.type(b"x" * 60_000)
    assert await viewer.close_code() == "invalid"


async def test_who_may_not_write_types_in_vain(site):
    running(site, "/bin/cat")
    first = await site.viewer()
    identity = (await first.said("opened"))["terminal"]
    watcher = await site.viewer(identity=identity, write=False, size=(50, 10))
    opened = await watcher.said("opened")
    assert (opened["columns"], opened["rows"]) == (80, 24)
    watcher.type("secret\n")
    watcher.tell(resize=[50, 10])
    watcher.tell(end=True)
    await watcher.until(lambda: watcher.taken == 7)
    first.type("mine\n")
    await first.shows("mine\r\nmine\r\n")
    assert b"secret" not in first.output
    watcher.tell(write=True)
    assert await watcher.said("writer") == {"type": "writer", "write": True}
    watcher.type("ours\n")
    await first.shows("ours\r\nours\r\n")
    watcher.tell(write=False)
    assert (await watcher.said("writer"))["write"] is False
    watcher.type("theirs\n")
    await watcher.until(lambda: watcher.taken == 7 + 5 + 7)
    first.type("\x04")
    await first.said("ended")
    assert b"theirs" not in first.output


async def test_others_hear_of_a_resize(site):
    running(site, "/bin/cat")
    first = await site.viewer()
    identity = (await first.said("opened"))["terminal"]
    second = await site.viewer(identity=identity, size=(120, 40))
    opened = await second.said("opened")
    assert (opened["columns"], opened["rows"]) == (120, 40)
    assert await first.said("size") == {"type": "size", "columns": 120, "rows": 40}
    first.tell(resize=[60, 20])
    assert (await second.said("size"))["columns"] == 60
    assert not [text for text in first.texts if text["type"] == "size"]
