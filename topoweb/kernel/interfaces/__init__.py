"""Children of devices in netlink: one file a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.topology.interfaces import kind_of
from topoweb.kernel import netlink
from topoweb.kernel.interfaces import ipvlan, macvlan, vlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.interfaces import InterfaceOptions

_KINDS: Mapping[str, Any] = {"macvlan": macvlan, "ipvlan": ipvlan, "vlan": vlan}


def link_info(options: InterfaceOptions) -> bytes:
    """Return IFLA_LINKINFO of a child with its options."""
    kind = kind_of(options)
    info = netlink.attribute(netlink.IFLA_INFO_KIND, kind.encode() + b"\0")
    info += netlink.attribute(netlink.IFLA_INFO_DATA, _KINDS[kind].pack(options))
    return netlink.attribute(netlink.IFLA_LINKINFO, info)


def parse_options(kind: str, data: Mapping[int, bytes]) -> InterfaceOptions | None:
    """Return the options in a device's IFLA_INFO_DATA; None for no child, or an undrawable one."""
    module = _KINDS.get(kind)
    options: InterfaceOptions | None = module.parse(data) if module else None
    return options
