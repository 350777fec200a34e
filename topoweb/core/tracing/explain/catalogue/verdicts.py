"""What happened to a packet: one sentence for each code of a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain.catalogue import arrival, passage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.tracing.explain.catalogue.sentence import Sentence

VERDICTS: Mapping[str, Sentence] = {
    **passage.ROUTING,
    **passage.TIMING,
    **passage.FILTERING,
    **passage.NEIGHBOURS,
    **passage.BRIDGING,
    **passage.SIZES,
    **arrival.SOCKETS,
    **arrival.LINKS,
    **arrival.ADDRESSING,
    **arrival.MACVLANS,
    **arrival.SERVICES,
    **arrival.NAT,
    **arrival.SILENCE,
}
