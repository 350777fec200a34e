"""MAC addresses: unicast (is_valid_ether_addr) and each on one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology.validate.codes import problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.core.topology.onlink import OnLink
    from topoweb.core.topology.problem import Problem


def check(drawing: OnLink) -> Iterator[Problem]:
    """Check the MACs that are drawn."""
    topology = drawing.topology
    seen: dict[str, str] = {}
    for key, item in topology.interfaces.items():
        if item.mac is None:
            continue
        path = f"/interfaces/{key}/mac"
        if int(item.mac[:2], 16) & 1:
            yield problem("mac-multicast", path, mac=item.mac)
        if item.mac == "00:00:00:00:00:00":
            yield problem("mac-zero", path)
        elif item.mac in seen:
            yield problem("mac-duplicate", path, mac=item.mac, other=seen[item.mac])
        seen.setdefault(item.mac, f"{topology.nodes[item.node].name}:{item.name}")
