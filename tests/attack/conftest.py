"""The attack ring: each test tries something that must be refused."""

from __future__ import annotations

from pathlib import Path

from tests.kernel.privilege import needs_uid_ranges

HERE = Path(__file__).parent
# Their worlds are labs with user ids of their own, and an ordinary user beside root. What a
# student may not do where there is no root at all is attacked in `test_rootless`, by root.
OF_ROOT = (HERE / "node", HERE / "test_rootless.py", HERE / "worker/test_local_users.py")


def pytest_configure(config):
    config.addinivalue_line("markers", "attack(tries, refusal): a row of THREAT_MODEL.md")


def pytest_collection_modifyitems(items):
    for item in items:
        if any(item.path.is_relative_to(place) for place in OF_ROOT):
            item.add_marker(needs_uid_ranges)
