"""Accounts in the admin."""

from __future__ import annotations

from django.contrib import admin

from topoweb.accounts.models import ApiToken, UserLimits


@admin.register(ApiToken)
class ApiTokenAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Shows and revokes bearer tokens; they are made by ``manage.py lab token``."""

    list_display = ("name", "user", "created", "used")
    readonly_fields = ("user", "name", "created", "used")
    exclude = ("digest",)

    def has_add_permission(self, request: object) -> bool:
        """Return False: a token made here could not be shown."""
        del request
        return False


@admin.register(UserLimits)
class UserLimitsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Sets what one user may use; an empty field is as for every user."""

    list_display = ("user", "labs", "running_labs", "running_nodes")
    list_select_related = ("user",)
    autocomplete_fields = ("user",)
