"""Where to listen: one end of each cable, since both directions are seen there."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.kernel.manifest import Manifest

MAX_POINTS = 2048  # a lab

Way = Literal["ab", "ba"]


class Point(NamedTuple):
    """An end of a cable. ``outward`` is the direction of what this interface sends."""

    link: str
    namespace: str
    interface: str
    outward: Way
    peer: str  # node at the other end

    @property
    def inward(self) -> Way:
        """The direction of what this interface receives."""
        return "ba" if self.outward == "ab" else "ab"


def choose(manifest: Manifest, limit: int = MAX_POINTS) -> dict[str, Sequence[Point]]:
    """Return each cable's two ends, the better one first, for at most ``limit`` cables.

    The better one is in the namespace with fewer cables: a host rather than its switch. Closing
    a socket waits for RCU, and a bridge's namespace is slow enough to drop by itself.
    """
    cables = Counter(namespace for ends in manifest.links.values() for namespace, _ in ends)
    points: dict[str, Sequence[Point]] = {}
    for link, (a, b) in list(manifest.links.items())[:limit]:
        ends = (Point(link, *a, "ab", b[0]), Point(link, *b, "ba", a[0]))
        points[link] = sorted(ends, key=lambda point: cables[point.namespace])
    return points
