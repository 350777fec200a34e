"""What a user may use."""

from __future__ import annotations

from dataclasses import fields, replace

from django.conf import settings

from topoweb.accounts.models import UserLimits as Row
from topoweb.core.limits import UserLimits


def limits_of_user(user_id: int) -> UserLimits:
    """Return the server's limits with what an administrator set for this user."""
    usual: UserLimits = settings.TOPOWEB_USER_LIMITS
    row = Row.objects.filter(pk=user_id).first()
    if row is None:
        return usual
    own = {field.name: getattr(row, field.name) for field in fields(UserLimits)}
    return replace(usual, **{name: value for name, value in own.items() if value is not None})
