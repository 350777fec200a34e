"""The only writer of worker hosts: called by the worker itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.utils import timezone

from topoweb.hosts.models import WorkerHost

if TYPE_CHECKING:
    from collections.abc import Mapping


def note_boot(name: str, boot_id: str) -> bool:
    """Store which boot of the machine a host's worker runs in; True when it is another than before.

    To be called before the first heartbeat. A host that was never seen has not been restarted.
    """
    host, _ = WorkerHost.objects.get_or_create(name=name, defaults={"heartbeat": timezone.now()})
    before = host.boot_id
    if before != boot_id:
        WorkerHost.objects.filter(pk=host.pk).update(boot_id=boot_id)
    return before not in ("", boot_id)


def heartbeat(name: str, features: Mapping[str, Mapping[str, Any]] | None = None) -> None:
    """Say that the worker of host ``name`` lives; call it every 5 s, with features at the start."""
    values: dict[str, Any] = {"heartbeat": timezone.now()}
    if features is not None:
        values["features"] = {key: dict(value) for key, value in features.items()}
    WorkerHost.objects.update_or_create(name=name, defaults=values)
