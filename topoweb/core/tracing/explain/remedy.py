"""What would help, as operations on the drawing and commands for a terminal.

The tracer knows nodes by id but interfaces and routes only as the kernel has them. So an
operation names an interface ``<node id>/<interface name>`` and a route ``<node id>/<prefix>``
(docs/protocol.md "Traces and verdicts"); whoever applies it puts the drawn id in.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from topoweb.core.tracing.explain.verdict import Remedy

if TYPE_CHECKING:
    from collections.abc import Sequence

Params = dict[str, Any]  # of a sentence: str or int by `catalogue.sentence.PARAMS`
SERVICES = {("tcp", 80): "http", ("tcp", 7): "echo", ("udp", 7): "echo", ("tcp", 5201): "iperf3"}
FORWARDING = {
    4: ("forward_ipv4", "net.ipv4.ip_forward"),
    6: ("forward_ipv6", "net.ipv6.conf.all.forwarding"),
}


def of(code: str, node: str, *commands: str, **params: str | int) -> Remedy:
    """Return a remedy in words and commands for a terminal of ``node``."""
    return Remedy(code=code, params={"node": node, **params}, commands=commands, node=node)


def drawn(
    code: str, node: str, operation: dict[str, Any], commands: Sequence[str], **params: str | int
) -> Remedy:
    """Return a remedy that the drawing can say."""
    words = {"node": node, **params}
    return Remedy(code=code, params=words, commands=tuple(commands), node=node, operation=operation)


def setting(collection: str, key: str, **patch: object) -> dict[str, Any]:
    """Return the operation that sets properties of a drawn object."""
    return {"kind": "set", "collection": collection, "id": key, "patch": patch}


def forwarding_on(node: str, version: int) -> Remedy:
    """Let a node forward."""
    name, sysctl = FORWARDING[version]
    operation = setting("nodes", node, **{name: True})
    return drawn("turn-forwarding-on", node, operation, [f"sysctl -w {sysctl}=1"])


def interface_on(node: str, interface: str) -> Remedy:
    """Switch an interface on."""
    operation = setting("interfaces", f"{node}/{interface}", up=True)
    command = f"ip link set {interface} up"
    return drawn("turn-interface-on", node, operation, [command], interface=interface)


def loopback_on(node: str) -> Remedy:
    """Switch a node's loopback on."""
    operation = setting("nodes", node, lo_up=True)
    return drawn("turn-loopback-on", node, operation, ["ip link set lo up"])


def route(node: str, prefix: str, gateway: str) -> Remedy:
    """Add a route to the drawing."""
    key = blake2b(f"{node}/{prefix}/{gateway}".encode(), digest_size=8).hexdigest()
    value = {"node": node, "prefix": prefix, "via": gateway}
    operation = {"kind": "add", "collection": "routes", "id": f"route-{key}", "value": value}
    command = f"ip route add {prefix} via {gateway}"
    return drawn("add-route", node, operation, [command], prefix=prefix, gateway=gateway)


def other_hop(node: str, prefix: str, gateway: str) -> Remedy:
    """Change the next hop of a route."""
    operation = setting("routes", f"{node}/{prefix}", via=gateway, device=None)
    command = f"ip route replace {prefix} via {gateway}"
    return drawn("change-route", node, operation, [command], prefix=prefix, gateway=gateway)


def address(code: str, node: str, interface: str, now: Sequence[str], old: str, new: str) -> Remedy:
    """Replace an address of an interface (both with their lengths); others stay as they are."""
    kept = [text for text in now if not text.startswith("fe80:")]
    texts = [new if text == old else text for text in kept]
    operation = setting("interfaces", f"{node}/{interface}", addresses=texts)
    commands = (f"ip addr add {new} dev {interface}", f"ip addr del {old} dev {interface}")
    return drawn(code, node, operation, commands, interface=interface, address=new)


def mtu(node: str, interface: str, value: int) -> Remedy:
    """Set an interface's MTU."""
    operation = setting("interfaces", f"{node}/{interface}", mtu=value)
    command = f"ip link set {interface} mtu {value}"
    return drawn("set-mtu", node, operation, [command], interface=interface, mtu=value)


def spanning_tree(node: str) -> Remedy:
    """Turn spanning tree on in a switch."""
    operation = setting("nodes", node, stp=True)
    return drawn("turn-stp-on", node, operation, ["ip link set br0 type bridge stp_state 1"])


def program(node: str, protocol: str, port: int) -> Remedy:
    """Start something that listens; a service of the drawing where one has this port."""
    listen = "ncat -lk" if protocol == "tcp" else "ncat -lu"
    command = f"{listen} {port}"
    kind = SERVICES.get((protocol, port))
    words: Params = {"protocol": protocol.upper(), "port": port}
    if kind is None:
        return of("start-program", node, command, **words)
    operation = {
        "kind": "add",
        "collection": "services",
        "id": f"service-{blake2b(f'{node}/{kind}'.encode(), digest_size=8).hexdigest()}",
        "value": {"node": node, "kind": kind, "options": {}},
    }
    return drawn("start-program", node, operation, [command], **words)
