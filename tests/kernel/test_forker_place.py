"""Where the forker lives: a process started from inside a node would keep the node alive."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand
from topoweb.core.topology.model import Interface, Link, Node, Topology
from topoweb.kernel.lab import LinuxKernel

if TYPE_CHECKING:
    from pathlib import Path

LAB = 1


def drawing(hosts: int, mtu: int) -> Topology:
    """Two cabled hosts and others without a cable."""
    return Topology(
        nodes={f"n{i}": Node(kind="host", name=f"h{i}") for i in range(hosts)},
        interfaces={f"i{i}": Interface(node=f"n{i}", name="eth0", mtu=mtu) for i in range(2)},
        links={"l1": Link(a="i0", b="i1")},
    )


def bring(kernel: LinuxKernel, topology: Topology) -> None:
    plan = diff(expand(LAB, topology), kernel.observe(LAB))
    result = kernel.apply(LAB, plan.steps, lambda _: None, lambda: False)
    assert not result.failures


def test_a_new_worker_that_first_configures_and_then_shrinks_a_lab_can_destroy_it(tmp_path: Path):
    first = LinuxKernel(tmp_path)
    bring(first, drawing(hosts=3, mtu=1500))
    first.close()
    second = LinuxKernel(tmp_path)
    try:
        bring(second, drawing(hosts=2, mtu=1400))  # inside the nodes first, then one less
        second.destroy(LAB)
        assert second.labs() == []
    finally:
        second.close()
