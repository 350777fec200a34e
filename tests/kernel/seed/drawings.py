"""The tutorial's own drawings, with its own addresses, as documents and operations.

An interface "net1:veth0" has the id "net1-veth0", the cable between net1 and net2 "net1-net2".
"""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
Operation = dict[str, Any]


def document(
    *cables: str,
    nodes: dict[str, dict[str, Any]] | None = None,
    routes: dict[str, tuple[str, str, str]] | None = None,
) -> Document:
    """Return a document. A cable is "net1:veth0=192.167.2.1/24 net2:veth1=192.167.2.2/24".

    Nodes are hosts unless ``nodes`` says otherwise; a route is (node, prefix, next hop).
    """
    made = {name: {"kind": "host", "name": name, **more} for name, more in (nodes or {}).items()}
    interfaces: dict[str, Any] = {}
    links = {}
    for cable in cables:
        ends = [_end(text) for text in cable.split()]
        for node, name, addresses in ends:
            made.setdefault(node, {"kind": "host", "name": node})
            interfaces[f"{node}-{name}"] = {"node": node, "name": name, "addresses": addresses}
        (a, a_name, _), (b, b_name, _) = ends
        links[f"{a}-{b}"] = {"a": f"{a}-{a_name}", "b": f"{b}-{b_name}"}
    return {
        "format": "topoweb",
        "version": 1,
        "auto_address": False,
        "nodes": made,
        "interfaces": interfaces,
        "links": links,
        "routes": {
            key: {"node": node, "prefix": prefix, "via": via}
            for key, (node, prefix, via) in (routes or {}).items()
        },
    }


def _end(text: str) -> tuple[str, str, list[str]]:
    place, _, address = text.partition("=")
    node, _, name = place.partition(":")
    return node, name, [address] if address else []


def change(collection: str, key: str, **patch: Any) -> Operation:
    return {"kind": "set", "collection": collection, "id": key, "patch": patch}


def add(collection: str, key: str, **value: Any) -> Operation:
    return {"kind": "add", "collection": collection, "id": key, "value": value}


def remove(collection: str, key: str) -> Operation:
    return {"kind": "remove", "collection": collection, "id": key}


def route(key: str, node: str, prefix: str, via: str) -> Operation:
    return add("routes", key, node=node, prefix=prefix, via=via)


def forward(node: str, on: bool = True) -> Operation:
    """Return what ``sysctl -w net.ipv4.ip_forward=…`` inside a node is in the drawing."""
    return change("nodes", node, forward_ipv4=on)


NET1_NET2 = "net1:veth0=192.167.2.1/24 net2:veth1=192.167.2.2/24"
NET1_HOST = "net1:veth2=192.167.3.1/24 host:veth3=192.167.3.2/24"
HOST_WIN = "host:eth0=172.168.111.2/24 win:vEth=172.168.111.1/24"
WIN_GW = "win:lan=192.168.20.48/24 gw:gw0=192.168.20.1/24"

TO_NET2 = {"to-net2": ("host", "192.167.2.0/24", "192.167.3.1")}
WAY_BACK = {"way-back": ("net2", "192.167.3.0/24", "192.167.2.1")}


def chain(**more: Any) -> Document:
    """net2 - net1 - host."""
    return document(NET1_NET2, NET1_HOST, **more)


def windows() -> Document:
    """net2 - net1 - host - win - gw: transit on in net1, net2 and host know each other."""
    return document(
        NET1_NET2,
        NET1_HOST,
        HOST_WIN,
        WIN_GW,
        nodes={"net1": {"forward_ipv4": True}},
        routes={
            **TO_NET2,
            **WAY_BACK,
            "host-default": ("host", "0.0.0.0/0", "172.168.111.1"),
            "win-default": ("win", "0.0.0.0/0", "192.168.20.1"),
            "win-to-net1": ("win", "192.167.3.0/24", "172.168.111.2"),
            "win-to-net2": ("win", "192.167.2.0/24", "172.168.111.2"),
        },
    )


def bridge() -> Document:
    """net7, net8 and net9 on the bridge br0 of the tutorial's host: a switch named host."""
    return document(
        "net7:veth10=192.177.1.3/24 host:veth11",
        "net8:veth12=192.177.1.4/24 host:veth13",
        "net9:veth14=192.177.1.5/24 host:veth15",
        nodes={"host": {"kind": "switch"}},
    )


def false_success() -> Document:
    """The bridge's host has a card to the outside, and out there somebody owns 192.177.1.4.

    The tutorial's PC masquerades; here the gateway has a route back instead.
    """
    drawn = document(
        "net7:veth10=192.177.1.3/24 host:veth11",
        "net8:veth12=192.177.1.4/24 host:veth13",
        HOST_WIN,
        WIN_GW,
        "gw:internet=192.177.1.1/24 stranger:eth0=192.177.1.4/24",
        nodes={
            "host": {"kind": "switch"},
            "win": {"forward_ipv4": True},
            "gw": {"forward_ipv4": True},
        },
        routes={
            "host-default": ("host", "0.0.0.0/0", "172.168.111.1"),
            "win-default": ("win", "0.0.0.0/0", "192.168.20.1"),
            "gw-back": ("gw", "172.168.111.0/24", "192.168.20.48"),
            "stranger-default": ("stranger", "0.0.0.0/0", "192.177.1.1"),
        },
    )
    drawn["interfaces"]["host-eth0"]["bridged"] = False
    return drawn
