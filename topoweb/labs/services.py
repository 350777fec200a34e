"""The only writer of labs. Plain synchronous functions; each is one transaction.

Whoever calls has found the lab by `queries.lab_for`, which is where ownership is checked.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import transaction

from topoweb.audit.services import record
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import refusal
from topoweb.core.topology import operations
from topoweb.core.topology.document import dump, parse
from topoweb.labs import doorbells, history, kinds, quotas, uplinks
from topoweb.labs.drawing import Drawing, drawing_of, drawings
from topoweb.labs.models import Lab, LabStatus, Operation, Probe
from topoweb.labs.probes import ProbeWish, check_probe
from topoweb.labs.queries import operation_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractBaseUser

    from topoweb.core.topology.model import Topology

OP_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Accepted:
    """An accepted operation as the protocol has it, and the drawing after it."""

    operation: dict[str, Any]
    drawing: Drawing


def create_lab(user: AbstractBaseUser, name: str, document: object = None) -> Lab:
    """Store a new lab, empty or from a document. DocumentError names every fault of it."""
    if document is None:
        document = {"name": "Untitled"}
    if name and isinstance(document, dict):
        document = {**document, "name": name.strip()}
    topology = parse(document)
    name = topology.name or "Untitled"
    with transaction.atomic():
        quotas.require_room_for_lab(user.pk, topology)
        lab = Lab(owner_id=user.pk, name=name, document=dump(topology))
        _count(lab, topology)
        lab.save()
        lab.status = LabStatus.objects.create(lab=lab)
        record(user, lab.pk, "create", {"name": name})
    drawings.put(lab, Drawing(topology))
    return lab


def rename_lab(user: AbstractBaseUser, lab: Lab, name: str) -> Lab:
    """Give the drawing another name, by an operation like any other."""
    patch = {"name": name.strip()}
    operation = {"kind": "set", "collection": "document", "id": "", "patch": patch}
    apply_operation(user, lab, new_op_id(), lab.seq, operation)
    lab.refresh_from_db(fields=["name", "seq", "generation", "updated"])
    return lab


def delete_lab(lab: Lab, user: AbstractBaseUser | None = None) -> None:
    """Remove the lab and its history; the worker removes what runs of it. None: by the host."""
    with transaction.atomic():
        row = _locked(lab)  # else an operation could come between its history's end and its own
        doorbells.wake(row.pk)
        record(user, row.pk, "delete", {"name": row.name})
        row.delete()


def new_op_id() -> str:
    """Return an operation id for a change that the server itself makes."""
    return f"server-{secrets.token_hex(12)}"


def apply_operation(
    user: AbstractBaseUser, lab: Lab, op_id: str, base_seq: int, operation: Mapping[str, Any]
) -> Accepted:
    """Change the drawing, or raise and change nothing.

    The same ``op_id`` again returns the first answer. DocumentError names the place of a
    refusal; TopowebError(CONFLICT) when ``base_seq`` is one that this lab has never had.
    """
    if not OP_ID.fullmatch(op_id):
        raise TopowebError(ErrorKind.INVALID, "not an operation id", path="/op_id", code="op-id")
    with transaction.atomic():
        row = _locked(lab)
        before = drawing_of(row)
        known = Operation.objects.filter(lab=row, op_id=op_id).first()
        if known is not None:
            return Accepted(operation_json(known), before)
        if base_seq > row.seq:
            raise TopowebError(
                ErrorKind.CONFLICT,
                f"base_seq {base_seq} is ahead of the lab's {row.seq}",
                hint="Read the document again.",
                path="/base_seq",
                code="base-seq-ahead",
            )
        topology, changes = operations.apply(before.topology, operation)
        quotas.require_drawable(row, before.topology, topology)
        if operation.get("kind") == "replace":
            history.keep_before_replace(user, row, before)
        after = Drawing(topology)
        stored = _store(user, row, op_id, after, [dict(change) for change in changes])
        history.keep_sometimes(user, row)
        record(user, row.pk, "change", _deed(stored.seq, operation))
        (doorbells.wake if row.running else doorbells.changed)(row.pk)
        transaction.on_commit(lambda: drawings.put(row, after))
    return Accepted(operation_json(stored), after)


def run(user: AbstractBaseUser, lab: Lab) -> None:
    """Wish that the lab runs as drawn.

    ProblemsError when the drawing has errors, TopowebError LIMIT when it would be too much.
    """
    with transaction.atomic():
        row = _locked(lab)
        drawing = drawing_of(row)
        drawing.require_runnable()
        quotas.require_runnable(row, drawing.topology)
        kinds.require_features(drawing.topology)
        uplinks.require_grant(row, drawing.topology)
        _wish(row, running=True)
        record(user, row.pk, "run", {"seq": row.seq})


def stop(user: AbstractBaseUser, lab: Lab) -> None:
    """Wish that nothing of the lab exists in the kernel."""
    with transaction.atomic():
        _wish(_locked(lab), running=False)
        record(user, lab.pk, "stop")


def cancel(user: AbstractBaseUser, lab: Lab) -> None:
    """Wish that the work under way for the lab ends where it is."""
    with transaction.atomic():
        row = _locked(lab)
        Lab.objects.filter(pk=row.pk).update(cancel_generation=row.generation)
        record(user, row.pk, "cancel")
        doorbells.wake(row.pk)


def restore_drift(lab: Lab, user: AbstractBaseUser | None = None) -> None:
    """Wish that the kernel be made as drawn again, whatever was changed by hand."""
    with transaction.atomic():
        row = _locked(lab)
        _require_running(row)
        row.generation += 1
        row.restore_generation = row.generation
        row.save(update_fields=["generation", "restore_generation", "updated"])
        record(user, row.pk, "restore")
        doorbells.wake(row.pk)


def request_probe(user: AbstractBaseUser, lab: Lab, wish: ProbeWish) -> Probe:
    """Store a probe for the worker. TopowebError names the field that is wrong."""
    with transaction.atomic():
        row = _locked(lab)
        _require_running(row)
        check_probe(drawing_of(row).topology, wish)
        probe = Probe.objects.create(lab=row, user_id=user.pk, **wish.fields())
        history.prune_probes(row)
        deed = {"kind": wish.kind, "source": wish.source, "target": wish.target}
        record(user, row.pk, "probe", deed)
        doorbells.wake(row.pk)
    return probe


def _locked(lab: Lab) -> Lab:
    """Return the row, held until the end of the transaction. TopowebError when it is gone."""
    row = Lab.objects.select_for_update().defer("document").filter(pk=lab.pk).first()
    if row is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such lab")
    return row


def _deed(seq: int, operation: Mapping[str, Any]) -> dict[str, Any]:
    """Return an operation as the audit record keeps it: what, not the values."""
    named = {key: operation[key] for key in ("kind", "collection", "id") if operation.get(key)}
    if operation.get("kind") == "batch":
        named["operations"] = len(operation["operations"])
    return {"seq": seq, **named}


def _count(row: Lab, topology: Topology) -> None:
    row.node_count, row.link_count = len(topology.nodes), len(topology.links)


def _store(
    user: AbstractBaseUser, row: Lab, op_id: str, after: Drawing, changes: list[dict[str, Any]]
) -> Operation:
    row.seq += 1
    row.document = dump(after.topology)
    row.name = after.topology.name or row.name
    _count(row, after.topology)
    if row.running:
        row.generation += 1
    counts = ("node_count", "link_count")
    row.save(update_fields=["seq", "document", "name", "generation", "updated", *counts])
    return Operation.objects.create(
        lab=row,
        seq=row.seq,
        op_id=op_id,
        user_id=user.pk,
        changes=changes,
        generation=row.generation,
    )


def _wish(row: Lab, *, running: bool) -> None:
    row.running = running
    row.generation += 1
    row.save(update_fields=["running", "generation", "updated"])
    doorbells.wake(row.pk)


def _require_running(row: Lab) -> None:
    if not row.running:
        raise refusal(ErrorKind.CONFLICT, "not-running")
