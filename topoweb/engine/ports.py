"""The only seams of the engine: what it needs of a kernel, of a store and of a doorbell.

`Kernel` is synchronous and blocking; the engine calls it from its one apply thread. A fake
(`tests/fakes`) and the real one (`topoweb.kernel.lab`) keep the same contract, and the same
state machine runs on both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from topoweb.core.limits import DEFAULT, Limits
from topoweb.core.plan.result import ApplyResult, Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from topoweb.core.plan.actions import Step
    from topoweb.core.plan.state import LabState
    from topoweb.core.programs import Command, Finished, Residence, Started, Terminal
    from topoweb.core.topology.model import Topology
    from topoweb.core.topology.problem import Problem
    from topoweb.core.tracing.explain.facts import Passed
    from topoweb.core.tracing.load import Load
    from topoweb.core.tracing.records import Dump, Sample, TableRecord
    from topoweb.core.tracing.warnings import Warned

__all__ = [
    "ApplyResult",
    "Dissector",
    "Failure",
    "Kernel",
    "LiveKernel",
    "Mark",
    "ProbeRequest",
    "Prober",
    "Report",
    "Sandboxes",
    "Store",
    "Wish",
]


class Dissector(Protocol):
    """A program that knows more protocols than we do, where nothing it does can harm."""

    def dissect(self, frame: bytes, length: int, time_ns: int) -> bytes:
        """Return what it makes of a frame, as PDML; blocks. TopowebError: UNSUPPORTED, INTERNAL."""


class Kernel(Protocol):
    """A host's kernel, seen lab by lab. All calls block; all may raise TopowebError."""

    def labs(self) -> Sequence[int]:
        """Return the labs that have something in this kernel and are proved ours."""

    def observe(self, lab: int) -> LabState:
        """Return what exists of a lab, read in full. ``LabState()`` when nothing does."""

    def apply(
        self,
        lab: int,
        steps: Sequence[Step],
        progress: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> ApplyResult:
        """Run steps in order. Never raises for a refused step: that is a `Failure`.

        ``progress`` gets the number of steps done at most every 50 ms; ``cancelled`` is asked
        between batches. After a failure the remaining independent steps still run.
        """

    def destroy(self, lab: int, progress: Callable[[int, int], None] = ...) -> None:
        """Remove all of a lab and return when it has been *seen gone*.

        ``progress`` gets (things gone, things in all) now and then. It may be called from another
        thread than `apply`, never for the same lab at the same time.
        """

    def pressure(self) -> Sequence[Problem]:
        """Return why no further lab should be started on this host now. Cheap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A lab's counters, its drawing left out: cheap enough to read for every lab."""

    lab: int
    generation: int
    running: bool
    cancelled: bool = False  # somebody asked to give this generation up
    restore: bool = False  # drift is to be undone: the drawing is enforced in full
    probes: bool = False  # at least one probe waits
    phase: str = "stopped"  # of the status row, as in `Report`
    observed_generation: int = 0

    @property
    def settled(self) -> bool:
        """True when the status row says that the wish of this generation came true."""
        wanted = "running" if self.running else "stopped"
        return self.phase == wanted and self.observed_generation == self.generation

    @property
    def halted(self) -> bool:
        """True when this generation is given up; a cancel after the fact does not count."""
        late = self.observed_generation == self.generation and self.phase != "cancelled"
        return self.cancelled and not late


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the database wants of a lab.

    ``topology`` is empty when the stored document does not parse; ``problems`` then says why.
    """

    mark: Mark
    topology: Topology
    problems: Sequence[Problem] = ()
    limits: Limits = DEFAULT
    refusals: Sequence[Problem] = ()  # limits of its owner or of the host that it would break
    uplink_until: int | None = None  # the lab's uplink is granted up to this second of the epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the worker says of a lab: one status row."""

    lab: int
    observed_generation: int
    phase: str  # stopped, starting, running, changing, stopping, failed, cancelled
    message: str = ""
    steps_done: int = 0
    steps_total: int = 0
    failures: Sequence[Mapping[str, Any]] = field(default_factory=tuple)  # subject, hint and a text
    code: str = ""  # of the message, `core/texts.py`
    params: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """A probe to run inside a node: typed, no shell."""

    id: int
    lab: int
    kind: str  # ping, tcp, udp, traceroute
    source: str  # node id
    target: str  # an IP address, already resolved from the drawing
    port: int | None = None
    count: int = 3


class Prober(Protocol):
    """Runs probes inside nodes."""

    def probe(self, lab: int, request: ProbeRequest) -> Mapping[str, Any]:
        """Return the result of one probe. Blocks for at most 30 s; may raise TopowebError."""


class Store(Protocol):
    """The database as the engine sees it. Calls are made from threads, never from the loop."""

    def marks(self) -> Sequence[Mark]:
        """Return the mark of every lab of this host: what the sweep looks at."""

    def mark(self, lab: int) -> Mark | None:
        """Return one lab's mark; None when the lab is deleted."""

    def wish(self, lab: int) -> Wish | None:
        """Return one lab's wish; None when the lab is deleted."""

    def report(self, report: Report) -> None:
        """Write a status row and ring the lab's group."""

    def limits(self, lab: int) -> Limits:
        """Return what a lab may use."""

    def warn(self, lab: int, warnings: Sequence[Warned]) -> None:
        """Write what is wrong with a running lab, in place of what was, and ring."""

    def probes(self, lab: int) -> Sequence[ProbeRequest]:
        """Return probes that wait, marking them as started."""

    def probe_done(self, probe: int, result: Mapping[str, Any]) -> None:
        """Write a probe's result and ring the lab's group."""


class Guarded(Protocol):
    """A kernel as the guard sees it, watched labs or not. Calls block, from any thread."""

    def load(self, lab: int, nodes: Collection[str], *, tables: bool) -> Sequence[Load]:
        """Read what living nodes of a lab carry; with ``tables`` also what they hold."""

    def trim(self, lab: int, node: str, keep: Collection[str], excess: int, seconds: float) -> int:
        """Delete the newest ``excess`` interfaces of a node that are not in ``keep``, slowly.

        Returns how many were deleted within ``seconds``.
        """

    def forget(self, lab: int) -> None:
        """Keep nothing of a lab that ended."""

    def shortages(self) -> Sequence[Warned]:
        """Return what the host is running short of."""


class LiveKernel(Protocol):
    """What the live view reads of a kernel. Calls block; the engine makes them from threads.

    The implementation calls ``deliver(lab, events)``, given to it at its making, from a thread of
    its own for each watched lab; an `Overrun` among the events means that some were lost.
    """

    def watch(self, lab: int) -> tuple[frozenset[str], frozenset[str]]:
        """Hear the lab's namespaces as they are now; return (new nodes, nodes that went)."""

    def unwatch(self, lab: int) -> None:
        """Forget a lab."""

    def dump(
        self, lab: int, nodes: Collection[str], kinds: frozenset[type[TableRecord]] = ...
    ) -> list[Dump]:
        """Read nodes of a watched lab in full, or some kinds of record. The dead are left out."""

    def sample(self, lab: int, nodes: Collection[str]) -> Sample:
        """Read the counters of nodes of a watched lab."""

    def close(self) -> None:
        """Stop delivering."""


class RuleTracer(Protocol):
    """Watches one flow in the packet filters of a lab's nodes. Calls block; they do not raise."""

    def begin(self, nodes: Iterable[str], addresses: Sequence[str], protocol: str) -> None:
        """Watch what has one of the addresses; ``protocol``: icmp, tcp, udp."""

    def end(self) -> Sequence[Passed]:
        """Leave no trace in the nodes; return the rules that were passed."""


class Sandboxes(Protocol):
    """Nodes as places where programs run. All calls block, from any thread; TopowebError:

    UNSUPPORTED where this host cannot (the reason is in the message), NOT_FOUND for a node that
    does not run, LIMIT over a ceiling, LOST when the lab ended meanwhile.
    """

    def house(self, lab: int, residence: Residence) -> None:
        """Say what the lab's nodes are called and may use; called before and after each pass."""

    def terminal(self, lab: int, node: str, command: Command, columns: int, rows: int) -> Terminal:
        """Start a program on a pseudo-terminal of its own."""

    def start(self, lab: int, node: str, command: Command, log: str) -> Started:
        """Start a program that outlives the worker; its output is appended to the log ``log``."""

    def run(
        self, lab: int, node: str, command: Command, *, stdin: bytes = b"", timeout: float = 10.0
    ) -> Finished:
        """Run a program to its end; it is killed after ``timeout`` seconds (status 124)."""

    def alive(self, program: Started) -> bool:
        """True while this very program runs."""

    def end(self, program: Started, *, patience: float = 2.0) -> None:
        """End a program: SIGTERM, after ``patience`` seconds SIGKILL. Its children too."""

    def furnish(self, lab: int, node: str, place: str, files: Mapping[str, bytes]) -> None:
        """Replace the files that the node sees, read-only, in ``/run/topoweb/<place>/``."""

    def log(self, lab: int, log: str, limit: int) -> bytes:
        """Return the last ``limit`` bytes of a log; empty when there is none."""

    def vacate(self, lab: int, nodes: Collection[str] | None = None) -> None:
        """End every program of the nodes (None: of the lab) and remove all that was made."""
