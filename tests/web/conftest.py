from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client

from tests.web.drawings import two_hosts
from topoweb.labs import services


@pytest.fixture(autouse=True)
def run_directory(settings):
    """A run directory of its own, short enough for the 108 bytes of a Unix socket's path."""
    path = Path(tempfile.mkdtemp(prefix="tw-"))
    settings.TOPOWEB_RUN = path
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast
    cache.clear()
    yield path
    shutil.rmtree(path)


@pytest.fixture
def owner(db):
    return get_user_model().objects.create_user("owner", password="a-long-password")


@pytest.fixture
def stranger(db):
    return get_user_model().objects.create_user("stranger", password="a-long-password")


@pytest.fixture
def client(owner):
    client = Client()
    client.force_login(owner)
    return client


@pytest.fixture
def lab(owner):
    return services.create_lab(owner, "lab", two_hosts())
