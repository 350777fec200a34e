"""The terminals of all labs: opened on demand, joined by their id, ended with their node.

Only the opening blocks, because a node's sandbox is made for its first program; it has a few
threads. All else is done by the event loop, whatever the number of terminals.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeGuard, TypeVar

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import DEFAULT, UserLimits
from topoweb.core.programs import Command
from topoweb.core.texts import refusal, text
from topoweb.engine.terminal import KEEP, Size, Terminal, size_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Future

    from topoweb.core import programs
    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.engine.ports import Sandboxes
    from topoweb.engine.streams import Session

    Ceilings = Callable[[int, int], tuple[int, int]]

THREADS = 8  # that open terminals
ADOPTION = 15.0  # seconds after the start in which a running lab may not be known yet
GOODBYE = 3.0  # seconds for all programs to end when the worker does
MAX_ID = 40  # characters of a node's or a terminal's id
COLORS = (31, 32, 33, 34, 35, 36)  # ECMA-48 SGR: red, green, yellow, blue, magenta, cyan
BASH_PROMPT = "\\[\033[1;{color}m\\]{name}\\[\033[0m\\]:\\w\\$ "  # marks what takes no room
PROMPT = "\033[1;{color}m{name}\033[0m:$PWD# "  # POSIX expands parameters in it, nothing else

P = ParamSpec("P")
T = TypeVar("T")


def default_ceilings(lab: int, user: int) -> tuple[int, int]:
    """Return how many terminals a lab and a user may have open when nobody says otherwise."""
    del lab, user
    return DEFAULT.terminals, UserLimits().terminals


class TerminalService:
    """Serves TERMINAL streams. Methods belong to one event loop.

    ``shell`` is the program of a terminal as it is called inside a node; ``ceilings(lab, user)``,
    called in a thread, says how many terminals the two may have open.
    """

    def __init__(
        self,
        sandboxes: Sandboxes,
        *,
        shell: str = "/bin/bash",
        ceilings: Ceilings = default_ceilings,
        keep: float = KEEP,
    ) -> None:
        self._sandboxes = sandboxes
        self._shell, self._ceilings, self._keep = shell, ceilings, keep
        self._threads = ThreadPoolExecutor(THREADS, "terminal")
        self._names: dict[int, Mapping[str, str]] = {}  # lab → its nodes' names, while it runs
        self._told = asyncio.Event()
        self._terminals: dict[tuple[int, str], Terminal] = {}
        self._in_lab: Counter[int] = Counter()
        self._of_user: Counter[int] = Counter()
        self._adopted = asyncio.get_running_loop().time() + ADOPTION

    def desired(
        self, lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
    ) -> None:
        """Say what a lab should be, before and after each pass; None: it does not run."""
        del applying
        if desired is None:
            self._names.pop(lab, None)
        else:
            drawn = topology.nodes
            self._names[lab] = {
                node: drawn[node].name if node in drawn else node for node in desired.namespaces
            }
        self._told.set()
        reason = text("lab-stopped" if desired is None else "node-removed")
        for (of, _), terminal in tuple(self._terminals.items()):
            if of == lab and (desired is None or terminal.node not in desired.namespaces):
                terminal.hang_up(reason)

    async def stream(self, session: Session) -> None:
        """Serve a TERMINAL stream."""
        wanted = _Wanted.of(session.params)
        if wanted.terminal is None:
            terminal = await self._open(session, wanted)
        else:
            terminal = self._known(session.token.lab, wanted)
        await terminal.serve(session, wanted.size)

    async def stop(self) -> None:
        """Hang up everywhere: a terminal dies with its worker. The streams must have ended."""
        for terminal in tuple(self._terminals.values()):
            terminal.hang_up(text("worker-stopped"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE):
                while self._terminals:
                    self._told.clear()
                    await self._told.wait()
        for terminal in tuple(self._terminals.values()):
            terminal.abandon()
        await asyncio.to_thread(self._threads.shutdown)

    def _known(self, lab: int, wanted: _Wanted) -> Terminal:
        terminal = self._terminals.get((lab, wanted.terminal or ""))
        if terminal is None or terminal.node != wanted.node:
            raise refusal(ErrorKind.NOT_FOUND, "terminal-gone")
        return terminal

    async def _open(self, session: Session, wanted: _Wanted) -> Terminal:
        lab, user = session.token.lab, session.token.user
        if not session.token.write:
            raise refusal(ErrorKind.FORBIDDEN, "terminal-read-only")
        name = (await self._names_of(lab)).get(wanted.node)
        if name is None:
            raise refusal(ErrorKind.NOT_FOUND, "node-not-running")
        ceilings = await self._call(self._ceilings, lab, user)
        self._take(lab, user, *ceilings)
        try:
            program = await self._start(lab, wanted, login(self._shell, wanted.node, name))
        except BaseException:
            self._give(lab, user)
            raise
        return self._add(lab, user, wanted, program)

    def _add(self, lab: int, user: int, wanted: _Wanted, program: programs.Terminal) -> Terminal:
        identity = secrets.token_urlsafe(12)

        def gone() -> None:
            del self._terminals[lab, identity]
            self._give(lab, user)
            self._told.set()

        terminal = Terminal(identity, wanted.node, program, wanted.size, keep=self._keep, gone=gone)
        self._terminals[lab, identity] = terminal
        return terminal

    async def _names_of(self, lab: int) -> Mapping[str, str]:
        """Return the names of a lab's nodes; empty when it does not run.

        A worker that has just started knows its labs only after it has looked at them.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(self._adopted):
                while lab not in self._names:
                    self._told.clear()
                    await self._told.wait()
        return self._names.get(lab, {})

    async def _start(self, lab: int, wanted: _Wanted, command: Command) -> programs.Terminal:
        start = self._sandboxes.terminal
        future = self._threads.submit(start, lab, wanted.node, command, *wanted.size)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:  # the viewer left; the thread cannot be stopped
            future.add_done_callback(_discard)
            raise

    async def _call(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.wrap_future(self._threads.submit(work, *args, **kwargs))

    def _take(self, lab: int, user: int, of_lab: int, of_user: int) -> None:
        """Count one more terminal. TopowebError(LIMIT) when it would be one too many."""
        for count, limit, code in (
            (self._in_lab[lab], of_lab, "limit-terminals"),
            (self._of_user[user], of_user, "limit-user-terminals"),
        ):
            if count >= limit:
                raise refusal(ErrorKind.LIMIT, code, count=count, limit=limit)
        self._in_lab[lab] += 1
        self._of_user[user] += 1

    def _give(self, lab: int, user: int) -> None:
        self._in_lab -= Counter((lab,))
        self._of_user -= Counter((user,))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The OPEN params of a TERMINAL stream, checked."""

    node: str
    terminal: str | None
    size: Size

    @classmethod
    def of(cls, params: Mapping[str, Any]) -> _Wanted:
        """Return them. TopowebError(INVALID)."""
        node, terminal = params.get("node"), params.get("terminal")
        if not _is_id(node) or not (terminal is None or _is_id(terminal)):
            raise TopowebError(ErrorKind.INVALID, "a terminal is opened by node, terminal and size")
        size = size_of([params.get("columns"), params.get("rows")])
        return cls(node, terminal, size)


def login(shell: str, node: str, name: str) -> Command:
    """Return the command of a terminal: a shell whose prompt names the node, in its color.

    The name is the user's text and a prompt is a program of the shell's, so only what is harmless
    in it is shown.
    """
    shown = "".join(c for c in name if c.isalnum() or c in "-._") or node
    bash = shell.endswith("/bash")
    color = COLORS[zlib.crc32(node.encode()) % len(COLORS)]
    environment = {
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "PS1": (BASH_PROMPT if bash else PROMPT).format(color=color, name=shown),
    }
    # A login shell of another kind would take its prompt from /etc/profile.
    return Command(arguments=(shell, "-l") if bash else (shell,), environment=environment)


def _is_id(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and 0 < len(value) <= MAX_ID


def _discard(opening: Future[programs.Terminal]) -> None:
    """End a terminal that was opened for somebody who has left."""
    if opening.cancelled() or opening.exception() is not None:
        return
    program = opening.result()
    os.close(program.master)
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        signal.pidfd_send_signal(program.pidfd, signal.SIGKILL)
        os.waitid(os.P_PIDFD, program.pidfd, os.WEXITED)  # if it is ours to reap
    os.close(program.pidfd)
