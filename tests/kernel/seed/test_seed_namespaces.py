"""S1, S2 and S5: what a namespace is, born alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.kernel.seed.drawings import add, change, document
from tests.kernel.seed.lab import LAB

if TYPE_CHECKING:
    from tests.kernel.seed.lab import SeedLab

ALONE = {"net1": {"lo_up": False}}
RULE = "INPUT -s 203.0.113.77/32 -j DROP"


async def test_s1_namespace_is_made_and_its_name_is_unique(lab: SeedLab) -> None:
    named = _named()
    await lab.draw(document(nodes=ALONE))
    await lab.live.until(lambda: lab.live.node("net1").get("present"), "net1 is on the canvas")
    found = lab.kernel.manifest(LAB)
    assert found is not None
    assert set(found.namespaces) == {"net1"}
    at = found.namespaces["net1"]
    file = found.holder.descriptor_path(at.slot)
    assert _inode(file) == at.inode != _inode("/proc/self/ns/net")
    assert _named() == named  # a file, but not under /run/netns: nobody else's list grows

    report = await lab.change(add("nodes", "second", kind="host", name="net1"))
    assert lab.problems()["name-duplicate"] == "error"
    assert (report.phase, report.steps_done) == ("failed", 0)
    assert set(lab.kernel.observe(LAB).namespaces) == {"net1"}


def _inode(path: str) -> int:
    return Path(path).stat().st_ino


def _named() -> set[str]:
    directory = Path("/run/netns")
    return {path.name for path in directory.iterdir()} if directory.exists() else set()


async def test_s2_new_namespace_has_only_lo_and_it_is_down(lab: SeedLab) -> None:
    await lab.draw(document(nodes=ALONE))
    state = lab.kernel.observe(LAB).namespaces["net1"]
    assert [(one.name, one.up, one.oper) for one in state.devices.values()] == [
        ("lo", False, "down")
    ]
    await lab.live.until(lambda: lab.live.state("net1:lo") == "off", "lo is shown off")
    shown = lab.live.nodes["net1"]
    assert list(shown["interfaces"]) == ["lo"]
    assert shown["interfaces"]["lo"]["addresses"] == []
    assert (shown["routes"], shown["neighbours"]) == ([], [])
    result = await lab.ping("net1", "127.0.0.1")
    assert (result["verdict"], result["sent"]) == ("unreachable", 0)


async def test_s2_lo_up_answers(lab: SeedLab) -> None:
    await lab.draw(document(nodes=ALONE))
    await lab.change(change("nodes", "net1", lo_up=True))
    result = await lab.ping("net1", "127.0.0.1")
    assert (result["verdict"], result["sent"], result["received"]) == ("reply", 2, 2)
    lo = lab.device("net1:lo")
    assert lo is not None
    assert (lo.up, lo.oper) == (True, "unknown")
    await lab.live.until(lambda: lab.live.state("net1:lo") == "unknown", "lo is shown unknown")


async def test_s2_firewall_rules_belong_to_one_namespace(lab: SeedLab) -> None:
    await lab.draw(document(nodes={"net1": {}, "net2": {}}))
    lab.inside("net1", f"iptables -A {RULE}")
    assert RULE in lab.inside("net1", "iptables -S INPUT")
    assert RULE not in lab.inside("net2", "iptables -S INPUT")


async def test_s5_unlinked_nodes_cannot_talk(lab: SeedLab) -> None:
    await lab.draw(document(nodes={"net1": {}, "net2": {}}))
    result = await lab.ping("net1", "192.167.2.2")
    assert (result["verdict"], result["sent"], result["received"]) == ("unreachable", 0, 0)
    assert result["message"].startswith("Network is unreachable")
    assert lab.packets.rows == []
