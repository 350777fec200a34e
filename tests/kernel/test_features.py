"""Feature probing says what is so, leaves nothing behind, and names a remedy for each lack."""

from __future__ import annotations

import subprocess

import pytest

from topoweb.kernel import features as module
from topoweb.kernel.features import features

NEEDED = ("userns", "netns", "veth", "bridge", "af_packet", "ipv6")


def test_every_lack_has_a_reason_and_a_remedy() -> None:
    found = features()
    kinds = {"vlan", "vrf", "dummy", "macvlan", "ipvlan", "wireguard", "vxlan", "netem"}
    assert kinds <= set(found)
    for name, verdict in found.items():
        assert set(verdict) == {"ok", "reason", "remedy"}, name
        assert verdict["ok"] == (verdict["reason"] == "") == (verdict["remedy"] == "")


@pytest.mark.parametrize("name", NEEDED)
def test_what_these_tests_need_is_found(name: str) -> None:
    assert features()[name]["ok"]


@pytest.mark.parametrize("kind", ["dummy", "macvlan", "vxlan", "bridge"])
def test_link_kinds_agree_with_iproute2(kind: str) -> None:
    """Try the same by `ip`, in a namespace that ends with the command."""
    extra = {"macvlan": "link v0 type macvlan", "vxlan": "type vxlan id 7 dstport 4789"}
    command = "ip link add v0 type veth peer name v1 && ip link add t0 "
    command += extra.get(kind, f"type {kind}")
    done = subprocess.run(["unshare", "-n", "sh", "-c", command], capture_output=True)
    assert features()[kind]["ok"] == (done.returncode == 0)


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "which", lambda program: None)
    verdict = features()["crun"]
    assert not verdict["ok"]
    assert "crun is not installed" in verdict["reason"]
