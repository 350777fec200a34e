"""Captures of labs that come, change and go: nothing is missed and nothing stays behind."""

from __future__ import annotations

import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, apply, cable, inside, node, two_hosts, up
from tests.kernel.tracelab import DEADLINE, TraceLab, capturing, collect, eventually, udp
from topoweb.core.plan.actions import RemoveNamespace
from topoweb.kernel.netns import enter_new
from topoweb.kernel.trace.afpacket import AfPacketSource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from topoweb.kernel.lab import LinuxKernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TraceLab]:
    lab = TraceLab(tmp_path, nodes=3)
    yield lab
    lab.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[AfPacketSource]:
    with capturing(tmp_path) as source:
        yield source


def test_a_dead_lab_is_let_go_within_a_second(lab: TraceLab, source: AfPacketSource) -> None:
    """A cable from a namespace of ours into n0 is there as long as n0 lives."""
    probe, died = threading.Event(), threading.Event()
    took: list[float] = []
    path = lab.holder.descriptor_path(0)

    def sentinel() -> None:
        enter_new()
        run_ip(f"link add watch type veth peer name seen netns {path}")
        probe.set()
        start = [0.0]

        def gone() -> bool:
            if not killed.is_set():
                start[0] = time.monotonic()
                return False
            return "watch" not in interfaces()

        eventually(gone, "the namespace did not die", 30)
        took.append(time.monotonic() - start[0])
        died.set()

    killed = threading.Event()
    thread = threading.Thread(target=sentinel, daemon=True)
    thread.start()
    assert probe.wait(DEADLINE)
    source.watch(lab.lab)
    assert source.points(lab.lab) == 2
    lab.holder.kill()
    lab.wake()
    killed.set()
    end = time.monotonic() + DEADLINE
    while not died.is_set() and time.monotonic() < end:
        source.poll(0.01)
    thread.join(DEADLINE)
    assert source.points(lab.lab) == 0
    assert took
    assert took[0] < 1.0


def interfaces() -> list[str]:
    """Interfaces of the calling thread's namespace."""
    return [name for _, name in socket.if_nameindex()]


def run_ip(command: str) -> None:
    subprocess.run(["ip", *command.split()], check=True, capture_output=True)


def test_a_dead_holder_without_a_datagram(lab: TraceLab, source: AfPacketSource) -> None:
    source.watch(lab.lab)
    lab.holder.kill()
    source.poll(5)  # its pidfd ends the wait
    assert source.points(lab.lab) == 0


def test_a_cable_drawn_later_is_captured(lab: TraceLab, source: AfPacketSource) -> None:
    source.watch(lab.lab)
    lab.links["l9"] = (("n0", "extra"), ("n2", "extra"))
    lab.write()
    lab.wake()
    source.poll(1)
    assert source.points(lab.lab) == 2  # written down, not made yet
    peer = lab.holder.descriptor_path(2)
    lab.ip(0, f"link add extra type veth peer name extra netns {peer}")
    lab.wake()
    source.poll(1)
    assert source.points(lab.lab) == 3


def test_a_cable_made_anew_under_its_name_is_captured_again(
    lab: TraceLab, source: AfPacketSource
) -> None:
    source.watch(lab.lab)
    lab.ip(0, "link del right")
    lab.cable(0)
    lab.wake()
    source.poll(1)
    lab.send(0, "10.9.1.2", [b"again"])
    assert udp(collect(source, lambda seen: bool(udp(seen))))


def test_an_interface_that_goes_down_and_up_again(lab: TraceLab, source: AfPacketSource) -> None:
    source.watch(lab.lab)
    lab.ip(0, "link set right down")
    source.poll(0.2)
    lab.ip(0, "link set right up")
    lab.send(0, "10.9.1.2", [b"back"])
    assert udp(collect(source, lambda seen: bool(udp(seen))))
    assert source.points(lab.lab) == 2


def test_a_lab_that_starts_after_it_is_watched(tmp_path: Path, source: AfPacketSource) -> None:
    source.watch(7)
    assert source.points(7) == 0
    lab = TraceLab(tmp_path)
    try:
        end = time.monotonic() + DEADLINE
        while not source.points(7) and time.monotonic() < end:
            source.poll(0.1)
        lab.send(0, "10.9.1.2", [b"hello"])
        assert udp(collect(source, lambda seen: bool(udp(seen))))
    finally:
        lab.close()


def test_a_forged_manifest_is_not_followed(lab: TraceLab, source: AfPacketSource) -> None:
    """Inodes that are not those written down: the namespaces belong to somebody else."""
    lab.write({slot: inode + 1 for slot, inode in lab.inodes.items()})
    source.watch(lab.lab)
    assert source.points(lab.lab) == 0


def test_nothing_stays_open(lab: TraceLab, tmp_path: Path) -> None:
    def descriptors() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before, threads = descriptors(), threading.active_count()
    source = AfPacketSource(tmp_path)
    for _ in range(3):
        source.watch(lab.lab)
        source.poll(0)
        source.unwatch(lab.lab)
    source.close()
    assert descriptors() == before
    assert threading.active_count() == threads


def test_with_the_worker_s_own_kernel(kernel: LinuxKernel, source: AfPacketSource) -> None:
    """A running lab grows (another holder takes over), shrinks, and dies under our eyes."""
    apply(kernel, *two_hosts())
    source.watch(LAB)
    assert source.points(LAB) == 1
    apply(kernel, *node("n3"), cable("l2", "n1 eth1", "n3 eth0"), *up("n1 eth1", "n3 eth0"))
    poll_until(source, lambda: source.points(LAB) == 2)
    inside(kernel, "n1", "ping -c1 -W5 10.0.1.2")
    seen = collect(
        source, lambda all_seen: sum(one.data[23:24] == b"\x01" for one in all_seen) >= 2
    )
    assert {one.link for one in seen if one.data[23] == 1} == {"l1"}

    removing = threading.Thread(target=apply, args=(kernel, RemoveNamespace(namespace="n3")))
    removing.start()
    poll_until(source, lambda: not removing.is_alive())
    poll_until(source, lambda: source.points(LAB) == 1)

    took: list[float] = []

    def destroy() -> None:
        start = time.monotonic()
        kernel.destroy(LAB)  # returns when the namespaces are seen gone
        took.append(time.monotonic() - start)

    destroying = threading.Thread(target=destroy)
    destroying.start()
    poll_until(source, lambda: not destroying.is_alive())
    assert source.points(LAB) == 0
    assert took
    assert took[0] < 1.5


def poll_until(source: AfPacketSource, holds: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end
        source.poll(0.02)


def test_many_cables_open_and_close_side_by_side(tmp_path: Path) -> None:
    """300 sockets closed one by one would take seconds: each close waits for RCU."""
    lab = TraceLab(tmp_path)
    source = AfPacketSource(tmp_path)
    try:
        peer = lab.holder.descriptor_path(1)
        commands = "".join(
            f"link add x{i} type veth peer name y{i} netns {peer}\n" for i in range(300)
        )
        batch = tmp_path / "batch"
        batch.write_text(commands)
        lab.ip(0, f"-batch {batch}")
        lab.links |= {f"x{i}": (("n0", f"x{i}"), ("n1", f"y{i}")) for i in range(300)}
        lab.write()
        source.watch(lab.lab)
        assert source.points(lab.lab) == 301
        start = time.monotonic()
        source.unwatch(lab.lab)
        source.close()
        assert time.monotonic() - start < 2.0
    finally:
        lab.close()
