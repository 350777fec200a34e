"""A packet as Wireshark sees it: bytes from the tracer, tshark in the worker's sandbox, read here.

This process has no privilege: it alone reads what tshark says.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind
from topoweb.core.packets import pdml
from topoweb.core.packets.filter import FIELDS, Filter, FilterError
from topoweb.core.packets.filter.values import written
from topoweb.core.texts import refusal
from topoweb.labs import streamclient

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from topoweb.labs.models import Lab

FRAME_MAX = 32 << 10  # bytes; a service takes OPEN frames of at most 64 KiB
LENGTH_COLUMN, TIME_COLUMN = 9, 1  # of a row
KINDS = {
    "tshark-missing": ErrorKind.UNSUPPORTED,
    "tshark-busy": ErrorKind.BUSY,
    "tshark-failed": ErrorKind.INTERNAL,
}


def dissect(user: AbstractBaseUser, lab: Lab, number: int) -> dict[str, Any]:
    """Return one captured packet as tshark dissects it.

    TopowebError: NOT_FOUND, UNSUPPORTED (no tshark there), BUSY, INTERNAL, LOST.
    """
    packet = streamclient.query("tracer", lab.pk, user.pk, {"what": "packet", "number": number})
    frame = bytes.fromhex(packet["hex"])[:FRAME_MAX]
    question = {
        "what": "dissect",
        "data": base64.b64encode(frame).decode(),
        "length": packet["row"][LENGTH_COLUMN],
        "time_ns": round(packet["row"][TIME_COLUMN] * 1e6) * 1000,
    }
    answer = streamclient.query("worker", lab.pk, user.pk, question)
    error = answer.get("error")
    if error is not None:
        code = error if error in KINDS else "tshark-failed"
        raise refusal(KINDS[code], code, reason=str(answer.get("reason", "")))
    try:
        found = pdml.parse(str(answer["pdml"]).encode())
    except pdml.PdmlError as fault:
        raise refusal(ErrorKind.INTERNAL, "tshark-failed", reason=str(fault)) from None
    return {
        "version": found.version,
        "more": found.more,
        "layers": [_shown(item) for item in found.layers],
    }


def _shown(item: pdml.Item) -> dict[str, Any]:
    return {
        "name": item.name,
        "label": item.label,
        "start": item.start,
        "end": item.end,
        "filter": _filter(item),
        "fields": [_shown(one) for one in item.fields],
    }


def _filter(item: pdml.Item) -> str:
    """Return the filter that asks for a field's value; "" where our subset has none."""
    known = FIELDS.get(item.name)
    if known is None or known.layer == "frame":
        return ""
    if known.kind == "protocol":
        return known.name
    value = written(known.kind, item.value) if known.kind == "text" else item.value
    text = f"{known.name} == {value}"
    try:
        Filter(text)
    except FilterError:  # how tshark shows it is not how it is written
        return ""
    return text
