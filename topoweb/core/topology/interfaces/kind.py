"""What every kind of interface says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from topoweb.core.topology.fields import Check, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from topoweb.core.topology.model import Interface


class Fault(NamedTuple):
    """What is wrong with a child: a code of `validate.codes` and where below the interface."""

    code: str
    where: str  # "/options/mode"
    params: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Family:
    """A child, its parent, and the other children of that parent with their "h1:mv0"."""

    name: str
    child: Interface
    parent_name: str
    parent: Interface
    siblings: Mapping[str, Interface]


def _no_faults(options: Any, family: Family) -> Iterable[Fault]:  # noqa: ANN401, ARG001
    return ()


def _always(options: Any) -> bool:  # noqa: ANN401, ARG001
    return True


def _no_words(options: Any) -> tuple[str, ...]:  # noqa: ANN401, ARG001
    return ()


def _if_same(old: Any, new: Any) -> bool:  # noqa: ANN401
    return bool(old == new)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of interface. One without ``parents`` stands by itself; others are children."""

    options: type[Any]  # frozen dataclass with defaults
    checks: Mapping[str, Check]  # by property
    parents: frozenset[str] = frozenset()  # the kinds that it may hang on
    same_segment: bool = False  # it meets what its parent's cable leads to, untagged
    own_mac: Callable[[Any], bool] = _always  # False: it has its parent's, whatever is drawn
    follows: bool = False  # it goes down with its parent, and up with it
    new_mac: bool = True  # one is derived for it when none is drawn
    morphs: Callable[[Any, Any], bool] = _if_same  # the kernel changes options in place
    words: Callable[[Any], tuple[str, ...]] = _no_words  # `ip link … type vlan WORDS`
    faults: Callable[[Any, Family], Iterable[Fault]] = _no_faults

    def read(self, value: object) -> Any:  # noqa: ANN401 - one of ``options``
        """Return the options in untrusted JSON. FieldError names the place of a fault."""
        return record(self.options, self.checks)(value)
