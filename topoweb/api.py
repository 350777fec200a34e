"""The API: its routes, and every error as problem+json (RFC 9457)."""

# ruff: noqa: TC002, TC003 - annotations are read at run time
from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from django.conf import settings
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import RawPostDataException
from django.middleware.csrf import get_token
from ninja import NinjaAPI, Router
from ninja.errors import HttpError, ValidationError
from ninja.openapi.schema import OpenAPISchema
from ninja.parser import Parser
from ninja.utils import check_csrf

from topoweb.accounts import services as accounts
from topoweb.accounts.auth import AUTHENTICATION
from topoweb.accounts.schemas import PasswordIn, SessionOut, TokenIn
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import text
from topoweb.hosts.queries import features
from topoweb.labs.api import gallery_router, labs_router
from topoweb.labs.filter_api import filters_router
from topoweb.labs.inside import inside_router
from topoweb.labs.packet_api import packets_router
from topoweb.labs.problems import problem_json
from topoweb.labs.recording_api import lab_recordings_router, recordings_router, shared_router
from topoweb.labs.requests import ERRORS
from topoweb.labs.schemas import ProblemDetails
from topoweb.labs.trace_api import traces_router

log = logging.getLogger(__name__)

STATUS: Mapping[ErrorKind, HTTPStatus] = {
    ErrorKind.INVALID: HTTPStatus.UNPROCESSABLE_ENTITY,
    ErrorKind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    ErrorKind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    ErrorKind.CONFLICT: HTTPStatus.CONFLICT,
    ErrorKind.LIMIT: HTTPStatus.CONFLICT,
    ErrorKind.UNSUPPORTED: HTTPStatus.NOT_IMPLEMENTED,
    ErrorKind.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorKind.LOST: HTTPStatus.SERVICE_UNAVAILABLE,
    ErrorKind.CANCELLED: HTTPStatus.CONFLICT,
    ErrorKind.INTERNAL: HTTPStatus.BAD_GATEWAY,
}
NUL = "\0"
OPERATION_KINDS = ("add", "set", "remove", "batch", "replace")


class SignInError(HttpError):
    """401 with a text of its own: what was given proves nobody's identity."""

    def __init__(self, code: str) -> None:
        self.said = text(code)
        super().__init__(401, self.said.message)


class StrictJson(Parser):
    """JSON as RFC 8259 has it: no NaN, no lone surrogate, and no NUL, which PostgreSQL lacks."""

    def parse_body(self, request: HttpRequest) -> dict[str, Any]:
        """Return the decoded body. ValueError or RecursionError for anything else."""
        body = msgspec.json.decode(request.body)
        if b"\\u0000" in request.body and NUL in json.dumps(body, ensure_ascii=False):
            raise ValueError("NUL in a string")
        return body  # type: ignore[no-any-return]


def problem(
    status: HTTPStatus,
    detail: str,
    *,
    code: str = "",
    hint: str = "",
    path: str = "",
    params: Mapping[str, str] | None = None,
    problems: Sequence[Mapping[str, Any]] = (),
) -> HttpResponse:
    """Return an error answer."""
    body = ProblemDetails(
        title=status.phrase,
        status=status,
        detail=detail,
        code=code or status.phrase.lower().replace(" ", "-"),
        hint=hint,
        path=path,
        params=dict(params or {}),
        problems=list(problems),  # type: ignore[arg-type]  # pydantic reads mappings
    )
    return HttpResponse(
        body.model_dump_json(), status=status, content_type="application/problem+json"
    )


class ProblemAnswers:
    """Middleware: an error below /api/ that Django itself answers is problem+json as well."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer, errors of the API in their one shape."""
        response = self.get_response(request)
        ours = response.headers.get("Content-Type", "").startswith("application/problem+json")
        if response.status_code < HTTPStatus.BAD_REQUEST or ours:
            return response
        if not request.path.startswith("/api/"):
            return response
        status = HTTPStatus(response.status_code)
        answer = problem(status, status.description or status.phrase)
        if "Allow" in response.headers:
            answer["Allow"] = response.headers["Allow"]
        return answer


class Api(NinjaAPI):
    """NinjaAPI whose OpenAPI says that errors are problem+json."""

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:  # noqa: ANN401 - ninja's own
        """Return the OpenAPI document."""
        schema = super().get_openapi_schema(**options)
        for item in schema["paths"].values():
            for operation in item.values():
                for status, answer in operation["responses"].items():
                    content = answer.get("content", {})
                    if int(status) >= HTTPStatus.BAD_REQUEST and "application/json" in content:
                        content["application/problem+json"] = content.pop("application/json")
        return schema


api = Api(
    title="topoweb",
    version="1",
    description="Draw networks, run them on the Linux kernel, watch them.",
    auth=AUTHENTICATION,
    parser=StrictJson(),
    docs_url=None,
    urls_namespace="api",
)
session_router = Router(tags=["session"])


