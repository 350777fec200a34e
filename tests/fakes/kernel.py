"""An in-memory kernel for the engine's tests.

It keeps the contract of `topoweb.engine.ports.Kernel` and models what a wrong plan would trip
over (`kernel_model`): a veth takes its peer along; a device that goes down loses its routes and
its IPv6 addresses (addrconf_ifdown); the last IPv4 address of a device takes the device's IPv4
routes along (fib_disable_ip), a primary address its secondaries (promote_secondaries=0); a next
hop must be on-link when its route is added; a bridge has 1023 ports at most. Adding an address
or a route that is there already succeeds, and so does removing an address that is not: the real
applier takes these refusals for done.
"""

from __future__ import annotations

import errno
import os
import threading
from typing import TYPE_CHECKING

from tests.fakes.kernel_devices import RefusedError
from tests.fakes.kernel_model import LabModel
from topoweb.core.plan.state import Endpoint, LabState
from topoweb.engine.ports import ApplyResult, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from topoweb.core.plan.actions import Action, Step
    from topoweb.core.topology.problem import Problem

RETRYABLE = frozenset({errno.EBUSY, errno.EAGAIN, errno.ENOBUFS, errno.EINTR})


class FakeKernel:
    """Labs in memory, with hooks to make trouble.

    ``before_step(lab, step)`` runs before each step: raising OSError refuses the step with that
    errno, any other exception leaves `apply` at once as a killed worker would. ``foreign`` holds
    what is not ours; nothing here may ever change it. ``writes`` counts the steps tried.
    """

    def __init__(self, *, batch: int = 64, host_forwards: bool = False) -> None:
        self.batch = batch
        self.host_forwards = host_forwards
        self.writes = 0
        self.before_step: Callable[[int, Step], None] | None = None
        self.foreign: dict[str, str] = {"docker0": "bridge", "other-netns": "namespace"}
        self.tight: tuple[Problem, ...] = ()  # what the host is short of
        self._labs: dict[int, LabModel] = {}
        self._failing: dict[int, int] = {}  # write number → errno
        self._lock = threading.RLock()

    def labs(self) -> Sequence[int]:
        with self._lock:
            return sorted(lab for lab, model in self._labs.items() if model.namespaces)

    def observe(self, lab: int) -> LabState:
        with self._lock:
            model = self._labs.get(lab)
            return model.state() if model else LabState()

    def apply(
        self,
        lab: int,
        steps: Sequence[Step],
        progress: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> ApplyResult:
        done = 0
        failures: list[Failure] = []
        for number, step in enumerate(steps):
            if number % self.batch == 0 and cancelled():
                return ApplyResult(done, tuple(failures), cancelled=True)
            failure = self._try(lab, step)
            if failure:
                failures.append(failure)
            else:
                done += 1
            if (number + 1) % self.batch == 0:
                progress(number + 1)
        progress(len(steps))
        return ApplyResult(done, tuple(failures))

    def destroy(self, lab: int, progress: Callable[[int, int], None] = lambda *_: None) -> None:
        with self._lock:
            if gone := self._labs.pop(lab, None):
                self.writes += 1
                progress(len(gone.namespaces), len(gone.namespaces))

    def pressure(self) -> Sequence[Problem]:
        return self.tight

    # Trouble, and what users do behind the worker's back: none of it counts as a write.

    def fail_call(self, number: int, code: int = errno.EBUSY) -> None:
        """Refuse the ``number``-th step from now (1 = the next one) with this errno."""
        with self._lock:
            self._failing[self.writes + number] = code

    def clear_failures(self) -> None:
        with self._lock:
            self._failing.clear()

    def drop_namespace(self, lab: int, namespace: str) -> None:
        """Lose a namespace with all in it; veth peers elsewhere go along."""
        with self._lock:
            model = self._labs[lab]
            for name in [n for n in model.namespaces[namespace].devices if n != "lo"]:
                model.delete(Endpoint(namespace=namespace, name=name))
            del model.namespaces[namespace]

    def type_in(self, lab: int, action: Action) -> None:
        """Do what a user types in a terminal of the lab. Raises `RefusedError`."""
        with self._lock:
            self._labs[lab].run(action)

    def _try(self, lab: int, step: Step) -> Failure | None:
        if self.before_step is not None:
            try:
                self.before_step(lab, step)
            except OSError as error:
                return _failure(step, error.errno or errno.EIO, os.strerror(error.errno or 5))
        with self._lock:
            self.writes += 1
            code = self._failing.pop(self.writes, None)
            if code is not None:
                return _failure(step, code, os.strerror(code))
            model = self._labs.setdefault(lab, LabModel(host_forwards=self.host_forwards))
            try:
                model.run(step.action)
            except RefusedError as refusal:
                return _failure(step, refusal.number, refusal.message)
        return None


def _failure(step: Step, code: int, words: str) -> Failure:
    message = f"{type(step.action).__name__}: {words}"
    return Failure(step, code, message, code in RETRYABLE)
