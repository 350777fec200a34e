"""Terminals by the stream socket: real pseudo-terminals and programs, no sandbox."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import asyncio
import time

import pytest

from tests.fakes.terminalsite import (
    LAB,
    Site,
    reached,
    running,
    site,  # noqa: F401 - a fixture
)
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.engine import terminal, terminals
from topoweb.engine.inbox import Inbox
from topoweb.engine.scrollback import Scrollback
from topoweb.engine.terminals import login
from topoweb.protocol.frames import TERMINAL_OUTPUT, Kind

# Opening, typing, ending.


async def test_a_shell_types_and_ends(site):
    viewer = await site.viewer(size=(100, 30))
    opened = await viewer.said("opened")
    assert opened.pop("terminal")
    assert opened == {
        "type": "opened",
        "node": "h1",
        "write": True,
        "columns": 100,
        "rows": 30,
        "missed": 0,
        "replay": 0,
    }
    ((lab, node, command),) = site.sandboxes.opened
    assert (lab, node, command.arguments) == (LAB, "h1", ("/bin/sh",))
    await viewer.shows("name-h1")  # the prompt
    viewer.type("stty size; echo $((6*7))\n")
    await viewer.shows("30 100\r\n42\r\n")
    viewer.type("exit 3\n")
    assert await viewer.said("ended") == {
        "type": "ended",
        "status": 3,
        "message": "",
        "code": "",
        "params": {},
    }
    assert await viewer.close_code() == "done"


async def test_a_killed_program_says_by_which_signal(site):
    running(site, "/bin/sh", "-c", "kill -9 $$")
    viewer = await site.viewer()
    assert (await viewer.said("ended"))["status"] == 137


async def test_all_output_comes_before_the_end(site):
    running(site, "/bin/sh", "-c", "seq 20000; exit 5")
    viewer = await site.viewer()
    assert (await viewer.said("ended"))["status"] == 5
    assert viewer.output.endswith(b"20000\r\n")
    assert viewer.output.count(b"\r\n") == 20000


async def test_control_bytes_reach_the_program_and_resize_signals_it(site):
    script = (
        'trap "echo got INT" INT; trap "echo now $(stty size)" WINCH; '
        "echo ready; while :; do sleep 0.02; done"
    )
    running(site, "/bin/bash", "-c", script.replace("$(", "\\$("))
    viewer = await site.viewer()
    await viewer.shows("ready\r\n")
    viewer.type("\x03")
    await viewer.shows("got INT")
    viewer.tell(resize=[132, 43])
    await viewer.shows("now 43 132")


async def test_escape_sequences_and_all_bytes_pass_untouched(site):
    every = bytes(range(256))
    script = f"import sys,tty; tty.setraw(0); print('go', end='', flush=True); sys.stdout.buffer.write(b'='+sys.stdin.buffer.read({len(every)})+b'.')"  # noqa: E501
    running(site, "/usr/bin/env", "python3", "-c", script)
    viewer = await site.viewer()
    await viewer.shows("go")
    viewer.type(every)
    await viewer.said("ended")
    assert viewer.output == b"go=" + every + b"."


@pytest.mark.parametrize(
    "params",
    [
        {"size": (0, 24)},
        {"size": (80, 1001)},
        {"size": (80.0, 24)},
        {"size": (True, 24)},
        {"size": ("80", 24)},
        {"node": ""},
        {"node": None},
        {"node": "x" * 41},
        {"identity": ""},
        {"identity": 5},
    ],
)
async def test_malformed_opening(site, params):
    viewer = await site.viewer(**params)
    assert await viewer.close_code() == "invalid"
    assert not site.sandboxes.opened


async def test_what_cannot_be_opened(site):
    for params in {"node": "h9"}, {"identity": "nonsense"}, {"lab": 99, "identity": "x"}:
        assert await (await site.viewer(**params)).close_code() == "not_found"
    assert await (await site.viewer(write=False)).close_code() == "forbidden"
    site.sandboxes.failure = TopowebError(ErrorKind.UNSUPPORTED, "crun is not installed")
    viewer = await site.viewer()
    assert await viewer.close_code() == "unsupported"
    assert viewer.closed["reason"] == "crun is not installed"


async def test_a_terminal_of_another_lab_or_node_is_none(site):
    viewer = await site.viewer()
    identity = (await viewer.said("opened"))["terminal"]
    for params in {"lab": 99}, {"node": "h2"}:
        other = await site.viewer(identity=identity, **params)
        assert await other.close_code() == "not_found"
    joined = await site.viewer(identity=identity)
    assert (await joined.said("opened"))["terminal"] == identity


async def test_malformed_messages(site):
    for wrong in (
        lambda v: v.tell(resize=[80]),
        lambda v: v.tell(resize=[0, 24]),
        lambda v: v.put(Kind.CONTROL, b"[]"),
        lambda v: v.put(Kind.DATA, b""),
        lambda v: [v.tell(x=number) for number in range(200)],
    ):
        viewer = await site.viewer()
        await viewer.said("opened")
        wrong(viewer)
        assert await viewer.close_code() in ("invalid", "done")


# Leaving, coming back, and the ends of things.


async def test_coming_back_shows_the_scroll_back(site):
    running(site, "/bin/sh", "-c", "seq 1 30000; exec cat")
    viewer = await site.viewer()
    identity = (await viewer.said("opened"))["terminal"]
    await viewer.shows("30000\r\n")
    written = len(viewer.output)
    await viewer.leave()
    back = await site.viewer(identity=identity, credit=0)
    opened = await back.said("opened")
    assert opened["replay"] == terminal.SCROLLBACK
    assert opened["missed"] == written - terminal.SCROLLBACK
    back.grant(TERMINAL_OUTPUT)
    await back.until(lambda: len(back.output) == terminal.SCROLLBACK)
    assert back.output == viewer.output[-terminal.SCROLLBACK :]
    back.type("still here\n")
    await back.shows("still here\r\nstill here\r\n")


async def test_alone_a_program_goes_on_for_a_while_and_waits_then(site, monkeypatch):
    monkeypatch.setattr(terminal, "ALONE", 300_000)
    running(site, "/usr/bin/yes", "0123456789")
    viewer = await site.viewer()
    identity = (await viewer.said("opened"))["terminal"]
    await viewer.until(lambda: len(viewer.output) > 1000)
    await viewer.leave()
    (one,) = site.service._terminals.values()
    await reached(lambda: not one._room() and not one._viewers)
    end = one._output.end
    await asyncio.sleep(0.1)
    assert one._output.end == end
    assert one._output.end - one._output.start == terminal.SCROLLBACK
    back = await site.viewer(identity=identity)
    assert (await back.said("opened"))["missed"] == end - terminal.SCROLLBACK
    await back.until(lambda: len(back.output) > 500_000)


async def test_a_terminal_that_nobody_looks_at_ends_in_the_end(tmp_path):
    site = Site(tmp_path / "s.sock")
    await site.start(keep=0.05)
    viewer = await site.viewer()
    identity = (await viewer.said("opened"))["terminal"]
    await viewer.leave()
    await reached(lambda: not site.service._terminals)
    back = await site.viewer(identity=identity)
    assert await back.close_code() == "not_found"
    await site.stop()


async def test_a_program_that_ignores_the_hang_up_is_killed(site, monkeypatch):
    monkeypatch.setattr("topoweb.engine.pty.PATIENCE", 0.1)
    running(site, "/bin/sh", "-c", "trap '' HUP; echo ready; while :; do sleep 1; done")
    viewer = await site.viewer()
    await viewer.shows("ready\r\n")
    viewer.tell(end=True)
    assert (await viewer.said("ended"))["status"] == 137


async def test_stopping_the_lab_or_removing_the_node_ends_them_with_the_reason(site):
    running(site, "/bin/sh", "-c", "echo ready; exec cat")
    one, two = await site.viewer(), await site.viewer(node="h2")
    for viewer in one, two:
        await viewer.shows("ready\r\n")
    site.lab("h1")
    assert await two.said("ended") == {
        "type": "ended",
        "status": 129,
        "message": "The node was removed.",
        "code": "node-removed",
        "params": {},
    }
    site.lab()
    assert (await one.said("ended"))["message"] == "The lab was stopped."
    site.service._adopted = 0
    assert await (await site.viewer()).close_code() == "not_found"


async def test_a_young_worker_waits_until_it_knows_the_lab(site):
    running(site, "/bin/cat")
    site.service._names.clear()
    viewer = await site.viewer()
    waiting = asyncio.create_task(viewer.said("opened"))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    assert not done
    site.lab("h1")
    await waiting


async def test_a_terminal_that_closed_its_tty_and_opens_it_again(site, monkeypatch):
    monkeypatch.setattr("topoweb.engine.pty.REOPENED", 0.02)
    script = "echo one; exec <&- >&- 2>&-; sleep 0.3; echo two >/dev/tty; exit 4"
    running(site, "/bin/bash", "-c", script)
    viewer = await site.viewer()
    await viewer.shows("one")
    begun = time.process_time()
    assert (await viewer.said("ended"))["status"] == 4
    assert time.process_time() - begun < 0.25  # the loop did not turn
    assert b"two" in viewer.output


# Ceilings.


async def test_ceilings_of_lab_and_user(tmp_path):
    site = Site(tmp_path / "s.sock")
    await site.start(ceilings=lambda lab, user: (2, 1 if user == 8 else 10))
    running(site, "/bin/cat")
    first = await site.viewer()
    await first.said("opened")
    await (await site.viewer(user=8)).said("opened")
    over = await site.viewer()
    assert await over.close_code() == "limit"
    assert over.closed["said"] == "limit-terminals"
    assert "This lab has 2 terminals open" in over.closed["reason"]
    first.tell(end=True)
    await first.said("ended")
    over = await site.viewer(user=8)
    assert await over.close_code() == "limit"
    assert (over.closed["said"], over.closed["params"]["limit"]) == ("limit-user-terminals", "1")
    assert "You have 1" in over.closed["reason"]
    await (await site.viewer()).said("opened")
    await site.stop()


async def test_an_opening_that_fails_or_is_given_up_counts_no_more(tmp_path):
    site = Site(tmp_path / "s.sock")
    await site.start(ceilings=lambda lab, user: (1, 1))
    running(site, "/bin/cat")
    site.sandboxes.failure = TopowebError(ErrorKind.LOST, "gone")
    assert await (await site.viewer()).close_code() == "lost"
    site.sandboxes.failure = None
    site.sandboxes.gate.clear()
    viewer = await site.viewer()
    await reached(lambda: len(site.sandboxes.opened) == 2)
    await viewer.leave()
    await reached(lambda: not site.service._in_lab)
    site.sandboxes.gate.set()
    again = await site.viewer()
    await again.said("opened")
    await site.stop()


# Parts.


def test_the_prompt_is_no_program():
    for shell in "/bin/bash", "/bin/sh":
        prompt = login(shell, "n1", "$(reboot)`x`\\u;é-1").environment["PS1"]
        assert "rebootxué-1" in prompt
        assert not set("`()") & set(prompt)
    assert "n1" in login("/bin/sh", "n1", "$$").environment["PS1"]


def test_scroll_back_keeps_positions():
    ring = Scrollback()
    ring.append(b"0123456789")
    ring.forget(4)
    ring.forget(2)
    assert (ring.start, ring.end, ring.read(5, 3)) == (4, 10, b"567")
    with pytest.raises(ValueError):
        ring.read(3, 1)


def test_inbox_is_bounded():
    inbox = Inbox(10)
    inbox.put_input(b"x" * 10)
    with pytest.raises(TopowebError):
        inbox.put_input(b"y")
    inbox.free(4)
    inbox.put_input(b"zzzz")
    with pytest.raises(TopowebError):
        Inbox(0).put_control({})


def test_colors_differ_by_node():
    prompts = {login("/bin/bash", f"n{number}", "x").environment["PS1"] for number in range(40)}
    assert len(prompts) == len(terminals.COLORS)