@session_router.get("", response=SessionOut, auth=None, operation_id="getSession")
def get_session(request: HttpRequest) -> dict[str, Any]:
    """Say who is signed in and what this host can do; sets the CSRF cookie."""
    return _session(request)


@session_router.post("", response={200: SessionOut, **ERRORS}, auth=None, operation_id="signIn")
def sign_in(request: HttpRequest, body: PasswordIn) -> dict[str, Any]:
    """Sign in by name and password."""
    _require_csrf(request)
    address = request.META.get("REMOTE_ADDR", "")
    accounts.check_login_rate(body.username, address)
    user = authenticate(request, username=body.username, password=body.password)
    if user is None:
        accounts.note_login_failure(body.username, address)
        raise SignInError("sign-in-wrong")
    login(request, user)
    return _session(request)


@session_router.post(
    "/token", response={200: SessionOut, **ERRORS}, auth=None, operation_id="signInByToken"
)
def sign_in_by_token(request: HttpRequest, body: TokenIn) -> dict[str, Any]:
    """Sign in by a one-time token."""
    _require_csrf(request)
    user = accounts.redeem_login_token(body.token)
    if user is None:
        raise SignInError("token-unusable")
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return _session(request)


@session_router.delete("", response={204: None, **ERRORS}, operation_id="signOut")
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out."""
    logout(request)
    return HttpResponse(status=204)


def _require_csrf(request: HttpRequest) -> None:
    """Signing in changes a session, so it is guarded although nobody is signed in."""
    if check_csrf(request) is not None:
        raise HttpError(403, "The CSRF token is missing or wrong")


def _session(request: HttpRequest) -> dict[str, Any]:
    user: User | AnonymousUser = request.user
    return {
        "user": {"id": user.pk, "name": user.get_username()} if user.is_authenticated else None,
        "csrf": get_token(request),
        "features": features(),
        "mode": settings.TOPOWEB_MODE,
    }


api.add_router("/session", session_router)
api.add_router("/labs", labs_router)
api.add_router("/labs", packets_router)
api.add_router("/labs", traces_router)
api.add_router("/labs", inside_router)
api.add_router("/labs", lab_recordings_router)
api.add_router("/recordings", recordings_router)
api.add_router("/shared", shared_router)
api.add_router("/templates", gallery_router)
api.add_router("/filters", filters_router)


@api.exception_handler(TopowebError)
def _on_topoweb_error(request: HttpRequest, error: TopowebError) -> HttpResponse:
    del request
    problems = [problem_json(one) for one in getattr(error, "problems", ())]
    path = error.path or (problems[0]["path"] if problems else "")
    return problem(
        STATUS[error.kind],
        error.message,
        code=error.code,
        hint=error.hint,
        path=path,
        params=error.params,
        problems=problems,
    )


@api.exception_handler(ValidationError)
def _on_validation_error(request: HttpRequest, error: ValidationError) -> HttpResponse:
    del request
    problems = [_schema_problem(one) for one in error.errors]
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        problems[0]["message"] if problems else "The request is not valid",
        code="schema",
        path=problems[0]["path"] if problems else "",
        problems=problems,
    )


def _schema_problem(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return pydantic's finding as a problem; its location begins with source and parameter."""
    source, *rest = [str(part) for part in error["loc"]]
    place = rest[1:] if source == "body" else rest
    if source == "body" and place and place[0] in OPERATION_KINDS:
        del place[0]  # the tag of the union, which is no part of the body
    pointer = "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in place)
    return {
        "code": "schema-" + str(error["type"]).replace("_", "-"),
        "path": pointer if source == "body" else f"{source}:{'.'.join(place)}",
        "message": str(error["msg"]),
        "hint": "",
        "severity": "error",
        "params": {},
    }


@api.exception_handler(SignInError)
def _on_sign_in_error(request: HttpRequest, error: SignInError) -> HttpResponse:
    del request
    said = error.said
    return problem(HTTPStatus.UNAUTHORIZED, said.message, code=said.code, hint=said.hint)


@api.exception_handler(HttpError)
def _on_http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
    del request
    return problem(HTTPStatus(error.status_code), error.message)


@api.exception_handler(Http404)
@api.exception_handler(ObjectDoesNotExist)  # deleted by another request since it was found
def _on_not_found(request: HttpRequest, error: Exception) -> HttpResponse:
    del request, error
    return problem(HTTPStatus.NOT_FOUND, "There is no such thing")


@api.exception_handler(RequestDataTooBig)
def _on_too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
    del request, error
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request body is too large")


@api.exception_handler(SuspiciousOperation)  # too many parameters, an unknown host …
def _on_suspicion(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    del request
    return problem(HTTPStatus.BAD_REQUEST, type(error).__name__)


@api.exception_handler(RawPostDataException)
def _on_form(request: HttpRequest, error: RawPostDataException) -> HttpResponse:
    del request, error
    return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Send the body as application/json")


@api.exception_handler(Exception)
def _on_bug(request: HttpRequest, error: Exception) -> HttpResponse:
    log.error("%s %s failed", request.method, request.path, exc_info=error)
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The server has failed; see its log")
