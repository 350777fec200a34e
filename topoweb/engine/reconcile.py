"""One pass over one lab: expand → observe → plan → apply → observe → verify.

The pass is level-triggered: it looks at what is wished and at what exists, never at what
happened. So the same lines deploy, edit, repair, adopt after a restart of the worker, and
destroy (nothing is wished).

`prepare` only reads; `execute` writes. Between the two the caller stores the announcement, so
that a worker that dies half-way leaves a status row that says so (`Mark.settled` is False) and
its successor enforces the whole drawing instead of taking half a lab for drift.
"""

from __future__ import annotations

import errno
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from topoweb.core.errors import TopowebError
from topoweb.core.limits import drawing_excess
from topoweb.core.plan.actions import (
    Action,
    AddAddress,
    AddChild,
    AddVeth,
    Plan,
    RemoveAddress,
    RemoveDevice,
    SetChild,
    SetDevice,
    SetOffloads,
    SetPort,
    SetRate,
    SetVlans,
)
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.plan.focus import Comparison, focus, shared
from topoweb.core.plan.state import CLOSED, LabState
from topoweb.core.texts import SILENT, STEPS, Text, text
from topoweb.core.topology.validate import validate
from topoweb.engine.ports import Failure, Kernel, Report, Wish

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from topoweb.core.topology.problem import Problem

FAILURES_SHOWN = 50
CARRIER_PATIENCE, CARRIER_LOOK = 1.0, 0.01  # seconds in all, and between two looks
NOTHING = Plan()


class Progress(Protocol):
    """Told how far a pass is."""

    def __call__(self, done: int, total: int = ..., /) -> None:
        """Hear of ``done`` steps, of ``total`` when that was not known before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """What one pass is going to do, and what is said of it beforehand."""

    wish: Wish
    desired: LabState
    previous: LabState | None  # the desired state that the kernel was last brought to
    agreed: Comparison | None = None  # the last one that found the kernel as wished
    plan: Plan = NOTHING
    destroys: bool = False
    blocked: tuple[Problem, ...] = ()
    halted: bool = False
    phase: str = "changing"  # while it is under way

    @property
    def writes(self) -> bool:
        """True when the kernel is going to be changed."""
        return bool(self.plan) or self.destroys

    def report(self, phase: str, **said: object) -> Report:
        """Return a report of this pass that leaves the observed generation as it is."""
        mark = self.wish.mark
        fields = {"observed_generation": mark.observed_generation, "steps_total": len(self.plan)}
        return Report(lab=mark.lab, phase=phase, **(fields | said))  # type: ignore[arg-type]

    def announcement(self) -> Report:
        """Return what to store before the first write."""
        return self.report(self.phase)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a pass."""

    report: Report | None  # None: the status row says it already
    previous: LabState | None  # to be given to the next pass
    agreed: Comparison | None = None  # likewise
    retry: bool = False  # the same pass may succeed later
    cancelled: bool = False


def prepare(
    kernel: Kernel, wish: Wish, previous: LabState | None, agreed: Comparison | None = None
) -> Pass:
    """Return what must be done. Reads the kernel, writes nothing.

    ``previous`` and ``agreed`` are of the outcome of the pass before.
    """
    mark = wish.mark
    if not mark.running:
        return _destruction(kernel, wish, "stopping")
    problems = wish.problems or validate(wish.topology)
    errors = tuple(problem for problem in problems if problem.severity == "error")
    blocked = _excess(wish) or errors
    if blocked:
        return Pass(wish=wish, desired=LabState(), previous=previous, blocked=blocked)
    if not wish.topology.nodes:
        return _destruction(kernel, wish, "changing")
    desired = expand(
        mark.lab,
        wish.topology,
        link_rate=wish.limits.link_rate,
        uplink_until=wish.uplink_until,
    )
    desired = shared(desired, previous)
    if mark.halted:
        return Pass(wish=wish, desired=desired, previous=previous, halted=True)
    if mark.restore:
        previous = None
    elif previous is None and mark.settled:
        previous = desired  # adopted as it is: what differs is drift, which a restart keeps
    observed = kernel.observe(mark.lab)
    if not observed.namespaces and (tight := tuple(kernel.pressure())):
        return Pass(wish=wish, desired=LabState(), previous=previous, blocked=tight)
    seen = Comparison(desired, observed, previous)
    plan = _difference(wish, seen, agreed)
    return Pass(
        wish=wish,
        desired=desired,
        previous=previous,
        agreed=agreed if plan else seen,
        plan=plan,
        phase="changing" if observed.namespaces else "starting",
    )


