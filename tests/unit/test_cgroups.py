"""Control groups on a v2 host, file by file: this repository's machine has a hybrid one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from topoweb.core.limits import Limits
from topoweb.kernel.sandbox import cgroups

if TYPE_CHECKING:
    from pathlib import Path

LIMITS = Limits(processes=40, node_processes=30, memory=4096, node_memory=2048, cpu=1.5)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    monkeypatch.setattr(cgroups.launcher, "shows_cgroup2", lambda: True)
    return tmp_path


def files(path: Path) -> dict[str, str]:
    return {file.name: file.read_text() for file in path.iterdir() if file.is_file()}


def test_limits_stand_at_the_lab_and_at_the_node(root: Path) -> None:
    groups = cgroups.find("abcdefgh1234")
    assert groups.unified == root / "topoweb-abcdefgh"
    groups.house(7, LIMITS)
    groups.admit(7, "n1", LIMITS)
    delegated = {"cgroup.subtree_control": "+memory +pids +cpu"}
    assert files(root) == delegated
    assert files(groups.unified) == delegated
    assert files(groups.unified / "7") == {
        "memory.max": "4096",
        "memory.swap.max": "0",
        "pids.max": "40",
        "cpu.max": "150000 100000",
        "cgroup.subtree_control": "+memory +pids",
    }
    assert files(groups.unified / "7/n1") == {
        "memory.max": "2048",
        "memory.swap.max": "0",
        "pids.max": "30",
        "memory.oom.group": "1",
    }


def test_a_program_enters_one_directory_below_its_node(root: Path) -> None:
    groups = cgroups.find("abcdefgh1234")
    groups.house(7, LIMITS)
    groups.admit(7, "n1", LIMITS)
    entered = groups.entered(7, "n1", "program-1")
    assert entered == [root / "topoweb-abcdefgh/7/n1/program-1"]
    assert entered[0].is_dir()
    assert not files(entered[0])  # without controllers: its node may hold processes beside it


def test_a_host_that_delegates_nothing_has_no_groups(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "cgroup.subtree_control").mkdir()  # not writable, as in a container
    groups = cgroups.find("abcdefgh1234")
    assert groups.unified is None
    groups.house(7, LIMITS)
    groups.admit(7, "n1", LIMITS)
    assert groups.entered(7, "n1", "x") == []
    groups.kill(7)
