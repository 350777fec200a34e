"""Django's registration of this app."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The app ``topoweb.accounts``."""

    name = "topoweb.accounts"
    default_auto_field = "django.db.models.BigAutoField"
