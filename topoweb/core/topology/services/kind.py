"""What every kind of service says of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from topoweb.core.topology.fields import Check, record

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from topoweb.core.topology.model import Interface, Node, Topology


class Fault(NamedTuple):
    """What is wrong with a service's options: a code of `validate.codes` and where."""

    code: str
    where: str  # below the service: "/options/first"
    params: Mapping[str, object] = {}


@dataclass(frozen=True, slots=True)
class Site:
    """What a service stands on: its node, the node's own interfaces by id, and the drawing."""

    node: Node
    interfaces: Mapping[str, Interface]
    topology: Topology


def _nothing(options: Any, site: Site) -> Iterable[Any]:  # noqa: ANN401, ARG001 - for every kind
    return ()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of service.

    ``claims`` names what only one service of a node can have: a port, an interface's DHCP.
    """

    options: type[Any]  # frozen dataclass with defaults
    checks: Mapping[str, Check]  # by property
    faults: Callable[[Any, Site], Iterable[Fault]] = _nothing
    claims: Callable[[Any, Site], Iterable[str]] = _nothing

    def read(self, value: object) -> Any:  # noqa: ANN401 - one of ``options``
        """Return the options in untrusted JSON. FieldError names the place of a fault."""
        return record(self.options, self.checks)(value)


def interface_fault(key: str, site: Site) -> Iterable[Fault]:
    """Report an interface that the node does not have, or that is a port of its bridge."""
    item = site.interfaces.get(key)
    if item is None or (site.node.kind == "switch" and item.bridged):
        yield Fault("service-interface", "/options/interface", {"node": site.node.name})
