"""What every router of labs shares: who asks, for which lab, and how JSON goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import msgspec
from django.http import HttpResponse
from pydantic import Field

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.labs import queries
from topoweb.labs.schemas import ProblemDetails

if TYPE_CHECKING:
    from django.contrib.auth.models import User
    from django.http import HttpRequest

    from topoweb.labs.models import Lab
    from topoweb.labs.permissions import Verb

ERRORS = dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 422, 501, 502, 503), ProblemDetails)
Number = Annotated[int, Field(ge=0, le=2**63 - 1)]


def user_of(request: HttpRequest) -> User:
    """Return who was authenticated, by session or by token."""
    return cast("User", request.auth)  # type: ignore[attr-defined]  # ninja sets it


def lab_of(request: HttpRequest, lab_id: int, verb: Verb) -> Lab:
    """Return the lab, or raise: to others than its owner it does not exist."""
    lab = queries.lab_for(user_of(request), lab_id, verb)
    if lab is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such lab")
    return lab


def json_answer(value: object, *, status: int = 200) -> HttpResponse:
    """Return JSON without a second validation: a document may have 5,000 nodes."""
    return HttpResponse(msgspec.json.encode(value), status=status, content_type="application/json")
