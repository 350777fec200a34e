"""What the tests of the BPF tier share."""

from __future__ import annotations

import contextlib
import json
import time
from typing import TYPE_CHECKING

import pytest

from tests.kernel.privilege import HAS_UID_RANGES
from tests.kernel.tracelab import DEADLINE, udp
from topoweb.core.errors import TopowebError
from topoweb.core.packets import summary
from topoweb.kernel.trace.bpf.libbpf import BTF
from topoweb.kernel.trace.bpf.source import BpfSource, prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.kernel.tracelab import TraceLab
    from topoweb.core.tracing.observation import Observation


QUIET = 20_000_000  # ns; far more than the source holds events back


def refusal() -> str:
    """Why the tier cannot be tested here, "" when it can. As root, with BTF, it must work."""
    if HAS_UID_RANGES and BTF.exists():
        return ""
    try:
        prove()
    except TopowebError as error:
        return error.message
    return ""


needs_bpf = pytest.mark.skipif(bool(refusal()), reason=f"no BPF here: {refusal()}")


@contextlib.contextmanager
def tracing(run: Path, **options: int) -> Iterator[BpfSource]:
    """Give a source that is closed at the end; a small ring is enough for most tests."""
    source = BpfSource(run, **{"hop_ring": 1 << 20, **options})
    try:
        yield source
    finally:
        source.close()


def settle(
    source: BpfSource, enough: Callable[[list[Observation]], bool] = lambda seen: True
) -> list[Observation]:
    """Return all that has happened until now, and what comes until it is enough.

    A busy machine may take its time between the ends of a cable.
    """
    seen: list[Observation] = []
    end = time.monotonic() + DEADLINE
    while not enough(seen):
        assert time.monotonic() < end, stations(seen)
        seen += source.poll(0.01)
    asked = time.time_ns()
    while time.time_ns() - asked < QUIET:  # what happened before is ready by then
        seen += source.poll(0.01)
    return seen


def hops(count: int) -> Callable[[list[Observation]], bool]:
    """That many hops of UDP packets."""
    return lambda seen: len([one for one in udp(seen) if one.direction != "drop"]) >= count


def drops(count: int) -> Callable[[list[Observation]], bool]:
    """That many drops of UDP packets."""
    return lambda seen: len([one for one in udp(seen) if one.direction == "drop"]) >= count


def of_protocol(seen: list[Observation], protocol: str) -> list[Observation]:
    return [one for one in seen if summary(one.data, one.length).protocol == protocol]


def stations(seen: list[Observation]) -> list[str]:
    return [f"{one.namespace}:{one.interface} {one.direction}" for one in seen]


def without_ipv6(lab: TraceLab) -> None:
    """Keep the kernel's own packets out of what is counted, and resolve addresses before."""
    for node in range(lab.nodes):
        lab.sysctl(node, "net/ipv6/conf/all/disable_ipv6", "1")
    for node in range(lab.nodes - 1):
        lab.inside(node, ["ping", "-c1", "-W5", f"10.9.{node + 1}.2"])


def crossings(lab: TraceLab) -> int:
    """Return how many packets the interfaces of a lab have sent and received."""
    total = 0
    for node in range(lab.nodes):
        for link in json.loads(lab.ip(node, "-s -j link")):
            total += link["stats64"]["rx"]["packets"] + link["stats64"]["tx"]["packets"]
    return total
