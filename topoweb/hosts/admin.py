"""Worker hosts in the admin."""

from __future__ import annotations

from django.contrib import admin

from topoweb.hosts.models import WorkerHost


@admin.register(WorkerHost)
class WorkerHostAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Shows the hosts and what each can do."""

    list_display = ("name", "heartbeat")
    readonly_fields = ("name", "heartbeat", "features")
