"""Django's registration of this app."""

from django.apps import AppConfig


class LabsConfig(AppConfig):
    """The app ``topoweb.labs``."""

    name = "topoweb.labs"
    default_auto_field = "django.db.models.BigAutoField"
