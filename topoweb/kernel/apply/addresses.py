"""Addresses of devices."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path
from typing import TYPE_CHECKING, cast

from topoweb.core.plan.actions import AddAddress, RemoveAddress
from topoweb.kernel import netlink, netns, rtnl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from topoweb.core.plan.actions import Step
    from topoweb.kernel.apply.site import Site


def add_address(site: Site, step: Step) -> None:
    """Add a prefix with host bits."""
    action = cast(AddAddress, step.action)
    index = site.index(action.at.name)
    site.queue(step, rtnl.address(netlink.RTM_NEWADDR, index, action.address))


def remove_address(site: Site, step: Step) -> None:
    """Remove a prefix."""
    action = cast(RemoveAddress, step.action)
    index = site.index(action.at.name)
    site.queue(step, rtnl.address(netlink.RTM_DELADDR, index, action.address))


def namespaces_with_ipv6(steps: Sequence[Step]) -> set[str]:
    """Return the namespaces that get an IPv6 address."""
    actions = (step.action for step in steps)
    return {
        action.at.namespace
        for action in actions
        if isinstance(action, AddAddress) and ":" in action.address
    }


def skip_duplicate_detection() -> None:
    """Let devices made from now on in the calling thread's namespace use addresses at once.

    A router whose link-local address is still tentative resolves no neighbour for others, for
    some two seconds (RFC 4862; net/ipv6/ndisc.c, ndisc_send_ns).
    """
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        netns.write_sysctl("net/ipv6/conf/default/accept_dad", "0")


def copies_the_host() -> bool:
    """Tell whether new namespaces begin with this host's IPv6 settings instead of the defaults."""
    try:
        return Path("/proc/sys/net/core/devconf_inherit_init_net").read_text().strip() in ("1", "3")
    except OSError:
        return False


def accept_advertisements() -> None:
    """Let devices made from now on in the calling thread's namespace heed router advertisements.

    That is the kernel's default; a host that is a router itself may have it off. A node that
    forwards heeds none either way (net/ipv6/ndisc.c, ipv6_accept_ra).
    """
    for name in ("accept_ra", "autoconf"):
        with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
            netns.write_sysctl(f"net/ipv6/conf/default/{name}", "1")


def enable_ipv6(step: Step, refusal: netlink.Refusal) -> bool:
    """Turn IPv6 on for a switch's device that is drawn with an IPv6 address.

    Such devices are born with IPv6 off, for which the kernel refuses addresses with EACCES
    (net/ipv6/addrconf.c, addrconf_add_dev). Returns whether adding it again may succeed.
    """
    action = step.action
    if not isinstance(action, AddAddress) or ":" not in action.address:
        return False
    if refusal.errno != errno.EACCES or "/" in action.at.name:
        return False
    try:
        netns.write_sysctl(f"net/ipv6/conf/{action.at.name}/disable_ipv6", "0")
    except OSError:
        return False
    return True
