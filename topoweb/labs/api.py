"""Labs over HTTP. Finds the lab, calls a service, gives JSON; holds no rule."""

# ruff: noqa: TC001, TC002 - annotations are read at run time
from __future__ import annotations

import json
from dataclasses import replace
from typing import Annotated, Any, cast

import msgspec
from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router
from pydantic import Field

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.topology.document import DocumentError
from topoweb.core.topology.model import Topology
from topoweb.labs import drifts, gallery, history, plans, queries, services, streamclient, uplinks
from topoweb.labs import schemas as s
from topoweb.labs.drawing import drawing_of
from topoweb.labs.messages import DecodedPacket, LivePayload, PacketsPayload
from topoweb.labs.models import Lab, Revision
from topoweb.labs.permissions import Verb
from topoweb.labs.probes import ProbeWish
from topoweb.labs.problems import problem_json
from topoweb.protocol.frames import Stream

SMALL_OPERATION = 1 << 20  # bytes; only batch and replace may be larger
NAMES_SIZE = 32 << 10  # bytes; a service takes OPEN frames of at most 64 KiB

ERRORS = dict.fromkeys((400, 401, 403, 404, 409, 413, 415, 422, 501, 502, 503), s.ProblemDetails)
Number = Annotated[int, Field(ge=0, le=2**63 - 1)]

labs_router = Router(tags=["labs"])
gallery_router = Router(tags=["gallery"])


@gallery_router.get("", response={200: list[s.TemplateOut], **ERRORS}, operation_id="listTemplates")
def list_templates(request: HttpRequest) -> HttpResponse:
    """Return the gallery: labs to begin with, explained in both languages."""
    del request
    return _json([gallery.template_json(one) for one in gallery.templates()])


@labs_router.get("", response={200: list[s.LabOut], **ERRORS}, operation_id="listLabs")
def list_labs(request: HttpRequest) -> HttpResponse:
    """Return one's labs, the last changed first."""
    user = _user(request)
    return _json([_lab_json(lab, user) for lab in queries.labs_of(user)])


@labs_router.post("", response={201: s.LabOut, **ERRORS}, operation_id="createLab")
def create_lab(request: HttpRequest, body: s.LabIn) -> HttpResponse:
    """Make a lab: empty, from a template, or from a document."""
    if body.template is not None and body.document is not None:
        raise TopowebError(
            ErrorKind.INVALID, "Give a template or a document, not both", path="/template"
        )
    document: object = body.document
    if body.template is not None:
        document = gallery.template(body.template).document
    user = _user(request)
    try:
        lab = services.create_lab(user, body.name, document)
    except DocumentError as error:
        raise _below("/document" if body.document is not None else "", error) from None
    return _json(_lab_json(lab, user), status=201)


@labs_router.get("/{int:lab_id}", response={200: s.LabOut, **ERRORS}, operation_id="getLab")
def get_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return a lab without its drawing."""
    return _json(_lab_json(_lab(request, lab_id, "read"), _user(request)))


@labs_router.patch("/{int:lab_id}", response={200: s.LabOut, **ERRORS}, operation_id="renameLab")
def patch_lab(request: HttpRequest, lab_id: int, body: s.LabPatch) -> HttpResponse:
    """Rename a lab."""
    lab = services.rename_lab(_user(request), _lab(request, lab_id, "edit"), body.name)
    return _json(_lab_json(lab, _user(request)))


@labs_router.delete("/{int:lab_id}", response={204: None, **ERRORS}, operation_id="deleteLab")
def delete_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Delete a lab with its history; what runs of it is removed."""
    services.delete_lab(_lab(request, lab_id, "delete"), _user(request))
    return HttpResponse(status=204)


