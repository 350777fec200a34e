"""What the nodes of a lab held at a moment: their tables now, and what changed of them lately.

Each change keeps what stood there before, so a past moment is the present with the later changes
undone. Rows are plain JSON values with drawn interface names; a recording stores them as they are.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec

from topoweb.core.tracing.records import (
    AddressRecord,
    Dump,
    FdbRecord,
    ForwardingRecord,
    Gone,
    LinkRecord,
    NamespaceGone,
    NeighbourRecord,
    Overrun,
    PortRecord,
    RouteRecord,
    Seen,
    Stale,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from topoweb.core.tracing.records import KernelEvent, Record, TableRecord

CAPACITY = 4096  # changes that are kept of a lab
NEAR_NS = 50_000_000  # a notification may be read so long after what it tells
MAX_ROWS = 50_000  # of all tables in an imported export
LAYOUT: Mapping[type[TableRecord], str] = {
    LinkRecord: "interfaces",
    AddressRecord: "addresses",
    ForwardingRecord: "forwarding",
    RouteRecord: "routes",
    NeighbourRecord: "neighbours",
    FdbRecord: "fdb",
}

Row = dict[str, Any]
Rows = dict[str, Row]  # by a key that says what the row is about
Tables = dict[str, Rows]


class Change(NamedTuple):
    """A row that came (no ``before``), went (no ``after``) or changed."""

    time_ns: int
    node: str
    table: str
    key: str
    before: Row | None
    after: Row | None


class History:
    """The tables of a lab's nodes with their latest changes. For one thread at a time."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self.overrun = False  # notifications were lost: all must be read again
        self.stale: set[str] = set()  # nodes whose routes must be read again
        self._tables: dict[str, Tables] = {}
        self._ports: dict[str, dict[int, tuple[str, int]]] = {}  # node → index → name, bridge
        self._changes: deque[Change] = deque(maxlen=capacity)
        self._since: dict[str, int] = {}  # node → since when it is known
        self._whole_since = 0  # earlier changes are forgotten

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes that are known."""
        return frozenset(self._since)

    def fold(self, events: Iterable[KernelEvent], time_ns: int) -> None:
        """Take in what the kernel said at ``time_ns``."""
        for event in events:
            if isinstance(event, Overrun):
                self.overrun = True
            elif isinstance(event, NamespaceGone):
                self.forget(event.node)
            elif isinstance(event, Stale):
                self.stale.add(event.node)
            elif isinstance(event, Dump):
                self._dump(event, time_ns)
            elif event.node in self._since:  # what comes before the first dump is in it
                self._fold_one(event, time_ns)

    def forget(self, node: str) -> None:
        """Keep nothing of a node that has gone."""
        for known in (self._tables, self._ports, self._since):
            known.pop(node, None)
        self.stale.discard(node)

    def at(self, node: str, time_ns: int) -> dict[str, Any]:
        """Return a node's tables as they were, each row with what became of it since.

        ``exact`` is False when the log does not reach back: then they are of ``as_of``.
        """
        if node not in self._since:
            return {"exact": False, "as_of": 0, "tables": {name: [] for name in LAYOUT.values()}}
        floor = max(self._since[node], self._whole_since)
        moment = max(time_ns, floor)
        then, changed = self._undone(node, moment)
        now = self._tables[node]
        tables = {
            name: _compared(
                then.get(name, {}), now.get(name, {}), changed.get(name, {}), moment
            )
            for name in LAYOUT.values()
        }  # fmt: skip
        return {"exact": time_ns >= floor, "as_of": moment / 1e9, "tables": tables}

    def export(self, since_ns: int, until_ns: int) -> dict[str, Any]:
        """Return what a recording keeps: the tables at its end, and the changes within it."""
        return {
            "version": 1,
            "since_ns": max(since_ns, self._whole_since),
            "until_ns": until_ns,
            "known": dict(self._since),
            "state": {node: self._undone(node, until_ns)[0] for node in self._tables},
            "changes": [list(one) for one in self._changes if since_ns < one.time_ns <= until_ns],
        }

    @classmethod
    def restored(cls, exported: Mapping[str, Any]) -> History:
        """Return the history of a recording."""
        history = cls()
        history._tables = {node: dict(tables) for node, tables in exported["state"].items()}
        history._since = dict(exported["known"])
        history._changes.extend(Change(*one) for one in exported["changes"])
        history._whole_since = exported["since_ns"]
        return history

    def _undone(self, node: str, time_ns: int) -> tuple[Tables, dict[str, dict[str, int]]]:
        """Return the tables at a moment, and by row when it changed first after that."""
        tables = {name: dict(rows) for name, rows in self._tables.get(node, {}).items()}
        changed: dict[str, dict[str, int]] = {}
        for one in reversed(self._changes):
            if one.time_ns <= time_ns:
                break
            if one.node != node:
                continue
            _put(tables.setdefault(one.table, {}), one.key, one.before)
            changed.setdefault(one.table, {})[one.key] = one.time_ns
        return tables, changed

    def _fold_one(self, event: Seen | Gone, time_ns: int) -> None:
        node, record = event.node, event.record
        if isinstance(event, Seen) and isinstance(record, LinkRecord):
            before = self._tables[node].get("interfaces", {}).get(str(record.index))
            if before is not None and before["up"] and not record.up:
                self.stale.add(node)  # its IPv4 routes go without a word (fib_sync_down_dev)
        if isinstance(event, Gone):
            self._gone(node, event.record, time_ns)
            return
        for table, key, row in self._rows(node, record):
            self._change(time_ns, node, table, key, row)

    def _gone(self, node: str, record: TableRecord, time_ns: int) -> None:
        tables = self._tables[node]
        if isinstance(record, LinkRecord | AddressRecord):
            self.stale.add(node)  # routes by it go without a word, too (fib_sync_down_addr)
        for table, key, row in self._rows(node, record):
            known = tables.get(table, {}).get(key)
            if known is None or (table == "fdb" and known != row):
                continue  # the MAC has moved to another port meanwhile
            self._change(time_ns, node, table, key, None)
        if isinstance(record, LinkRecord):
            for table, rows in tables.items():
                for key in [k for k, row in rows.items() if row.get("interface") == record.name]:
                    self._change(time_ns, node, table, key, None)

    def _dump(self, dump: Dump, time_ns: int) -> None:
        node = dump.node
        first = node not in self._since
        tables = self._tables.setdefault(node, {})
        fresh: Tables = {LAYOUT[kind]: {} for kind in dump.kinds}
        # The others have the names of their interfaces from the links.
        for record in sorted(dump.records, key=lambda one: not isinstance(one, LinkRecord)):
            for table, key, row in self._rows(node, record):
                fresh[table][key] = row
        if first:
            tables.update(fresh)
            self._since[node] = time_ns
            return
        if RouteRecord in dump.kinds:
            self.stale.discard(node)
        for table, rows in fresh.items():
            for key in [*rows, *(tables.get(table, {}).keys() - rows.keys())]:
                self._change(time_ns, node, table, key, rows.get(key))

    def _change(self, time_ns: int, node: str, table: str, key: str, row: Row | None) -> None:
        rows = self._tables[node].setdefault(table, {})
        before = rows.get(key)
        if before == row:
            return
        if len(self._changes) == self._changes.maxlen:
            self._whole_since = self._changes[0].time_ns if self._changes else time_ns
        if self._changes:  # a dump may be older than a notification that came before it
            time_ns = max(time_ns, self._changes[-1].time_ns)
        self._changes.append(Change(time_ns, node, table, key, before, row))
        _put(rows, key, row)

    def _rows(self, node: str, record: Record) -> Iterable[tuple[str, str, Row]]:
        """Yield table, key and row of a record."""
        ports = self._ports.setdefault(node, {})
        if isinstance(record, LinkRecord):
            ports[record.index] = record.name, record.master
        if isinstance(record, PortRecord):
            known = self._tables[node].get("interfaces", {}).get(str(record.index))
            if known is not None:
                yield "interfaces", str(record.index), {**known, "stp_state": record.stp_state}
        elif isinstance(record, ForwardingRecord):
            yield "forwarding", str(record.family), {"family": record.family, "on": record.on}
        else:
            name, bridge = ports.get(record.index, (f"if{record.index}", 0))
            yield LAYOUT[type(record)], *_row(record, name, bridge)


def at(exported: Mapping[str, Any], node: str, time_ns: int) -> dict[str, Any]:
    """Return `History.at` of what a recording keeps."""
    return History.restored(exported).at(node, time_ns)


def check(value: Any) -> dict[str, Any]:  # noqa: ANN401 - of unknown origin
    """Return an export that somebody brought. ValueError says where it is none."""
    try:
        msgspec.convert(value, _Exported)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from None
    found: dict[str, Any] = value
    if sum(len(rows) for tables in found["state"].values() for rows in tables.values()) > MAX_ROWS:
        raise ValueError("more rows than a lab has")
    names = set(LAYOUT.values())
    rows_of = [(name, rows) for tables in found["state"].values() for name, rows in tables.items()]
    if any(name not in names for name, _ in rows_of):
        raise ValueError("a table of another name")
    return found


_Text = Annotated[str, msgspec.Meta(max_length=200)]
_Value = _Text | int | bool | None
_Row = Annotated[dict[_Text, _Value], msgspec.Meta(max_length=10)]
_Moment = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]


class _Exported(msgspec.Struct, forbid_unknown_fields=True):
    version: Annotated[int, msgspec.Meta(ge=1, le=1)]
    since_ns: _Moment
    until_ns: _Moment
    known: dict[_Text, _Moment]
    state: dict[_Text, dict[_Text, dict[_Text, _Row]]]
    changes: Annotated[
        list[tuple[_Moment, _Text, _Text, _Text, _Row | None, _Row | None]],
        msgspec.Meta(max_length=CAPACITY),
    ]


def _row(
    record: LinkRecord | AddressRecord | RouteRecord | NeighbourRecord | FdbRecord,
    name: str,
    bridge: int,
) -> tuple[str, Row]:
    """Return key and row of a record of an interface that has a name."""
    index = record.index
    if isinstance(record, LinkRecord):
        return str(index), {
            "interface": record.name, "up": record.up, "carrier": record.carrier,
            "mac": record.mac, "mtu": record.mtu, "stp_state": record.stp_state,
        }  # fmt: skip
    if isinstance(record, AddressRecord):
        return f"{index} {record.address}", {"interface": name, "address": record.address}
    if isinstance(record, RouteRecord):
        row: Row = {
            "prefix": record.prefix, "via": record.via, "interface": name,
            "metric": record.metric, "protocol": record.proto,
        }  # fmt: skip
        return f"{index} {record.prefix} {record.via} {record.metric} {record.proto}", row
    if isinstance(record, NeighbourRecord):
        known = {"address": record.address, "interface": name}
        return f"{index} {record.address}", {**known, "mac": record.mac, "state": record.state}
    return f"{bridge} {record.mac}", {"mac": record.mac, "interface": name}


def _put(rows: Rows, key: str, row: Row | None) -> None:
    if row is None:
        rows.pop(key, None)
    else:
        rows[key] = row


def _compared(then: Rows, now: Rows, changed: Mapping[str, int], moment: int) -> list[Row]:
    return [
        _marked(then.get(key), now.get(key), changed.get(key), moment)
        for key in sorted(then.keys() | now.keys())
    ]


def _marked(then: Row | None, now: Row | None, changed: int | None, moment: int) -> Row:
    if then is None:
        change, shown = "new", now
    else:
        change, shown = "gone" if now is None else "same" if then == now else "changed", then
    return {
        **(shown or {}),
        "change": change,
        "now": now if change == "changed" else None,
        "changed_at": changed / 1e9 if changed is not None else None,
        "near": changed is not None and changed - moment <= NEAR_NS,
    }
