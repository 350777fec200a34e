"""Ways to prove who one is, beside Django's own user and session."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class UserLimits(models.Model):
    """What this one user may use, where it is not what every user may. Null: as every user."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="limits", primary_key=True
    )
    labs = models.PositiveIntegerField(null=True, blank=True)
    running_labs = models.PositiveIntegerField(null=True, blank=True)
    running_nodes = models.PositiveIntegerField(null=True, blank=True)
    terminals = models.PositiveIntegerField(null=True, blank=True)
    recordings = models.PositiveIntegerField(null=True, blank=True)
    recording_bytes = models.PositiveBigIntegerField(null=True, blank=True, help_text="bytes")
    kept_labs = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "user limits"

    def __str__(self) -> str:
        return f"limits of user {self.user_id}"


class LoginToken(models.Model):
    """A link that signs in once. Only its SHA-256 is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    expires = models.DateTimeField()

    def __str__(self) -> str:
        return f"login token of {self.user_id}"


class ApiToken(models.Model):
    """A bearer token for scripts. Only its SHA-256 is stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80, blank=True)
    digest = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(auto_now_add=True)
    used = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return self.name or f"API token {self.pk}"
