"""What may be asked of a probe."""

from __future__ import annotations

import ipaddress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError

if TYPE_CHECKING:
    from topoweb.core.topology.model import Topology

KINDS = ("ping", "tcp", "udp", "traceroute")
MAX_COUNT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeWish:
    """A probe as asked for: ``target`` is a node id or an IP address."""

    kind: str
    source: str
    target: str
    port: int | None = None
    count: int = 3

    def fields(self) -> dict[str, Any]:
        """Return the columns of the probe's row."""
        return asdict(self)


def check_probe(topology: Topology, wish: ProbeWish) -> None:
    """Raise TopowebError, with the field as its path, for a probe that cannot be run."""
    if wish.kind not in KINDS:
        raise _wrong("kind", f"{wish.kind!r} is not one of {', '.join(KINDS)}")
    if wish.source not in topology.nodes:
        raise _wrong("source", "there is no such node")
    if topology.nodes[wish.source].kind == "uplink":
        raise _wrong("source", "nothing runs in an uplink", "Ask from a host or a router.")
    _check_target(topology, wish.target)
    if (wish.port is None) == (wish.kind in ("tcp", "udp")):
        raise _wrong("port", "a TCP or UDP probe needs a port, the others have none")
    if wish.port is not None and not 1 <= wish.port <= 65535:
        raise _wrong("port", "a port is 1 to 65535")
    if not 1 <= wish.count <= MAX_COUNT:
        raise _wrong("count", f"a probe sends 1 to {MAX_COUNT} packets")


def _check_target(topology: Topology, target: str) -> None:
    if target in topology.nodes:
        if not _has_address(topology, target):
            name = topology.nodes[target].name
            raise _wrong("target", f"{name} has no address", "Give one of its interfaces one.")
    elif not _is_address(target):
        raise _wrong("target", "neither a node of this lab nor an IP address")


def _wrong(field: str, message: str, hint: str = "") -> TopowebError:
    return TopowebError(
        ErrorKind.INVALID, f"{field}: {message}", hint=hint, path=f"/{field}", code=f"probe-{field}"
    )


def _has_address(topology: Topology, node: str) -> bool:
    return bool(topology.nodes[node].addresses) or any(
        interface.node == node and interface.addresses for interface in topology.interfaces.values()
    )


def _is_address(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return not getattr(address, "scope_id", None)