@labs_router.get(
    "/{int:lab_id}/document", response={200: s.DocumentOut, **ERRORS}, operation_id="getDocument"
)
def get_document(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return the drawing with its sequence number and its problems."""
    lab = _lab(request, lab_id, "read")
    lab.seq, lab.document = queries.document_of(lab.pk)
    problems = [problem_json(one) for one in drawing_of(lab).problems]
    return _json({"seq": lab.seq, "document": lab.document, "problems": problems})


@labs_router.post(
    "/{int:lab_id}/operations", response={200: s.AcceptedOut, **ERRORS}, operation_id="operate"
)
def operate(request: HttpRequest, lab_id: int, body: s.OperationIn) -> HttpResponse:
    """Change the drawing. The same ``op_id`` again gives the same answer."""
    if body.kind not in {"batch", "replace"} and len(request.body) > SMALL_OPERATION:
        raise RequestDataTooBig
    lab = _lab(request, lab_id, "edit")
    operation = dict(body)  # one level deep: the values stay as they came
    accepted = services.apply_operation(_user(request), lab, body.op_id, body.base_seq, operation)
    problems = [problem_json(one) for one in accepted.drawing.problems]
    return _json({**accepted.operation, "problems": problems})


@labs_router.get(
    "/{int:lab_id}/operations",
    response={200: s.OperationsOut, **ERRORS},
    operation_id="listOperations",
)
def list_operations(request: HttpRequest, lab_id: int, since: Number = 0) -> HttpResponse:
    """Return what was accepted after ``since``, at most 500, or the document when too old."""
    lab = _lab(request, lab_id, "read")
    operations = queries.operations_since(lab.pk, since)
    if operations is None:
        seq, document = queries.document_of(lab.pk)
        return _json({"seq": seq, "operations": None, "document": document})
    seq = operations[-1]["seq"] if operations else since
    return _json({"seq": seq, "operations": operations, "document": None})


@labs_router.get(
    "/{int:lab_id}/revisions",
    response={200: list[s.RevisionOut], **ERRORS},
    operation_id="listRevisions",
)
def list_revisions(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return the kept drawings, the newest first."""
    lab = _lab(request, lab_id, "read")
    return _json([_revision_json(row) for row in queries.revisions_of(lab.pk)])


@labs_router.post(
    "/{int:lab_id}/revisions",
    response={201: s.RevisionOut, **ERRORS},
    operation_id="keepRevision",
)
def keep_revision(request: HttpRequest, lab_id: int, body: s.RevisionIn) -> HttpResponse:
    """Keep the drawing as it is under a name."""
    lab = _lab(request, lab_id, "edit")
    return _json(_revision_json(history.keep_revision(_user(request), lab, body.name)), status=201)


@labs_router.get(
    "/{int:lab_id}/revisions/{int:number}",
    response={200: s.RevisionDocument, **ERRORS},
    operation_id="getRevision",
)
def get_revision(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Return a kept drawing."""
    row = queries.revision_of(_lab(request, lab_id, "read").pk, number)
    if row is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such revision")
    return _json({**_revision_json(row), "document": row.document})


@labs_router.post(
    "/{int:lab_id}/revisions/{int:number}/restore",
    response={200: s.AcceptedOut, **ERRORS},
    operation_id="restoreRevision",
)
def restore_revision(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Put a kept drawing back, by an operation that can be undone."""
    lab = _lab(request, lab_id, "edit")
    operation = history.restore_operation(lab, number)
    accepted = services.apply_operation(
        _user(request), lab, services.new_op_id(), lab.seq, operation
    )
    problems = [problem_json(one) for one in accepted.drawing.problems]
    return _json({**accepted.operation, "problems": problems})


@labs_router.post("/{int:lab_id}/plan", response={200: s.PlanOut, **ERRORS}, operation_id="planLab")
def plan_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Say as commands what running the drawing would do now; changes nothing."""
    lab = _lab(request, lab_id, "read")
    problems = [problem_json(one) for one in drawing_of(lab).problems]
    return _json({"steps": plans.steps(lab), "problems": problems})


@labs_router.post("/{int:lab_id}/run", response={200: s.Status, **ERRORS}, operation_id="runLab")
def run_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Run the lab as drawn; 422 with problems when the drawing has errors."""
    services.run(_user(request), _lab(request, lab_id, "run"))
    return _json(queries.status_of(lab_id))


@labs_router.post("/{int:lab_id}/stop", response={200: s.Status, **ERRORS}, operation_id="stopLab")
def stop_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Remove all of the lab from the kernel."""
    services.stop(_user(request), _lab(request, lab_id, "run"))
    return _json(queries.status_of(lab_id))


@labs_router.post(
    "/{int:lab_id}/cancel", response={200: s.Status, **ERRORS}, operation_id="cancelLab"
)
def cancel_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """End the work under way where it is."""
    services.cancel(_user(request), _lab(request, lab_id, "run"))
    return _json(queries.status_of(lab_id))


@labs_router.get(
    "/{int:lab_id}/status", response={200: s.Status, **ERRORS}, operation_id="getStatus"
)
def get_status(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return what became of the wish."""
    return _json(queries.status_json(_lab(request, lab_id, "read")))


@labs_router.post(
    "/{int:lab_id}/uplink", response={200: s.UplinkOut, **ERRORS}, operation_id="grantUplink"
)
def grant_uplink(request: HttpRequest, lab_id: int, body: s.UplinkIn) -> HttpResponse:
    """Let a lab, of whomever, send out through its uplink until a moment. For staff."""
    lab = _grantable(request, lab_id)
    lab.uplink_grant = uplinks.grant(_user(request), lab, body.until, body.reason)
    return _json(uplinks.grant_json(lab))


@labs_router.delete(
    "/{int:lab_id}/uplink", response={204: None, **ERRORS}, operation_id="revokeUplink"
)
def revoke_uplink(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Take a grant back: the way out is closed, the lab goes on. For staff."""
    uplinks.revoke(_user(request), _grantable(request, lab_id))
    return HttpResponse(status=204)


@labs_router.get(
    "/{int:lab_id}/live", response={200: LivePayload, **ERRORS}, operation_id="getLive"
)
def get_live(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return one snapshot of what is in the kernel."""
    lab = _lab(request, lab_id, "read")
    return _json(streamclient.query("worker", lab.pk, _user(request).pk, {"what": "live"}))


@labs_router.post(
    "/{int:lab_id}/probes", response={201: s.ProbeOut, **ERRORS}, operation_id="createProbe"
)
def create_probe(request: HttpRequest, lab_id: int, body: s.ProbeIn) -> HttpResponse:
    """Ask for a ping, TCP connect or traceroute from inside a node of the running lab."""
    lab = _lab(request, lab_id, "run")
    probe = services.request_probe(_user(request), lab, ProbeWish(**body.model_dump()))
    return _json(queries.probe_json(probe), status=201)


@labs_router.get(
    "/{int:lab_id}/probes/{int:number}",
    response={200: s.ProbeOut, **ERRORS},
    operation_id="getProbe",
)
def get_probe(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Return a probe and its result."""
    row = queries.probe_of(_lab(request, lab_id, "read").pk, number)
    if row is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such probe")
    return _json(queries.probe_json(row))


@labs_router.post(
    "/{int:lab_id}/drift", response={200: s.Status, **ERRORS}, operation_id="settleDrift"
)
def settle_drift(request: HttpRequest, lab_id: int, body: s.DriftIn) -> HttpResponse:
    """Take what someone changed by hand into the drawing, or undo it in the kernel."""
    lab = _lab(request, lab_id, "edit")
    if body.action == "restore":
        services.restore_drift(lab, _user(request))
    else:
        user = _user(request)
        live = streamclient.query("worker", lab.pk, user.pk, {"what": "live"})
        operation = drifts.keep_operation(drawing_of(lab).topology, live, body.node, body.path)
        services.apply_operation(user, lab, services.new_op_id(), lab.seq, operation)
    return _json(queries.status_of(lab_id))


@labs_router.get(
    "/{int:lab_id}/packets", response={200: PacketsPayload, **ERRORS}, operation_id="listPackets"
)
def list_packets(
    request: HttpRequest,
    lab_id: int,
    after: Number = 0,
    limit: Annotated[int, Field(ge=1, le=1000)] = 200,
) -> HttpResponse:
    """Return rows of captured packets that the tracer still holds."""
    lab = _lab(request, lab_id, "read")
    params = {"what": "packets", "after": after, "limit": limit}
    return _json(streamclient.query("tracer", lab.pk, _user(request).pk, params))


@labs_router.get(
    "/{int:lab_id}/packets/{int:number}",
    response={200: DecodedPacket, **ERRORS},
    operation_id="getPacket",
)
def get_packet(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Return one packet, decoded, with its bytes."""
    lab = _lab(request, lab_id, "read")
    if number > queries.MAX_ID:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such packet")
    params = {"what": "packet", "number": number}
    return _json(streamclient.query("tracer", lab.pk, _user(request).pk, params))


PCAP = {"application/x-pcapng": {"schema": {"type": "string", "format": "binary"}}}


@labs_router.get(
    "/{int:lab_id}/pcap",
    response=ERRORS,
    operation_id="downloadPcap",
    openapi_extra={"responses": {200: {"description": "OK", "content": PCAP}}},
)
def download_pcap(
    request: HttpRequest,
    lab_id: int,
    nodes: Annotated[list[str], Query(max_length=500)] = [],  # noqa: B006 - ninja copies it
    protocols: Annotated[list[str], Query(max_length=100)] = [],  # noqa: B006
) -> HttpResponse:
    """Return what the tracer holds as pcapng."""
    lab = _lab(request, lab_id, "read")
    names = _some_names(drawing_of(lab).topology)
    params = {"nodes": nodes, "protocols": protocols, "names": names}
    data = streamclient.read_all("tracer", Stream.PCAP, lab.pk, _user(request).pk, params)
    return HttpResponse(
        data,
        content_type="application/x-pcapng",
        headers={"Content-Disposition": f'attachment; filename="lab-{lab.pk}.pcapng"'},
    )


def _some_names(topology: Topology) -> dict[str, str]:
    """Return node names by id, as many as an OPEN frame carries; others are shown by id."""
    names: dict[str, str] = {}
    size = 0
    for key, node in topology.nodes.items():
        size += len(json.dumps({key: node.name}))
        if size > NAMES_SIZE:
            break
        names[key] = node.name
    return names


def _user(request: HttpRequest) -> User:
    """Return who was authenticated, by session or by token."""
    return cast("User", request.auth)  # type: ignore[attr-defined]  # ninja sets it


def _lab(request: HttpRequest, lab_id: int, verb: Verb) -> Lab:
    """Return the lab, or raise: to others than its owner it does not exist."""
    lab = queries.lab_for(_user(request), lab_id, verb)
    if lab is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such lab")
    return lab


def _grantable(request: HttpRequest, lab_id: int) -> Lab:
    """Return a lab of anybody for staff; its owner is told what is missing, others nothing."""
    if uplinks.may_grant(_user(request)):
        lab = queries.any_lab(lab_id)
        if lab is None:
            raise TopowebError(ErrorKind.NOT_FOUND, "There is no such lab")
        return lab
    _lab(request, lab_id, "read")
    raise TopowebError(
        ErrorKind.FORBIDDEN, "Only staff grant an uplink", hint="Ask your teacher for it."
    )


def _below(prefix: str, error: DocumentError) -> DocumentError:
    """Return the refusal with its places as they are in the request body."""
    return DocumentError([replace(one, path=prefix + one.path) for one in error.problems])


def _json(value: object, *, status: int = 200) -> HttpResponse:
    """Return JSON without a second validation: a document may have 5,000 nodes."""
    return HttpResponse(msgspec.json.encode(value), status=status, content_type="application/json")


def _lab_json(lab: Lab, owner: User) -> dict[str, Any]:
    return {
        "id": lab.pk,
        "name": lab.name,
        "seq": lab.seq,
        "generation": lab.generation,
        "running": lab.running,
        "owner": owner.get_username(),
        "created": lab.created,
        "updated": lab.updated,
        "status": queries.status_json(lab),
        "uplink": uplinks.grant_json(lab),
    }


def _revision_json(row: Revision) -> dict[str, Any]:
    return {
        "number": row.number,
        "name": row.name,
        "seq": row.seq,
        "created": row.created,
        "user": row.user_id,
    }
