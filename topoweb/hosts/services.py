"""The only writer of worker hosts: called by the worker itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from topoweb.hosts.models import WorkerHost

if TYPE_CHECKING:
    from collections.abc import Mapping


def heartbeat(name: str, features: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Say that the worker of host ``name`` lives; call it every 5 s, with features at the start."""
    values: dict[str, Any] = {"heartbeat": timezone.now()}
    if features is not None:
        values["features"] = {key: dict(value) for key, value in features.items()}
    WorkerHost.objects.update_or_create(name=name, defaults=values)
