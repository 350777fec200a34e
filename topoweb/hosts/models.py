"""The machines that run labs."""

from __future__ import annotations

from django.db import models


class WorkerHost(models.Model):
    """A host with a worker. The worker writes the row, the web reads it."""

    name = models.CharField(max_length=64, unique=True)
    heartbeat = models.DateTimeField()
    boot_id = models.CharField(max_length=36, blank=True, default="")  # as last seen
    features = models.JSONField(default=dict)  # {feature: {"ok": bool, "reason": text}}

    def __str__(self) -> str:
        return self.name
