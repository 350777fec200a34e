"""The product over a run directory of its own, for each row of the tutorial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.kernel.seed.lab import SeedLab

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from topoweb.kernel.lab import LinuxKernel


@pytest.fixture
async def lab(tmp_path: Path, kernel: LinuxKernel) -> AsyncIterator[SeedLab]:
    """A lab that is watched and captured; it is destroyed at the end."""
    seed = SeedLab(tmp_path, kernel)
    await seed.start()
    try:
        yield seed
    finally:
        await seed.close()
