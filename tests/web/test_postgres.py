"""The web side's own tests once more, on a real PostgreSQL with the pool that a server uses."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.web.servers import postgres  # noqa: F401 - a fixture

FILES = ["test_concurrency.py", "test_labs.py", "test_api.py", "test_accounts.py", "test_audit.py"]


@pytest.mark.slow
def test_web_side_on_postgres(postgres, pytestconfig, tmp_path):  # noqa: F811 - the fixture
    environment = {
        **os.environ,
        "TOPOWEB_DATABASE_URL": postgres,
        "TOPOWEB_DATA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "topoweb.settings",
    }
    files = [f"tests/web/{name}" for name in FILES]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *files],
        env=environment, cwd=pytestconfig.rootpath, capture_output=True, text=True, timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:]
