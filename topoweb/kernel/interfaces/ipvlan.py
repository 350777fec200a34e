"""ipvlan in netlink: linux/if_link.h, IFLA_IPVLAN_*."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from topoweb.core.topology.interfaces import Ipvlan
from topoweb.core.topology.interfaces.ipvlan import IPVLAN_FLAGS, IPVLAN_MODES
from topoweb.kernel.netlink import attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

IFLA_IPVLAN_MODE, IFLA_IPVLAN_FLAGS = 1, 2
U16 = struct.Struct("=H")


def pack(options: Ipvlan) -> bytes:
    """Return IFLA_INFO_DATA. Modes and flags are numbered as they are listed."""
    mode = U16.pack(IPVLAN_MODES.index(options.mode))
    flag = U16.pack(IPVLAN_FLAGS.index(options.flag))
    return attribute(IFLA_IPVLAN_MODE, mode) + attribute(IFLA_IPVLAN_FLAGS, flag)


def parse(data: Mapping[int, bytes]) -> Ipvlan | None:
    """Return the options in IFLA_INFO_DATA; None when they cannot be drawn."""
    mode = int.from_bytes(data.get(IFLA_IPVLAN_MODE, b"\xff"), "little")
    flag = int.from_bytes(data.get(IFLA_IPVLAN_FLAGS, b""), "little")
    if mode >= len(IPVLAN_MODES) or flag >= len(IPVLAN_FLAGS):
        return None
    return Ipvlan(mode=IPVLAN_MODES[mode], flag=IPVLAN_FLAGS[flag])  # type: ignore[arg-type]
