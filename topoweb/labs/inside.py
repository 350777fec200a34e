"""What goes on inside a running lab's nodes, over HTTP: asked of the worker, stored nowhere."""

# ruff: noqa: TC002 - annotations are read at run time
from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Router

from topoweb.labs import schemas as s
from topoweb.labs import streamclient
from topoweb.labs.messages import FrrState, ServiceLog, ToolList
from topoweb.labs.requests import ERRORS, json_answer, lab_of, user_of

inside_router = Router(tags=["inside"])

ServiceKey = Annotated[str, Path(pattern=r"^(dhcp:)?[A-Za-z0-9_-]{1,40}$")]
NodeKey = Annotated[s.Id, Path()]


@inside_router.get(
    "/{int:lab_id}/services/{service}/log",
    response={200: ServiceLog, **ERRORS},
    operation_id="getServiceLog",
)
def get_service_log(request: HttpRequest, lab_id: int, service: ServiceKey) -> HttpResponse:
    """Return the end of what a service has said; of a DHCP client it is ``dhcp:<interface>``."""
    return _asked(request, lab_id, {"what": "service-log", "service": service})


@inside_router.get(
    "/{int:lab_id}/nodes/{node}/frr", response={200: FrrState, **ERRORS}, operation_id="getFrr"
)
def get_frr(request: HttpRequest, lab_id: int, node: NodeKey) -> HttpResponse:
    """Return FRR's neighbours and routes in a node; nothing where it does not run."""
    return _asked(request, lab_id, {"what": "frr", "node": node})


@inside_router.get(
    "/{int:lab_id}/tools", response={200: ToolList, **ERRORS}, operation_id="listTools"
)
def list_tools(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return which programs nodes have on the lab's host, and the packages of those missing."""
    return _asked(request, lab_id, {"what": "tools"})


def _asked(request: HttpRequest, lab_id: int, question: dict[str, Any]) -> HttpResponse:
    lab = lab_of(request, lab_id, "read")
    return json_answer(streamclient.query("worker", lab.pk, user_of(request).pk, question))
