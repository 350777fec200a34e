"""Questions about what runs in nodes: logs, and what FRR has learned."""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.programs import Command
from topoweb.core.tracing import frr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.engine.ports import Sandboxes
    from topoweb.engine.services import Services
    from topoweb.engine.streams import Session

Answer = Callable[[int, Mapping[str, Any]], Awaitable[Mapping[str, Any]]]

LOG = 64 << 10  # bytes
VTYSH = "/usr/bin/vtysh"
VTYSH_TIMEOUT = 5.0  # seconds
SERVICE = re.compile(r"(dhcp:)?[A-Za-z0-9_-]{1,40}")


class Queries:
    """The handler of QUERY streams: one answer a ``what``, the lab's id from the token."""

    def __init__(
        self,
        answers: Mapping[str, Answer],
        otherwise: Callable[[Session], Awaitable[None]],
    ) -> None:
        self._answers = answers
        self._otherwise = otherwise

    async def serve(self, session: Session) -> None:
        """Answer one question; what is not known here is for ``otherwise``."""
        answer = self._answers.get(str(session.params.get("what")))
        if answer is None:
            await self._otherwise(session)
            return
        found = await answer(session.token.lab, session.params)
        await session.send_all(msgspec.json.encode(found))


class ServiceQueries:
    """Answers by reading logs, and by asking FRR inside the node."""

    def __init__(self, services: Services, sandboxes: Sandboxes) -> None:
        self._services = services
        self._sandboxes = sandboxes

    async def log(self, lab: int, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the end of a service's log: ``{"text"}``."""
        key = params.get("service")
        if not isinstance(key, str) or not SERVICE.fullmatch(key):
            raise TopowebError(ErrorKind.INVALID, "which service?")
        place = self._services.place(lab, key)
        data = await self._services.call(self._sandboxes.log, lab, place, LOG) if place else b""
        return {"text": data.decode(errors="replace")}

    async def frr(self, lab: int, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return FRR's daemons, neighbours and routes of a node; empty where it does not run."""
        node = params.get("node")
        if not isinstance(node, str) or self._services.recipe(lab, node, "frr") is None:
            return {"daemons": [], "neighbours": [], "routes": []}
        said = await self._vtysh(lab, node, frr.ROUTES)
        try:
            daemons, routes = frr.read_routes(said)
            asked = [line for name, line in frr.NEIGHBOURS.items() if name in daemons]
            answers = await self._vtysh(lab, node, asked) if asked else ""
            neighbours = frr.read_neighbours(answers, daemons, time.time())
        except ValueError:
            raise TopowebError(
                ErrorKind.BUSY, "FRR gives no answer that can be read.", hint="Look at its log."
            ) from None
        return {"daemons": daemons, "neighbours": neighbours, "routes": routes}

    async def _vtysh(self, lab: int, node: str, lines: Sequence[str]) -> str:
        arguments = [VTYSH]
        for line in lines:
            arguments += ("-c", line)
        command = Command(arguments=tuple(arguments), directory="/")
        done = await self._services.call(
            self._sandboxes.run, lab, node, command, timeout=VTYSH_TIMEOUT
        )
        return done.output.decode(errors="replace")
