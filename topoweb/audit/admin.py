"""The audit record in the admin, to read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin

from topoweb.audit.models import Entry

if TYPE_CHECKING:
    from django.http import HttpRequest


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Shows who did what, the newest first. Nothing can be added, changed or removed."""

    list_display = ("time", "user_name", "verb", "lab_id", "detail")
    list_filter = ("verb", "time")
    search_fields = ("user_name", "=lab_id", "verb")
    actions = None
    show_full_result_count = False  # the table is long

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: rows come from deeds."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        """Return False."""
        del request, obj
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Entry | None = None) -> bool:
        """Return False."""
        del request, obj
        return False
