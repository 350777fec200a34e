"""A sample of the verdict exam in every test run; `make verdicts` takes all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.bpflab import needs_bpf
from tests.verdicts.cases import CASES
from tests.verdicts.exam import closing, report, take

if TYPE_CHECKING:
    from pathlib import Path

    from tests.verdicts.case import Case

SAMPLE = (
    "forwarding is off",
    "the target has no way back",
    "a rule drops at forward",
    "isolated ports",
    "no program listens (UDP)",
    "healthy: a connection",
)


@needs_bpf
async def test_a_sample_is_right_and_as_foretold(tmp_path: Path) -> None:
    cases = [case for case in CASES if case.name in SAMPLE and case.lab == "lan"]
    assert len(cases) == len(SAMPLE)
    marks = await take(cases, tmp_path)
    assert [(found.case.name, found.faults) for found in marks if found.faults] == []
    assert closing(marks) == f"{len(SAMPLE)} of {len(SAMPLE)} verdicts right, 0 invented"
    assert [found.case.name for found in marks if found.said != found.foretold] == []
    assert all(found.agree for found in marks)
    assert report(marks).count("| yes |") == len(SAMPLE)


def test_the_names_are_unique_and_every_case_is_in_two_networks() -> None:
    keys = [(case.name, case.lab) for case in CASES]
    assert len(keys) == len(set(keys))
    assert len(CASES) >= 60


def of(name: str) -> list[Case]:
    return [case for case in CASES if case.name == name]


@pytest.mark.parametrize("name", SAMPLE)
def test_the_sample_exists(name: str) -> None:
    assert len(of(name)) >= 2