def _excess(wish: Wish) -> tuple[Problem, ...]:
    """Return the limits that a wish is over. What came true already is not taken back."""
    if wish.mark.settled:
        return ()
    return (*drawing_excess(wish.topology, wish.limits), *wish.refusals)


def execute(
    kernel: Kernel, todo: Pass, progress: Progress, cancelled: Callable[[], bool]
) -> Outcome:
    """Do what `prepare` found, and look again. Raises only what is a fault of the program.

    ``progress`` gets the steps done; of a destruction, whose steps nobody knows before, also how
    many there are.
    """
    if todo.blocked:
        return _blocked(todo)
    if todo.halted:
        return _cancelled(todo, 0)
    try:
        if todo.destroys:
            kernel.destroy(todo.wish.mark.lab, progress)
        elif todo.plan:
            return _apply(kernel, todo, progress, cancelled)
    except TopowebError as error:
        return refused(todo, error)
    return _came_true(todo)


def refused(todo: Pass, error: TopowebError) -> Outcome:
    """Return the outcome of a pass that the kernel side refused as a whole."""
    said = Text.of(error)
    return _failed(todo, said, (failure("", said),), retry=error.kind.retryable)


def _apply(
    kernel: Kernel, todo: Pass, progress: Progress, cancelled: Callable[[], bool]
) -> Outcome:
    lab = todo.wish.mark.lab
    result = kernel.apply(lab, todo.plan.steps, progress, cancelled)
    if result.cancelled:
        return _cancelled(todo, result.done)
    if result.failures:
        retry = any(failure.retryable for failure in result.failures)
        return _failed(todo, *_described(result.failures), retry=retry, done=result.done)
    seen = Comparison(todo.desired, _settled(kernel, lab), todo.previous)
    residue = _difference(todo.wish, seen, todo.agreed)
    if residue:
        return _did_not_take(todo, residue)
    return _came_true(replace(todo, agreed=seen))


def _settled(kernel: Kernel, lab: int) -> LabState:
    """Return what exists, once cables whose two ends are up carry packets.

    The kernel puts a cable into operation a little later (net/core/link_watch.c), and what is
    sent before is lost. A lab that is told to run shall answer the first ping.
    """
    deadline = time.monotonic() + CARRIER_PATIENCE
    while True:
        observed = kernel.observe(lab)
        if carries(observed) or time.monotonic() > deadline:
            return observed
        time.sleep(CARRIER_LOOK)


def carries(observed: LabState) -> bool:
    """True when every cable whose two ends are up is in operation."""
    for namespace in observed.namespaces.values():
        for device in namespace.devices.values():
            if device.peer is None or not device.up or device.oper == "up":
                continue
            beyond = observed.namespaces.get(device.peer.namespace)
            peer = beyond.devices.get(device.peer.name) if beyond else None
            if peer is not None and peer.up:
                return False
    return True


def _difference(wish: Wish, seen: Comparison, agreed: Comparison | None) -> Plan:
    restore = wish.mark.restore
    part = seen if restore else focus(seen, agreed)
    names = subjects(wish.topology)
    return diff(part.desired, part.observed, names, previous=part.previous, restore=restore)


def _destruction(kernel: Kernel, wish: Wish, phase: str) -> Pass:
    # A new wish destroys even what seems absent: a dead lab leaves records behind.
    destroys = not wish.mark.settled or wish.mark.lab in kernel.labs()
    return Pass(wish=wish, desired=LabState(), previous=None, destroys=destroys, phase=phase)


def _came_true(todo: Pass) -> Outcome:
    mark = todo.wish.mark
    phase = "running" if mark.running else "stopped"
    report = todo.report(
        phase,
        observed_generation=mark.generation,
        steps_done=len(todo.plan.steps),
        **_shut(todo).shown(),
    )
    return Outcome(
        report=report if todo.writes or not mark.settled else None,
        previous=todo.desired if mark.running else None,
        agreed=todo.agreed if mark.running else None,
    )


