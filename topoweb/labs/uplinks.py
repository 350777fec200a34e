"""Grants of uplinks: which lab may send out, until when, and why. The only writer of them.

A grant is given by staff and ends by itself. The worker reads the row anew at each pass and does
not ask the web; here is only asked so that Run can say what is missing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from topoweb.audit.services import record
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import Text, refusal
from topoweb.core.topology.validate.codes import problem
from topoweb.hosts.queries import features
from topoweb.labs import doorbells
from topoweb.labs.drawing import ProblemsError
from topoweb.labs.models import Lab, UplinkGrant

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, User

    from topoweb.core.topology.model import Topology
    from topoweb.core.topology.problem import Problem

LONGEST = timedelta(days=31)


def may_grant(user: User) -> bool:
    """Return whether ``user`` may open the way out of any lab."""
    return user.is_active and user.is_staff


def check_until(until: float) -> None:
    """Raise TopowebError INVALID for a moment that is past, or more than 31 days away."""
    now = timezone.now()
    if not now.timestamp() < until <= (now + LONGEST).timestamp():
        raise refusal(ErrorKind.INVALID, "uplink-until", path="/until", days=LONGEST.days)


def grant(user: AbstractBaseUser | None, lab: Lab, until: float, reason: str = "") -> UplinkGrant:
    """Grant a lab its uplink until a moment (seconds since the epoch), in place of an older grant.

    ``user`` None: by a command on the host. TopowebError as `check_until` has it.
    """
    check_until(until)
    values = {"until": datetime.fromtimestamp(until, UTC), "reason": reason, "user": user}
    with transaction.atomic():
        row = _locked(lab)
        made, _ = UplinkGrant.objects.update_or_create(lab=row, defaults=values)
        record(user, row.pk, "grant", {"until": int(until), "reason": reason})
        _wake(row)
    return made


def revoke(user: AbstractBaseUser | None, lab: Lab) -> None:
    """Take a lab's grant back; a way out that is open is closed. Nothing happens without one."""
    with transaction.atomic():
        row = _locked(lab)
        gone, _ = UplinkGrant.objects.filter(lab=row).delete()
        if gone:
            record(user, row.pk, "revoke")
            _wake(row)


def until_of(lab_id: int) -> int | None:
    """Return the last second of a lab's grant, since the epoch; None without a grant now."""
    return last_second(
        UplinkGrant.objects.filter(lab_id=lab_id).values_list("until", flat=True).first()
    )


def last_second(until: datetime | None) -> int | None:
    """Return the end of a grant as seconds since the epoch; None without one, or once it is past.

    By whole seconds, as the worker's alarm and the kernel's rules have it.
    """
    seconds = int(until.timestamp()) if until is not None else 0
    return seconds if timezone.now().timestamp() < seconds else None


def grant_json(lab: Lab) -> dict[str, Any]:
    """Return a lab's grant as the protocol has it; one that has ended is none."""
    row: UplinkGrant | None = getattr(lab, "uplink_grant", None)
    until = last_second(row.until) if row is not None else None
    if row is None or until is None:
        return {"granted": False, "until": None, "reason": ""}
    return {"granted": True, "until": until, "reason": row.reason}


def require_grant(lab: Lab, topology: Topology) -> None:
    """Raise ProblemsError when the drawing has an uplink that must, or can, not be opened."""
    drawn = [(key, node.name) for key, node in topology.nodes.items() if node.kind == "uplink"]
    if not drawn:
        return
    problems: list[Problem] = []
    key, name = drawn[0]
    if until_of(lab.pk) is None:
        problems.append(problem("uplink-not-granted", f"/nodes/{key}", name=name))
    able = features().get("uplink", {"ok": True})
    if not able["ok"]:
        reason, remedy = str(able["reason"]).rstrip("."), able.get("remedy", "")
        words = {"name": name, "reason": reason, "remedy": remedy}
        problems.append(problem("uplink-unsupported", f"/nodes/{key}", **words))
    if problems:
        raise ProblemsError(Text.of_problem(problems[0]), problems)


def _locked(lab: Lab) -> Lab:
    row = Lab.objects.select_for_update().defer("document").filter(pk=lab.pk).first()
    if row is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such lab")
    return row


def _wake(row: Lab) -> None:
    """Ring; a running lab gets a new generation, so that a lost doorbell costs a sweep at most."""
    if row.running:
        row.generation += 1
        row.save(update_fields=["generation", "updated"])
        doorbells.wake(row.pk)
    else:
        doorbells.changed(row.pk)
