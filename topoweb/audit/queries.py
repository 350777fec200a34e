"""Reading the audit record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.audit.models import Entry

if TYPE_CHECKING:
    from django.db.models import QuerySet


def of_lab(lab_id: int) -> QuerySet[Entry]:
    """Return what was done with a lab, the newest first."""
    return Entry.objects.filter(lab_id=lab_id)


def of_user(user_id: int) -> QuerySet[Entry]:
    """Return what a user did, the newest first."""
    return Entry.objects.filter(user_id=user_id)
