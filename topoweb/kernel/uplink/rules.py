"""What may pass an uplink, as text for nft(8). Pure: numbers and addresses in, text out.

Two tables, one on each side of the cable. Both are named by all that they say, so whoever finds
a table by its name knows its rules (nft loads a file whole or not at all).

Refused: the host and what is near it, private and shared ranges, link-local (cloud metadata),
multicast, mail, sources that are not the lab's, IPv6, and more new connections than a person
makes (RFC 1122, 1918, 2544, 3927, 5737, 6598, 6890).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, collapse_addresses

from topoweb.core.topology.onlink import WAN

BANNED = tuple(
    IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
    )
)
POOL = IPv4Network("100.127.0.0/16")
MAIL_PORTS = "25, 465, 587"  # RFC 5321, 8314
PREFIX = "topoweb"  # of our tables' names
HOST_LINK = "topoweb-u"  # and a number: the host's end of the cable


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the host's administrator says of uplinks."""

    pool: IPv4Network = POOL  # a /30 of it for each cable to the host
    rate: int = 20_000_000  # bit/s of an uplink in one direction
    blocked: tuple[IPv4Network, ...] = ()  # beside BANNED
    connections: int = 1024  # tracked at a time
    new_connections: int = 50  # a second
    forward: bool = False  # the worker may switch the host's IPv4 forwarding on


DEFAULT = Config()


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One uplink: whose it is, until when it is open, and its number on the host."""

    owner: str  # hexadecimal digits that name the run directory
    lab: int
    until: int  # seconds since the epoch
    number: int
    config: Config

    @property
    def network(self) -> IPv4Network:
        """The /30 between host and lab."""
        return IPv4Network((int(self.config.pool.network_address) + 4 * self.number, 30))

    @property
    def host(self) -> IPv4Address:
        """The host's address, the lab's gateway."""
        return self.network.network_address + 1

    @property
    def guest(self) -> IPv4Address:
        """The lab's address, the only source that the host lets in."""
        return self.network.network_address + 2

    @property
    def link(self) -> str:
        """The name of the host's end."""
        return f"{HOST_LINK}{self.number}"


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A table by name, and the text that makes it."""

    name: str
    text: str


def prefix_of(owner: str, lab: int | None = None) -> str:
    """Return how the names of a lab's tables begin; without a lab, those of a run directory."""
    return f"{PREFIX}_{owner}_" if lab is None else f"{PREFIX}_{owner}_{lab}_"


def lab_of(owner: str, table: str) -> int | None:
    """Return whose table this is; None when it is none of ours."""
    start = prefix_of(owner)
    number = table.removeprefix(start).partition("_")[0]
    return int(number) if table.startswith(start) and number.isdigit() else None


def until_of(owner: str, lab: int, table: str) -> int | None:
    """Return the last second of a table of the lab; None when the name says none."""
    start = prefix_of(owner, lab)
    number = table.removeprefix(start).partition("_")[0]
    return int(number) if table.startswith(start) and number.isdigit() else None


def inside(way: Way) -> Ruleset:
    """Return the rules in the uplink's own namespace, where the lab's packets arrive."""
    config = way.config
    return _ruleset(
        way,
        f"""
 set banned {{ type ipv4_addr; flags interval; elements = {{ {_banned(config)} }}; }}
 chain arriving {{
  type filter hook prerouting priority -310; policy accept;
  meta nfproto ipv6 drop
  iifname "lo" accept
  fib saddr . iif oif missing drop
 }}
 chain passing {{
  type filter hook forward priority 0; policy drop;
  iifname != "{WAN}" oifname != "{WAN}" accept
  meta time >= {way.until} drop
  oifname "{WAN}" ip daddr @banned drop
  oifname "{WAN}" tcp dport {{ {MAIL_PORTS} }} drop
  ct state established,related accept
  iifname "{WAN}" drop
  ct state != new drop
  meta l4proto != {{ tcp, udp, icmp }} drop
  limit rate over {config.new_connections}/second burst {2 * config.new_connections} packets drop
  ct count over {config.connections} drop
  oifname "{WAN}" accept
 }}
 chain own {{
  type filter hook input priority 0; policy drop;
  iifname "lo" accept
  ct state established,related accept
  iifname != "{WAN}" icmp type echo-request limit rate 10/second accept
 }}
 chain leaving {{
  type nat hook postrouting priority 100; policy accept;
  oifname "{WAN}" masquerade
 }}
""",
    )


def outside(way: Way) -> Ruleset:
    """Return the rules in the host's namespace. They believe nothing of the other side's."""
    config, link = way.config, way.link
    return _ruleset(
        way,
        f"""
 set banned {{ type ipv4_addr; flags interval; elements = {{ {_banned(config)} }}; }}
 chain arriving {{
  type filter hook prerouting priority -310; policy accept;
  iifname != "{link}" accept
  meta nfproto != ipv4 drop
  ip saddr != {way.guest} drop
  fib daddr type != unicast drop
  ip daddr @banned drop
 }}
 chain passing {{
  type filter hook forward priority -10; policy accept;
  oifname "{link}" meta time >= {way.until} drop
  oifname "{link}" ct state != {{ established, related }} drop
  iifname != "{link}" accept
  meta time >= {way.until} drop
  oifname "{HOST_LINK}*" drop
  tcp dport {{ {MAIL_PORTS} }} drop
  ct state new ct count over {2 * config.connections} drop
 }}
 chain own {{
  type filter hook input priority -10; policy accept;
  iifname "{link}" drop
 }}
 chain leaving {{
  type nat hook postrouting priority 100; policy accept;
  ip saddr {way.guest} oifname != "{link}" masquerade
 }}
""",
    )


def _banned(config: Config) -> str:
    networks = collapse_addresses((*BANNED, config.pool, *config.blocked))
    return ", ".join(map(str, networks))


def _ruleset(way: Way, body: str) -> Ruleset:
    digest = hashlib.blake2b(f"{way.config.rate}{body}".encode(), digest_size=6).hexdigest()
    name = f"{prefix_of(way.owner, way.lab)}{way.until}_{digest}"
    return Ruleset(name, f"table inet {name} {{{body}}}\n")
