"""Rule by rule through the packet filter of a real node, and nothing left behind."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.kernel.privilege import uid_base
from tests.kernel.tracelab import TraceLab, eventually
from topoweb.core.tracing.explain.facts import Passed
from topoweb.kernel.trace import ruletrace
from topoweb.kernel.trace.ruletrace import RuleTrace, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")
TABLE = "add table inet f; add chain inet f c { type filter hook forward priority 0; }; "
RULES = "add rule inet f c tcp dport 22 accept; add rule inet f c ip protocol icmp drop"
ENDS = ("10.9.1.1", "10.9.2.2")  # of n0 and n2, with the router n1 between


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TraceLab]:
    lab = TraceLab(tmp_path / "r", nodes=3, base=uid_base(200_000))
    lab.inside(1, ["nft", TABLE + RULES])
    yield lab
    lab.close()


def tables(lab: TraceLab) -> str:
    return lab.inside(1, ["nft", "list", "tables"])


def test_the_rules_that_a_packet_passed(lab: TraceLab) -> None:
    trace = RuleTrace(lab.run, lab.lab)
    trace.begin(["n1", "n2", "n9"], ENDS, "icmp")
    assert "topoweb_trace" in tables(lab)
    lab.inside(0, ["ping", "-c1", "-W1", "10.9.2.2"], False)
    passed = [one for one in trace.end() if one.table == "inet f"]
    assert passed == [
        Passed(node="n1", table="inet f", chain="c", rule="ip protocol icmp drop", verdict="drop")
    ]
    assert tables(lab).split() == ["table", "inet", "f"]


def test_what_is_not_the_flow_is_not_watched(lab: TraceLab) -> None:
    trace = RuleTrace(lab.run, lab.lab)
    trace.begin(["n1"], ("10.9.1.1", "10.9.2.77"), "tcp")
    lab.inside(0, ["ping", "-c1", "-W1", "10.9.2.2"], False)
    assert trace.end() == []


def test_the_table_goes_with_its_owner(lab: TraceLab) -> None:
    """The tracer may be killed at any moment: then nft's standard input ends, and nft with it."""
    trace = RuleTrace(lab.run, lab.lab)
    trace.begin(["n1"], ENDS, "icmp")
    holder, _ = trace._watched["n1"]
    os.kill(holder.pid, signal.SIGKILL)
    eventually(lambda: "topoweb_trace" not in tables(lab), "the table stays")
    trace.end()


def test_a_monitor_that_nobody_ends_ends_itself(
    lab: TraceLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a killed tracer would leave a program that holds the namespace for ever."""
    monkeypatch.setattr(ruletrace, "LIMIT", 1)
    trace = RuleTrace(lab.run, lab.lab)
    trace.begin(["n1"], ENDS, "icmp")
    _, monitor = trace._watched["n1"]
    eventually(lambda: monitor.poll() is not None, "the monitor stays")
    trace.end()


def test_a_lab_that_is_not_there(tmp_path: Path) -> None:
    trace = RuleTrace(tmp_path, 7)
    trace.begin(["n1"], ENDS, "icmp")
    assert trace.end() == []


def test_lines_of_the_monitor() -> None:
    text = """\
trace id c5416052 inet topoweb_trace prerouting unknown rule handle 2 (verdict continue)
trace id c5416052 inet f c packet: iif "lo" ip saddr 127.0.0.1 (verdict x)
trace id c5416052 inet f c rule ip protocol icmp counter packets 0 bytes 0 drop (verdict drop)
trace id c5416052 ip6 g in rule jump more (verdict jump more)
trace id c5416052 ip6 g more return (verdict return)
trace id c5416052 inet f c policy accept \n"""
    assert [(one.table, one.chain, one.rule, one.verdict) for one in parse("n", text)] == [
        ("inet f", "c", "ip protocol icmp counter packets 0 bytes 0 drop", "drop"),
        ("ip6 g", "in", "jump more", "jump more"),
        ("ip6 g", "more", "return", "return"),
        ("inet f", "c", "policy accept", "accept"),
    ]
