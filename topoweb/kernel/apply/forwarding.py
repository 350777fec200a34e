"""Forwarding per family: always made explicit, a new namespace copies the host's.

Comparing through RTM_GETNETCONF first is cheap, and namespaces made together need it once; a file
of /proc/sys costs a namespace its own directory entries, so only what differs is written.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, cast

from topoweb.core.plan.actions import SetForwarding
from topoweb.kernel import netlink, netns

if TYPE_CHECKING:
    from topoweb.core.plan.actions import Step
    from topoweb.kernel.apply.site import Site

SYSCTL = {
    socket.AF_INET: "net/ipv4/ip_forward",
    socket.AF_INET6: "net/ipv6/conf/all/forwarding",
}


def read_forwarding(site: netlink.Netlink) -> dict[int, bool]:
    """Return by address family what the socket's namespace forwards; a missing family is off."""
    answers, _ = site.ask([netlink.get_forwarding(family) for family in SYSCTL])
    found: dict[int, bool] = {}
    for family, answer in zip(SYSCTL, answers, strict=True):
        found[family] = False
        if answer:
            values = netlink.attributes(answer, 20, len(answer))
            (value,) = struct.unpack("=i", values[netlink.NETCONFA_FORWARDING])
            found[family] = bool(value)
    return found


def set_forwarding(site: Site, step: Step) -> None:
    """Write what differs. OSError as the kernel says."""
    action = cast(SetForwarding, step.action)
    actual = site.devices.forwarding
    if not actual:
        actual.update(read_forwarding(site.netlink))
    for family, wanted in ((socket.AF_INET, action.ipv4), (socket.AF_INET6, action.ipv6)):
        if wanted is not None and wanted != actual[family]:
            netns.write_sysctl(SYSCTL[family], str(int(wanted)))
