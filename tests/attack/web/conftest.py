"""The web as an attacker meets it: the same application, users and lab as in tests/web."""

from __future__ import annotations

import pytest

from tests.web.conftest import client, lab, owner, run_directory, stranger  # noqa: F401 - fixtures
from topoweb.labs import history

SECRET = "s3cret-of-the-owner"  # written into the lab's drawing; must never reach a stranger


@pytest.fixture
def drawn(lab, owner):  # noqa: F811 - the fixtures
    """The owner's lab with a history, a secret in its drawing, and something in each table."""
    lab.document["notes"] = {"t1": {"text": SECRET, "x": 0, "y": 0, "width": 180, "height": 90}}
    lab.save()
    history.keep_revision(owner, lab, SECRET)
    return lab
