"""The tracer's composition root. It knows the labs' manifests and signed tokens, no database."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

from topoweb.accounts.keys import read_or_create
from topoweb.core.errors import TopowebError
from topoweb.core.tracing import pcapng
from topoweb.engine.recording import Recordings
from topoweb.engine.streams import StreamServer
from topoweb.engine.tables import Tables
from topoweb.engine.tracing import Insight, Tracing
from topoweb.kernel.monitor import LabMonitor
from topoweb.kernel.trace.afpacket import AfPacketSource
from topoweb.kernel.trace.bpf.source import BpfSource
from topoweb.kernel.trace.confine import confine
from topoweb.kernel.trace.conntrack import connections
from topoweb.kernel.trace.facts import LinuxFacts
from topoweb.kernel.trace.ruletrace import RuleTrace

if TYPE_CHECKING:
    import asyncio

    from topoweb.engine.capture import CaptureSource

SOCKET_NAME, KEY_NAME = "tracer.sock", "stream.key"
NICENESS = -5  # three times the share of an ordinary process

log = logging.getLogger(__name__)


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
        tables = Tables(partial(LabMonitor, self._run_dir), partial(connections, self._run_dir))
        recordings = Recordings()
        tracing = Tracing(
            source(self._run_dir),
            pcapng.blocks,
            facts=self._facts,
            insight=Insight(tables, partial(RuleTrace, self._run_dir)),
            keepers=recordings.keeper,
            questions={"recording": recordings.save, "recorded": recordings.recorded},
        )
        recordings.attach(tracing)
        server = StreamServer(tracing.handlers, secret)
        # The run directory's group is the web process: it may connect, nobody else.
        await server.start(self._run_dir / SOCKET_NAME, group=self._run_dir.stat().st_gid)
        try:
            if own_process:
                _go_first()
                confine()
            tracing.start()
            await stop.wait()
        finally:
            await server.stop()
            await recordings.stop()
            await tracing.stop()

    def _facts(self, lab: int) -> LinuxFacts:
        return LinuxFacts(self._run_dir, lab)


def source(run_dir: Path) -> CaptureSource:
    """Return the best tier that works here, or the one that TOPOWEB_TRACE_TIER names."""
    tier = settings.TOPOWEB_TRACE_TIER
    if tier == "afpacket":
        return AfPacketSource(run_dir)
    try:
        return BpfSource(
            run_dir,
            hop_ring=1 << ((settings.TOPOWEB_TRACE_RING << 20) - 1).bit_length(),
            hop_rate=settings.TOPOWEB_TRACE_RATE,
            hop_burst=settings.TOPOWEB_TRACE_RATE,
        )
    except TopowebError as error:
        if tier == "bpf":
            raise
        log.info("packets are followed on cables, not inside nodes: %s", error.message)
        return AfPacketSource(run_dir)


def _go_first() -> None:
    """Run before what a flood keeps busy, where we may: what is not read in time is lost.

    Threads inherit it. Its need is bounded: of a flood that is too much whole flows are left out.
    """
    with contextlib.suppress(PermissionError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


def _raise_descriptor_limit() -> None:
    """A lab of 2,000 cables is 2,000 sockets; the usual soft limit is 1,024."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
