"""Any drawing of real namespaces and cables, held and written down as the worker does it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING, TypeVar

from topoweb.kernel import manifest as manifests
from topoweb.kernel.holder import Forker
from topoweb.kernel.manifest import Manifest, Namespace
from topoweb.kernel.netns import run_inside
from topoweb.kernel.ownership import owner_token
from topoweb.kernel.trace.wake import notify

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

T = TypeVar("T")
Cable = tuple[tuple[str, str], tuple[str, str]]  # ends: node, interface
QUIET = "net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1"


class GraphLab:
    """Namespaces by name with cables between them, IPv4 only, everything up."""

    def __init__(
        self, run: Path, nodes: Sequence[str], cables: Mapping[str, Cable], lab: int = 7
    ) -> None:
        self.run, self.lab, self.cables = run, lab, dict(cables)
        self.slots = {node: slot for slot, node in enumerate(nodes)}
        self.forker = Forker(owner_token(run))
        made = self.forker.make(lab, -1, list(self.slots.values()), None)
        self.holder = made.holder
        manifests.write(
            run,
            Manifest(
                lab=lab,
                boot_id=manifests.boot_id(),
                holder=self.holder,
                userns=made.userns,
                namespaces={
                    node: Namespace(slot, made.inodes[slot]) for node, slot in self.slots.items()
                },
                links=self.cables,
            ),
        )
        try:
            self._lay(nodes)
        except BaseException:
            self.close()
            raise
        notify(run, lab)

    def _lay(self, nodes: Sequence[str]) -> None:
        for node in nodes:
            self.run_in(node, f"sysctl -qw {QUIET}; ip link set lo up")
        for (a, port), (b, other) in self.cables.values():
            path = self.path(b)
            self.run_in(a, f"ip link add {port} type veth peer name {other} netns {path}")
            self.run_in(a, f"ip link set {port} up")
            self.run_in(b, f"ip link set {other} up")

    def path(self, node: str) -> str:
        return self.holder.descriptor_path(self.slots[node])

    def run_in(self, node: str, script: str, *, check: bool = True) -> str:
        """Run a shell script in a node; return its output."""
        done = subprocess.run(
            ["nsenter", f"--net={self.path(node)}", "sh", "-ec", script],
            capture_output=True, text=True,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{node}: {script}: {done.stderr}"
        return done.stdout

    def within(self, node: str, work: Callable[[], T]) -> T:
        """Run code in a node's namespace, in a thread of its own."""
        fd = self.holder.open_namespace(self.slots[node])
        try:
            return run_inside(fd, work)
        finally:
            os.close(fd)

    def interfaces(self, node: str) -> list[str]:
        lines = self.run_in(node, "ip -o link").splitlines()
        return [line.split(": ")[1].split("@")[0] for line in lines]

    def close(self) -> None:
        self.holder.kill()
        notify(self.run, self.lab)
        self.forker.close()
        manifests.remove(self.run, self.lab)


def campus(run: Path, lab: int = 7) -> GraphLab:
    """h1, h3 and r1 at switch sw; r1 - r2 - h2, r2 does NAT towards h2; m is not connected."""
    made = GraphLab(
        run,
        ["h1", "h2", "h3", "m", "sw", "r1", "r2"],
        {
            "l1": (("h1", "eth0"), ("sw", "p1")),
            "l2": (("sw", "p2"), ("r1", "eth0")),
            "l3": (("h3", "eth0"), ("sw", "p3")),
            "l4": (("r1", "eth1"), ("r2", "eth0")),
            "l5": (("r2", "eth1"), ("h2", "eth0")),
        },
        lab,
    )
    try:
        _configure(made)
    except BaseException:
        made.close()
        raise
    return made


def _configure(made: GraphLab) -> None:
    made.run_in(
        "sw",
        "ip link add br0 type bridge; ip link set br0 up;"
        "for port in p1 p2 p3; do ip link set $port master br0; done",
    )
    addresses = {
        "h1": "10.1.0.1/24 eth0", "h3": "10.1.0.3/24 eth0", "sw": "10.1.0.9/24 br0",
        "h2": "10.3.0.2/24 eth0",
    }  # fmt: skip
    for node, text in addresses.items():
        made.run_in(node, "ip addr add " + text.replace(" ", " dev "))
    made.run_in("r1", "ip addr add 10.1.0.254/24 dev eth0; ip addr add 10.2.0.1/24 dev eth1")
    made.run_in("r2", "ip addr add 10.2.0.2/24 dev eth0; ip addr add 10.3.0.254/24 dev eth1")
    for router in ("r1", "r2"):
        made.run_in(router, "sysctl -qw net.ipv4.ip_forward=1")
    for host in ("h1", "h3", "sw"):
        made.run_in(host, "ip route add default via 10.1.0.254")
    made.run_in("h2", "ip route add default via 10.3.0.254")
    made.run_in("r1", "ip route add default via 10.2.0.2")
    made.run_in("r2", "ip route add 10.1.0.0/24 via 10.2.0.1")
    made.run_in(
        "r2",
        "nft add table ip nat;"
        "nft add chain ip nat out '{ type nat hook postrouting priority 100; }';"
        "nft add rule ip nat out oifname eth1 masquerade",
    )