def _shut(todo: Pass) -> Text:
    """Return what is to be said of an uplink that is not granted, else nothing."""
    shut = any(namespace.uplink == CLOSED for namespace in todo.desired.namespaces.values())
    return text("uplink-closed") if shut else SILENT


def _cancelled(todo: Pass, done: int) -> Outcome:
    mark = todo.wish.mark
    said = text("run-cancelled").shown()
    report = todo.report("cancelled", observed_generation=mark.generation, steps_done=done, **said)
    known = mark.phase == "cancelled" and mark.observed_generation == mark.generation
    return Outcome(
        report=None if known else report,
        previous=_unfinished(todo),
        cancelled=True,
    )


def _blocked(todo: Pass) -> Outcome:
    """A drawing with errors, or over a limit, touches nothing; what runs goes on."""
    found = [
        failure(_subject(one.path), Text.of_problem(one)) for one in todo.blocked[:FAILURES_SHOWN]
    ]
    count, first = len(todo.blocked), todo.blocked[0]
    said = text("run-blocked", errors=_count(count, "error"), count=count)
    if first.code.startswith("limit-"):
        said = replace(Text.of_problem(first), message=f"{first.message}; nothing was changed.")
    report = todo.report(
        "failed",
        observed_generation=todo.wish.mark.generation,
        failures=found,
        **said.shown(),
    )
    return Outcome(report=report, previous=todo.previous)


def _failed(
    todo: Pass,
    why: Text,
    failures: Sequence[Mapping[str, Any]],
    *,
    retry: bool,
    done: int = 0,
) -> Outcome:
    said: dict[str, object] = {"failures": failures, "steps_done": done, **why.shown()}
    if not retry:
        said["observed_generation"] = todo.wish.mark.generation
    report = todo.report(todo.phase if retry else "failed", **said)
    return Outcome(report=report, previous=_unfinished(todo), retry=retry)


def _did_not_take(todo: Pass, residue: Plan) -> Outcome:
    """The kernel accepted every step and yet differs: somebody else changes it, or it lost."""
    failures = [
        failure(step.subject, text("step-undone", reason=step.reason))
        for step in residue.steps[:FAILURES_SHOWN]
    ]
    count = len(residue)
    said = text("steps-undone", changes=_count(count, "change"), count=count)
    return _failed(todo, said, failures, retry=True, done=len(todo.plan))


def failure(subject: str, said: Text) -> dict[str, Any]:
    """Return one failure of a report."""
    return {"subject": subject, "hint": said.hint, **said.shown()}


def _described(failures: Sequence[Failure]) -> tuple[Text, list[dict[str, Any]]]:
    shown = [failure(one.step.subject, _refused_step(one)) for one in failures[:FAILURES_SHOWN]]
    count, reason = len(failures), failures[0].message
    said = text("steps-failed", steps=_count(count, "step"), count=count, reason=reason)
    return said, shown


def _refused_step(failed: Failure) -> Text:
    code = f"step-{errno.errorcode.get(failed.errno, '').lower()}"
    return text(code if code in STEPS else "step-failed", reason=failed.message)


def _unfinished(todo: Pass) -> LabState | None:
    """Forget the namespaces that an unfinished plan touched: the next pass enforces them whole.

    Otherwise a half-made device would count as drift and stay half-made.
    """
    if todo.previous is None:
        return None
    touched = {name for step in todo.plan.steps for name in _namespaces(step.action)}
    kept = {name: state for name, state in todo.previous.namespaces.items() if name not in touched}
    return LabState(namespaces=kept)


def _namespaces(action: Action) -> tuple[str, ...]:
    match action:
        case AddVeth(a=a, b=b):
            return (a.at.namespace, b.at.namespace)
        case AddChild(at=at, parent=parent):
            return (at.namespace, parent.namespace)
        case RemoveDevice(at=at) | SetDevice(at=at) | SetRate(at=at) | SetChild(at=at):
            return (at.namespace,)
        case AddAddress(at=at) | RemoveAddress(at=at) | SetPort(at=at) | SetVlans(at=at):
            return (at.namespace,)
        case SetOffloads(at=at):
            return (at.namespace,)
        case _:
            return (action.namespace,)


def _subject(path: str) -> str:
    """Return the object id in a JSON pointer: "/interfaces/i1/mtu" → "i1"."""
    parts = path.split("/")
    return parts[2] if len(parts) > 2 else ""


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
