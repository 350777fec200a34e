"""A drawing while an operation changes it: copies only the collections that are touched."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from topoweb.core.topology.document import dump_object, dump_value
from topoweb.core.topology.index import Index
from topoweb.core.topology.interfaces import INTERFACE_KINDS
from topoweb.core.topology.model import Interface, Link
from topoweb.core.topology.schema import DOCUMENT, Item

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.model import Topology

Change = dict[str, Any]  # one entry of an accepted operation's "changes", docs/protocol.md


class Draft:
    """The one place where changes happen and are recorded. It trusts its caller's checks."""

    def __init__(self, topology: Topology) -> None:
        self.changes: list[Change] = []
        self.cabled: list[str] = []  # interfaces that got a cable, or a parent, in order
        self._base = topology
        self._settings: dict[str, Any] = {}
        self._own: dict[str, dict[str, Any]] = {}
        self._index: Index | None = None

    @property
    def auto_address(self) -> bool:
        """Tell whether the drawing, as it stands now, wants automatic addresses."""
        return bool(self._settings.get("auto_address", self._base.auto_address))

    @property
    def index(self) -> Index:
        """Return the reverse references, read on first use and kept up to date."""
        if self._index is None:
            self._index = Index.of(self.topology())
        return self._index

    def topology(self) -> Topology:
        """Return the drawing as it stands now. Valid until the next change."""
        changed: dict[str, Any] = {**self._settings, **self._own}
        return replace(self._base, **changed)

    def objects(self, collection: str) -> Mapping[str, Any]:
        """Return a collection as it stands now."""
        own = self._own.get(collection)
        return getattr(self._base, collection) if own is None else own

    def set_document(self, properties: Mapping[str, Any]) -> None:
        """Change name, description or the automatic addresses."""
        now = {name: getattr(self._base, name) for name in DOCUMENT} | self._settings
        new = {name: value for name, value in properties.items() if value != now[name]}
        if new:
            before = {name: now[name] for name in new}
            self._settings.update(new)
            self._record("set", "document", "", patch=new, before=before)

    def add(self, collection: str, key: str, item: Item) -> None:
        """Add an object."""
        self._put(collection, key, item)
        if isinstance(item, Link):
            self.cabled += [item.a, item.b]
        elif isinstance(item, Interface) and INTERFACE_KINDS[item.kind].same_segment:
            self.cabled.append(key)
        self._record("add", collection, key, value=dump_object(item))

    def patch(self, collection: str, key: str, properties: Mapping[str, Any]) -> None:
        """Change properties of an object; those that are so already are left out."""
        item = self.objects(collection)[key]
        new = {n: value for n, value in properties.items() if value != getattr(item, n)}
        if not new:
            return
        if self._index is not None:
            self._index.drop(key, item)
        self._put(collection, key, replace(item, **new))
        if isinstance(item, Link):
            self.cabled += [new[end] for end in ("a", "b") if end in new]
        patch = {name: dump_value(value) for name, value in new.items()}
        before = {name: dump_value(getattr(item, name)) for name in new}
        self._record("set", collection, key, patch=patch, before=before)

    def remove(self, collection: str, key: str) -> None:
        """Remove one object that nothing refers to any more."""
        item = self._mutable(collection).pop(key)
        if self._index is not None:
            self._index.drop(key, item)
        self._record("remove", collection, key, before=dump_object(item))

    def _put(self, collection: str, key: str, item: Item) -> None:
        self._mutable(collection)[key] = item
        if self._index is not None:
            self._index.add(key, item)

    def _mutable(self, collection: str) -> dict[str, Any]:
        if collection not in self._own:
            self._own[collection] = dict(getattr(self._base, collection))
        return self._own[collection]

    def _record(self, op: str, collection: str, key: str, **details: object) -> None:
        self.changes.append({"op": op, "collection": collection, "id": key, **details})
