"""tshark in its sandbox: what it says of packets, and what becomes of one that goes wrong."""

from __future__ import annotations

import concurrent.futures
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from tests.kernel.rootless import run_without_root
from tests.unit.packets import wire
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.packets import pdml
from topoweb.kernel.ownership import owner_token
from topoweb.kernel.sandbox import cgroups, dissector
from topoweb.kernel.sandbox.dissector import Dissector

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(
    not shutil.which("tshark") or not shutil.which("crun"), reason="needs tshark and crun"
)
NOW = 1_763_871_000_123_456_000
SAMPLES = wire.samples()


@pytest.fixture
def tshark(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dissector]:
    monkeypatch.setattr(dissector, "TIMEOUT", 60.0)  # a busy machine is slow
    one = Dissector(tmp_path, cgroups.find(owner_token(tmp_path)))
    yield one
    one.close()


def layers(tshark: Dissector, name: str) -> pdml.Dissection:
    return pdml.parse(tshark.dissect(SAMPLES[name], len(SAMPLES[name]), NOW))


def test_a_packet_with_all_its_layers(tshark: Dissector) -> None:
    found = layers(tshark, "dns_response")
    assert found.version[0].isdecimal()
    assert found.more == 0
    assert [one.name for one in found.layers] == ["frame", "eth", "ip", "udp", "dns"]
    ip = found.layers[2]
    assert (ip.start, ip.end) == (14, 34)
    ttl = next(one for one in ip.fields if one.name == "ip.ttl")
    assert (ttl.label, ttl.value, ttl.start, ttl.end) == ("Time to Live: 64", "64", 22, 23)
    epoch = next(one for one in found.layers[0].fields if one.name == "frame.time_epoch")
    assert epoch.value == "1763871000.123456000"


def test_a_packet_that_was_cut_off(tshark: Dissector) -> None:
    found = pdml.parse(tshark.dissect(SAMPLES["http"][:60], 1500, NOW))
    assert {"eth", "ip", "tcp"} <= {one.name for one in found.layers}


def test_several_at_a_time(tshark: Dissector) -> None:
    names = ["echo", "stp", "dhcp_offer", "na"]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda name: layers(tshark, name), names))
    assert ["icmp" in [one.name for one in each.layers] for each in found] == [
        True, False, False, False,
    ]  # fmt: skip


def refused(tshark: Dissector) -> TopowebError:
    with pytest.raises(TopowebError) as caught:
        tshark.dissect(SAMPLES["echo"], 98, NOW)
    return caught.value


def runs(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setattr(dissector, "ARGUMENTS", ("/bin/sh", "-c", script))


def test_one_that_crashes(tshark: Dissector, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, "kill -SEGV $$; sleep 9; exit 3")
    error = refused(tshark)
    assert error.kind is ErrorKind.INTERNAL
    assert "status" in error.message


def test_one_that_does_not_end(tshark: Dissector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dissector, "TIMEOUT", 1.0)
    runs(monkeypatch, "sleep 1000 & sleep 1000")
    began = time.monotonic()
    assert "more than 1 s" in refused(tshark).message
    assert time.monotonic() - began < 30  # and the fixture sees that nothing of it lives on


def test_one_that_says_too_much(tshark: Dissector, monkeypatch: pytest.MonkeyPatch) -> None:
    runs(monkeypatch, "head -c 3000000 /dev/zero")
    assert "more than fits" in refused(tshark).message


def test_a_host_without_tshark(tshark: Dissector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dissector, "TSHARK", "/usr/bin/no-such-shark")
    assert refused(tshark).kind is ErrorKind.UNSUPPORTED


SCRIPT = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from topoweb.core.packets import pdml
from topoweb.kernel.sandbox import cgroups, dissector
dissector.TIMEOUT = 60.0
home = Path(sys.argv[1], "run")
one = dissector.Dissector(home, cgroups.find("0" * 8))
frame = bytes.fromhex("%s")
found = pdml.parse(one.dissect(frame, len(frame), 0))
one.close()
print("ok" if [layer.name for layer in found.layers][-1] == "icmp" else found)
"""


def test_without_root() -> None:
    run_without_root(SCRIPT % SAMPLES["echo"].hex())
