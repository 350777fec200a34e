"""The engine's store, by Django's ORM. Reads the wish, writes what is, believes nothing.

The web process is not trusted: the document is parsed again here, whatever the web said of it.
Written are `LabStatus` rows and a probe's status and result, and nothing else.

Calls come from the engine's threads. A thread keeps its SQLite connection, because closing the
last one writes the whole log back to the file (sqlite.org/wal.html, 20 ms measured against 0.4);
to a server's pool it gives the connection back after each call.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from django.db import DatabaseError, connection, transaction
from django.db.models import DateTimeField, Exists, OuterRef, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from topoweb.core.errors import TopowebError
from topoweb.core.topology.document import DocumentError, parse
from topoweb.core.topology.model import Topology
from topoweb.engine.ports import Mark, ProbeRequest, Report, Wish
from topoweb.engine.probes import failed
from topoweb.labs.models import Lab, LabStatus, Probe
from topoweb.worker.targets import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

P = ParamSpec("P")
T = TypeVar("T")
MESSAGE_LIMIT = 2000  # characters of a message; the rest is in the worker's log
PROBES_AT_ONCE = 50

COLUMNS = (
    "id",
    "generation",
    "running",
    "cancel_generation",
    "restore_generation",
    "status__phase",
    "status__observed_generation",
)


def _connected(
    method: Callable[Concatenate[DjangoStore, P], T],
) -> Callable[Concatenate[DjangoStore, P], T]:
    """Leave no broken connection and no pooled one behind a call."""

    @wraps(method)
    def call(self: DjangoStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(self, *args, **kwargs)
        except DatabaseError:
            connection.close()
            raise
        finally:
            if connection.vendor != "sqlite":
                connection.close()

    return call


class DjangoStore:
    """Implements `topoweb.engine.ports.Store`; ``ring`` tells a lab's viewers to look again."""

    def __init__(self, ring: Callable[[int], None]) -> None:
        self._ring = ring

    @_connected
    def marks(self) -> Sequence[Mark]:
        """Return the mark of every lab."""
        return [_mark(row) for row in _rows(Lab.objects.all())]

    @_connected
    def mark(self, lab: int) -> Mark | None:
        """Return one lab's mark; None when it is deleted."""
        row = _rows(Lab.objects.filter(pk=lab)).first()
        return None if row is None else _mark(row)

    @_connected
    def wish(self, lab: int) -> Wish | None:
        """Return what is wished of a lab, from one reading of its row."""
        return _read_wish(lab)

    @_connected
    def report(self, report: Report) -> None:
        """Write the status row, then ring. A lab deleted meanwhile has none, and needs none."""
        fields = {
            "phase": report.phase,
            "observed_generation": report.observed_generation,
            "message": report.message[:MESSAGE_LIMIT],
            "steps_done": report.steps_done,
            "steps_total": report.steps_total,
            "failures": [dict(failure) for failure in report.failures],
            "updated": timezone.now(),
        }
        began = timezone.now() if report.phase == "running" else None
        if report.phase == "stopped":
            changes = {**fields, "since": None}
        else:  # an edit under way, or one that failed, does not end the run
            changes = {**fields, "since": Coalesce("since", Value(began, DateTimeField()))}
        with transaction.atomic():
            # The lock orders this against a deletion: no status row outlives its lab.
            if Lab.objects.select_for_update().filter(pk=report.lab).values("pk").first() is None:
                return
            if not LabStatus.objects.filter(lab_id=report.lab).update(**changes):
                LabStatus.objects.create(lab_id=report.lab, since=began, **fields)
        self._ring(report.lab)

    @_connected
    def probes(self, lab: int) -> Sequence[ProbeRequest]:
        """Take the waiting probes of a lab; one whose target is nowhere is answered at once."""
        waiting = Probe.objects.filter(lab_id=lab, status="waiting")
        if not waiting.exists():
            return ()
        wish = _read_wish(lab)
        topology = wish.topology if wish is not None else Topology()
        requests = []
        for row in waiting[:PROBES_AT_ONCE]:
            # One worker a host, so nobody else takes it between the reading and this.
            row.status = "running"
            row.save(update_fields=["status"])
            try:
                requests.append(_request(row, topology))
            except TopowebError as error:
                _answer(row.pk, failed(error.message, error.hint))
        self._ring(lab)
        return requests

    @_connected
    def probe_done(self, probe: int, result: Mapping[str, Any]) -> None:
        """Store a probe's result."""
        _answer(probe, result)
        for lab in Probe.objects.filter(pk=probe).values_list("lab_id", flat=True):
            self._ring(lab)

    @_connected
    def forget_probes(self) -> None:
        """Answer the probes that a worker before this one took and never finished."""
        result = failed("The worker was stopped while the probe ran.", "Ask again.")
        for probe in Probe.objects.filter(status="running"):
            _answer(probe.pk, result)
            self._ring(probe.lab_id)


def _rows(labs: QuerySet[Lab], *more: str) -> QuerySet[Lab, dict[str, Any]]:
    waiting = Probe.objects.filter(lab=OuterRef("pk"), status="waiting")
    return labs.annotate(waits=Exists(waiting)).order_by().values(*COLUMNS, "waits", *more)


def _read_wish(lab: int) -> Wish | None:
    row = _rows(Lab.objects.filter(pk=lab), "document").first()
    if row is None:
        return None
    try:
        return Wish(mark=_mark(row), topology=parse(row["document"]))
    except DocumentError as error:
        return Wish(mark=_mark(row), topology=Topology(), problems=tuple(error.problems))


def _answer(probe: int, result: Mapping[str, Any]) -> None:
    status = "failed" if result.get("verdict") == "error" else "done"
    Probe.objects.filter(pk=probe).update(status=status, result=dict(result))


def _mark(row: Mapping[str, Any]) -> Mark:
    # No status row: nothing was ever reported, as for a lab that was never run.
    observed = row["status__observed_generation"] or 0
    return Mark(
        lab=row["id"],
        generation=row["generation"],
        running=row["running"],
        cancelled=row["cancel_generation"] >= row["generation"] > 0,
        restore=row["restore_generation"] > observed,
        probes=row["waits"],
        phase=row["status__phase"] or "stopped",
        observed_generation=observed,
    )


def _request(row: Probe, topology: Topology) -> ProbeRequest:
    return ProbeRequest(
        id=row.pk,
        lab=row.lab_id,
        kind=row.kind,
        source=row.source,
        target=resolve(topology, row.source, row.target),
        port=row.port,
        count=row.count,
    )
