"""Waiting for the worker, for those who have no socket: it looks at the rows."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind
from topoweb.core.texts import refusal
from topoweb.hosts.queries import features
from topoweb.labs import queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from topoweb.labs.models import Probe

LOOK_EVERY = 0.2  # seconds
GRACE = 3.0  # seconds before a silent worker is called away


def for_status(
    lab_id: int, timeout: float, progress: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """Return the status once the worker is done with the present generation.

    ``progress`` gets each changed status. TopowebError: LOST when no worker is there, BUSY when
    ``timeout`` seconds have passed.
    """
    shown: dict[str, Any] = {}

    def look() -> dict[str, Any] | None:
        nonlocal shown
        status = queries.status_of(lab_id)
        if status != shown:
            shown = status
            progress(status)
        settled = status["phase"] in {"running", "stopped", "failed", "cancelled"}
        return status if settled and status["observed_generation"] >= status["generation"] else None

    return _until(look, timeout)


def for_probe(probe: Probe, timeout: float) -> dict[str, Any]:
    """Return the probe once it has a result. Errors as for `for_status`."""

    def look() -> dict[str, Any] | None:
        row = queries.probe_of(probe.lab_id, probe.pk)
        return queries.probe_json(row) if row and row.status in {"done", "failed"} else None

    return _until(look, timeout)


def _until(look: Callable[[], dict[str, Any] | None], timeout: float) -> dict[str, Any]:
    start = time.monotonic()
    while True:
        found = look()
        if found is not None:
            return found
        waited = time.monotonic() - start
        worker = features()["worker"]
        if waited > GRACE and not worker["ok"]:
            raise refusal(ErrorKind.LOST, "worker-away", reason=worker["reason"])
        if waited > timeout:
            raise refusal(ErrorKind.BUSY, "worker-late", seconds=f"{timeout:g}")
        time.sleep(LOOK_EVERY)
