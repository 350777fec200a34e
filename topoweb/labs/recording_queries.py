"""Recordings as their owner, or who has a shared address, may see them."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

from django.core.cache import cache
from django.utils import timezone

from topoweb.accounts.services import digest
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.packets.filter import Filter
from topoweb.core.texts import refusal
from topoweb.core.tracing.recording_file import unpack
from topoweb.core.tracing.recording_play import Player
from topoweb.labs import filters
from topoweb.labs.models import Recording, RecordingFile
from topoweb.labs.queries import MAX_ID

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser
    from django.db.models import QuerySet

PLAYERS = 3  # kept in this process; one takes some ten times the bytes of its file
WINDOW = 60  # seconds
MISSES_PER_ADDRESS = 60  # in a window; a classroom shares one address behind NAT
HITS_PER_SHARE = 1200  # likewise


def recordings_of(user: AbstractBaseUser) -> QuerySet[Recording]:
    """Return the user's recordings, the newest first, without their files."""
    return Recording.objects.filter(owner_id=user.pk)


def recording_for(user: AbstractBaseUser, number: int) -> Recording:
    """Return one of the user's recordings. TopowebError(NOT_FOUND): others do not exist."""
    row = recordings_of(user).filter(pk=number).first() if number <= MAX_ID else None
    if row is None:
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such recording")
    return row


def shared(token: str, address: str) -> Recording:
    """Return the recording of a shared address.

    TopowebError(NOT_FOUND) for one that is unknown, revoked or over; BUSY for too many requests
    from an ``address`` that guesses, or for one share.
    """
    hashed = digest(token)
    misses, hits = f"share:miss:{digest(address)}", f"share:hit:{hashed}"
    if cache.get(misses, 0) >= MISSES_PER_ADDRESS:
        raise refusal(ErrorKind.BUSY, "share-throttled")
    row = Recording.objects.filter(share_digest=hashed, share_until__gt=timezone.now()).first()
    if row is None:
        _count(misses)
        raise TopowebError(ErrorKind.NOT_FOUND, "There is no such recording")
    if _count(hits) > HITS_PER_SHARE:
        raise refusal(ErrorKind.BUSY, "share-throttled")
    return row


def _count(key: str) -> int:
    """Return how often this was counted in the window that began with the first time."""
    if cache.add(key, 1, WINDOW):
        return 1
    try:
        return int(cache.incr(key))
    except ValueError:  # the window ended in between
        return 1


def file_of(row: Recording) -> bytes:
    """Return the bytes of a recording's file. RecordingFile.DoesNotExist when it was deleted."""
    return bytes(RecordingFile.objects.values_list("data", flat=True).get(pk=row.pk))


def rows_of(row: Recording, expression: str) -> list[int]:
    """Return the numbers of a recording's rows that a display filter lets through.

    TopowebError(INVALID) for a filter that cannot be used.
    """
    player = players.of(row)
    asked = filters.asked(expression, player.topology)
    objects = {
        field: {name: frozenset(ids) for name, ids in names.items()}
        for field, names in asked.get("objects", {}).items()
    }
    return player.rows(Filter(asked.get("filter", ""), objects))


def recording_json(row: Recording) -> dict[str, Any]:
    """Return a recording as the protocol has it."""
    shared_until = row.share_until if row.share_digest else None
    lasts = shared_until is not None and shared_until > timezone.now()
    return {
        "id": row.pk,
        "lab": row.lab_id,
        "lab_name": row.lab_name,
        "created": row.created.timestamp(),
        "imported": row.imported,
        "shared": {"until": shared_until.timestamp()} if shared_until and lasts else None,
        **head_json(row),
    }


def head_json(row: Recording) -> dict[str, Any]:
    """Return what of a recording everybody may know who may see it."""
    return {
        "name": row.name,
        "size": row.size,
        "began": row.began,
        "ended": row.ended,
        "packets": row.packets,
        "faults": row.faults,
        "tier": row.tier,
    }


class Players:
    """The recordings that are being played. Thread-safe."""

    def __init__(self, capacity: int = PLAYERS) -> None:
        self._capacity = capacity
        self._players: OrderedDict[str, Player] = OrderedDict()  # by digest: files never change
        self._lock = threading.Lock()

    def of(self, row: Recording) -> Player:
        """Return the player of a recording, reading its file when it is not kept."""
        with self._lock:
            player = self._players.get(row.digest)
            if player is not None:
                self._players.move_to_end(row.digest)
                return player
        player = Player(unpack(file_of(row)))
        with self._lock:
            self._players[row.digest] = player
            while len(self._players) > self._capacity:
                self._players.popitem(last=False)
        return player


players = Players()
