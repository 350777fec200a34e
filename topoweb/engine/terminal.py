"""One terminal: a program on a pty, what it wrote last, and who looks at it.

The slowest viewer that may write rules how far the pty is read, so nothing is lost to it; one that
may only read is cut off when it falls behind. All methods belong to one event loop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import SILENT, Text, text
from topoweb.engine.pty import Pty
from topoweb.engine.scrollback import Scrollback

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from topoweb.core import programs
    from topoweb.engine.streams import Session

SCROLLBACK = 64 * 1024  # bytes that a new viewer is shown
LAG = 1 << 20  # bytes that a viewer who may only read may fall behind
ALONE = 1 << 20  # bytes that a program may write while nobody looks
BATCH = 16 * 1024  # bytes read in one turn of the loop; other terminals have theirs
CHUNK = 64 * 1024  # bytes of a frame
GAP = 0.005  # seconds between two frames: what a program writes in pieces is sent together
RATE = 4 << 20  # bytes a second to one viewer: no screen shows more, and others have their share
KEEP = 600.0  # seconds that a terminal lives without a viewer
MAX_SIZE = 1000  # columns or rows

Size = tuple[int, int]  # columns, rows


class Terminal:
    """Belongs to a lab, a node and the user who opened it; ``gone`` is called when it has ended."""

    def __init__(
        self,
        identity: str,
        node: str,
        program: programs.Terminal,
        size: Size,
        *,
        keep: float = KEEP,
        gone: Callable[[], None],
    ) -> None:
        self.identity, self.node = identity, node
        self._size = size
        self._keep, self._gone = keep, gone
        self._output = Scrollback()
        self._viewers: set[_Viewer] = set()
        self._seen = False
        self._reason = SILENT  # why it was hung up
        self._ending: Mapping[str, Any] | None = None
        self._alone_since = 0  # position in the output
        self._alone: asyncio.TimerHandle | None = None
        self._pty = Pty(program, self._heard, self._ended)
        self._look()

    async def serve(self, session: Session, size: Size) -> None:
        """Show the terminal to a viewer until it ends; cancelled when the viewer leaves."""
        start = max(self._output.start, self._output.end - SCROLLBACK)
        viewer = _Viewer(session, start, late=self._seen)
        self._join(viewer)
        try:
            if viewer.write:
                self._resize(size, viewer)
            await _first(self._show(viewer), self._type(viewer), self._obey(viewer))
        finally:
            self._leave(viewer)

    def hang_up(self, reason: Text) -> None:
        """End the program; its viewers are told why."""
        self._reason = self._reason if self._reason.message else reason
        self._pty.hang_up()

    def abandon(self) -> None:
        """Let go at once."""
        self._pty.abandon()

    def _join(self, viewer: _Viewer) -> None:
        self._seen = True
        if self._alone is not None:
            self._alone.cancel()
            self._alone = None
        self._viewers.add(viewer)
        self._look()

    def _leave(self, viewer: _Viewer) -> None:
        self._viewers.discard(viewer)
        if not self._viewers and self._ending is None:
            self._alone_since = self._output.end
            self._alone = asyncio.get_running_loop().call_later(
                self._keep, self.hang_up, text("terminal-unwatched")
            )
        self._look()

    async def _show(self, viewer: _Viewer) -> None:
        """Send output as the viewer takes it, in order with what is said about it."""
        session = viewer.session
        await session.control(self._opened(viewer))
        while True:
            await session.ready()
            self._look()  # there may be new credit
            while not self._has_news(viewer):
                viewer.news.clear()
                await viewer.news.wait()
            if viewer.size != self._size:
                await session.control(self._sized(viewer))
            if viewer.missed:
                await session.control(self._opened(viewer))
            data = self._output.read(viewer.cursor, min(session.credit, CHUNK))
            if data:
                viewer.cursor += len(data)
                await session.send(data)
                await asyncio.sleep(max(GAP, len(data) / RATE))
            elif self._ending is not None:
                await session.control(self._ending)
                return

    def _has_news(self, viewer: _Viewer) -> bool:
        behind = viewer.cursor < self._output.end or viewer.size != self._size
        return behind or self._ending is not None

    async def _type(self, viewer: _Viewer) -> None:
        """Pass input to the program; the viewer may send as much again when it was taken."""
        while True:
            data = await viewer.session.inbox.input()
            if viewer.write:
                await self._pty.write(data)
            await viewer.session.took(len(data))

    async def _obey(self, viewer: _Viewer) -> None:
        while True:
            message = await viewer.session.inbox.control()
            if "write" in message:
                await self._permit(viewer, write=message["write"] is True)
            elif "resize" in message and viewer.write:
                self._resize(size_of(message["resize"]), viewer)
            elif message.get("end") is True and viewer.write:
                self.hang_up(SILENT)

    async def _permit(self, viewer: _Viewer, *, write: bool) -> None:
        if viewer.write != write:
            viewer.write = write
            self._look()
            await viewer.session.control({"type": "writer", "write": write})

    def _resize(self, size: Size, by: _Viewer) -> None:
        if size == self._size:
            return
        self._size = by.size = size
        self._pty.resize(*size)
        self._ring()

    def _heard(self) -> None:
        """Read what the viewers have room for; of a program that has ended, all."""
        data = self._pty.read(BATCH if self._pty.exited else min(BATCH, self._room()))
        if data:
            self._output.append(data)
            self._forget()
            self._ring()
        self._look()

    def _ring(self) -> None:
        for viewer in self._viewers:
            viewer.news.set()

    def _look(self) -> None:
        """Read on while there is room."""
        self._pty.listen(self._pty.exited or self._room() > 0)

    def _room(self) -> int:
        """Return how many bytes may be read now."""
        takes = {viewer: viewer.cursor + viewer.session.credit for viewer in self._viewers}
        if writers := [until for viewer, until in takes.items() if viewer.write]:
            until = min(writers)
        elif takes:
            until = max(takes.values())
        else:
            until = self._alone_since + ALONE
        return until - self._output.end

    def _forget(self) -> None:
        """Drop what every viewer has, and cut off who fell behind."""
        end = self._output.end
        for viewer in self._viewers:
            if not viewer.write and end - viewer.cursor > LAG:
                viewer.missed += end - SCROLLBACK - viewer.cursor
                viewer.cursor = end - SCROLLBACK
        needed = min((viewer.cursor for viewer in self._viewers), default=end)
        self._output.forget(min(needed, end - SCROLLBACK))

    def _ended(self, status: int) -> None:
        self._ending = {"type": "ended", "status": status, **self._reason.shown()}
        if self._alone is not None:
            self._alone.cancel()
        self._ring()
        self._gone()

    def _opened(self, viewer: _Viewer) -> Mapping[str, Any]:
        missed, viewer.missed = viewer.missed, 0
        return {
            **self._sized(viewer),
            "type": "opened",
            "terminal": self.identity,
            "node": self.node,
            "write": viewer.write,
            "missed": missed,
            "replay": self._output.end - viewer.cursor if viewer.late else 0,
        }

    def _sized(self, viewer: _Viewer) -> Mapping[str, Any]:
        viewer.size = self._size
        return {"type": "size", "columns": self._size[0], "rows": self._size[1]}


class _Viewer:
    """A session and its place in the output."""

    def __init__(self, session: Session, cursor: int, *, late: bool) -> None:
        self.session = session
        self.write = session.token.write
        self.late = late  # others have answered what the program asked of the first screen
        self.size: Size | None = None  # that the viewer was told
        self.cursor = self.missed = cursor
        self.news = asyncio.Event()


def size_of(value: object) -> Size:
    """Return [columns, rows] as a size. TopowebError(INVALID) for anything else."""
    if isinstance(value, list) and len(value) == 2:
        columns, rows = value
        if _fits(columns) and _fits(rows):
            return columns, rows
    raise TopowebError(ErrorKind.INVALID, f"a terminal has 1 to {MAX_SIZE} columns and rows")


def _fits(value: object) -> bool:
    return type(value) is int and 1 <= value <= MAX_SIZE


async def _first(*work: Coroutine[Any, Any, None]) -> None:
    """Run coroutines until the first one ends, with its result."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
