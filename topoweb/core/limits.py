"""What a lab, a user and a host may use. Frozen values; who may change them is Django's affair."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, TypeVar

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import text
from topoweb.core.topology.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.model import Topology

MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Ceilings of one lab."""

    nodes: int = 5_000
    links: int = 20_000
    processes: int = 512  # of the lab
    node_processes: int = 256
    memory: int = 512 * MIB  # bytes, of the lab
    node_memory: int = 256 * MIB
    cpu: float = 1.0  # processors, of the lab
    disk: int = 64 * MIB  # bytes of files, of the lab
    inodes: int = 20_000
    terminals: int = 20  # open at once
    link_rate: int | None = None  # bit/s of a cable in one direction; None: unbounded
    node_links: int = 256  # interfaces that users add to one node, beside the drawn ones


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLimits:
    """Ceilings of one user over all labs."""

    labs: int = 200
    running_labs: int = 20
    running_nodes: int = 6_000
    terminals: int = 40
    recordings: int = 100
    recording_bytes: int = 256 * MIB  # of all files of recordings
    kept_labs: int = 3  # captured at a time although nobody looks


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimits:
    """Ceilings of one host over all users."""

    running_labs: int = 500
    running_nodes: int = 20_000
    free_memory: int = 256 * MIB  # bytes that stay free, else no lab is started


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingLimits:
    """Bounds of one lab's recording, the same for everybody."""

    seconds: int = 600  # that are kept
    memory: int = 16 * MIB  # likewise, in the tracer; and of live state in the worker
    all_memory: int = 256 * MIB  # of all labs on either side: many labs have less each
    file: int = 16 * MIB  # bytes
    sightings: int = 100_000  # in a file
    told: int = 4096  # ends, and exchanges
    kept_minutes: int = 30  # that a person may have a lab captured without looking

    def share(self, labs: int) -> int:
        """Return the bytes that each of so many labs may keep."""
        return min(self.memory, self.all_memory // max(labs, 1))


DEFAULT = Limits()
RECORDING = RecordingLimits()
T = TypeVar("T", Limits, UserLimits, HostLimits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What is running already, of a user or of a host, beside the lab in question."""

    labs: int = 0
    nodes: int = 0


def drawing_excess(topology: Topology, limits: Limits) -> tuple[Problem, ...]:
    """Return what a drawing has too much of for its lab."""
    counts = (("nodes", len(topology.nodes)), ("links", len(topology.links)))
    return tuple(
        excess(what, count, limit)
        for what, count in counts
        if count > (limit := getattr(limits, what))
    )


def running_excess(
    nodes: int, user: Usage, user_limits: UserLimits, host: Usage, host_limits: HostLimits
) -> tuple[Problem, ...]:
    """Return what running one more lab of ``nodes`` nodes would be too much of."""
    found = (
        ("running-labs", user.labs + 1, user_limits.running_labs),
        ("running-nodes", user.nodes + nodes, user_limits.running_nodes),
        ("host-labs", host.labs + 1, host_limits.running_labs),
        ("host-nodes", host.nodes + nodes, host_limits.running_nodes),
    )
    return tuple(excess(what, count, limit) for what, count, limit in found if count > limit)


def excess(what: str, count: int, limit: int) -> Problem:
    """Return the problem of code ``limit-<what>``."""
    said = text(f"limit-{what}", count=count, limit=limit)
    path = f"/{what}" if what in ("nodes", "links") else ""
    params = tuple(said.params.items())
    return Problem(said.code, path, said.message, said.hint, "error", params)


def require(problems: tuple[Problem, ...]) -> None:
    """Raise TopowebError LIMIT for the first problem, if there is one."""
    for problem in problems:
        raise TopowebError(
            ErrorKind.LIMIT,
            problem.message,
            hint=problem.hint,
            path=problem.path,
            code=problem.code,
            params=dict(problem.params),
        )


def from_texts(kind: type[T], texts: Mapping[str, str], prefix: str) -> T:
    """Return limits from texts named ``<prefix><FIELD>``; ValueError names the wrong one.

    A field that is not among them keeps its default; ``none`` unbinds one that may be unbound.
    """
    values: dict[str, float | None] = {}
    for field in fields(kind):
        name = prefix + field.name.upper()
        text = texts.get(name, "")
        if not text:
            continue
        optional = field.default is None
        number = float if isinstance(field.default, float) else int
        try:
            values[field.name] = None if optional and text == "none" else number(text)
        except ValueError:
            raise ValueError(f"{name}: {text!r} is no number") from None
        if (value := values[field.name]) is not None and value <= 0:
            raise ValueError(f"{name}: {text!r} is not above 0")
    return kind(**values)  # type: ignore[arg-type]  # each by its field's own type
