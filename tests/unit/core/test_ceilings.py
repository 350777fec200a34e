"""Limits as values: from the environment, and what goes over them."""

from __future__ import annotations

import pytest

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import (
    DEFAULT,
    HostLimits,
    Limits,
    Usage,
    UserLimits,
    drawing_excess,
    from_texts,
    require,
    running_excess,
)
from topoweb.core.plan.rate import LARGEST_FRAME, bucket
from topoweb.core.topology.model import Node, Topology


def nodes(count: int) -> Topology:
    return Topology(nodes={f"n{i}": Node(kind="host", name=f"h{i}") for i in range(count)})


def test_what_is_not_set_keeps_its_default() -> None:
    texts = {"T_NODES": "7", "T_CPU": "0.5", "T_LINK_RATE": "1000000", "T_DISK": "", "X": "1"}
    found = from_texts(Limits, texts, "T_")
    assert (found.nodes, found.cpu, found.link_rate) == (7, 0.5, 1_000_000)
    assert found.disk == DEFAULT.disk
    assert from_texts(UserLimits, {}, "T_") == UserLimits()
    assert from_texts(Limits, {"T_LINK_RATE": "none"}, "T_").link_rate is None


@pytest.mark.parametrize("text", ["many", "0", "-3", "1.5", "none"])
def test_nonsense_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="T_NODES"):
        from_texts(Limits, {"T_NODES": text}, "T_")


def test_a_drawing_at_its_limit_is_no_excess() -> None:
    assert drawing_excess(nodes(3), Limits(nodes=3)) == ()
    (problem,) = drawing_excess(nodes(4), Limits(nodes=3))
    assert (problem.code, problem.path) == ("limit-nodes", "/nodes")
    assert dict(problem.params) == {"count": "4", "limit": "3"}


def test_running_is_counted_with_what_runs() -> None:
    user, host = UserLimits(running_labs=2, running_nodes=10), HostLimits(running_nodes=100)
    fits = running_excess(5, Usage(labs=1, nodes=5), user, Usage(labs=9, nodes=95), host)
    assert fits == ()
    over = running_excess(6, Usage(labs=2, nodes=5), user, Usage(labs=9, nodes=95), host)
    assert [problem.code for problem in over] == [
        "limit-running-labs",
        "limit-running-nodes",
        "limit-host-nodes",
    ]


def test_require_raises_the_first() -> None:
    require(())
    with pytest.raises(TopowebError, match="4 nodes") as caught:
        require(drawing_excess(nodes(4), Limits(nodes=3, links=1)))
    assert (caught.value.kind, caught.value.code) == (ErrorKind.LIMIT, "limit-nodes")


@pytest.mark.parametrize("rate", [8_000, 1_000_000, 10**9, 10**11])
def test_a_bucket_lets_the_largest_frame_through(rate: int) -> None:
    burst, limit = bucket(rate)
    assert burst >= LARGEST_FRAME
    assert limit >= burst + LARGEST_FRAME
    assert burst == max(LARGEST_FRAME, rate // 800)
