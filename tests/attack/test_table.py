"""THREAT_MODEL.md has a row for each attack of this ring, and no other."""

from __future__ import annotations

import subprocess
import sys

from tests.attack.threats import ROOT


def test_every_attack_has_its_row_and_every_row_its_attack() -> None:
    check = [sys.executable, "-m", "tests.attack.threats", "--check"]
    done = subprocess.run(check, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_there_are_enough() -> None:
    rows = [line for line in (ROOT / "THREAT_MODEL.md").read_text().splitlines() if "::" in line]
    assert len(rows) >= 80
