"""Who a socket belongs to and what they may do, asked again while it is open."""

from __future__ import annotations

from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest

from topoweb.accounts.services import user_of_api_token
from topoweb.labs import queries
from topoweb.labs.permissions import may_type

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from django.contrib.auth.models import AbstractBaseUser

    from topoweb.labs.models import Lab

T = TypeVar("T")
BEARER = "bearer "
SIGNED_OUT, NO_LAB = 4401, 4404  # close codes
KEPT = 1.0  # seconds that an answer holds without a doorbell


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
        """Return whom they belong to now; None when signed out, revoked or inactive. Blocks."""
        if self.token:
            return user_of_api_token(self.token)
        if not self.session:
            return None
        # A fresh store each time: a session that ended meanwhile must be noticed.
        request = HttpRequest()
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(self.session)
        user = get_user(request)
        return user if user.is_authenticated and user.is_active else None


class Denied(Exception):  # noqa: N818 - an outcome rather than a fault
    """A viewer is none, or the lab is not theirs. ``code`` closes the socket."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def look(credentials: Credentials, lab_id: int) -> tuple[AbstractBaseUser, Lab]:
    """Return viewer and lab as the rows are now. `Denied`. Blocks."""
    user = credentials.user()
    if user is None:
        raise Denied(SIGNED_OUT)
    lab = queries.lab_for(user, lab_id)
    if lab is None:  # another user's lab is not told apart from none
        raise Denied(NO_LAB)
    return user, lab


@dataclass(frozen=True, slots=True)
class Right:
    """What a viewer of a lab may do in its terminals."""

    user: int
    write: bool


class Rights:
    """The right of one viewer, as the rows are now or were at most a second ago."""

    def __init__(self, credentials: Credentials, lab_id: int) -> None:
        self._credentials, self._lab = credentials, lab_id
        self._right: Right | None = None
        self._until = 0.0
        self._version = 0

    def forget(self) -> None:
        """Look again next time: rows have changed."""
        self._version += 1
        self._until = 0.0

    async def check(self) -> Right:
        """Return the right. `Denied`; an error of the database as it comes."""
        if self._right is not None and monotonic() < self._until:
            return self._right
        version, begun = self._version, monotonic()
        right = await in_thread(self._read)()
        if version == self._version:  # else the rows changed while they were read
            self._right, self._until = right, begun + KEPT
        return right

    def _read(self) -> Right:
        user, lab = look(self._credentials, self._lab)
        return Right(int(user.pk), may_type(user, lab))


def in_thread(work: Callable[[], T]) -> Callable[[], Awaitable[T]]:
    """Return ``work``, which reads the database, as a coroutine function.

    Not thread sensitive: one slow query must not hold up every other socket.
    """
    return database_sync_to_async(work, thread_sensitive=False)


def bearer(scope: Mapping[str, Any]) -> str:
    """Return the bearer token of a handshake, which no page of another site can make."""
    value = _header(scope, b"authorization")
    return value[len(BEARER) :].strip() if value.lower().startswith(BEARER) else ""


def _header(scope: Mapping[str, Any], name: bytes) -> str:
    values = (value for key, value in scope["headers"] if key == name)
    return next(values, b"").decode("latin-1")
