"""Runs the probes that people ask for, in threads, a bounded number at a time."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import defaultdict
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from topoweb.engine.labtask import Threads
    from topoweb.engine.ports import Prober, ProbeRequest, Store

PER_LAB = 4
IN_ALL = 16

log = logging.getLogger(__name__)


class ProbeRunner:
    """Takes waiting probes from the store, runs them, stores their results."""

    def __init__(
        self, prober: Prober, store: Store, threads: Threads, lost: Callable[[int], None]
    ) -> None:
        """``lost(lab)`` is called when a probe finds nothing of a lab that should run."""
        self._prober = prober
        self._store = store
        self._threads = threads
        self._lost = lost
        self._all = asyncio.Semaphore(IN_ALL)
        self._lab: defaultdict[int, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(PER_LAB)
        )
        self._collecting: dict[int, bool] = {}  # lab → whether to look once more
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, lab: int) -> None:
        """Look for waiting probes of a lab."""
        if lab in self._collecting:
            self._collecting[lab] = True
            return
        self._collecting[lab] = False
        self._start(self._collect(lab))

    async def close(self) -> None:
        """Answer what is under way with an error; threads that still wait for replies are left."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _collect(self, lab: int) -> None:
        try:
            again = True
            while again:
                self._collecting[lab] = False
                for request in await self._threads.store(self._store.probes, lab):
                    self._start(self._run(request))
                again = self._collecting[lab]
        except Exception:  # the rows still wait; the sweep comes back to them
            log.exception("lab %d: probes could not be read", lab)
        finally:
            del self._collecting[lab]

    async def _run(self, request: ProbeRequest) -> None:
        try:
            async with self._lab[request.lab], self._all:
                result = await _in_thread(lambda: self._prober.probe(request.lab, request))
        except TopowebError as error:
            result = failed(error.message, error.hint)
            if error.kind is ErrorKind.LOST:
                self._lost(request.lab)
        except asyncio.CancelledError:
            result = failed("The worker was stopped while the probe ran.", "Ask again.")
        except Exception:  # a probe's fault must not stay a row that runs for ever
            log.exception("probe %d failed", request.id)
            result = failed("Internal error of the worker.", "The worker's log has the details.")
        await self._threads.store(self._store.probe_done, request.id, result)


def failed(message: str, hint: str = "") -> Mapping[str, Any]:
    """Return the result of a probe that could not be run."""
    return {"verdict": "error", "message": f"{message} {hint}".strip(), "output": ""}


async def _in_thread(call: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Run in a thread of its own that does not hold up the end of the process.

    An executor's threads would: the interpreter joins them, and a probe may wait 30 s.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Mapping[str, Any]] = loop.create_future()

    def settle(result: Mapping[str, Any] | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        elif result is not None:
            future.set_result(result)

    def work() -> None:
        result, failure = None, None
        try:
            result = call()
        except Exception as error:  # noqa: BLE001 - handed to the loop
            failure = error
        with suppress(RuntimeError):  # the loop is closed: nobody waits
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=work, name="probe", daemon=True).start()
    return await future
