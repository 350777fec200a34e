"""Labs in the admin, to read: changes go through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from topoweb.labs.models import Lab

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(Lab)
class LabAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Shows all labs; deleting one is the only change offered."""

    list_display = ("name", "owner", "running", "generation", "updated")
    list_select_related = ("owner",)
    list_filter = ("running",)
    search_fields = ("name", "owner__username")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: labs are drawn."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Lab | None = None) -> bool:
        """Return False: a change is an operation with a sequence number."""
        del request, obj
        return False
