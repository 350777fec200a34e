"""macvlan in netlink: linux/if_link.h, IFLA_MACVLAN_*."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.topology.interfaces import Macvlan
from topoweb.kernel.netlink import attribute_u32

if TYPE_CHECKING:
    from collections.abc import Mapping

IFLA_MACVLAN_MODE = 1
MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
_NAMES = {number: name for name, number in MODES.items()}


def pack(options: Macvlan) -> bytes:
    """Return IFLA_INFO_DATA."""
    return attribute_u32(IFLA_MACVLAN_MODE, MODES[options.mode])


def parse(data: Mapping[int, bytes]) -> Macvlan | None:
    """Return the options in IFLA_INFO_DATA; None for a mode that cannot be drawn (source)."""
    name = _NAMES.get(int.from_bytes(data.get(IFLA_MACVLAN_MODE, b""), "little"))
    return Macvlan(mode=name) if name else None  # type: ignore[arg-type]
