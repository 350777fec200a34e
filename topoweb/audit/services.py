"""The only writer of the audit record."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.utils import timezone

from topoweb.audit.models import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractBaseUser


ONCE = timedelta(minutes=1)


def record_once(user: AbstractBaseUser, lab_id: int, verb: str) -> None:
    """Like `record`, unless the same was written within the last minute: a page that reconnects."""
    since = timezone.now() - ONCE
    same = Entry.objects.filter(lab_id=lab_id, user_id=user.pk, verb=verb, time__gt=since)
    if not same.exists():
        record(user, lab_id, verb)


def record(
    user: AbstractBaseUser | int | None,
    lab_id: int | None,
    verb: str,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add a row; inside a transaction it is stored with the deed or not at all.

    ``user``: the user, or the id of one, whose name is looked up then; None: the worker, or a
    command on the host. ``detail`` is small JSON and holds no secret.
    """
    if isinstance(user, int):
        user = get_user_model().objects.filter(pk=user).first()
    Entry.objects.create(
        user_id=user.pk if user is not None else None,
        user_name=user.get_username() if user is not None else "",
        lab_id=lab_id,
        verb=verb,
        detail=dict(detail or {}),
    )
