"""Labs over HTTP. Finds the lab, calls a service, gives JSON; holds no rule."""

# ruff: noqa: TC001, TC002 - annotations are read at run time
from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from ninja import Router

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.topology.document import DocumentError
from topoweb.labs import drifts, gallery, history, plans, queries, services, streamclient, uplinks
from topoweb.labs import schemas as s
from topoweb.labs.drawing import drawing_of
from topoweb.labs.messages import LivePayload
from topoweb.labs.models import Lab, Revision
from topoweb.labs.probe_schemas import ProbeIn, ProbeOut
from topoweb.labs.probes import ProbeWish
from topoweb.labs.problems import problem_json
from topoweb.labs.requests import ERRORS, Number, json_answer, lab_of, user_of

SMALL_OPERATION = 1 << 20  # bytes; only batch and replace may be larger

labs_router = Router(tags=["labs"])
gallery_router = Router(tags=["gallery"])


@gallery_router.get("", response={200: list[s.TemplateOut], **ERRORS}, operation_id="listTemplates")
def list_templates(request: HttpRequest) -> HttpResponse:
    """Return the gallery: labs to begin with, explained in both languages."""
    del request
    return json_answer([gallery.template_json(one) for one in gallery.templates()])


@labs_router.get("", response={200: list[s.LabOut], **ERRORS}, operation_id="listLabs")
def list_labs(request: HttpRequest) -> HttpResponse:
    """Return one's labs, the last changed first."""
    user = user_of(request)
    return json_answer([_lab_json(lab, user) for lab in queries.labs_of(user)])


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
    user = user_of(request)
    try:
        lab = services.create_lab(user, body.name, document)
    except DocumentError as error:
        raise _below("/document" if body.document is not None else "", error) from None
    return json_answer(_lab_json(lab, user), status=201)


@labs_router.get("/{int:lab_id}", response={200: s.LabOut, **ERRORS}, operation_id="getLab")
def get_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return a lab without its drawing."""
    return json_answer(_lab_json(lab_of(request, lab_id, "read"), user_of(request)))


@labs_router.patch("/{int:lab_id}", response={200: s.LabOut, **ERRORS}, operation_id="renameLab")
def patch_lab(request: HttpRequest, lab_id: int, body: s.LabPatch) -> HttpResponse:
    """Rename a lab."""
    lab = services.rename_lab(user_of(request), lab_of(request, lab_id, "edit"), body.name)
    return json_answer(_lab_json(lab, user_of(request)))


@labs_router.delete("/{int:lab_id}", response={204: None, **ERRORS}, operation_id="deleteLab")
def delete_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Delete a lab with its history; what runs of it is removed."""
    services.delete_lab(lab_of(request, lab_id, "delete"), user_of(request))
    return HttpResponse(status=204)


