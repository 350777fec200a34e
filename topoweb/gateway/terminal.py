"""The terminal socket of a browser (docs/protocol.md): bytes as binary frames, the rest as text.

As in `topoweb.gateway.consumers` handlers never wait: input is put into the relay's bounded
store, and the relay's task asks whether it may be typed.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from typing import TYPE_CHECKING, Any, cast

from channels.generic.websocket import AsyncWebsocketConsumer

from topoweb.audit.services import record
from topoweb.gateway.access import Credentials, Denied, Rights, in_thread
from topoweb.gateway.consumers import EXPIRED, LIFETIME, MALFORMED, RECHECK
from topoweb.gateway.terminal_relay import TerminalRelay
from topoweb.labs import queries
from topoweb.protocol import doorbell

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    Message = dict[str, Any]

ENDED = 1000  # close code
MAX_TEXT = 1024  # bytes
MAX_INPUT = 64 * 1024  # bytes of one binary frame
MAX_SIZE = 1000  # columns or rows
MAX_CREDIT = 1 << 20  # bytes that a message may grant; the relay cuts it to what may be in flight
MAX_ID = 40  # characters
MESSAGES_PER_SECOND = 1000  # a browser that reads and types at full speed sends about 300
FAREWELL = 2.0  # seconds for an `end` to reach the worker after the browser has left

log = logging.getLogger(__name__)


class TerminalConsumer(AsyncWebsocketConsumer):
    """One browser in one terminal."""

    async def connect(self) -> None:
        """Accept, so that a refusal can carry its code, and watch the viewer's right."""
        self._lab: int = min(self.scope["url_route"]["kwargs"]["lab"], queries.MAX_ID + 1)
        self._rights = Rights(Credentials.of(cast("dict[str, Any]", self.scope)), self._lab)
        self._relay: TerminalRelay | None = None
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._notes: set[asyncio.Task[None]] = set()
        self._rate = (0, 0)  # second, messages in it
        self._left = False
        await self.accept()
        await self.channel_layer.group_add(doorbell.lab_group(self._lab), self.channel_name)
        self._start(self._watch())

    async def disconnect(self, code: int) -> None:
        """End all tasks; an `end` that is under way still arrives."""
        del code
        self._left = True
        await self.channel_layer.group_discard(doorbell.lab_group(self._lab), self.channel_name)
        if self._relay is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await self._relay.farewell()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, *self._notes, return_exceptions=True)

    async def lab_changed(self, event: doorbell.Doorbell) -> None:
        """Look at the rows again: a doorbell."""
        del event
        self._rights.forget()
        self._changed.set()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a browser's message; anything not in the protocol closes the socket."""
        if self._left:
            return
        second = int(time.monotonic())
        self._rate = (second, self._rate[1] + 1 if self._rate[0] == second else 1)
        if self._rate[1] > MESSAGES_PER_SECOND or not self._take(text_data, bytes_data or b""):
            await self._refuse(MALFORMED)

    def _take(self, text: str | None, data: bytes) -> bool:
        """Act on a message; False when it is none of the protocol's."""
        relay = self._relay
        if text is None:
            return relay is not None and 0 < len(data) <= MAX_INPUT and relay.input(data)
        message = parse(text)
        if message is None or (message["type"] == "open") != (relay is None):
            return False
        if relay is None:
            self._open(message)
        elif message["type"] == "credit":
            relay.credit(message["bytes"])
        elif message["type"] == "resize":
            relay.resize(message["columns"], message["rows"])
        else:
            relay.end()
        return True

    def _open(self, message: Message) -> None:
        self._relay = TerminalRelay(
            self._lab, message, self._rights, send=self._pass, say=self._say, opened=self._note
        )
        self._start(self._serve(self._relay))

    async def _serve(self, relay: TerminalRelay) -> None:
        try:
            await relay.run()
        except Denied as denied:
            await self._refuse(denied.code)
        else:
            await self._refuse(ENDED)

    async def _watch(self) -> None:
        """Look at the viewer's right after each doorbell, and anyway every few seconds."""
        until = time.monotonic() + LIFETIME
        while time.monotonic() < until:
            self._changed.clear()
            try:
                await self._rights.check()
            except Denied as denied:
                await self._refuse(denied.code)
                return
            except Exception:  # the database is away: nothing is typed until it is back
                log.exception("rights in lab %d could not be read", self._lab)
            if self._relay is not None:
                self._relay.look()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECHECK):
                    await self._changed.wait()
        await self._refuse(EXPIRED)

    def _note(self, user: int, node: str, terminal: str) -> None:
        """Write down who opened a terminal where, whether or not the browser stays."""
        note = asyncio.create_task(self._record(user, {"node": node, "terminal": terminal}))
        self._notes.add(note)
        note.add_done_callback(self._notes.discard)

    async def _record(self, user: int, detail: dict[str, str]) -> None:
        try:
            await in_thread(lambda: record(user, self._lab, "terminal", detail))()
        except Exception:  # the terminal is open already
            log.exception("a terminal of lab %d is not in the audit record: %s", self._lab, detail)

    async def _refuse(self, code: int) -> None:
        """Close the socket, once; what still runs of it ends."""
        if not self._left:
            self._left = True
            for task in self._tasks - {asyncio.current_task()}:
                task.cancel()
            await self.close(code)

    async def _pass(self, data: bytes) -> None:
        if not self._left:
            await self.send(bytes_data=data)

    async def _say(self, message: Message) -> None:
        if not self._left:
            text = json.dumps(message, separators=(",", ":"), ensure_ascii=False)
            await self.send(text_data=text)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a task of a terminal of lab %d failed", self._lab, exc_info=error)


def parse(text: str) -> Message | None:
    """Return a browser's message when it has the shape of one; None for anything else."""
    if len(text) > MAX_TEXT:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    well_formed: dict[object, Callable[[], bool]] = {
        "open": lambda: _is_id(message.get("node")) and _is_known(message) and _is_size(message),
        "resize": lambda: _is_size(message),
        "credit": lambda: _within(message.get("bytes"), MAX_CREDIT),
        "end": lambda: True,
    }
    kind = message.get("type")
    check = well_formed.get(kind) if isinstance(kind, str) else None
    return message if check is not None and check() else None


def _is_size(message: Message) -> bool:
    return all(_within(message.get(name), MAX_SIZE) for name in ("columns", "rows"))


def _is_known(message: Message) -> bool:
    """True when it names a terminal, or none on purpose."""
    return "terminal" in message and (message["terminal"] is None or _is_id(message["terminal"]))


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID


def _within(value: object, limit: int) -> bool:
    return type(value) is int and 0 < value <= limit
