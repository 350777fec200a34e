"""Django's own word of sign-ins and sign-outs, written down."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib.auth.signals import user_logged_in, user_logged_out

from topoweb.audit import services

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.http import HttpRequest


def connect() -> None:
    """Begin to hear."""
    user_logged_in.connect(_signed_in, dispatch_uid="audit-sign-in")
    user_logged_out.connect(_signed_out, dispatch_uid="audit-sign-out")


def _signed_in(request: HttpRequest, user: AbstractBaseUser, **more: Any) -> None:  # noqa: ANN401
    del more
    services.record(user, None, "sign-in", {"address": request.META.get("REMOTE_ADDR", "")})


def _signed_out(user: AbstractBaseUser | None, **more: Any) -> None:  # noqa: ANN401
    del more
    if user is not None:
        services.record(user, None, "sign-out")
