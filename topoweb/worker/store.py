"""The engine's store, by Django's ORM. Reads the wish, writes what is, believes nothing.

The web process is not trusted: documents and operations are read again here by the rules of the
drawing, whatever the web said of them.
Written are `LabStatus` rows and a probe's status and result, and, when the machine was restarted,
that its labs are stopped.

Calls come from the engine's threads. A thread keeps its SQLite connection, because closing the
last one writes the whole log back to the file (sqlite.org/wal.html, 20 ms measured against 0.4);
to a server's pool it gives the connection back after each call.
"""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from topoweb.accounts.quotas import limits_of_user
from topoweb.audit.services import record
from topoweb.core.errors import TopowebError
from topoweb.core.limits import running_excess
from topoweb.core.texts import text
from topoweb.core.topology.document import DocumentError
from topoweb.core.topology.model import Topology
from topoweb.core.topology.targets import resolve
from topoweb.engine.ports import Mark, ProbeRequest, Report, Wish
from topoweb.engine.probes import failed
from topoweb.hosts import services as hosts
from topoweb.labs.drawing import DrawingCache
from topoweb.labs.kinds import lacking_here
from topoweb.labs.models import Lab, LabStatus, Probe
from topoweb.labs.quotas import LIMIT_COLUMNS, limits_of_lab, limits_with, usage
from topoweb.labs.uplinks import last_second

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from topoweb.core.limits import Limits
    from topoweb.core.topology.problem import Problem
    from topoweb.core.tracing.warnings import Warned

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
    "owner_id",
    "node_count",
    "status__since",
    "status__phase",
    "status__observed_generation",
)
OF_A_WISH = ("seq", "created", "uplink_grant__until", *LIMIT_COLUMNS)


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
        self._drawings = DrawingCache()  # as read here: the web's own is the web's word

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
        """Return what is wished of a lab, all of one moment."""
        return self._wish(lab)

    @_connected
    def report(self, report: Report) -> None:
        """Write the status row, then ring. A lab deleted meanwhile has none, and needs none."""
        fields = {
            "phase": report.phase,
            "observed_generation": report.observed_generation,
            "message": report.message[:MESSAGE_LIMIT],
            "code": report.code,
            "params": {name: word[:MESSAGE_LIMIT] for name, word in report.params.items()},
            "steps_done": report.steps_done,
            "steps_total": report.steps_total,
            "failures": [dict(failure) for failure in report.failures],
            "updated": timezone.now(),
        }
        began = timezone.now() if report.phase == "running" else None
        if report.phase == "stopped":
            changes = {**fields, "since": None, "warnings": []}
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
    def limits(self, lab: int) -> Limits:
        """Return what a lab may use."""
        return limits_of_lab(lab)

    @_connected
    def terminals(self, lab: int, user: int) -> tuple[int, int]:
        """Return how many terminals a lab and a user may have open."""
        return limits_of_lab(lab).terminals, limits_of_user(user).terminals

    @_connected
    def warn(self, lab: int, warnings: Sequence[Warned]) -> None:
        """Store what is wrong with a running lab, in place of what was, then ring."""
        found = [warning.as_json() for warning in warnings]
        if LabStatus.objects.filter(lab_id=lab).exclude(phase="stopped").update(warnings=found):
            self._ring(lab)

    @_connected
    def probes(self, lab: int) -> Sequence[ProbeRequest]:
        """Take the waiting probes of a lab; one whose target is nowhere is answered at once."""
        waiting = Probe.objects.filter(lab_id=lab, status="waiting")
        if not waiting.exists():
            return ()
        wish = self._wish(lab)
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

    @_connected
    def after_boot(self, host: str, boot_id: str) -> None:
        """Wish the labs of a machine that was restarted stopped: nothing of them is there.

        To run them all again at once is for people to say. Addresses and MACs come from the
        drawing, so they are the same then. It is the one wish that the worker writes.
        """
        if hosts.note_boot(host, boot_id):
            for lab in Lab.objects.filter(running=True).values_list("pk", flat=True):
                _stop_after_boot(lab)
                self._ring(lab)

    def _wish(self, lab: int) -> Wish | None:
        """Read the row; its document only when the drawing does not follow from the last one."""
        rows = Lab.objects.filter(pk=lab)
        row = _rows(rows, *OF_A_WISH).first()
        drawing = None if row is None else self._drawings.kept(_head(row))
        if row is not None and drawing is None:
            row = _rows(rows, *OF_A_WISH, "document").first()
        if row is None:
            return None
        try:
            drawing = drawing or self._drawings.get(_head(row), lambda: row["document"])
        except DocumentError as error:
            return Wish(mark=_mark(row), topology=Topology(), problems=tuple(error.problems))
        return Wish(
            mark=_mark(row),
            topology=drawing.topology,
            limits=limits_with(row, "limits__"),
            refusals=(
                *_refusals(row, len(drawing.topology.nodes)),
                *lacking_here(drawing.topology),
            ),
            uplink_until=last_second(row["uplink_grant__until"]),
        )


def _rows(labs: QuerySet[Lab], *more: str) -> QuerySet[Lab, dict[str, Any]]:
    waiting = Probe.objects.filter(lab=OuterRef("pk"), status="waiting")
    return labs.annotate(waits=Exists(waiting)).order_by().values(*COLUMNS, "waits", *more)


def _head(row: Mapping[str, Any]) -> Lab:
    return Lab(pk=row["id"], created=row["created"], seq=row["seq"])


def _refusals(row: Mapping[str, Any], nodes: int) -> Sequence[Problem]:
    """Return the limits of owner and host that a lab would break; none for one that runs already.

    The web has asked before; this holds against a web that was taken over. Of two labs that start
    at the same time the older one has the right of way.
    """
    if not row["running"] or row["status__since"] is not None:
        return ()
    before = Q(status__since__isnull=False) | Q(pk__lt=row["id"])
    others = Lab.objects.filter(before, running=True).exclude(pk=row["id"])
    return running_excess(
        nodes,
        usage(others.filter(owner_id=row["owner_id"])),
        limits_of_user(row["owner_id"]),
        usage(others),
        settings.TOPOWEB_HOST_LIMITS,
    )


def _stop_after_boot(lab: int) -> None:
    with transaction.atomic():
        row = Lab.objects.select_for_update().defer("document").filter(pk=lab, running=True).first()
        if row is None:
            return
        row.running = False
        row.generation += 1
        row.save(update_fields=["running", "generation"])
        said = {
            "phase": "stopped",
            "observed_generation": row.generation,
            **text("host-restarted").shown(),
            "steps_done": 0,
            "steps_total": 0,
            "failures": [],
            "warnings": [],
            "since": None,
        }
        LabStatus.objects.update_or_create(lab_id=lab, defaults=said)
        record(None, lab, "host-restarted")


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
