"""Limits at the place where things are drawn and run: over one, a refusal that says which.

The worker asks the same questions again (`topoweb.worker.store`): it does not believe the web.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db.models import Count, Sum
from django.utils import timezone

from topoweb.accounts.quotas import limits_of_user
from topoweb.core import limits
from topoweb.core.limits import Limits, Usage, excess
from topoweb.labs.models import Keeping, Lab, LabLimits, Recording

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.db.models import QuerySet

    from topoweb.core.topology.model import Topology


NAMES = tuple(field.name for field in fields(Limits))
LIMIT_COLUMNS = tuple(f"limits__{name}" for name in NAMES)  # of a `Lab`


def limits_of_lab(lab_id: int) -> Limits:
    """Return the server's limits with what an administrator set for this lab."""
    return limits_with(LabLimits.objects.filter(pk=lab_id).values(*NAMES).first() or {})


def limits_with(own: Mapping[str, Any], prefix: str = "") -> Limits:
    """Return the server's limits with a lab's own, whose columns begin with ``prefix``."""
    given = {name: own.get(prefix + name) for name in NAMES}
    usual: Limits = settings.TOPOWEB_LAB_LIMITS
    return replace(usual, **{name: value for name, value in given.items() if value is not None})


def usage(labs: QuerySet[Lab]) -> Usage:
    """Return what these labs take together."""
    found = labs.order_by().aggregate(labs=Count("pk"), nodes=Sum("node_count"))
    return Usage(labs=found["labs"], nodes=found["nodes"] or 0)


def require_room_for_lab(user_id: int, topology: Topology) -> None:
    """Raise TopowebError LIMIT when a user may not have one more lab, or not this one."""
    _hold(user_id)
    limit = limits_of_user(user_id).labs
    count = Lab.objects.filter(owner_id=user_id).count() + 1
    if count > limit:
        limits.require((excess("labs", count, limit),))
    limits.require(limits.drawing_excess(topology, settings.TOPOWEB_LAB_LIMITS))


def require_drawable(row: Lab, before: Topology, after: Topology) -> None:
    """Raise TopowebError LIMIT when a change makes a lab larger than it may be.

    A lab that is over its limit already, because that was lowered, may shrink.
    """
    more_nodes = len(after.nodes) > len(before.nodes)
    if not more_nodes and len(after.links) <= len(before.links):
        return
    limits.require(limits.drawing_excess(after, limits_of_lab(row.pk)))
    if row.running and more_nodes:
        _require_running_room(row, len(after.nodes))


def require_runnable(row: Lab, topology: Topology) -> None:
    """Raise TopowebError LIMIT when running a lab would be too much for its owner or the host."""
    limits.require(limits.drawing_excess(topology, limits_of_lab(row.pk)))
    _require_running_room(row, len(topology.nodes))


def require_room_for_recording(user_id: int, size: int) -> None:
    """Raise TopowebError LIMIT when a user may not have one more recording of ``size`` bytes."""
    _hold(user_id)
    allowed = limits_of_user(user_id)
    found = Recording.objects.filter(owner_id=user_id).aggregate(n=Count("pk"), size=Sum("size"))
    count, taken = found["n"] + 1, (found["size"] or 0) + size
    if count > allowed.recordings:
        limits.require((excess("recordings", count, allowed.recordings),))
    if taken > allowed.recording_bytes:
        mib = (-(-taken // limits.MIB), allowed.recording_bytes // limits.MIB)
        limits.require((excess("recording-bytes", *mib),))


def require_room_for_keeping(user_id: int, lab_id: int) -> None:
    """Raise TopowebError LIMIT when a user may not keep one more lab recording."""
    _hold(user_id)
    limit = limits_of_user(user_id).kept_labs
    others = Keeping.objects.filter(user_id=user_id, until__gt=timezone.now())
    count = others.exclude(lab_id=lab_id).count() + 1
    if count > limit:
        limits.require((excess("kept-labs", count, limit),))


def _require_running_room(row: Lab, nodes: int) -> None:
    _hold(row.owner_id)
    others = Lab.objects.filter(running=True).exclude(pk=row.pk)
    limits.require(
        limits.running_excess(
            nodes,
            usage(others.filter(owner_id=row.owner_id)),
            limits_of_user(row.owner_id),
            usage(others),
            settings.TOPOWEB_HOST_LIMITS,
        )
    )


def _hold(user_id: int) -> None:
    """Let a user's other requests wait until this one's transaction ends: each counts the last."""
    list(get_user_model().objects.select_for_update().filter(pk=user_id).values_list("pk"))
