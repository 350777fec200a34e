"""How a request to the API proves who it is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ninja.security import HttpBearer, SessionAuth

from topoweb.accounts.services import user_of_api_token

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest


class ApiTokenAuth(HttpBearer):
    """``Authorization: Bearer <token>``; such a request carries no cookie, so no CSRF check."""

    def authenticate(self, request: HttpRequest, token: str) -> User | None:
        """Return the token's user."""
        del request
        return user_of_api_token(token)


# The bearer comes first: a script that sends a token is not asked for a CSRF token.
AUTHENTICATION = [ApiTokenAuth(), SessionAuth()]
