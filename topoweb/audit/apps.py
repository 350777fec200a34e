"""The audit app."""

from __future__ import annotations

from django.apps import AppConfig


class AuditConfig(AppConfig):
    """Keeps the record of who did what."""

    name = "topoweb.audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        """Hear of sign-ins wherever they happen: page, API and admin."""
        from topoweb.audit import signals

        signals.connect()
