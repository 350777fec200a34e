"""Kept packets as the records of a pcapng file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.tracing.explain.names import with_names
from topoweb.engine.packetlog import node_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from topoweb.core.tracing.observation import Observation
    from topoweb.engine.judged import Judged
    from topoweb.engine.packetlog import Packet


def records(
    judged: Judged, packets: Sequence[Packet], params: Mapping[str, Any]
) -> Iterator[tuple[str, Observation, str]]:
    """Yield port, packet and comment; a packet's last one says why it ended.

    ``names`` of ``params`` maps node ids to the names that the file shows.
    """
    last = {one.packet: one.number for one in packets}

    def name(node: str) -> str:
        return node_name(node, params.get("names"))

    for one in packets:
        comment = f"packet {one.number}"
        verdict = judged.verdict(one.packet, None)
        if verdict is not None and last[one.packet] == one.number:
            comment += f": {with_names(verdict['text']['en'], name)}"
        seen = one.observation
        yield f"{name(seen.namespace)} {seen.interface}", seen, comment
