"""Remembers what the nodes of watched labs held: a thread that folds the kernel's notifications.

A lab is read once when its watching begins; then each notification is a change with its time.
Nobody waits for it: what is not known yet is said to be so.
"""

from __future__ import annotations

import logging
import threading
import time
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from topoweb.core.tracing.history import History
from topoweb.core.tracing.records import ALL_RECORDS, RouteRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from topoweb.core.tracing.records import KernelEvent, TableRecord
    from topoweb.engine.ports import LiveKernel

    Deliver = Callable[[int, Sequence[KernelEvent]], None]
    Connections = Callable[[int, str], Sequence[dict[str, Any]]]

LOOK_EVERY = 1.0  # seconds between looks for nodes that came
BATCH = 32  # nodes that are read at a time: the capture's thread wants the interpreter, too

log = logging.getLogger(__name__)


class Tables:
    """The histories of watched labs. Its methods may be called from any thread."""

    def __init__(
        self, make_kernel: Callable[[Deliver], LiveKernel], connections: Connections
    ) -> None:
        """``connections(lab, node)`` reads a node's tracked connections as they are now."""
        self._make_kernel, self._connections = make_kernel, connections
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._histories: dict[int, History] = {}
        self._lock = threading.Lock()  # over the histories
        self._kernel: LiveKernel | None = None
        self._thread = threading.Thread(target=self._run, name="tables", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; blocks until the thread has ended."""
        self._work.put(None)
        self._thread.join()

    def watch(self, lab: int) -> None:
        """Remember a lab from now on."""
        self._work.put(lambda: self._begin(lab))

    def unwatch(self, lab: int) -> None:
        """Forget a lab."""
        self._work.put(lambda: self._end(lab))

    def at(self, lab: int, node: str, time_ns: int) -> dict[str, Any]:
        """Return a node's tables at a moment (docs/protocol.md "Tables"). Blocks: it reads."""
        with self._lock:
            found = self._histories.get(lab, History(0)).at(node, time_ns)
        rows = list(self._connections(lab, node))
        return {**found, "conntrack": {"as_of": time.time(), "rows": rows}}

    def export(self, lab: int, since_ns: int, until_ns: int) -> dict[str, Any]:
        """Return what a recording keeps of a lab (`core.tracing.history`)."""
        with self._lock:
            return self._histories.get(lab, History(0)).export(since_ns, until_ns)

    def _run(self) -> None:
        try:
            self._kernel = self._make_kernel(self._heard)
        except Exception:  # notifications are no condition of tracing
            log.exception("the nodes' tables are not remembered")
        look_at = time.monotonic() + LOOK_EVERY
        while (work := self._next(look_at)) is not None:
            if work == self._look:
                look_at = time.monotonic() + LOOK_EVERY
            try:
                work()
            except Exception:  # a lab that dies under us must not end the memory of others
                log.exception("a change of a node's tables is lost")
        if self._kernel is not None:
            self._kernel.close()

    def _next(self, look_at: float) -> Callable[[], None] | None:
        """Wait for something to do; None when it is time to end."""
        patience = look_at - time.monotonic()
        if patience <= 0:
            return self._look
        try:
            return self._work.get(timeout=patience)
        except Empty:
            return self._look

    def _heard(self, lab: int, events: Sequence[KernelEvent]) -> None:
        """Take notifications from the kernel's thread."""
        now = time.time_ns()
        self._work.put(lambda: self._fold(lab, events, now))

    def _begin(self, lab: int) -> None:
        if lab not in self._histories:
            with self._lock:
                self._histories[lab] = History()
            self._grow(lab)

    def _end(self, lab: int) -> None:
        with self._lock:
            known = self._histories.pop(lab, None)
        if known is not None and self._kernel is not None:
            self._kernel.unwatch(lab)

    def _look(self) -> None:
        for lab in tuple(self._histories):
            self._grow(lab)

    def _grow(self, lab: int) -> None:
        """Read the nodes that are new."""
        if self._kernel is None:
            return
        fresh, gone = self._kernel.watch(lab)
        with self._lock:
            for node in gone:
                self._histories[lab].forget(node)
        self._read(lab, sorted(fresh), ALL_RECORDS)

    def _fold(self, lab: int, events: Sequence[KernelEvent], time_ns: int) -> None:
        history = self._histories.get(lab)
        if history is None:
            return
        with self._lock:
            history.fold(events, time_ns)
            stale = sorted(history.stale)
            overrun, history.overrun = history.overrun, False
        if overrun and self._kernel is not None:
            fresh, _ = self._kernel.watch(lab)
            self._read(lab, sorted(history.nodes | fresh), ALL_RECORDS)
        elif stale:
            self._read(lab, stale, frozenset({RouteRecord}))

    def _read(self, lab: int, nodes: Sequence[str], kinds: Collection[type[TableRecord]]) -> None:
        assert self._kernel is not None
        for start in range(0, len(nodes), BATCH):
            some = nodes[start : start + BATCH]
            dumps = self._kernel.dump(lab, some, frozenset(kinds))
            with self._lock:
                self._histories[lab].fold(dumps, time.time_ns())
