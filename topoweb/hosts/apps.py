"""Django's registration of this app."""

from django.apps import AppConfig


class HostsConfig(AppConfig):
    """The app ``topoweb.hosts``."""

    name = "topoweb.hosts"
    default_auto_field = "django.db.models.BigAutoField"
