"""The tracer's composition root. It knows the labs' manifests and signed tokens, no database."""

from __future__ import annotations

import resource
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from topoweb.accounts.keys import read_or_create
from topoweb.engine.streams import StreamServer
from topoweb.engine.tracing import Tracing
from topoweb.kernel import pcapng
from topoweb.kernel.trace.afpacket import AfPacketSource
from topoweb.kernel.trace.confine import confine

if TYPE_CHECKING:
    import asyncio

SOCKET_NAME, KEY_NAME = "tracer.sock", "stream.key"


def build(run_dir: Path | None = None) -> Tracer:
    """Put the tracer of a run directory (TOPOWEB_RUN when None) together."""
    return Tracer(Path(settings.TOPOWEB_RUN) if run_dir is None else run_dir)


class Tracer:
    """Capture and its streams, as one task."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir

    async def run(self, stop: asyncio.Event, *, own_process: bool = False) -> None:
        """Serve until ``stop``. In a process of its own it gives up the privileges left over."""
        self._run_dir.mkdir(parents=True, exist_ok=True)
        _raise_descriptor_limit()
        secret = read_or_create(self._run_dir / KEY_NAME, mode=0o640)
        tracing = Tracing(AfPacketSource(self._run_dir), pcapng.blocks)
        server = StreamServer(tracing.handlers, secret)
        # The run directory's group is the web process: it may connect, nobody else.
        await server.start(self._run_dir / SOCKET_NAME, group=self._run_dir.stat().st_gid)
        try:
            if own_process:
                confine()
            tracing.start()
            await stop.wait()
        finally:
            await server.stop()
            await tracing.stop()


def _raise_descriptor_limit() -> None:
    """A lab of 2,000 cables is 2,000 sockets; the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
