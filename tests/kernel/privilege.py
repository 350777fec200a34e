"""What a test may do here: root gives labs user ids of their own, a user namespace has one id."""

from __future__ import annotations

import pytest

from topoweb.kernel.forker import UIDS
from topoweb.kernel.lab import FIRST_UID, UID_RANGES, maps_uids
from topoweb.kernel.sandbox import cgroups

HAS_UID_RANGES = maps_uids(FIRST_UID, FIRST_UID + UID_RANGES * UIDS)
needs_uid_ranges = pytest.mark.skipif(
    not HAS_UID_RANGES, reason="an ordinary user has a single uid; `make test` as root runs it"
)
needs_control_groups = pytest.mark.skipif(
    cgroups.find("of tests").unified is None, reason="without root nothing bounds programs"
)


def uid_base(wanted: int) -> int:
    """Return the first uid of a test's lab, -1 where there is no range."""
    return wanted if HAS_UID_RANGES else -1
