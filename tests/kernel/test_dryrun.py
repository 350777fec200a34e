"""What is foretold comes true on the tutorial's lab, with either tier watching."""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.bpflab import needs_bpf
from tests.kernel.seed.drawings import TO_NET2, chain
from tests.verdicts.case import ping
from tests.verdicts.rig import Rig
from topoweb.core.topology.document import parse
from topoweb.kernel.trace.afpacket import AfPacketSource
from topoweb.kernel.trace.bpf.source import BpfSource

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")

SEND = ping("host", "192.167.2.2")
STAGES = (  # what is done, what then becomes of the ping
    ("net1: sysctl -qw net.ipv4.ip_forward=0", ("forwarding-off", "net1")),
    ("net1: sysctl -qw net.ipv4.ip_forward=1", ("no-return-route", "net2")),
    ("net2: ip route add 192.167.3.0/24 via 192.167.2.1", ("delivered", "net2")),
)


@asynccontextmanager
async def seed(run_dir: Path, source: Any) -> AsyncIterator[Rig]:
    rig = Rig(run_dir, source)
    rig.start()
    try:
        await rig.build(parse(chain(routes=TO_NET2)))
        await rig.settled()
        yield rig
    finally:
        await rig.close()


@pytest.mark.parametrize("tier", ["afpacket", pytest.param("bpf", marks=needs_bpf)])
async def test_each_stage_of_the_tutorial(tmp_path: Path, tier: str) -> None:
    source = AfPacketSource(tmp_path) if tier == "afpacket" else BpfSource(tmp_path)
    async with seed(tmp_path, source) as rig:
        for order, expected in STAGES:
            rig.must([order])
            found = await rig.trace(SEND)
            dry, real = found.messages["dry"], found.messages["verdict"]
            assert (dry["verdict"]["code"], dry["verdict"]["node"]) == expected
            assert (real["verdict"]["code"], real["verdict"]["node"]) == expected
            assert (real["agree"], real["differs"]) == (True, None)
            assert dry["tier"] == tier
