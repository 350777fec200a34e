"""What a kernel says about one network namespace, record by record.

A dump and a notification carry the same records, so both end in the same fold (`live.fold`).
Interfaces go by ifindex, as in the kernel; `NamespaceView` joins them to names.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from topoweb.core.plan.state import DeviceKind


# Origins of routes that nobody set: kernel, neighbours and routing daemons made them.
LEARNED = frozenset(
    {
        *("kernel", "redirect", "ra", "dhcp"),
        *("zebra", "ospf", "bgp", "rip", "isis", "babel", "eigrp"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRecord:
    """A network device (RTM_NEWLINK). ``carrier`` is IFF_LOWER_UP."""

    index: int
    name: str
    kind: DeviceKind
    up: bool
    carrier: bool
    oper: str  # RFC 2863 operational state in words
    mac: str | None
    mtu: int
    master: int = 0  # ifindex of the bridge, 0: none
    tag: str = ""  # ifalias
    stp_state: str | None = None  # of a bridge port
    stp: bool | None = None  # of a bridge
    ageing: int | None = None  # of a bridge, seconds

    @property
    def key(self) -> Hashable:
        """Identity within the namespace."""
        return self.index


@dataclass(frozen=True, slots=True, kw_only=True)
class PortRecord:
    """A bridge port's new spanning tree state (RTM_NEWLINK of family AF_BRIDGE)."""

    index: int
    stp_state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRecord:
    """An address with its prefix length (RTM_NEWADDR)."""

    index: int
    address: str  # "10.0.0.1/24"
    drawable: bool = True  # False: made by the kernel itself (link-local, loopback)

    @property
    def key(self) -> Hashable:
        """Identity within the namespace."""
        return self.index, self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteRecord:
    """A unicast next hop of the main table (RTM_NEWROUTE); a multipath route makes several."""

    prefix: str
    via: str | None
    index: int
    metric: int
    proto: str  # kernel, static, topoweb, ra, ospf …, or a number

    @property
    def key(self) -> Hashable:
        """Identity within the namespace."""
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class NeighbourRecord:
    """An ARP or neighbour discovery entry (RTM_NEWNEIGH)."""

    index: int
    address: str
    mac: str | None
    state: str  # reachable, stale, incomplete, failed, permanent …

    @property
    def key(self) -> Hashable:
        """Identity within the namespace."""
        return self.index, self.address


@dataclass(frozen=True, slots=True, kw_only=True)
class FdbRecord:
    """A learned or static entry of a bridge's forwarding database (RTM_NEWNEIGH, AF_BRIDGE)."""

    index: int  # of the port
    mac: str
    age: int  # seconds since it was last seen, as of the message

    @property
    def key(self) -> Hashable:
        """Identity within the namespace."""
        return self.index, self.mac


@dataclass(frozen=True, slots=True, kw_only=True)
class ForwardingRecord:
    """Whether the namespace forwards a family (RTM_NEWNETCONF of "all")."""

    family: int  # 4 or 6
    on: bool

    @property
    def key(self) -> Hashable:
        """Identity within the namespace."""
        return self.family


TableRecord = (
    LinkRecord | AddressRecord | RouteRecord | NeighbourRecord | FdbRecord | ForwardingRecord
)
Record = TableRecord | PortRecord
Table = Mapping[Any, Any]  # by the record's key
OF_A_LINK: tuple[type[TableRecord], ...] = (AddressRecord, RouteRecord, NeighbourRecord, FdbRecord)
ALL_RECORDS: frozenset[type[TableRecord]] = frozenset((*OF_A_LINK, LinkRecord, ForwardingRecord))


@dataclass(frozen=True, slots=True)
class Seen:
    """A record is there, new or changed."""

    node: str
    record: Record


@dataclass(frozen=True, slots=True)
class Gone:
    """A record is there no more."""

    node: str
    record: TableRecord


@dataclass(frozen=True, slots=True)
class Dump:
    """All records of some kinds, read at one moment: what is not among them is gone."""

    node: str
    kinds: frozenset[type[TableRecord]]
    records: tuple[TableRecord, ...]


@dataclass(frozen=True, slots=True)
class Stale:
    """The kernel changed routes of this node without saying which."""

    node: str


@dataclass(frozen=True, slots=True)
class NamespaceGone:
    """The namespace exists no more."""

    node: str


@dataclass(frozen=True, slots=True)
class Overrun:
    """Notifications were lost: everything must be read again."""


KernelEvent = Seen | Gone | Dump | Stale | NamespaceGone | Overrun


class Counters(NamedTuple):
    """What a device has carried so far (struct rtnl_link_stats64)."""

    rx_packets: int
    tx_packets: int
    rx_bytes: int
    tx_bytes: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters of some namespaces by node and ifindex. ``clock`` is monotonic, in seconds."""

    clock: float
    counters: Mapping[str, Mapping[int, Counters]]


@dataclass(frozen=True)
class NamespaceView:
    """What is known of one namespace. ``stale``: its routes must be read again."""

    tables: Mapping[type[TableRecord], Table] = field(default_factory=dict)
    stale: bool = False

    def table(self, kind: type[TableRecord]) -> Table:
        """Return the records of a kind by key."""
        return self.tables.get(kind, {})

    @cached_property
    def named(self) -> Mapping[str, LinkRecord]:
        """The devices by name."""
        return {link.name: link for link in self.table(LinkRecord).values()}

    def folded(self, events: Iterable[Seen | Gone | Dump | Stale]) -> NamespaceView:
        """Return the view after ``events``, in order."""
        tables = {kind: dict(table) for kind, table in self.tables.items()}
        stale = self.stale
        for event in events:
            if isinstance(event, Stale):
                stale = True
            elif isinstance(event, Dump):
                stale = stale and RouteRecord not in event.kinds
                tables.update((kind, {}) for kind in event.kinds)
                for record in event.records:
                    tables[type(record)][record.key] = record
            elif isinstance(event, Seen):
                stale |= _see(tables, event.record)
            else:
                stale |= _forget(tables, event.record)
        return NamespaceView(tables, stale)


def _see(tables: dict[type[TableRecord], dict[Hashable, Any]], record: Record) -> bool:
    """Put a record in; True when routes may have gone with it silently."""
    links = tables.setdefault(LinkRecord, {})
    if isinstance(record, PortRecord):
        if link := links.get(record.index):
            links[record.index] = replace(link, stp_state=record.stp_state)
        return False
    before = links.get(record.index) if isinstance(record, LinkRecord) else None
    tables.setdefault(type(record), {})[record.key] = record
    # An interface that goes down loses its IPv4 routes without a word (fib_sync_down_dev).
    return isinstance(record, LinkRecord) and before is not None and before.up and not record.up


def _forget(tables: dict[type[TableRecord], dict[Hashable, Any]], record: TableRecord) -> bool:
    tables.setdefault(type(record), {}).pop(record.key, None)
    if isinstance(record, LinkRecord):
        for kind in OF_A_LINK:
            table = tables.get(kind, {})
            tables[kind] = {k: r for k, r in table.items() if r.index != record.index}
    # Routes with a removed preferred source go silently too (fib_sync_down_addr).
    return isinstance(record, LinkRecord | AddressRecord)
