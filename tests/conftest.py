"""What all tests share.

Data directories need nothing here: under pytest `topoweb.settings` makes a temporary one.
"""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import settings

from topoweb.audit import triggers

# Time limits per example only measure how busy the machine is.
settings.register_profile("topoweb", deadline=None)
settings.load_profile("topoweb")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Let tests with real transactions empty every table after themselves."""
    with django_db_blocker.unblock():
        triggers.remove(connection)
