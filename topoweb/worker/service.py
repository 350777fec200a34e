"""The worker's composition root: which store, kernel, layer and streams meet in this process."""

from __future__ import annotations

import asyncio
import functools
import logging
import shutil
import sys
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from channels.layers import get_channel_layer
from django.conf import settings

from topoweb.accounts.keys import read_or_create
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.engine.dissecting import Dissecting
from topoweb.engine.guard import Guard, Orders
from topoweb.engine.housing import Housing
from topoweb.engine.live import LiveService
from topoweb.engine.servicequeries import Queries, ServiceQueries
from topoweb.engine.services import Services
from topoweb.engine.streams import StreamServer
from topoweb.engine.supervisor import SWEEP_INTERVAL, Supervisor
from topoweb.engine.terminals import TerminalService
from topoweb.kernel.ceilings import lower_conntrack_max, raise_neighbours_max
from topoweb.kernel.features import features, tools
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.load import LoadReader
from topoweb.kernel.manifest import boot_id
from topoweb.kernel.monitor import LabMonitor
from topoweb.kernel.ownership import owner_token
from topoweb.kernel.sandbox import cgroups
from topoweb.kernel.sandbox.dissector import Dissector
from topoweb.kernel.services import recipes
from topoweb.kernel.trace import wake
from topoweb.kernel.uplink.rules import Config
from topoweb.protocol.frames import Stream
from topoweb.worker.consumer import Bell, Consumer
from topoweb.worker.heartbeat import Heartbeat
from topoweb.worker.lock import only_worker
from topoweb.worker.prober import LinuxProber
from topoweb.worker.store import DjangoStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine, Mapping
    from typing import Any

    from channels.layers import BaseChannelLayer

    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.engine.labtask import Listener as Hearing
    from topoweb.engine.ports import Sandboxes

# Without Redis the command line, another process, cannot ring: the sweep has to be its doorbell.
DEAF_SWEEP_INTERVAL = 1.0  # seconds
SWITCH_INTERVAL = 0.001  # seconds; Python's own 5 ms add up over the hops of an edit
SOCKET_NAME, KEY_NAME = "worker.sock", "stream.key"

log = logging.getLogger(__name__)


def build(run_dir: Path | None = None, *, host: str | None = None) -> Worker:
    """Put the worker of a run directory and a host (by default the settings') together."""
    return Worker(
        Path(settings.TOPOWEB_RUN) if run_dir is None else run_dir,
        host or settings.TOPOWEB_HOST,
    )


