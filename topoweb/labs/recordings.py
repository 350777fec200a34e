"""The only writer of recordings, their shares and what is kept recording.

A recording comes from the tracer and the worker, or from a file that somebody brings; both go the
same way: parsed, held to the schemas, and written anew by us. What is stored is never what came.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
from django.db import transaction
from django.utils import timezone
from msgspec.structs import replace

from topoweb.accounts.services import digest
from topoweb.audit.services import record
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import RECORDING
from topoweb.core.texts import refusal
from topoweb.core.tracing.recording import Capture
from topoweb.core.tracing.recording import Recording as Content
from topoweb.core.tracing.recording_file import pack, unpack
from topoweb.labs import queries, quotas, recording_queries, streamclient
from topoweb.labs.models import Keeping, Lab, Recording, RecordingFile
from topoweb.labs.recording_shapes import sound
from topoweb.protocol.frames import Stream

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import AbstractBaseUser

NAME = 120  # characters
Live = tuple[tuple[float, dict[str, Any]], ...]


class _LiveAnswer(msgspec.Struct):
    live: Live = ()


@dataclass(frozen=True, slots=True)
class Share:
    """An address that shows a recording to who has it. The token is told once."""

    token: str
    until: datetime


def take(user: AbstractBaseUser, lab: Lab, seconds: float | None = None) -> bytes:
    """Return the file of a lab's last seconds (None: all that is kept); stores nothing.

    TopowebError: CONFLICT when nothing was seen, LOST when the tracer is away.
    """
    return _file(_taken(user, lab, "", seconds))


def save(
    user: AbstractBaseUser, lab: Lab, name: str = "", seconds: float | None = None
) -> Recording:
    """Keep a lab's last seconds as a recording. TopowebError as `take`, and LIMIT."""
    content = _taken(user, lab, name, seconds)
    return _store(user, content, lab=lab)


def bring(user: AbstractBaseUser, data: bytes, name: str = "") -> Recording:
    """Keep a file that somebody brings. TopowebError(INVALID) says what is wrong with it."""
    content = unpack(data)
    return _store(user, replace(content, name=_named(name or content.name)))


def rename(user: AbstractBaseUser, row: Recording, name: str) -> Recording:
    """Give a recording another name, also in its file: who renames may have to hide the old one."""
    row.name = _named(name)
    content = unpack(recording_queries.file_of(row))
    data = pack(replace(content, name=row.name))
    row.size, row.digest = len(data), hashlib.sha256(data).hexdigest()
    with transaction.atomic():
        row.save(update_fields=["name", "size", "digest"])
        RecordingFile.objects.filter(pk=row.pk).update(data=data)
        record(user, row.lab_id, "recording-rename", {"recording": row.pk})
    return row


def delete(user: AbstractBaseUser, row: Recording) -> None:
    """Delete a recording; its shared address ends with it."""
    with transaction.atomic():
        record(user, row.lab_id, "recording-delete", {"recording": row.pk, "name": row.name})
        row.delete()


def share(user: AbstractBaseUser, row: Recording, days: int) -> Share:
    """Give a recording an address for who has no account, in place of the one it had."""
    made = Share(secrets.token_urlsafe(32), timezone.now() + timedelta(days=days))
    row.share_digest, row.share_until = digest(made.token), made.until
    with transaction.atomic():
        row.save(update_fields=["share_digest", "share_until"])
        record(user, row.lab_id, "share", {"recording": row.pk, "days": days})
    return made


def unshare(user: AbstractBaseUser, row: Recording) -> None:
    """Take a shared address back."""
    row.share_digest = row.share_until = None
    with transaction.atomic():
        row.save(update_fields=["share_digest", "share_until"])
        record(user, row.lab_id, "unshare", {"recording": row.pk})


def keep(user: AbstractBaseUser, lab: Lab, minutes: int) -> None:
    """Have a running lab captured for a while although nobody looks.

    TopowebError: CONFLICT when it does not run, LIMIT, LOST when the tracer is away.
    """
    until = timezone.now() + timedelta(minutes=minutes)
    with transaction.atomic():
        if not lab.running:
            raise refusal(ErrorKind.CONFLICT, "not-running")
        quotas.require_room_for_keeping(user.pk, lab.pk)
        Keeping.objects.update_or_create(lab=lab, defaults={"user_id": user.pk, "until": until})
        record(user, lab.pk, "keep", {"minutes": minutes})
    try:
        _hold(user, lab, until.timestamp())
    except TopowebError:
        Keeping.objects.filter(lab=lab).delete()
        raise


