"""Labs in the admin, to read: changes go through the services."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from django import forms
from django.contrib import admin

from topoweb.core.errors import TopowebError
from topoweb.labs import uplinks
from topoweb.labs.models import Lab, LabLimits, Recording, UplinkGrant

if TYPE_CHECKING:
    from datetime import datetime

    from django.contrib.auth.models import User
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


@admin.register(Recording)
class RecordingAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Shows whose recordings take how much; deleting one is the only change offered."""

    list_display = ("name", "owner", "size", "packets", "created", "share_until")
    list_select_related = ("owner",)
    search_fields = ("name", "owner__username")
    exclude = ("share_digest", "digest")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Return False: they are saved."""
        del request
        return False

    def has_change_permission(self, request: HttpRequest, obj: Recording | None = None) -> bool:
        """Return False: what was seen is not changed."""
        del request, obj
        return False


@admin.register(LabLimits)
class LabLimitsAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Sets what one lab may use; an empty field is as for every lab."""

    list_display = ("lab", "nodes", "links", "memory", "link_rate")
    list_select_related = ("lab",)
    autocomplete_fields = ("lab",)


class UplinkGrantForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """A grant as it is typed in the admin."""

    def clean_until(self) -> datetime:
        """Say what is wrong with the moment."""
        until: datetime = self.cleaned_data["until"]
        try:
            uplinks.check_until(until.timestamp())
        except TopowebError as error:
            raise forms.ValidationError(error.message) from error
        return until


@admin.register(UplinkGrant)
class UplinkGrantAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # not generic at run time
    """Lets a lab send out until a moment; deleting the grant closes the way at once."""

    form = UplinkGrantForm
    list_display = ("lab", "until", "reason", "user")
    list_select_related = ("lab", "user")
    fields = ("lab", "until", "reason")
    autocomplete_fields = ("lab",)
    actions = None  # deleting many at a time would pass `delete_model` by

    def get_readonly_fields(
        self, request: HttpRequest, obj: UplinkGrant | None = None
    ) -> list[str]:
        """Fix the lab of a grant that exists."""
        del request
        return [] if obj is None else ["lab"]

    def save_model(
        self, request: HttpRequest, obj: UplinkGrant, form: UplinkGrantForm, change: bool
    ) -> None:
        """Grant by the service: it is written down, and the worker is rung."""
        del form, change
        uplinks.grant(cast("User", request.user), obj.lab, obj.until.timestamp(), obj.reason)

    def delete_model(self, request: HttpRequest, obj: UplinkGrant) -> None:
        """Revoke by the service."""
        uplinks.revoke(cast("User", request.user), obj.lab)
