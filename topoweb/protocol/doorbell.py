"""Channel-layer messages: doorbells that say "look again", never what to see.

Ids only, at most 1 KiB, built and named in this one place. Losing one costs latency: the
worker sweeps, the browser re-reads.
"""

from __future__ import annotations

from typing import TypedDict


class Doorbell(TypedDict):
    """What travels: a handler name and a lab id."""

    type: str
    lab: int


def worker_channel(host: str) -> str:
    """Return the channel that exactly one worker reads."""
    return f"worker.{host}"


def lab_group(lab: int) -> str:
    """Return the group of everybody who looks at a lab."""
    return f"lab.{lab}"


def wake(lab: int) -> Doorbell:
    """Tell the worker that the wish for a lab changed (generation, probe, cancel)."""
    return {"type": "lab.wake", "lab": lab}


def changed(lab: int) -> Doorbell:
    """Tell viewers that rows of a lab changed (operations, status, probes)."""
    return {"type": "lab.changed", "lab": lab}
