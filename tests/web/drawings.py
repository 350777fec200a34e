"""Drawings that the web tests share."""


def two_hosts():
    """A drawing without problems: two hosts and a cable."""
    return {
        "format": "topoweb",
        "version": 1,
        "name": "two hosts",
        "auto_address": False,
        "nodes": {
            "n1": {"kind": "host", "name": "h1", "x": 0, "y": 0},
            "n2": {"kind": "host", "name": "h2", "x": 180, "y": 0},
        },
        "interfaces": {
            "i1": {"node": "n1", "name": "eth0", "addresses": ["10.0.0.1/24"]},
            "i2": {"node": "n2", "name": "eth0", "addresses": ["10.0.0.2/24"]},
        },
        "links": {"l1": {"kind": "veth", "a": "i1", "b": "i2"}},
    }
