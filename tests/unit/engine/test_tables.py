"""The memory of nodes' tables: read once, changed by notifications, read anew after a loss."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from topoweb.core.tracing.records import (
    ALL_RECORDS,
    AddressRecord,
    Dump,
    KernelEvent,
    LinkRecord,
    Overrun,
    RouteRecord,
    Sample,
    Seen,
)
from topoweb.engine.tables import Tables

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

LAB, DEADLINE = 7, 5.0
LINK = LinkRecord(
    index=1, name="eth0", kind="veth", up=True, carrier=True, oper="up", mac=None, mtu=1500
)
ROUTE = RouteRecord(prefix="0.0.0.0/0", via="10.0.0.1", index=1, metric=0, proto="static")


class FakeKernel:
    """A lab of one node, of which a test says what it holds."""

    def __init__(self, deliver: Callable[[int, Sequence[KernelEvent]], None]) -> None:
        self.deliver = deliver
        self.records: tuple[Any, ...] = (LINK,)
        self.dumped: list[frozenset[type]] = []
        self.watched: set[int] = set()
        self.closed = threading.Event()

    def watch(self, lab: int) -> tuple[frozenset[str], frozenset[str]]:
        fresh = frozenset() if lab in self.watched else frozenset({"n"})
        self.watched.add(lab)
        return fresh, frozenset()

    def unwatch(self, lab: int) -> None:
        self.watched.discard(lab)

    def dump(
        self, lab: int, nodes: Collection[str], kinds: frozenset[type] = ALL_RECORDS
    ) -> list[Dump]:
        self.dumped.append(kinds)
        found = tuple(one for one in self.records if type(one) in kinds)
        return [Dump(node, kinds, found) for node in nodes]

    def sample(self, lab: int, nodes: Collection[str]) -> Sample:
        raise NotImplementedError

    def close(self) -> None:
        self.closed.set()


class Bench:
    def __init__(self) -> None:
        self.made: list[FakeKernel] = []
        self.tables = Tables(self._make, lambda lab, node: [{"protocol": "tcp"}])
        self.tables.start()
        self.tables.watch(LAB)
        self.until(lambda: self.now()["exact"])
        self.kernel = self.made[0]

    def _make(self, deliver: Any) -> Any:
        self.made.append(FakeKernel(deliver))
        return self.made[-1]

    def now(self) -> dict[str, Any]:
        return self.tables.at(LAB, "n", time.time_ns())

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.now()["tables"][table]

    def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + DEADLINE
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.002)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.tables.stop()
    assert bench.kernel.closed.is_set()


def test_what_was_before_a_change(bench: Bench) -> None:
    before = time.time_ns()
    bench.kernel.deliver(LAB, [Seen("n", AddressRecord(index=1, address="10.0.0.9/24"))])
    bench.until(lambda: bool(bench.rows("addresses")))
    then = bench.tables.at(LAB, "n", before)
    assert [row["change"] for row in then["tables"]["addresses"]] == ["new"]
    assert then["conntrack"]["rows"] == [{"protocol": "tcp"}]


def test_all_is_read_again_after_a_loss(bench: Bench) -> None:
    bench.kernel.records = (LINK, ROUTE)
    bench.kernel.deliver(LAB, [Overrun()])
    bench.until(lambda: len(bench.rows("routes")) == 1)
    assert bench.kernel.dumped[-1] == ALL_RECORDS


def test_routes_are_read_again_when_an_interface_goes_down(bench: Bench) -> None:
    bench.kernel.records = (LINK, ROUTE)
    bench.kernel.deliver(LAB, [Seen("n", ROUTE)])
    bench.kernel.records = (LINK,)
    down = LinkRecord(
        index=1, name="eth0", kind="veth", up=False, carrier=False, oper="down", mac=None, mtu=1500
    )
    bench.kernel.deliver(LAB, [Seen("n", down)])
    bench.until(lambda: not bench.rows("routes") and not bench.rows("interfaces")[0]["up"])
    assert bench.kernel.dumped[-1] == frozenset({RouteRecord})


def test_a_lab_that_nobody_watches_is_forgotten(bench: Bench) -> None:
    bench.tables.unwatch(LAB)
    bench.until(lambda: bench.now()["as_of"] == 0)
    assert LAB not in bench.kernel.watched
    bench.kernel.deliver(LAB, [Seen("n", ROUTE)])  # too late
    assert bench.tables.export(LAB, 0, time.time_ns())["state"] == {}


def test_a_kernel_that_tells_nothing_is_no_condition() -> None:
    def none(deliver: Any) -> Any:
        raise PermissionError("scripted")

    tables = Tables(none, lambda lab, node: [])
    tables.start()
    tables.watch(LAB)
    assert tables.at(LAB, "n", 1)["exact"] is False
    tables.stop()
