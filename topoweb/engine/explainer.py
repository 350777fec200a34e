"""The explainer thread: asks the kernel's state why packets did not arrive.

Questions wait in a bounded queue, so a storm of faults costs explanations, never the capture. Each
lab has one `Facts`, made in this thread when it is first needed and closed when the lab is left.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.tracing import explain
from topoweb.core.tracing.explain.facts import Facts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Exchange, Hop, Trace

T = TypeVar("T")
WAITING = 256  # cases

log = logging.getLogger(__name__)


class LabFacts(Facts, Protocol):
    """Facts of a lab that hold something open."""

    def close(self) -> None:
        """Let go."""


@dataclass(frozen=True, slots=True)
class Case:
    """A packet that was dropped (``drop`` in ``traces[0]``), or an exchange without an answer."""

    lab: int
    repeated: int  # of the same kind, left out since the last one
    traces: Sequence[Trace]
    drop: Hop | None = None
    exchange: Exchange | None = None

    def explain(self, facts: Facts) -> Verdict:
        """Return why."""
        if self.drop is not None:
            return explain.of_drop(self.traces[0], self.drop, facts)
        assert self.exchange is not None
        return explain.of_silence(self.exchange, self.traces, facts)


class Explainer:
    """Explains cases one after the other; what is asked by someone who waits goes first."""

    def __init__(
        self, facts: Callable[[int], LabFacts], deliver: Callable[[Case, Verdict], None]
    ) -> None:
        """``facts(lab)`` makes a lab's facts, ``deliver(case, verdict)`` takes what was found.

        Both are called in the thread.
        """
        self._make, self._deliver = facts, deliver
        self._facts: dict[int, LabFacts] = {}
        self._cases: deque[Case] = deque()
        self._urgent: deque[Callable[[], None]] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="explainer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is under way. Not from the loop: it blocks."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def puzzle(self, case: Case) -> bool:
        """Leave a case. False: too many wait, it is left out. From any thread."""
        with self._changed:
            if len(self._cases) >= WAITING:
                return False
            self._cases.append(case)
            self._changed.notify()
        return True

    def ask(self, lab: int, question: Callable[[Facts], T]) -> Future[T]:
        """Answer a question before all cases, by the state as it is now.

        Its result or exception is the future's.
        """
        done: Future[T] = Future()

        def answer() -> None:
            if not done.set_running_or_notify_cancel():
                return
            try:
                self._drop(lab)  # what was asked a moment ago may be different by now
                done.set_result(question(self._of(lab)))
            except Exception as error:  # noqa: BLE001 - raised again where it is awaited
                done.set_exception(error)

        self._push(answer)
        return done

    def forget(self, lab: int) -> None:
        """Close the facts of a lab that nobody watches any more, and leave its cases.

        In the thread that leaves cases, so that none comes after it.
        """
        with self._changed:
            waiting = [case for case in self._cases if case.lab != lab]
            self._cases = deque(waiting)
        self._push(lambda: self._drop(lab))

    def _push(self, work: Callable[[], None]) -> None:
        with self._changed:
            if self._stopping:
                raise TopowebError(ErrorKind.BUSY, "the tracer is stopping")
            self._urgent.append(work)
            self._changed.notify()

    def _of(self, lab: int) -> LabFacts:
        facts = self._facts.get(lab)
        if facts is None:
            facts = self._facts[lab] = self._make(lab)
        return facts

    def _drop(self, lab: int) -> None:
        facts = self._facts.pop(lab, None)
        if facts is not None:
            facts.close()

    def _run(self) -> None:
        while (work := self._next()) is not None:
            try:
                work()
            except Exception:  # one riddle must not end all explaining
                log.exception("an explanation failed")
        for facts in self._facts.values():
            facts.close()

    def _next(self) -> Callable[[], None] | None:
        """Wait for something to do; None when it is time to end."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or self._urgent or self._cases)
            if self._urgent:
                return self._urgent.popleft()
            if self._stopping:
                return None
            case = self._cases.popleft()
            return lambda: self._explain(case)

    def _explain(self, case: Case) -> None:
        self._deliver(case, case.explain(self._of(case.lab)))
