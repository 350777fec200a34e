"""Services of nodes, as options: one file a kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.topology.services import (
    command,
    dhcp_server,
    dns,
    echo,
    frr,
    http,
    iperf3,
    router_advertisements,
)
from topoweb.core.topology.services.command import OwnCommand
from topoweb.core.topology.services.dhcp_server import DhcpServer
from topoweb.core.topology.services.dns import Dns
from topoweb.core.topology.services.echo import Echo
from topoweb.core.topology.services.frr import Frr
from topoweb.core.topology.services.http import Http
from topoweb.core.topology.services.iperf3 import Iperf3
from topoweb.core.topology.services.router_advertisements import RouterAdvertisements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.services.kind import Kind

__all__ = [
    "KINDS",
    "DhcpServer",
    "Dns",
    "Echo",
    "Frr",
    "Http",
    "Iperf3",
    "Options",
    "OwnCommand",
    "RouterAdvertisements",
    "dump_options",
]

Options = DhcpServer | Dns | Http | Echo | Iperf3 | RouterAdvertisements | Frr | OwnCommand

KINDS: Mapping[str, Kind] = {
    "dhcp-server": dhcp_server.KIND,
    "dns": dns.KIND,
    "http": http.KIND,
    "echo": echo.KIND,
    "iperf3": iperf3.KIND,
    "router-advertisements": router_advertisements.KIND,
    "frr": frr.KIND,
    "command": command.KIND,
}


def dump_options(value: object) -> Any:  # noqa: ANN401 - JSON
    """Return options, or a part of them, as JSON with all properties."""
    if isinstance(value, tuple):
        return [dump_options(item) for item in value]
    names = getattr(value, "__dataclass_fields__", None)
    if names is None:
        return value
    return {name: dump_options(getattr(value, name)) for name in names}
