"""One world for all attacks from inside a node: making it takes longer than most of them."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.attack.node.world import LAB, World
from tests.attack.node.world import world as make_world

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def whole_world() -> Iterator[World]:
    if os.geteuid():
        pytest.skip("labs with uid ranges of their own are root's; see test_rootless")
    run_dir = Path(tempfile.mkdtemp(prefix="tw-attack-"))
    try:
        with make_world(run_dir) as own:
            yield own
    finally:
        shutil.rmtree(run_dir)


@pytest.fixture
def world(whole_world: World) -> Iterator[World]:
    """The world, whose canaries nobody may have reached when the test ends."""
    yield whole_world
    whole_world.untouched()


@pytest.fixture
def node() -> tuple[int, str]:
    """Where the attacker is root."""
    return LAB, "n1"
