"""Which tier the tracer takes, and what it says of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.bpflab import needs_bpf
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel.features import features
from topoweb.worker import tracer

if TYPE_CHECKING:
    from pathlib import Path


def refuse() -> None:
    raise TopowebError(ErrorKind.UNSUPPORTED, "no BPF today", hint="Wait.")


def tier(run: Path) -> str:
    source = tracer.source(run)
    source.close()
    return source.tier


@needs_bpf
def test_the_best_one_is_taken(tmp_path: Path, settings: Any) -> None:
    assert tier(tmp_path) == "bpf"
    settings.TOPOWEB_TRACE_RING = 3  # MiB: the kernel wants a power of two
    assert tier(tmp_path) == "bpf"
    settings.TOPOWEB_TRACE_TIER = "afpacket"
    assert tier(tmp_path) == "afpacket"
    assert features()["tracing"]["ok"]


def test_without_bpf_cables_are_left(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("topoweb.kernel.trace.bpf.source.prove", refuse)
    monkeypatch.setattr("topoweb.kernel.features.prove", refuse)
    with caplog.at_level(logging.INFO, tracer.__name__):
        assert tier(tmp_path) == "afpacket"
    assert [record.message for record in caplog.records] == [
        "packets are followed on cables, not inside nodes: no BPF today"
    ]
    assert features()["tracing"] == {
        "ok": False,
        "reason": "Packets are followed on cables, not inside nodes: no BPF today.",
        "remedy": "Wait.",
    }
    settings.TOPOWEB_TRACE_TIER = "bpf"
    with pytest.raises(TopowebError, match="no BPF today"):
        tracer.source(tmp_path)
