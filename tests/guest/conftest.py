"""Tests for kinds that not every kernel has: ipvlan, 802.1Q, VLANs in bridges …

`make test-guest` runs them on a stock Debian kernel, in an emulated machine if need be. On a host
whose own kernel has all of it, plain pytest does.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.kernel.conftest import kernel, leaves_nothing_behind
from tests.kernel.kindslab import KindsLab
from topoweb.kernel import netns
from topoweb.kernel.features import link_features

if TYPE_CHECKING:
    from topoweb.kernel.lab import LinuxKernel

__all__ = ["kernel", "lab", "leaves_nothing_behind"]

IN_GUEST = "TOPOWEB_GUEST"  # set by scripts/test-guest: there nothing may be left out


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(*features): what the kernel must have")


@pytest.fixture(autouse=True)
def needed(request: pytest.FixtureRequest) -> None:
    """Leave a test out where the kernel lacks what it is marked to need."""
    marker = request.node.get_closest_marker("needs")
    found = netns.run_apart(link_features)
    lacking = [name for name in (marker.args if marker else ()) if not found[name]["ok"]]
    if lacking and IN_GUEST not in os.environ:
        pytest.skip(f"this kernel lacks {', '.join(lacking)}: make test-guest")
    assert not lacking, f"the guest's kernel lacks {', '.join(lacking)}"


@pytest.fixture
def lab(kernel: LinuxKernel) -> KindsLab:
    return KindsLab(kernel)
