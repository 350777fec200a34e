"""What in a recording has a schema of the API is held to it; all else of it is left out.

Also what a recording must not carry: operations on somebody's drawing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace
from pydantic import TypeAdapter, ValidationError

from topoweb.core.topology.document import DocumentError, dump, parse
from topoweb.core.tracing.recording import Heard
from topoweb.core.tracing.recording_file import DOCUMENT, LIVE, STORIES, bad
from topoweb.labs.messages import LivePayload
from topoweb.labs.packet_schemas import End, Exchange

if TYPE_CHECKING:
    from topoweb.core.tracing.recording import Json, Recording

_LIVE, _END, _EXCHANGE = TypeAdapter(LivePayload), TypeAdapter(End), TypeAdapter(Exchange)


def sound(recording: Recording) -> Recording:
    """Return a recording of which every part has its shape. TopowebError `recording-bad-file`."""
    capture = recording.capture
    live = tuple(
        (moment, _shaped(_LIVE, payload, LIVE, f"line {number}"))
        for number, (moment, payload) in enumerate(recording.live, 1)
    )
    ends = tuple(
        _judged(_shaped(_END, end, STORIES, f"end {number}"))
        for number, end in enumerate(capture.ends, 1)
    )
    exchanges = tuple(
        Heard(one.time, _judged(_shaped(_EXCHANGE, one.exchange, STORIES, f"exchange {number}")))
        for number, one in enumerate(capture.exchanges, 1)
    )
    return replace(
        recording,
        document=_document(recording.document),
        live=live,
        capture=replace(capture, ends=ends, exchanges=exchanges),
    )


def _shaped(adapter: TypeAdapter[Any], value: Json, member: str, place: str) -> Json:
    try:
        shown: Json = adapter.dump_python(
            adapter.validate_python(value, strict=True), exclude_unset=True, warnings=False
        )
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = "/".join(str(part) for part in first["loc"])
        raise bad(member, f"{place}: /{where}: {first['msg']}") from None
    return shown


def _judged(told: Json) -> Json:
    """Leave out how a drawing could be changed: a recording has none to change."""
    verdict = told.get("verdict")
    if verdict and verdict["remedy"]:
        words = {key: one for key, one in verdict["remedy"].items() if key != "restore"}
        remedy = {**words, "operation": None}
        return {**told, "verdict": {**verdict, "remedy": remedy}}
    return told


def _document(document: Json) -> Json:
    try:
        return dump(parse(document))
    except DocumentError as error:
        raise bad(DOCUMENT, f"{error.path}: {error.message}") from None
