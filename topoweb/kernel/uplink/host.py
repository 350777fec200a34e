"""What the host must have for an uplink, and where on it there is room for one.

Everything here looks at the network namespace of the calling thread: the host's.
"""

from __future__ import annotations

import dataclasses
import logging
import socket
from ipaddress import IPv4Network
from pathlib import Path
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.kernel import netlink, netns
from topoweb.kernel.apply.forwarding import SYSCTL, read_forwarding
from topoweb.kernel.uplink import nft, rules

if TYPE_CHECKING:
    from collections.abc import Iterator

    from topoweb.kernel.uplink.rules import Config, Way

ALL_UIDS = 1 << 32

log = logging.getLogger(__name__)


def require(config: Config) -> None:
    """Raise TopowebError UNSUPPORTED with the reason when no uplink can be opened here."""
    if not _is_root():
        raise _unable("only root may reach the host's network", "Run the worker as root.")
    if not nft.installed():
        raise _unable("the program nft is not installed", "Install nftables.")
    with netlink.Netlink() as link:
        forwards = read_forwarding(link)[socket.AF_INET]
        if all(network.prefixlen for network, _ in _routes(link)):
            raise _unable("it has no default route", "Give the worker's host a way out first.")
    if not forwards and not config.forward:
        raise _unable(
            "it does not forward IPv4 (net.ipv4.ip_forward is 0)",
            "Set net.ipv4.ip_forward to 1, or start the worker with TOPOWEB_UPLINK=1.",
        )


def reachable() -> bool:
    """True when rules of ours may be in this host's network; who cannot look never made any."""
    return nft.installed() and _is_root()


def forward() -> None:
    """Switch IPv4 forwarding on where it is off. `require` has said whether that is allowed."""
    with netlink.Netlink() as link:
        forwards = read_forwarding(link)[socket.AF_INET]
    if not forwards:
        netns.write_sysctl(SYSCTL[socket.AF_INET], "1")
        log.warning("net.ipv4.ip_forward of the host is on now, for an uplink (TOPOWEB_UPLINK=1)")


def try_rules(config: Config) -> None:
    """Load both tables in a throw-away namespace. TopowebError when this kernel or nft cannot."""
    way = rules.Way(owner="0", lab=0, until=0, number=0, config=config)

    def attempt() -> None:
        netns.enter_new()
        nft.load(rules.inside(way))
        nft.load(rules.outside(way))

    netns.run_apart(attempt)


def place(way: Way) -> Way:
    """Return the way with the first number that is free: its link, and its /30 of the pool."""
    with netlink.Netlink() as link:
        pool = way.config.pool
        taken = [net for net, _ in _routes(link) if net.prefixlen and net.overlaps(pool)]
        for number in range(pool.num_addresses // 4):
            found = dataclasses.replace(way, number=number)
            if not any(found.network.overlaps(net) for net in taken) and not link.index(found.link):
                return found
    raise TopowebError(
        ErrorKind.LIMIT,
        f"no address of {pool} is free for another uplink",
        hint="Give TOPOWEB_UPLINK_POOL a network that the host has no route to.",
    )


def _routes(link: netlink.Netlink) -> Iterator[tuple[IPv4Network, int]]:
    """Yield (network, table) of the host's IPv4 routes, in all tables, its own addresses too."""
    body = netlink.ROUTE.pack(socket.AF_INET, 0, 0, 0, 0, 0, 0, 0, 0)
    for data, at, end in link.dump(netlink.Message(netlink.RTM_GETROUTE, 0, body)):
        length, table = data[at + 17], data[at + 20]
        found = netlink.attributes(data, at + 28, end)
        packed = found.get(netlink.RTA_DST, bytes(4))
        yield IPv4Network((int.from_bytes(packed, "big"), length)), table


def _is_root() -> bool:
    """True in the first user namespace: any other has less than all uids, or is not the first."""
    words = Path("/proc/self/uid_map").read_text().split()
    effective = Path("/proc/self/status").read_text().partition("CapEff:")[2].split()[0]
    net_admin = int(effective, 16) >> 12 & 1  # CAP_NET_ADMIN
    return words == ["0", "0", str(ALL_UIDS - 1)] and bool(net_admin)


def _unable(reason: str, remedy: str) -> TopowebError:
    return TopowebError(
        ErrorKind.UNSUPPORTED, f"This host cannot open an uplink: {reason}.", hint=remedy
    )