@labs_router.get(
    "/{int:lab_id}/document", response={200: s.DocumentOut, **ERRORS}, operation_id="getDocument"
)
def get_document(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return the drawing with its sequence number and its problems."""
    lab = lab_of(request, lab_id, "read")
    lab.seq, lab.document = queries.document_of(lab.pk)
    problems = [problem_json(one) for one in drawing_of(lab).problems]
    return json_answer({"seq": lab.seq, "document": lab.document, "problems": problems})


@labs_router.post(
    "/{int:lab_id}/operations", response={200: s.AcceptedOut, **ERRORS}, operation_id="operate"
)
def operate(request: HttpRequest, lab_id: int, body: s.OperationIn) -> HttpResponse:
    """Change the drawing. The same ``op_id`` again gives the same answer."""
    if body.kind not in {"batch", "replace"} and len(request.body) > SMALL_OPERATION:
        raise RequestDataTooBig
    lab = lab_of(request, lab_id, "edit")
    operation = dict(body)  # one level deep: the values stay as they came
    accepted = services.apply_operation(user_of(request), lab, body.op_id, body.base_seq, operation)
    problems = [problem_json(one) for one in accepted.drawing.problems]
    return json_answer({**accepted.operation, "problems": problems})


@labs_router.get(
    "/{int:lab_id}/operations",
    response={200: s.OperationsOut, **ERRORS},
    operation_id="listOperations",
)
def list_operations(request: HttpRequest, lab_id: int, since: Number = 0) -> HttpResponse:
    """Return what was accepted after ``since``, at most 500, or the document when too old."""
    lab = lab_of(request, lab_id, "read")
    operations = queries.operations_since(lab.pk, since)
    if operations is None:
        seq, document = queries.document_of(lab.pk)
        return json_answer({"seq": seq, "operations": None, "document": document})
    seq = operations[-1]["seq"] if operations else since
    return json_answer({"seq": seq, "operations": operations, "document": None})


@labs_router.get(
    "/{int:lab_id}/revisions",
    response={200: list[s.RevisionOut], **ERRORS},
    operation_id="listRevisions",
)
def list_revisions(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return the kept drawings, the newest first."""
    lab = lab_of(request, lab_id, "read")
    return json_answer([_revision_json(row) for row in queries.revisions_of(lab.pk)])


@labs_router.post(
    "/{int:lab_id}/revisions",
    response={201: s.RevisionOut, **ERRORS},
    operation_id="keepRevision",
)
def keep_revision(request: HttpRequest, lab_id: int, body: s.RevisionIn) -> HttpResponse:
    """Keep the drawing as it is under a name."""
    lab = lab_of(request, lab_id, "edit")
    return json_answer(
        _revision_json(history.keep_revision(user_of(request), lab, body.name)), status=201
    )


@labs_router.get(
    "/{int:lab_id}/revisions/{int:number}",
    response={200: s.RevisionDocument, **ERRORS},
    operation_id="getRevision",
)
def get_revision(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Return a kept drawing."""
    row = queries.revision_of(lab_of(request, lab_id, "read").pk, number)
    if row is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such revision")
    return json_answer({**_revision_json(row), "document": row.document})


@labs_router.post(
    "/{int:lab_id}/revisions/{int:number}/restore",
    response={200: s.AcceptedOut, **ERRORS},
    operation_id="restoreRevision",
)
def restore_revision(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Put a kept drawing back, by an operation that can be undone."""
    lab = lab_of(request, lab_id, "edit")
    operation = history.restore_operation(lab, number)
    accepted = services.apply_operation(
        user_of(request), lab, services.new_op_id(), lab.seq, operation
    )
    problems = [problem_json(one) for one in accepted.drawing.problems]
    return json_answer({**accepted.operation, "problems": problems})


@labs_router.post("/{int:lab_id}/plan", response={200: s.PlanOut, **ERRORS}, operation_id="planLab")
def plan_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Say as commands what running the drawing would do now; changes nothing."""
    lab = lab_of(request, lab_id, "read")
    problems = [problem_json(one) for one in drawing_of(lab).problems]
    return json_answer({"steps": plans.steps(lab), "problems": problems})


@labs_router.post("/{int:lab_id}/run", response={200: s.Status, **ERRORS}, operation_id="runLab")
def run_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Run the lab as drawn; 422 with problems when the drawing has errors."""
    services.run(user_of(request), lab_of(request, lab_id, "run"))
    return json_answer(queries.status_of(lab_id))


@labs_router.post("/{int:lab_id}/stop", response={200: s.Status, **ERRORS}, operation_id="stopLab")
def stop_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Remove all of the lab from the kernel."""
    services.stop(user_of(request), lab_of(request, lab_id, "run"))
    return json_answer(queries.status_of(lab_id))


@labs_router.post(
    "/{int:lab_id}/cancel", response={200: s.Status, **ERRORS}, operation_id="cancelLab"
)
def cancel_lab(request: HttpRequest, lab_id: int) -> HttpResponse:
    """End the work under way where it is."""
    services.cancel(user_of(request), lab_of(request, lab_id, "run"))
    return json_answer(queries.status_of(lab_id))


@labs_router.get(
    "/{int:lab_id}/status", response={200: s.Status, **ERRORS}, operation_id="getStatus"
)
def get_status(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return what became of the wish."""
    return json_answer(queries.status_json(lab_of(request, lab_id, "read")))


@labs_router.post(
    "/{int:lab_id}/uplink", response={200: s.UplinkOut, **ERRORS}, operation_id="grantUplink"
)
def grant_uplink(request: HttpRequest, lab_id: int, body: s.UplinkIn) -> HttpResponse:
    """Let a lab, of whomever, send out through its uplink until a moment. For staff."""
    lab = _grantable(request, lab_id)
    lab.uplink_grant = uplinks.grant(user_of(request), lab, body.until, body.reason)
    return json_answer(uplinks.grant_json(lab))


@labs_router.delete(
    "/{int:lab_id}/uplink", response={204: None, **ERRORS}, operation_id="revokeUplink"
)
def revoke_uplink(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Take a grant back: the way out is closed, the lab goes on. For staff."""
    uplinks.revoke(user_of(request), _grantable(request, lab_id))
    return HttpResponse(status=204)


@labs_router.get(
    "/{int:lab_id}/live", response={200: LivePayload, **ERRORS}, operation_id="getLive"
)
def get_live(request: HttpRequest, lab_id: int) -> HttpResponse:
    """Return one snapshot of what is in the kernel."""
    lab = lab_of(request, lab_id, "read")
    return json_answer(streamclient.query("worker", lab.pk, user_of(request).pk, {"what": "live"}))


@labs_router.post(
    "/{int:lab_id}/probes", response={201: ProbeOut, **ERRORS}, operation_id="createProbe"
)
def create_probe(request: HttpRequest, lab_id: int, body: ProbeIn) -> HttpResponse:
    """Ask for a ping, TCP connect, UDP datagram or traceroute from a node of the running lab."""
    lab = lab_of(request, lab_id, "run")
    probe = services.request_probe(user_of(request), lab, ProbeWish(**body.model_dump()))
    return json_answer(queries.probe_json(probe), status=201)


@labs_router.get(
    "/{int:lab_id}/probes/{int:number}",
    response={200: ProbeOut, **ERRORS},
    operation_id="getProbe",
)
def get_probe(request: HttpRequest, lab_id: int, number: int) -> HttpResponse:
    """Return a probe and its result."""
    row = queries.probe_of(lab_of(request, lab_id, "read").pk, number)
    if row is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such probe")
    return json_answer(queries.probe_json(row))


@labs_router.post(
    "/{int:lab_id}/drift", response={200: s.Status, **ERRORS}, operation_id="settleDrift"
)
def settle_drift(request: HttpRequest, lab_id: int, body: s.DriftIn) -> HttpResponse:
    """Take what someone changed by hand into the drawing, or undo it in the kernel."""
    lab = lab_of(request, lab_id, "edit")
    if body.action == "restore":
        services.restore_drift(lab, user_of(request))
    else:
        user = user_of(request)
        live = streamclient.query("worker", lab.pk, user.pk, {"what": "live"})
        operation = drifts.keep_operation(drawing_of(lab).topology, live, body.node, body.path)
        services.apply_operation(user, lab, services.new_op_id(), lab.seq, operation)
    return json_answer(queries.status_of(lab_id))


def _grantable(request: HttpRequest, lab_id: int) -> Lab:
    """Return a lab of anybody for staff; its owner is told what is missing, others nothing."""
    if uplinks.may_grant(user_of(request)):
        lab = queries.any_lab(lab_id)
        if lab is None:
            raise TopowebError(ErrorKind.NOT_FOUND, "There is no such lab")
        return lab
    lab_of(request, lab_id, "read")
    raise TopowebError(
        ErrorKind.FORBIDDEN, "Only staff grant an uplink", hint="Ask your teacher for it."
    )


def _below(prefix: str, error: DocumentError) -> DocumentError:
    """Return the refusal with its places as they are in the request body."""
    return DocumentError([replace(one, path=prefix + one.path) for one in error.problems])


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
