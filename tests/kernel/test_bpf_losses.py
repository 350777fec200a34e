"""What the BPF tier does not record is counted; drops and followed flows always are recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.bpflab import crossings, drops, hops, needs_bpf, settle, tracing, without_ipv6
from tests.kernel.tracelab import TraceLab, eventually, udp
from topoweb.core.tracing.observation import Unseen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from topoweb.kernel.trace.bpf.source import BpfSource

pytestmark = needs_bpf
UDP = 17


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TraceLab]:
    lab = TraceLab(tmp_path, nodes=3)
    yield lab
    lab.close()


@pytest.fixture
def source(tmp_path: Path) -> Iterator[BpfSource]:
    with tracing(tmp_path) as source:
        yield source


def test_a_full_ring_is_counted(lab: TraceLab, tmp_path: Path) -> None:
    """What is seen and what is said to be unseen are together what the interfaces counted."""
    without_ipv6(lab)
    with tracing(tmp_path, hop_ring=8192, hop_rate=0) as source:
        source.watch(lab.lab)
        before = crossings(lab)
        lab.send(0, "10.9.2.2", [b"x" * 500] * 100)
        eventually(lambda: crossings(lab) - before >= 400, "the packets did not arrive")
        unseen = source.unseen(lab.lab)
        seen = [one for one in settle(source) if one.direction != "drop"]
        assert unseen.hops > 300
        assert unseen.sampled == 0
        assert len(seen) + unseen.hops == crossings(lab) - before
        assert source.unseen(lab.lab).drops == 0
        source.unwatch(lab.lab)
        assert source.unseen(lab.lab) == Unseen()


def test_a_small_ring_is_used_again_and_again(lab: TraceLab, tmp_path: Path) -> None:
    """A few dozen records fit; a record is never cut where the ring begins anew."""
    without_ipv6(lab)
    with tracing(tmp_path, hop_ring=8192) as source:
        source.watch(lab.lab)
        for number in range(60):
            lab.send(0, "10.9.1.2", [b"%d" % number] * 3)
            seen = [one for one in udp(settle(source, hops(6))) if one.direction != "drop"]
            assert [one.data[42:] for one in seen] == [b"%d" % number] * 6
        assert source.unseen(lab.lab) == Unseen()


def test_an_interface_over_its_rate_is_counted_and_a_followed_flow_is_spared(
    lab: TraceLab, tmp_path: Path
) -> None:
    without_ipv6(lab)
    with tracing(tmp_path, hop_rate=1, hop_burst=10) as source:
        source.watch(lab.lab)
        before = crossings(lab)
        lab.send(0, "10.9.1.2", [b"many"] * 100)
        eventually(lambda: crossings(lab) - before >= 200, "the packets did not arrive")
        seen = [one for one in settle(source) if one.direction != "drop"]
        at_sender = [one for one in udp(seen) if one.namespace == "n0"]
        assert 10 <= len(at_sender) <= 13
        assert len(seen) + source.unseen(lab.lab).hops == crossings(lab) - before
        for source_address in ("10.9.1.1", ""):
            source.follow(lab.lab, source_address, "10.9.1.2", UDP)
            lab.send(0, "10.9.1.2", [b"all"] * 100)
            followed = [one for one in udp(settle(source, hops(200))) if one.direction != "drop"]
            assert len(followed) == 200
            source.unfollow(lab.lab, source_address, "10.9.1.2", UDP)
        lab.send(0, "10.9.1.2", [b"some"] * 100)
        assert len([one for one in udp(settle(source)) if one.direction != "drop"]) < 20


def test_sampling_keeps_whole_flows_and_all_that_ends(lab: TraceLab, source: BpfSource) -> None:
    source.watch(lab.lab)
    assert source._program is not None
    source._throttle._set(1)
    source.poll(0)
    for last in range(2, 6):
        lab.ip(2, f"addr add 10.9.129.{last}/32 dev lo")
    for last in range(2, 6):
        lab.send(0, f"10.9.129.{last}", [b"sampled"] * 5)
    seen = udp(settle(source, drops(20)))
    by_flow = {last: [one for one in seen if one.data[33] == last] for last in range(2, 6)}
    for flow in by_flow.values():
        hops = [one for one in flow if one.direction != "drop"]
        assert len(hops) in (0, 20)
        assert len(flow) - len(hops) == 5
    assert source.unseen(lab.lab).sampled > 0
