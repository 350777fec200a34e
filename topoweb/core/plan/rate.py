"""The token bucket that holds a cable to its rate (net/sched/sch_tbf.c)."""

from __future__ import annotations

LARGEST_FRAME = 70_000  # bytes, of the largest MTU: a smaller bucket would never let it through
BURST = 0.01  # seconds of the rate that may be sent at once
QUEUE = 0.05  # seconds of the rate that may wait


def bucket(rate: int) -> tuple[int, int]:
    """Return (burst, limit) for ``rate`` bit/s: bytes that may go at once, bytes that may wait."""
    burst = max(LARGEST_FRAME, round(rate / 8 * BURST))
    return burst, burst + max(LARGEST_FRAME, round(rate / 8 * QUEUE))
