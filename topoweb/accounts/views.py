"""The pages: one application, and the door to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth import login
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from topoweb.accounts.services import redeem_login_token

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse

NOSCRIPT = {
    "en": "topoweb draws in your browser; please allow JavaScript for this site.",
    "zh-CN": "topoweb 在浏览器中绘图，请为本站启用 JavaScript。",
}


@never_cache
@require_safe
@ensure_csrf_cookie
def application(request: HttpRequest, **_place: object) -> HttpResponse:
    """Serve the application, which reads its own address.

    ``/?token=…`` signs in once and leaves the token behind.
    """
    token = request.GET.get("token")
    if token is not None:
        return _enter(request, token)
    language = "zh-CN" if (get_language() or "").startswith("zh") else "en"
    response = render(
        request, "topoweb/app.html", {"language": language, "noscript": NOSCRIPT[language]}
    )
    if settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        response.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            "zh-hans" if language == "zh-CN" else "en",
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )
    return response


def shared_application(request: HttpRequest, token: str) -> HttpResponse:
    """Serve the application at an address that is a secret: no other site is told of it."""
    response = application(request, place=token)
    response["Referrer-Policy"] = "no-referrer"
    return response


def _enter(request: HttpRequest, token: str) -> HttpResponse:
    user = redeem_login_token(token)
    if user is None:
        # A used link is harmless to whom it has already let in.
        return redirect("/" if request.user.is_authenticated else "/login?reason=token")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return redirect(request.path)
