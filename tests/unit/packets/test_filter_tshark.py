"""Filters choose the packets that Wireshark's own engine chooses."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.unit.packets import capture, record_choices
from tests.unit.packets.expressions import EXPRESSIONS
from topoweb.core.packets.filter import Filter, Subject

if TYPE_CHECKING:
    from pathlib import Path

RECORDED: dict[str, list[int]] = json.loads(record_choices.CHOICES.read_text())


def chosen(expression: str) -> list[int]:
    asked = Filter(expression)
    return [
        number
        for number, (data, length) in enumerate(capture.frames(), 1)
        if asked.passes(
            Subject(
                data, length, number=number, time_ns=(capture.BEGAN + number - 1) * 1_000_000_000
            )
        )
    ]


def test_the_comparison_is_a_wide_one() -> None:
    assert list(RECORDED) == EXPRESSIONS
    telling = [one for one in RECORDED.values() if 0 < len(one) < len(capture.frames())]
    assert len(telling) > 180


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_same_packets_as_tshark_chose(expression: str) -> None:
    assert chosen(expression) == RECORDED[expression]


@pytest.mark.skipif(not shutil.which("tshark"), reason="tshark is not installed")
def test_the_tshark_of_this_machine_chooses_them_too(tmp_path: Path) -> None:
    path = tmp_path / "capture.pcap"
    capture.write(path)
    found = record_choices.choices(path, EXPRESSIONS)
    assert {one: numbers for one, numbers in found.items() if numbers != RECORDED[one]} == {}
