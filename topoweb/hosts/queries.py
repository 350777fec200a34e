"""What the web knows of the worker hosts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from topoweb.hosts.models import WorkerHost

LOST_AFTER = timedelta(seconds=20)  # four heartbeats


def features() -> dict[str, dict[str, Any]]:
    """Return {feature: {"ok", "reason"}} of this host; ``worker`` says whether one is there."""
    host = WorkerHost.objects.filter(name=settings.TOPOWEB_HOST).first()
    if host is None:
        return {"worker": {"ok": False, "reason": "No worker has been started on this host yet."}}
    silent = timezone.now() - host.heartbeat
    away = silent > LOST_AFTER
    reason = f"The worker has been silent for {int(silent.total_seconds())} s." if away else ""
    return {**host.features, "worker": {"ok": not away, "reason": reason}}
