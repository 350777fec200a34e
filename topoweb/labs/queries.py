"""The only reader that joins: labs and their rows as a user may see them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.labs.models import Lab, LabStatus, Operation, Probe, Revision
from topoweb.labs.permissions import Verb, can

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
    from django.db.models import QuerySet

MAX_ID = 2**63 - 1  # larger numbers are no ids, and no database takes them
KEPT_OPERATIONS = 2000
OPERATIONS_PER_ANSWER = 500


def lab_for(user: AbstractBaseUser | AnonymousUser, lab_id: int, verb: Verb = "read") -> Lab | None:
    """Return the lab, without its document; None when there is none for this user."""
    if not 0 < lab_id <= MAX_ID:
        return None
    lab = _heads().filter(pk=lab_id).first()
    return lab if lab is not None and can(user, verb, lab) else None


def any_lab(lab_id: int) -> Lab | None:
    """Return a lab, whoever owns it, without its document: for what staff may do with any lab."""
    return _heads().filter(pk=lab_id).first() if 0 < lab_id <= MAX_ID else None


def labs_of(user: AbstractBaseUser) -> QuerySet[Lab]:
    """Return the user's labs, the last changed first, without their documents."""
    return _heads().filter(owner_id=user.pk)


def _heads() -> QuerySet[Lab]:
    return Lab.objects.select_related("status", "uplink_grant").defer("document")


def document_of(lab_id: int) -> tuple[int, dict[str, Any]]:
    """Return the drawing as (seq, document) of one moment. Lab.DoesNotExist."""
    seq, document = Lab.objects.values_list("seq", "document").get(pk=lab_id)
    return seq, document


def status_of(lab_id: int) -> dict[str, Any]:
    """Return the status as the protocol has it. Lab.DoesNotExist."""
    return status_json(Lab.objects.select_related("status").defer("document").get(pk=lab_id))


def status_json(lab: Lab) -> dict[str, Any]:
    """Return the status of a lab that was read with its status row."""
    status = getattr(lab, "status", None) or LabStatus(lab=lab)
    return {
        "phase": status.phase,
        "generation": lab.generation,
        "observed_generation": status.observed_generation,
        "message": status.message,
        "code": status.code,
        "params": status.params,
        "steps_done": status.steps_done,
        "steps_total": status.steps_total,
        "failures": status.failures,
        "since": status.since.timestamp() if status.since else None,
        "warnings": status.warnings,
    }


def operations_since(lab_id: int, seq: int) -> list[dict[str, Any]] | None:
    """Return at most 500 accepted operations after ``seq``, in order.

    None: they are no longer all kept (or never were), the reader needs the document.
    """
    rows = list(Operation.objects.filter(lab_id=lab_id, seq__gt=seq)[:OPERATIONS_PER_ANSWER])
    if rows:
        return [operation_json(row) for row in rows] if rows[0].seq == seq + 1 else None
    return [] if Lab.objects.values_list("seq", flat=True).get(pk=lab_id) == seq else None


def operation_json(row: Operation) -> dict[str, Any]:
    """Return an accepted operation as the protocol has it."""
    return {"seq": row.seq, "op_id": row.op_id, "user": row.user_id, "changes": row.changes}


def probes_since(lab_id: int, after: int) -> list[dict[str, Any]]:
    """Return at most 500 probes with an id over ``after``, in order, whatever their status.

    A viewer keeps ``after`` just below its oldest unfinished probe.
    """
    rows = Probe.objects.filter(lab_id=lab_id, pk__gt=after)[:500]
    return [probe_json(row) for row in rows]


def probe_json(row: Probe) -> dict[str, Any]:
    """Return a probe as the protocol has it."""
    return {
        "id": row.pk,
        "kind": row.kind,
        "source": row.source,
        "target": row.target,
        "port": row.port,
        "count": row.count,
        "status": row.status,
        "result": row.result,
        "created": row.created.isoformat(),
    }


def probe_of(lab_id: int, probe_id: int) -> Probe | None:
    """Return one probe of a lab."""
    if not 0 < probe_id <= MAX_ID:
        return None
    return Probe.objects.filter(lab_id=lab_id, pk=probe_id).first()


def revisions_of(lab_id: int) -> QuerySet[Revision]:
    """Return the kept revisions of a lab, the newest first, without their documents."""
    return Revision.objects.filter(lab_id=lab_id).defer("document")


def revision_of(lab_id: int, number: int) -> Revision | None:
    """Return one revision of a lab with its document."""
    if not 0 < number <= 2**31 - 1:
        return None
    return Revision.objects.filter(lab_id=lab_id, number=number).first()


def changes_after(lab_id: int, generation: int) -> list[list[dict[str, Any]]] | None:
    """Return the changes that came after a generation, the newest first.

    None when so many came that they are not all kept.
    """
    later = Operation.objects.filter(lab_id=lab_id, generation__gt=generation).order_by("-seq")
    changes = list(later.values_list("changes", flat=True)[:KEPT_OPERATIONS])
    return changes if len(changes) < KEPT_OPERATIONS else None


def changes_between(lab_id: int, after: int, until: int) -> list[list[dict[str, Any]]] | None:
    """Return the changes of each operation from seq ``after + 1`` to ``until``, in order.

    None when they are not all kept.
    """
    between = Operation.objects.filter(lab_id=lab_id, seq__gt=after, seq__lte=until)
    changes = list(between.values_list("changes", flat=True))
    return changes if len(changes) == until - after else None


def last_revision(lab_id: int) -> tuple[int, int, datetime | None]:
    """Return (number, seq, moment) of the newest revision; zeros when there is none."""
    row = Revision.objects.filter(lab_id=lab_id).values_list("number", "seq", "created").first()
    return row or (0, 0, None)
