"""Who a socket belongs to, asked again while it is open. Synchronous: it reads the database."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from topoweb.accounts.services import user_of_api_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractBaseUser

BEARER = "bearer "


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a handshake brought: an API token or a session key."""

    token: str = ""
    session: str = ""

    @classmethod
    def of(cls, scope: Mapping[str, Any]) -> Credentials:
        """Return the credentials in the headers of a handshake."""
        if token := bearer(scope):
            return cls(token=token)
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(_header(scope, b"cookie"))
        except CookieError:
            return cls()
        morsel = cookies.get(settings.SESSION_COOKIE_NAME)
        return cls(session=morsel.value if morsel else "")

    def user(self) -> AbstractBaseUser | None:
        """Return whom they belong to now; None when signed out, revoked or inactive."""
        if self.token:
            return user_of_api_token(self.token)
        if not self.session:
            return None
        # A fresh store each time: a session that ended meanwhile must be noticed.
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(self.session)
        user = get_user(request)
        return user if user.is_authenticated and user.is_active else None


def bearer(scope: Mapping[str, Any]) -> str:
    """Return the bearer token of a handshake, which no page of another site can make."""
    value = _header(scope, b"authorization")
    return value[len(BEARER) :].strip() if value.lower().startswith(BEARER) else ""


def _header(scope: Mapping[str, Any], name: bytes) -> str:
    values = (value for key, value in scope["headers"] if key == name)
    return next(values, b"").decode("latin-1")
