"""Debian's Mininet with Linux bridges on the same topology.

`run` starts this file as a script under the system's Python, which has the package, in network,
mount and process namespaces of its own: what Mininet does to "the host" stays in there.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

PYTHON = "/usr/bin/python3"
APART = ["unshare", "-n", "-m", "-p", "-f", "--mount-proc", "--kill-child"]


def run(topology: Any) -> dict[str, float]:
    """Return {"apply", "teardown"} in seconds for a drawing."""
    ends = topology.interfaces
    data = {
        "nodes": {key: node.kind for key, node in topology.nodes.items()},
        "links": [
            [(ends[end].node, next(iter(ends[end].addresses), "")) for end in (link.a, link.b)]
            for link in topology.links.values()
        ],
        "routes": [[route.node, route.prefix, route.via] for route in topology.routes.values()],
    }
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(data, file)
        file.flush()
        command = [*APART, PYTHON, str(Path(__file__)), file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"Mininet (Debian package mininet) failed: {done.stderr}")
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def main(path: str) -> None:
    """Build and stop a network by Mininet's own API; print the seconds."""
    from mininet.log import setLogLevel
    from mininet.net import Mininet
    from mininet.node import Node
    from mininet.nodelib import LinuxBridge

    class Router(Node):  # type: ignore[misc]
        """A host that forwards, as Mininet's examples do it."""

        def config(self, **params: Any) -> Any:
            """Configure and switch forwarding on."""
            result = super().config(**params)
            self.cmd("sysctl -w net.ipv4.ip_forward=1")
            return result

    setLogLevel("error")
    data = json.loads(Path(path).read_text())
    start = time.monotonic()
    net = Mininet(switch=LinuxBridge, controller=None, build=False)
    made = {}
    for name, kind in data["nodes"].items():
        if kind == "switch":
            made[name] = net.addSwitch(name)
        else:
            made[name] = net.addHost(name, ip=None, **({"cls": Router} if kind == "router" else {}))
    for (a, a_address), (b, b_address) in data["links"]:
        options = {
            f"params{number}": {"ip": address}
            for number, address in ((1, a_address), (2, b_address))
            if address
        }
        net.addLink(made[a], made[b], **options)
    net.build()
    net.start()
    for node, prefix, via in data["routes"]:
        made[node].cmd(f"ip route add {prefix} via {via}")
    applied = time.monotonic()
    net.stop()
    gone = time.monotonic()
    sys.stdout.write(json.dumps({"apply": applied - start, "teardown": gone - applied}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
