"""Display filters over HTTP: is this one right, and what are there to choose from."""

# ruff: noqa: TC002 - annotations are read at run time
from __future__ import annotations

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from topoweb.labs import filters
from topoweb.labs.drawing import drawing_of
from topoweb.labs.filter_schemas import FilterCheck, FilterLanguage
from topoweb.labs.queries import MAX_ID
from topoweb.labs.requests import ERRORS, json_answer, lab_of

filters_router = Router(tags=["filters"])


@filters_router.get("/check", response={200: FilterCheck, **ERRORS}, operation_id="checkFilter")
def check_filter(
    request: HttpRequest,
    expression: Annotated[str, Query(max_length=4096)] = "",
    lab: Annotated[int | None, Field(ge=0, le=MAX_ID)] = None,
) -> HttpResponse:
    """Return whether a display filter can be used; with ``lab``, its names are looked up too."""
    topology = None if lab is None else drawing_of(lab_of(request, lab, "read")).topology
    return json_answer(filters.check(expression, topology))


@filters_router.get(
    "/fields", response={200: FilterLanguage, **ERRORS}, operation_id="describeFilters"
)
def describe_filters(request: HttpRequest) -> HttpResponse:
    """Return the fields and operators of display filters."""
    del request
    return json_answer(filters.described())
