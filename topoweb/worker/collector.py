"""Python's cycle collector, set for processes that hold large, long-lived state.

By default it walks every object whenever their number has grown by a quarter: 1,000 nodes are
half a million objects, and each walk stops all threads.
"""

from __future__ import annotations

import gc

# New objects before the young are looked at, young before middle-aged, middle-aged before all.
# Nearly everything dies by its reference count, and cycles are rare.
THRESHOLDS = (5_000, 10, 100)


# The tracer remembers some hundred thousand objects of the latest packets for a quarter of a second
# in a flood: nothing among them is a cycle, and there is no need to look.
BUSY = 100_000


def tune(young: int = THRESHOLDS[0]) -> None:
    """Leave what is loaded out of every later walk, and walk less often. Call it when started.

    ``young``: new objects before they are looked at.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(young, *THRESHOLDS[1:])
