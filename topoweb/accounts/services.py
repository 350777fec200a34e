"""The only writer of tokens and of the local user."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.utils import timezone

from topoweb.accounts.models import ApiToken, LoginToken
from topoweb.core.errors import ErrorKind
from topoweb.core.texts import refusal

if TYPE_CHECKING:
    from django.contrib.auth.models import User

LOGIN_TOKEN_LIFETIME = timedelta(hours=24)
LOCAL_USER = "local"
FAILURES_PER_NAME = 10
FAILURES_PER_ADDRESS = 100  # a classroom shares one address behind NAT
FAILURE_WINDOW = 300  # seconds


def digest(token: str) -> str:
    """Return what is stored of a token. The token has 256 random bits, so no salt is needed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def local_user() -> User:
    """Return the one user of the alone mode, made on first use. It has no password."""
    user, created = get_user_model().objects.get_or_create(
        username=LOCAL_USER, defaults={"is_staff": True, "is_superuser": True}
    )
    if created:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def issue_login_token(user: User) -> str:
    """Return a token that signs ``user`` in once, within 24 hours."""
    token = secrets.token_urlsafe(32)
    LoginToken.objects.filter(expires__lt=timezone.now()).delete()
    LoginToken.objects.create(
        user=user, digest=digest(token), expires=timezone.now() + LOGIN_TOKEN_LIFETIME
    )
    return token


def redeem_login_token(token: str) -> User | None:
    """Return the token's user and use the token up; None when unknown, used or expired."""
    row = LoginToken.objects.select_related("user").filter(digest=digest(token)).first()
    if row is None:
        return None
    used, _ = LoginToken.objects.filter(pk=row.pk).delete()
    # Two requests may read the row; the one whose DELETE finds it may enter.
    if not used or row.expires < timezone.now() or not row.user.is_active:
        return None
    return row.user


def issue_api_token(user: User, name: str = "") -> str:
    """Return a new bearer token for scripts. It is shown once and lives until it is deleted."""
    token = f"topoweb_{secrets.token_urlsafe(32)}"
    ApiToken.objects.create(user=user, name=name[:80], digest=digest(token))
    return token


def user_of_api_token(token: str) -> User | None:
    """Return the active user of a bearer token, noting at most once an hour that it was used."""
    row = ApiToken.objects.select_related("user").filter(digest=digest(token)).first()
    if row is None or not row.user.is_active:
        return None
    now = timezone.now()
    if row.used is None or now - row.used > timedelta(hours=1):
        ApiToken.objects.filter(pk=row.pk).update(used=now)
    return row.user


def check_login_rate(username: str, address: str) -> None:
    """Raise TopowebError(BUSY) after too many failed logins of a name or from an address."""
    for key, limit in _failure_keys(username, address):
        if cache.get(key, 0) >= limit:
            raise refusal(ErrorKind.BUSY, "login-throttled", minutes=FAILURE_WINDOW // 60)


def note_login_failure(username: str, address: str) -> None:
    """Count one failed login."""
    for key, _ in _failure_keys(username, address):
        if not cache.add(key, 1, FAILURE_WINDOW):
            cache.incr(key)


def _failure_keys(username: str, address: str) -> tuple[tuple[str, int], ...]:
    return (
        (f"login:name:{digest(username.lower())}", FAILURES_PER_NAME),
        (f"login:address:{digest(address)}", FAILURES_PER_ADDRESS),
    )
