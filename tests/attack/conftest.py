"""The attack ring: each test tries something that must be refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "attack(tries, refusal): a row of THREAT_MODEL.md")
