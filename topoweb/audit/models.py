"""The audit record. A row is written once: the model and the database refuse anything else."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from topoweb.core.errors import ErrorKind, TopowebError


def _refuse() -> NoReturn:
    raise TopowebError(ErrorKind.FORBIDDEN, "The audit record only grows", code="audit-append-only")


class EntryQuerySet(models.QuerySet["Entry"]):
    """Reads and adds; refuses to change or remove."""

    def update(self, **kwargs: Any) -> int:  # noqa: ANN401 - Django's signature
        """Refuse."""
        del kwargs
        _refuse()

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refuse."""
        _refuse()


class Entry(models.Model):
    """One deed. User and lab are numbers, not references: the record outlives both."""

    time = models.DateTimeField(auto_now_add=True)
    user_id = models.BigIntegerField(null=True)  # null: the worker, or a command on the host
    user_name = models.CharField(max_length=150, blank=True, default="")
    lab_id = models.BigIntegerField(null=True)
    # sign-in, sign-out, create, delete, open, change, run, stop, cancel, restore, probe,
    # terminal, grant, revoke, limit, host-restarted …
    verb = models.CharField(max_length=24)
    detail = models.JSONField(default=dict)

    objects = EntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "entries"
        indexes = [
            models.Index(fields=["lab_id", "-id"], name="audit_of_lab"),
            models.Index(fields=["user_id", "-id"], name="audit_of_user"),
        ]

    def __str__(self) -> str:
        lab = "" if self.lab_id is None else f" lab {self.lab_id}"
        return f"{self.user_name or 'host'}: {self.verb}{lab}"

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's signature
        """Store a new row; refuse to change one."""
        if not self._state.adding:
            _refuse()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:  # noqa: ANN401
        """Refuse."""
        del args, kwargs
        _refuse()
