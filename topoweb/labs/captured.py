"""Captured packets as the tracer holds them, for whoever may read the lab."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.labs import filters, streamclient
from topoweb.labs.drawing import drawing_of

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from topoweb.labs.models import Lab


def rows(
    user: AbstractBaseUser, lab: Lab, *, after: int = 0, limit: int = 200, expression: str = ""
) -> Any:  # noqa: ANN401 - JSON
    """Return the packets numbered after ``after`` that a display filter lets through.

    TopowebError: INVALID for a filter that cannot be used, LOST when the tracer is away.
    """
    params = {"what": "packets", "after": after, "limit": limit, **asked(lab, expression)}
    return streamclient.query("tracer", lab.pk, user.pk, params)


def asked(lab: Lab, expression: str) -> dict[str, Any]:
    """Return what the tracer is told of a display filter."""
    return filters.asked(expression, drawing_of(lab).topology) if expression else {}


def lines(answer: dict[str, Any]) -> list[str]:
    """Return packets as lines of a terminal."""
    return [
        f"{number:>6} {time:.6f} {link:<8} {direction} {protocol:<8} {source} → {target}  {info}"
        for number, time, link, direction, _, protocol, source, target, info, *_ in answer["rows"]
    ]
