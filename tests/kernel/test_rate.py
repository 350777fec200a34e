"""Cables held to a rate: as wished, as the kernel says, as packets feel it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, inside
from tests.kernel.transfer import transfer
from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.topology.document import parse

if TYPE_CHECKING:
    from topoweb.core.plan.state import LabState
    from topoweb.core.topology.model import Topology
    from topoweb.kernel.lab import LinuxKernel

RATE = 20_000_000
SENT = 2_500_000  # bytes: a second at this rate


def two_hosts() -> Topology:
    return parse(
        {
            "format": "topoweb",
            "version": 1,
            "nodes": {"n1": {"kind": "host", "name": "h1"}, "n2": {"kind": "host", "name": "h2"}},
            "interfaces": {
                "i1": {"node": "n1", "name": "eth0", "addresses": ["10.0.0.1/24"]},
                "i2": {"node": "n2", "name": "eth0", "addresses": ["10.0.0.2/24"]},
            },
            "links": {"l1": {"a": "i1", "b": "i2"}},
        }
    )


def bring(kernel: LinuxKernel, rate: int | None, previous: LabState | None = None) -> LabState:
    """Bring the lab to its drawing at a rate; the plan after it is empty."""
    wanted = expand(LAB, two_hosts(), link_rate=rate)
    steps = diff(wanted, kernel.observe(LAB), previous=previous).steps
    assert not kernel.apply(LAB, steps, lambda done: None, lambda: False).failures
    assert not diff(wanted, kernel.observe(LAB), previous=wanted)
    return wanted


def observed(kernel: LinuxKernel) -> set[int | None]:
    found = kernel.observe(LAB).namespaces
    return {found[node].devices["eth0"].rate for node in ("n1", "n2")}


def test_both_ends_are_held_as_tc_says_and_let_go_again(kernel: LinuxKernel) -> None:
    first = bring(kernel, RATE)
    assert observed(kernel) == {RATE}
    for node in ("n1", "n2"):
        assert re.search(r"tbf .*rate 20Mbit", inside(kernel, node, "tc qdisc show dev eth0"))
    second = bring(kernel, 2 * RATE, first)
    assert observed(kernel) == {2 * RATE}
    bring(kernel, None, second)
    assert observed(kernel) == {None}
    assert "tbf" not in inside(kernel, "n1", "tc qdisc show dev eth0")


def test_rates_beyond_32_bits_of_bytes(kernel: LinuxKernel) -> None:
    bring(kernel, 80_000_000_000)
    assert observed(kernel) == {80_000_000_000}
    assert "rate 80Gbit" in inside(kernel, "n1", "tc qdisc show dev eth0")


@pytest.mark.parametrize("typed", ["del dev eth0 root", "replace dev eth0 root tbf {}"])
def test_a_limit_is_never_drift(kernel: LinuxKernel, typed: str) -> None:
    """Root of a node may take the bucket away; the next pass puts it back."""
    wanted = bring(kernel, RATE)
    inside(kernel, "n1", "tc qdisc " + typed.format("rate 1gbit burst 100kb limit 1mb"))
    assert kernel.observe(LAB).namespaces["n1"].devices["eth0"].rate != RATE
    bring(kernel, RATE, wanted)
    assert observed(kernel) == {RATE}


def test_a_bucket_of_a_user_stays_in_a_lab_without_limit(kernel: LinuxKernel) -> None:
    wanted = bring(kernel, None)
    inside(kernel, "n1", "tc qdisc add dev eth0 root tbf rate 5mbit burst 100kb limit 1mb")
    assert not diff(wanted, kernel.observe(LAB), previous=wanted)


def test_packets_are_held_to_it(kernel: LinuxKernel) -> None:
    wanted = bring(kernel, None)
    free = transfer(kernel, SENT)
    bring(kernel, RATE, wanted)
    held = transfer(kernel, SENT)
    # A bucket and a queue of 70 kB each start it; never faster than the rate beyond that.
    assert held > 0.8 * SENT * 8 / RATE
    assert held > 4 * free
