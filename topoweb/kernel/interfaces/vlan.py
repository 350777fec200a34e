"""VLAN sub-interfaces in netlink: linux/if_link.h, IFLA_VLAN_*; linux/if_vlan.h."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from topoweb.core.topology.interfaces import Vlan
from topoweb.kernel.netlink import attribute

if TYPE_CHECKING:
    from collections.abc import Mapping

IFLA_VLAN_ID, IFLA_VLAN_PROTOCOL = 1, 5
ETH_P_8021Q = b"\x81\x00"
U16 = struct.Struct("=H")


def pack(options: Vlan) -> bytes:
    """Return IFLA_INFO_DATA."""
    return attribute(IFLA_VLAN_ID, U16.pack(options.id))


def parse(data: Mapping[int, bytes]) -> Vlan | None:
    """Return the options in IFLA_INFO_DATA; None for what cannot be drawn (802.1ad)."""
    if IFLA_VLAN_ID not in data or data.get(IFLA_VLAN_PROTOCOL, ETH_P_8021Q) != ETH_P_8021Q:
        return None
    return Vlan(id=U16.unpack(data[IFLA_VLAN_ID])[0])
