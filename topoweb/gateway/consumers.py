"""The lab socket of a browser (docs/protocol.md): facts as text, streams as binary frames.

Channels runs a consumer's handlers one at a time, so they only set an event, hand credit on, or
start a task; all waiting is done in the tasks, and `disconnect` ends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from typing import TYPE_CHECKING, Any, cast

from channels.generic.websocket import AsyncWebsocketConsumer
from pydantic import ValidationError

from topoweb.audit.services import record_once
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.gateway.access import Credentials, Denied, in_thread, look
from topoweb.gateway.facts import Facts, Message
from topoweb.gateway.relay import Relay
from topoweb.gateway.trace import TraceRelay
from topoweb.labs import filters, queries
from topoweb.labs.drawing import drawing_of
from topoweb.labs.packet_schemas import TraceIn
from topoweb.labs.traces import TraceWish
from topoweb.protocol import doorbell
from topoweb.protocol.frames import Stream

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

STREAMS = {"live": Stream.LIVE, "packets": Stream.PACKETS, "trace": Stream.TRACE}
MALFORMED, EXPIRED = 4400, 4000
MAX_MESSAGE = 64 * 1024  # bytes
MAX_CREDIT = 1000  # a message may grant; the relay cuts it to what may be in flight
MESSAGES_PER_SECOND = 400  # a browser with both streams at full speed sends about 90
RECHECK = 5.0  # seconds between looks at session, ownership and rows without a doorbell
LIFETIME = 12 * 3600.0  # seconds; a channel layer forgets group members after 24 h

log = logging.getLogger(__name__)


class LabConsumer(AsyncWebsocketConsumer):
    """One browser looking at one lab."""

    async def connect(self) -> None:
        """Accept, so that a refusal can carry its code, and start to tell facts."""
        # Beyond the last id there is no lab, and a group's name has room for 100 characters.
        self._lab: int = min(self.scope["url_route"]["kwargs"]["lab"], queries.MAX_ID + 1)
        self._credentials = Credentials.of(cast("dict[str, Any]", self.scope))
        self._facts: Facts | None = None
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._relays: dict[Stream, tuple[Relay | TraceRelay, asyncio.Task[None]]] = {}
        self._rate = (0, 0)  # second, messages in it
        await self.accept()
        await self.channel_layer.group_add(doorbell.lab_group(self._lab), self.channel_name)
        self._start(self._tell())

    async def disconnect(self, code: int) -> None:
        """End all tasks."""
        del code
        await self.channel_layer.group_discard(doorbell.lab_group(self._lab), self.channel_name)
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def lab_changed(self, event: doorbell.Doorbell) -> None:
        """Look at the rows again: a doorbell."""
        del event
        self._changed.set()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take a browser's message; anything not in the protocol closes the socket."""
        del bytes_data
        second = int(time.monotonic())
        self._rate = (second, self._rate[1] + 1 if self._rate[0] == second else 1)
        message = parse(text_data)
        if message is None or self._rate[1] > MESSAGES_PER_SECOND:
            await self._refuse(MALFORMED)
            return
        stream = STREAMS[message["stream"]]
        if message["type"] == "credit":
            if stream in self._relays:  # else it crossed with a close
                self._relays[stream][0].credit(message["credit"])
            return
        self._end(stream)
        if message["type"] == "open":
            self._open(stream, message["stream"], message.get("params", {}))

    def _open(self, stream: Stream, name: str, params: Message) -> None:
        async def notify(code: str, text: str) -> None:
            await self._say({"type": "notice", "code": code, "message": text, "stream": name})

        relay: Relay | TraceRelay
        if stream is Stream.TRACE:
            wish = TraceWish(**TraceIn.model_validate(params).model_dump())
            relay = TraceRelay(wish, self._credentials, self._lab, send=self._pass, notify=notify)
        else:
            relay = Relay(
                stream,
                params,
                self._lab,
                send=self._pass,
                notify=notify,
                authorize=self._authorize,
                prepare=self._filtered if stream is Stream.PACKETS else None,
            )
        self._relays[stream] = relay, self._start(relay.run())

    def _end(self, stream: Stream) -> None:
        if stream in self._relays:
            self._relays.pop(stream)[1].cancel()

    async def _tell(self) -> None:
        """Tell what is new after each doorbell, and look anyway every few seconds."""
        until = time.monotonic() + LIFETIME
        while time.monotonic() < until:
            self._changed.clear()
            try:
                messages = await in_thread(self._news)()
            except Denied as denied:
                await self._refuse(denied.code)
                return
            except Exception:  # the database is away: the next look may find it
                log.exception("facts of lab %d could not be read", self._lab)
                messages = []
            for message in messages:
                await self._say(message)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECHECK):
                    await self._changed.wait()
        await self._refuse(EXPIRED)

    def _news(self) -> list[Message]:
        user, lab = look(self._credentials, self._lab)
        if self._facts is None:
            record_once(user, lab.pk, "open")
            self._facts = Facts(lab, user)
        return self._facts.news(lab)

    async def _authorize(self) -> int | None:
        """Return the viewer's id while they may look at the lab."""
        try:
            user, _ = await in_thread(lambda: look(self._credentials, self._lab))()
        except Denied:
            self._changed.set()  # `_tell` closes the socket with the reason
            return None
        return int(user.pk)

    async def _filtered(self, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the tracer is told: names in a display filter mean objects of the drawing."""

        def resolved() -> Mapping[str, Any]:
            _, lab = look(self._credentials, self._lab)
            return filters.of_stream(params, drawing_of(lab).topology)

        if "filter" not in params:
            return params
        try:
            return await in_thread(resolved)()
        except Denied:
            raise TopowebError(ErrorKind.NOT_FOUND, "There is no such lab") from None

    async def _refuse(self, code: int) -> None:
        for stream in tuple(self._relays):
            self._end(stream)
        await self.close(code)

    async def _pass(self, data: bytes) -> None:
        await self.send(bytes_data=data)

    async def _say(self, message: Message) -> None:
        await self.send(text_data=json.dumps(message, separators=(",", ":"), ensure_ascii=False))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a task of lab %d's socket failed", self._lab, exc_info=error)


def parse(text: str | None) -> Message | None:
    """Return a browser's message when it has the shape of one; None for anything else."""
    if text is None or len(text.encode("utf-8", "surrogatepass")) > MAX_MESSAGE:
        return None
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or message.get("stream") not in tuple(STREAMS):
        return None
    credit, params = message.get("credit"), message.get("params", {})
    well_formed = {
        "open": isinstance(params, dict) and _openable(message["stream"], params),
        "credit": type(credit) is int and 0 < credit <= MAX_CREDIT,
        "close": True,
    }
    kind = message.get("type")
    return message if isinstance(kind, str) and well_formed.get(kind) else None


def _openable(stream: str, params: Message) -> bool:
    """Return whether a stream takes these params; those of the services are read by them."""
    if stream != "trace":
        return True
    try:
        TraceIn.model_validate(params)
    except ValidationError:
        return False
    return True