def unkeep(user: AbstractBaseUser, lab: Lab) -> None:
    """End that."""
    with transaction.atomic():
        ended, _ = Keeping.objects.filter(lab=lab).delete()
        if ended:
            record(user, lab.pk, "unkeep")
    _hold(user, lab, 0)


def recorded(user: AbstractBaseUser, lab: Lab) -> dict[str, Any]:
    """Return how much of a lab's past can be saved, and who keeps it recording.

    A tracer that was started anew is told again what it should keep.
    """
    row = Keeping.objects.select_related("user").filter(lab=lab, until__gt=timezone.now()).first()
    question: dict[str, Any] = {"what": "recorded"}
    answer = streamclient.query("tracer", lab.pk, user.pk, question)
    if row is not None and lab.running and not answer["until"]:
        _hold(user, lab, row.until.timestamp())
    kept = {"until": row.until.timestamp(), "user": row.user.get_username()} if row else None
    return {**{key: answer[key] for key in ("seconds", "packets", "tier")}, "kept": kept}


def _hold(user: AbstractBaseUser, lab: Lab, until: float) -> None:
    streamclient.query("tracer", lab.pk, user.pk, {"what": "recorded", "until": until})
    with suppress(TopowebError):  # packets without live states are better than nothing
        streamclient.query("worker", lab.pk, user.pk, {"what": "recording", "until": until})


def _taken(user: AbstractBaseUser, lab: Lab, name: str, seconds: float | None) -> Content:
    asked = {"what": "recording", "seconds": seconds}
    answer = streamclient.read_all("tracer", Stream.QUERY, lab.pk, user.pk, asked)
    try:
        capture = msgspec.msgpack.decode(answer, type=Capture)
    except msgspec.MsgspecError:
        raise TopowebError(
            ErrorKind.INTERNAL, "The tracer gave an answer that is no recording", code="bad-answer"
        ) from None
    live = _live(user, lab, seconds or RECORDING.seconds)
    if not capture.sightings and not live:
        raise refusal(ErrorKind.CONFLICT, "recording-empty")
    moments = [capture.began] if capture.sightings else []
    moments += [moment for moment, _ in live[:1]]
    _, document = queries.document_of(lab.pk)
    name = name or f"{lab.name[:100]} {timezone.now():%Y-%m-%d %H:%M}"
    return Content(_named(name), document, live, replace(capture, began=min(moments)))


def _live(user: AbstractBaseUser, lab: Lab, seconds: float) -> Live:
    """Return the worker's part, as far as it can be had."""
    asked = {"what": "recording", "seconds": seconds}
    try:
        answer = streamclient.read_all("worker", Stream.QUERY, lab.pk, user.pk, asked)
        live = msgspec.json.decode(answer, type=_LiveAnswer).live
    except (TopowebError, msgspec.MsgspecError):
        return ()
    return tuple(sorted(live, key=lambda one: one[0]))


def _file(content: Content) -> bytes:
    """Return the file of a recording that is in order, and that can be brought again."""
    data = pack(sound(content))
    unpack(data)
    return data


def _store(user: AbstractBaseUser, content: Content, lab: Lab | None = None) -> Recording:
    data = _file(content)
    capture = content.capture
    with transaction.atomic():
        quotas.require_room_for_recording(user.pk, len(data))
        row = Recording.objects.create(
            owner_id=user.pk,
            lab=lab,
            lab_name=lab.name if lab is not None else str(content.document.get("name", ""))[:NAME],
            name=content.name,
            size=len(data),
            digest=hashlib.sha256(data).hexdigest(),
            began=capture.began,
            ended=capture.ended,
            packets=content.rows,
            faults=content.faults,
            tier=capture.tier,
            imported=lab is None,
        )
        RecordingFile.objects.create(recording=row, data=data)
        deed = {"recording": row.pk, "name": row.name, "size": row.size}
        record(user, row.lab_id, "recording" if lab is not None else "recording-import", deed)
    return row


def _named(name: str) -> str:
    """Return a name without what cannot be seen; TopowebError(INVALID) for none."""
    shown = "".join(letter for letter in name if letter.isprintable()).strip()[:NAME]
    if not shown:
        raise TopowebError(ErrorKind.INVALID, "A recording needs a name", path="/name")
    return shown
