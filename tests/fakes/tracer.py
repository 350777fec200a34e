"""A tracer as far as its TRACE and QUERY streams go: it says what a test lets it say."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from topoweb.engine.streams import Session, StreamServer
from topoweb.protocol.frames import ARMED, Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from topoweb.core.errors import TopowebError

WORDS = {"en": "{name:n1} has no way to {name:gone}.", "zh-CN": "{name:n1} 到不了 {name:gone}。"}
VERDICT: dict[str, Any] = {
    "code": "source-no-route", "kind": "fault", "node": "n1", "interface": "eth0",
    "params": {"node": "n1"}, "text": WORDS, "seen": True, "packet": 7,
    "reason": "IP_OUTNOROUTES", "symbol": "ip_output",
    "evidence": [{"witness": "state", "code": "route-get", "params": {}, "text": WORDS,
                  "command": "ip route get 10.0.9.9", "output": "Network is unreachable"}],
    "remedy": {"code": "add-route", "params": {}, "text": WORDS, "node": "n1",
               "commands": ["ip route add default via 10.0.0.2"], "operation": None},
}  # fmt: skip
STEP = {"node": "n1", "interface": "eth0", "direction": "tx", "link": "l1", "along": "ab",
        "action": "send", "params": {}, "text": WORDS, "leg": "there"}  # fmt: skip
HOP = {"time_ns": 1500, "node": "n1", "interface": "eth0", "direction": "tx", "link": "l1",
       "along": "ab", "parent": -1, "how": "first", "length": 98, "segments": 1,
       "reason": "", "symbol": "", "layers": []}  # fmt: skip
EXCHANGE = {"id": 1, "kind": "echo", "source": "10.0.0.1", "target": "10.0.0.2", "port": 0,
            "request": 7, "requests": 1, "replies": 0, "packets": [7], "began": 1.5, "ended": 1.5,
            "state": "unanswered"}  # fmt: skip


def trace(hops: int = 1) -> dict[str, Any]:
    return {"packet": 7, "hops": [HOP] * hops, "more": 0, "outer": 0,
            "exchange": None, "verdict": None}  # fmt: skip


DRY = {"steps": [STEP], "verdict": VERDICT}
END = {"exchange": EXCHANGE, "verdict": VERDICT, "agree": False, "differs": 0}


class FakeTracer:
    """Serves TRACE (dry, armed, two states of one packet, verdict) and QUERY."""

    def __init__(self) -> None:
        self.opened: list[Session] = []
        self.armed, self.sent = asyncio.Event(), asyncio.Event()
        self.fault: TopowebError | None = None

    async def trace(self, session: Session) -> None:
        self.opened.append(session)
        if self.fault:
            raise self.fault
        await self._say(session, type="dry", tier="bpf", **DRY)
        await session.send(ARMED)
        self.armed.set()
        await self.sent.wait()
        await self._say(session, type="trace", trace=trace(1))
        await self._say(session, type="trace", trace=trace(2))
        await self._say(session, type="verdict", **END)

    async def query(self, session: Session) -> None:
        self.opened.append(session)
        answer = DRY if session.params["what"] == "dry-run" else {**trace(), "verdict": VERDICT}
        await session.send_all(json.dumps(answer).encode())

    async def _say(self, session: Session, **message: Any) -> None:
        await session.send(json.dumps(message).encode())


@contextlib.asynccontextmanager
async def serving(path: Path, secret: bytes) -> AsyncIterator[FakeTracer]:
    tracer = FakeTracer()
    server = StreamServer({Stream.TRACE: tracer.trace, Stream.QUERY: tracer.query}, secret)
    await server.start(path)
    try:
        yield tracer
    finally:
        await server.stop()
