"""Rings: told once the transaction is committed, never before, and never fatal."""

from __future__ import annotations

import logging
import socket
from functools import partial
from typing import TYPE_CHECKING

from asgiref.sync import async_to_sync
from channels.layers import channel_layers, get_channel_layer
from channels_redis.pubsub import RedisPubSubChannelLayer
from django.conf import settings
from django.db import transaction

from topoweb.protocol import doorbell

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)


def find_server() -> None:
    """Ring from now on at the Redis of the server in this run directory, if it runs.

    For the command line, which is not told of it as the server's own processes are.
    """
    path = settings.TOPOWEB_RUN / "redis" / "redis.sock"
    if not settings.TOPOWEB_REDIS and _answers(path):
        layer = RedisPubSubChannelLayer(hosts=[f"unix://{path}"], prefix="topoweb")
        channel_layers.set("default", layer)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0


def changed(lab_id: int) -> None:
    """Tell the viewers of a lab to look again, after the commit."""
    transaction.on_commit(partial(_ring, lab_id, wake=False))


def wake(lab_id: int) -> None:
    """Tell the worker and the viewers of a lab to look again, after the commit."""
    transaction.on_commit(partial(_ring, lab_id, wake=True))


def _ring(lab_id: int, *, wake: bool) -> None:
    try:
        async_to_sync(_send)(lab_id, wake)
    except Exception:  # the row is stored; whoever missed the bell sweeps
        log.warning("doorbell of lab %d was not heard", lab_id, exc_info=True)


async def _send(lab_id: int, wake: bool) -> None:
    layer = get_channel_layer()
    if layer is None:
        return
    if wake:
        await layer.send(
            doorbell.worker_channel(settings.TOPOWEB_HOST), dict(doorbell.wake(lab_id))
        )
    await layer.group_send(doorbell.lab_group(lab_id), dict(doorbell.changed(lab_id)))