class Worker:
    """All that one worker process does, as one task."""

    def __init__(self, run_dir: Path, host: str) -> None:
        self._run_dir = run_dir
        self._host = host

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until ``stop``; running labs stay. TopowebError(CONFLICT) for a second worker."""
        layer = get_channel_layer()
        if layer is None:
            raise TopowebError(ErrorKind.UNSUPPORTED, "No channel layer is configured.")
        # A pass computes in a thread while the loop hands news on: let the loop in soon.
        sys.setswitchinterval(SWITCH_INTERVAL)
        with only_worker(self._run_dir):
            async with AsyncExitStack() as stack:
                # The forker is started while the process is young: it inherits little.
                free_memory = settings.TOPOWEB_HOST_LIMITS.free_memory
                kernel = LinuxKernel(self._run_dir, uplink=_uplink(), free_memory=free_memory)
                stack.callback(kernel.close)
                store = DjangoStore(Bell(layer, asyncio.get_running_loop()).ring)
                housing = Housing(kernel.sandboxes, store.limits)
                terminals = TerminalService(
                    kernel.sandboxes, shell=_shell(), ceilings=store.terminals
                )
                stack.push_async_callback(terminals.stop)
                housing.also(terminals.desired)
                stack.push_async_callback(housing.close)
                streams = self._streams(terminals, kernel.sandboxes, housing)
                live = await stack.enter_async_context(streams)
                await self._serve(stop, layer, kernel, store, live, housing)

    async def _serve(
        self,
        stop: asyncio.Event,
        layer: BaseChannelLayer,
        kernel: LinuxKernel,
        store: DjangoStore,
        live: LiveService,
        housing: Housing,
    ) -> None:
        await asyncio.to_thread(store.after_boot, self._host, boot_id())
        await asyncio.to_thread(store.forget_probes)
        if settings.TOPOWEB_CONNTRACK_MAX:
            lower_conntrack_max(settings.TOPOWEB_CONNTRACK_MAX)
        if settings.TOPOWEB_NEIGHBOURS_MAX:
            raise_neighbours_max(settings.TOPOWEB_NEIGHBOURS_MAX)
        listener = _Listener(self._run_dir, live)
        supervisor = Supervisor(
            kernel,
            store,
            LinuxProber(kernel),
            listener=listener,
            sweep_interval=SWEEP_INTERVAL if settings.TOPOWEB_REDIS else DEAF_SWEEP_INTERVAL,
        )
        consumer = Consumer(layer, self._host, supervisor.wake)
        heartbeat = Heartbeat(self._host, lambda: {**features(), "uplink": kernel.gate.feature()})
        cut = supervisor.write if settings.TOPOWEB_STORM == "cut" else None
        orders = Orders(tell=live.warn, repair=supervisor.repair, write=cut)
        guard = Guard(LoadReader(kernel, settings.TOPOWEB_HOST_LIMITS.free_memory), store, orders)
        listener.also(guard.desired)
        listener.also(housing.desired)
        async with _beside(consumer.run(), heartbeat.run(), guard.run()):
            await supervisor.run(stop)

    @asynccontextmanager
    async def _streams(
        self, terminals: TerminalService, sandboxes: Sandboxes, housing: Housing
    ) -> AsyncIterator[LiveService]:
        """Serve the worker's streams; another kind of stream is another line here."""
        live = LiveService(functools.partial(LabMonitor, self._run_dir))
        services = Services(sandboxes, recipes, self._run_dir, live.serve)
        housing.also(services.desired)
        inside = ServiceQueries(services, sandboxes)
        dissector = Dissector(self._run_dir, cgroups.find(owner_token(self._run_dir)))
        answers = {
            "service-log": inside.log,
            "frr": inside.frr,
            "tools": _tools,
            "dissect": Dissecting(dissector).answer,
            "recording": live.tapes.answer,
        }
        queries = Queries(answers, live.query)
        handlers = {
            Stream.LIVE: live.stream,
            Stream.QUERY: queries.serve,
            Stream.TERMINAL: terminals.stream,
        }
        secret = read_or_create(self._run_dir / KEY_NAME, mode=0o640)
        server = StreamServer(handlers, secret)
        await live.start()
        try:
            # The run directory's group is the web process: it may connect, nobody else.
            await server.start(self._run_dir / SOCKET_NAME, group=self._run_dir.stat().st_gid)
            try:
                yield live
            finally:
                await server.stop()
        finally:
            await asyncio.to_thread(dissector.close)
            await services.close()
            await live.stop()


def _uplink() -> Config:
    """Return what the host's administrator says of uplinks."""
    return Config(
        pool=settings.TOPOWEB_UPLINK_POOL,
        rate=settings.TOPOWEB_UPLINK_RATE,
        blocked=settings.TOPOWEB_UPLINK_BLOCK,
        forward=settings.TOPOWEB_UPLINK,
    )


async def _tools(lab: int, params: Mapping[str, Any]) -> Mapping[str, Any]:
    """Answer which programs nodes have on this host: the same in every lab."""
    del lab, params
    return {"tools": await asyncio.to_thread(tools)}


def _shell() -> str:
    """Return the shell of terminals: a node's /usr is the host's."""
    return "/bin/bash" if shutil.which("bash", path="/usr/bin:/bin") else "/bin/sh"


class _Listener:
    """Tells the live view and the tracer after a pass."""

    def __init__(self, run_dir: Path, live: LiveService) -> None:
        self._run_dir = run_dir
        self._live = live
        self._others: list[Hearing] = []

    def also(self, hear: Hearing) -> None:
        """Tell somebody else too."""
        self._others.append(hear)

    def __call__(
        self, lab: int, topology: Topology, desired: LabState | None, *, applying: bool = False
    ) -> None:
        self._live.desired(lab, topology, desired, applying=applying)
        for hear in self._others:
            hear(lab, topology, desired, applying=applying)
        if not applying:
            wake.notify(self._run_dir, lab)


@asynccontextmanager
async def _beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run coroutines that never end by themselves as long as the body does."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
