"""Recordings as types (docs/protocol.md "Recordings")."""

# ruff: noqa: TC001 - pydantic reads annotations at run time
from __future__ import annotations

from typing import Annotated

from pydantic import Field

from topoweb.core.limits import RECORDING
from topoweb.labs.messages import LivePayload
from topoweb.labs.packet_schemas import PacketsPayload
from topoweb.labs.schemas import Document, Name, Output, Strict

DAYS = 90  # that an address may be shared for


class SharedUntil(Output):
    """That a recording is shared, and until when; its address was told once."""

    until: float


class RecordingHead(Output):
    """What of a recording everybody may know who may see it. Moments in seconds."""

    name: str
    size: int
    began: float
    ended: float
    packets: int
    faults: int
    tier: str


class RecordingOut(RecordingHead):
    """One's own recording."""

    id: int
    lab: int | None
    lab_name: str
    created: float
    imported: bool
    shared: SharedUntil | None


class SharedOut(RecordingHead):
    """Somebody's recording, shown until a moment."""

    until: float


class RecordingIn(Strict):
    """What to save: the last ``seconds``, or all that is kept."""

    name: Annotated[str, Field(max_length=120)] = ""
    seconds: Annotated[float, Field(gt=0, le=RECORDING.seconds)] | None = None


class RecordingPatch(Strict):
    """What of a recording may be changed."""

    name: Name


class ShareIn(Strict):
    """For how long to share."""

    days: Annotated[int, Field(ge=1, le=DAYS)] = 7


class ShareOut(Output):
    """The address, told once."""

    url: str
    until: float


class KeepIn(Strict):
    """For how long to capture although nobody looks."""

    minutes: Annotated[int, Field(ge=1, le=RECORDING.kept_minutes)]


class Kept(Output):
    """Who has a lab captured, and until when."""

    until: float
    user: str


class Recorded(Output):
    """How much of a lab's past can be saved now."""

    seconds: float
    packets: int
    tier: str
    kept: Kept | None


class RowsOut(Output):
    """The rows of a recording that a display filter lets through, by number."""

    rows: list[int]


class ContentOut(Output):
    """A page of a recording, in the payloads of the lab's socket, each with its moment."""

    version: int
    name: str
    began: float
    ended: float
    tier: str
    faults: int
    total: int
    document: Document | None
    live: list[tuple[float, LivePayload]]
    packets: list[tuple[float, PacketsPayload]]
    next: int | None
