"""Drawing in, plan and problems out, as reviewed in `tests/golden`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.golden.update import cases, results

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("case", cases(), ids=lambda path: path.name)
def test_golden(case: Path) -> None:
    for name, text in results(case).items():
        assert text == (case / name).read_text(), f"{case.name}/{name}: run `make golden`"


def test_there_are_cases() -> None:
    assert len(cases()) >= 12
