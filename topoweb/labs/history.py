"""Which drawings of the past are kept: revisions by name and by the clock, recent operations."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import refusal
from topoweb.core.topology.document import dump
from topoweb.labs.models import Lab, Operation, Probe, Revision
from topoweb.labs.queries import KEPT_OPERATIONS, last_revision, revision_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from topoweb.labs.drawing import Drawing

EVERY_OPERATIONS = 50
EVERY = timedelta(minutes=10)
KEPT_AUTOMATIC = 50
KEPT_NAMED = 200
KEPT_PROBES = 500
PRUNE_EVERY = 100


def keep_revision(user: AbstractBaseUser, lab: Lab, name: str) -> Revision:
    """Keep the drawing as it is now under a name. TopowebError(LIMIT) at 200 named ones."""
    with transaction.atomic():
        row = Lab.objects.select_for_update().get(pk=lab.pk)
        if Revision.objects.filter(lab=row).exclude(name="").count() >= KEPT_NAMED:
            raise refusal(ErrorKind.LIMIT, "limit-revisions", limit=KEPT_NAMED)
        return _keep(user, row, name, row.seq, row.document)


def keep_sometimes(user: AbstractBaseUser, row: Lab) -> None:
    """Keep a revision after every 50 operations or 10 minutes; drop what is too old.

    ``row`` is locked and carries the document just stored.
    """
    _, seq, moment = last_revision(row.pk)
    if row.seq - seq >= EVERY_OPERATIONS or timezone.now() - (moment or row.created) >= EVERY:
        _keep(user, row, "", row.seq, row.document)
    if row.seq % PRUNE_EVERY == 0:
        Operation.objects.filter(lab=row, seq__lte=row.seq - KEPT_OPERATIONS).delete()


def keep_before_replace(user: AbstractBaseUser, row: Lab, before: Drawing) -> None:
    """Keep the drawing that an import or a restore is about to replace, unless it is kept."""
    _, seq, _ = last_revision(row.pk)
    if row.seq > seq:
        _keep(user, row, "", row.seq, dump(before.topology))


def restore_operation(lab: Lab, number: int) -> dict[str, Any]:
    """Return the operation that brings a revision back. TopowebError(NOT_FOUND)."""
    revision = revision_of(lab.pk, number)
    if revision is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such revision")
    return {"kind": "replace", "document": revision.document}


def prune_probes(row: Lab) -> None:
    """Keep the newest 500 probes of a lab."""
    oldest = Probe.objects.filter(lab=row).order_by("-id").values_list("id", flat=True)
    for limit in oldest[KEPT_PROBES : KEPT_PROBES + 1]:
        Probe.objects.filter(lab=row, id__lte=limit).delete()


def _keep(
    user: AbstractBaseUser, row: Lab, name: str, seq: int, document: dict[str, Any]
) -> Revision:
    number, _, _ = last_revision(row.pk)
    revision = Revision.objects.create(
        lab=row, number=number + 1, name=name, document=document, seq=seq, user_id=user.pk
    )
    if not name:
        automatic = Revision.objects.filter(lab=row, name="").order_by("-number")
        for limit in automatic.values_list("number", flat=True)[
            KEPT_AUTOMATIC : KEPT_AUTOMATIC + 1
        ]:
            Revision.objects.filter(lab=row, name="", number__lte=limit).delete()
    return revision
