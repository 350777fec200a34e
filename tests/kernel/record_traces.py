"""Records the fixtures in tests/fixtures/tracing from the real kernel: run it as a module, as root.

Buffers get small numbers in order of appearance and times begin at a round second, so that no
value of the kernel's is in a file. Each file has what was seen while one thing was done.
"""

from __future__ import annotations

import json
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tests.kernel.graphlab import campus
from topoweb.kernel.trace.afpacket import AfPacketSource
from topoweb.kernel.trace.bpf.source import BpfSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.kernel.graphlab import GraphLab
    from topoweb.core.tracing.observation import Observation

FOLDER = Path(__file__).parents[1] / "fixtures" / "tracing"
EPOCH = 1_700_000_000_000_000_000
SNAPLEN = 128


def ping(lab: GraphLab) -> None:
    """Through the switch, two routers and NAT, with all the ARP of it."""
    for node in lab.slots:
        lab.run_in(node, "ip neigh flush all")
    lab.run_in("h1", "ping -c2 -i0.2 -W2 10.3.0.2")


def flood(lab: GraphLab) -> None:
    """The switch does not know where r1 is."""
    lab.run_in("sw", "ip link set br0 type bridge fdb_flush")
    lab.run_in("h1", "ping -c1 -W2 10.2.0.2")


def fragments(lab: GraphLab) -> None:
    send(lab, "h1", "10.3.0.2", [bytes(3000)])


def cut(lab: GraphLab) -> None:
    """r1 cuts what is too large for its second cable, and cannot receive such an answer."""
    lab.run_in("r1", "ip link set eth1 mtu 600")
    lab.run_in("h1", "ping -c1 -W2 -s1000 -M dont 10.2.0.2", check=False)
    lab.run_in("r1", "ip link set eth1 mtu 1500")


def repeated(lab: GraphLab) -> None:
    """Equal in every byte: an unconnected socket's datagrams have no identification."""
    send(lab, "h1", "10.2.0.2", [b"again"] * 3)


def ttl(lab: GraphLab) -> None:
    lab.run_in("h1", "ping -c1 -W1 -t2 10.3.0.2", check=False)


def loop(lab: GraphLab) -> None:
    """r1 and r2 each send 10.9.0.0/16 to the other."""
    lab.run_in("r2", "ip route add 10.9.0.0/16 via 10.2.0.1")
    lab.run_in("h1", "ping -c1 -W1 -t12 10.9.0.1", check=False)
    lab.run_in("r2", "ip route del 10.9.0.0/16")


def forwarding_off(lab: GraphLab) -> None:
    lab.run_in("r1", "sysctl -qw net.ipv4.ip_forward=0")
    lab.run_in("h1", "ping -c1 -W1 10.3.0.2", check=False)
    lab.run_in("r1", "sysctl -qw net.ipv4.ip_forward=1")


def neighbour_failed(lab: GraphLab) -> None:
    """Nobody has the address: r1 gives up after three requests."""
    lab.run_in("h1", "ping -c1 -W4 10.2.0.77", check=False)


def filtered(lab: GraphLab) -> None:
    """A SYN and its retransmission."""
    lab.run_in(
        "r1",
        "nft add table ip f; nft add chain ip f f '{ type filter hook forward priority 0; }';"
        "nft add rule ip f f tcp dport 5001 drop",
    )
    connect(lab, "h1", "10.3.0.2", 5001, 1.5)
    lab.run_in("r1", "nft delete table ip f")


def tcp(lab: GraphLab) -> None:
    listener = lab.within("h2", lambda: socket.create_server(("10.3.0.2", 80)))
    with listener:
        connect(lab, "h1", "10.3.0.2", 80, 2)


def refused(lab: GraphLab) -> None:
    connect(lab, "h1", "10.3.0.2", 81, 2)


def udp_echo(lab: GraphLab) -> None:
    """The same content comes back, with the addresses swapped."""
    server = lab.within("h2", lambda: bound("10.3.0.2", 7))
    client = lab.within("h1", lambda: bound("10.1.0.1", 40007))
    with server, client:
        client.sendto(b"the very same", ("10.3.0.2", 7))
        data, address = server.recvfrom(100)
        server.sendto(data, address)
        client.recvfrom(100)


def udp_closed(lab: GraphLab) -> None:
    with lab.within("h1", lambda: bound("10.1.0.1", 40009)) as client:
        client.sendto(b"anyone?", ("10.3.0.2", 9))


def broadcast(lab: GraphLab) -> None:
    with lab.within("h1", lambda: bound("", 40010)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        client.sendto(b"all", ("10.1.0.255", 9))


def vxlan(lab: GraphLab) -> None:
    for node, remote, address in (("h1", "10.2.0.2", "10.77.0.1"), ("r2", "10.1.0.1", "10.77.0.2")):
        lab.run_in(
            node,
            f"ip link add vx0 address 02:77:00:00:00:0{address[-1]} type vxlan id 42"
            f" remote {remote} dstport 4789;"
            f"ip addr add {address}/24 dev vx0; ip link set vx0 up",
        )
    lab.run_in("h1", "ping -c1 -W2 10.77.0.2")
    for node in ("h1", "r2"):
        lab.run_in(node, "ip link del vx0")


def macvlan(lab: GraphLab) -> None:
    """m's interface is a macvlan of h2's."""
    lab.run_in("h2", f"ip link add link eth0 name mv0 netns {lab.path('m')} type macvlan")
    lab.run_in("m", "ip addr add 10.3.0.30/24 dev mv0; ip link set mv0 up")
    lab.run_in("m", "ip route add default via 10.3.0.254")
    lab.run_in("r2", "ping -c1 -W2 10.3.0.30")
    lab.run_in("m", "ping -c1 -W2 10.3.0.254")
    lab.run_in("m", "ip link del mv0")


def ping6(lab: GraphLab) -> None:
    """Over r1, with neighbour discovery, and before that the one for duplicate addresses."""
    addresses = {"h1": ("1::1 eth0",), "r1": ("1::fe eth0", "2::1 eth1"), "r2": ("2::2 eth0",)}
    for node, texts in addresses.items():
        lab.run_in(
            node, "sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.all.forwarding=1"
        )
        for text in texts:
            address, interface = text.split()
            lab.run_in(node, f"ip addr add 2001:db8:{address}/64 dev {interface} nodad")
    lab.run_in("h1", "ip route add 2001:db8:2::/64 via 2001:db8:1::fe")
    lab.run_in("r2", "ip route add 2001:db8:1::/64 via 2001:db8:2::1")
    lab.run_in("h1", "ping -6 -c4 -W1 2001:db8:2::2")
    for node in addresses:
        lab.run_in(node, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1")


SCENES: tuple[Callable[[GraphLab], None], ...] = (
    ping, flood, fragments, cut, repeated, ttl, loop, forwarding_off, neighbour_failed, filtered,
    tcp, refused, udp_echo, udp_closed, broadcast, vxlan, macvlan, ping6,
)  # fmt: skip


def bound(address: str, port: int) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.settimeout(5)
    one.bind((address, port))
    return one


def send(lab: GraphLab, node: str, address: str, payloads: list[bytes]) -> None:
    with lab.within(node, lambda: bound("", 40011)) as client:
        for payload in payloads:
            client.sendto(payload, (address, 9))


def connect(lab: GraphLab, node: str, address: str, port: int, seconds: float) -> None:
    client = lab.within(node, lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
    client.settimeout(seconds)
    with client:
        client.connect_ex((address, port))


def observe(
    source: BpfSource | AfPacketSource, lab: GraphLab, scene: Callable[[GraphLab], None]
) -> list[Observation]:
    """Return what a source sees of a scene, until nothing new comes."""
    while source.poll(0.3):
        pass
    scene(lab)
    seen: list[Observation] = []
    quiet = 0
    while quiet < 4:
        more = source.poll(0.1)
        seen += more
        quiet = 0 if more else quiet + 1
    return seen


def write(name: str, seen: list[Observation]) -> None:
    buffers: dict[int, int] = {0: 0}
    began = seen[0].time_ns
    lines = []
    for one in seen:
        value = replace(
            one,
            time_ns=one.time_ns - began + EPOCH,
            data=one.data[:SNAPLEN],
            skb=buffers.setdefault(one.skb, len(buffers)),
        )
        fields = {field: getattr(value, field) for field in value.__struct_fields__}
        lines.append(json.dumps(fields | {"data": value.data.hex()}))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text("[\n" + ",\n".join(lines) + "\n]\n")
    print(f"{name}: {len(seen)} sightings")


def record(lab: GraphLab, run: Path, wanted: list[str]) -> None:
    """Record the scenes that are wanted, all if none is named, in both tiers."""
    source = BpfSource(run)
    try:
        source.watch(lab.lab)
        lab.run_in("h1", "ping -c1 -W2 10.3.0.2; ping -c1 -W2 10.2.0.2")
        time.sleep(1.5)  # for the multicast reports of interfaces that came up
        for scene in SCENES:
            if not wanted or scene.__name__ in wanted:
                write(scene.__name__, observe(source, lab, scene))
    finally:
        source.close()
    cables = AfPacketSource(run)
    try:
        cables.watch(lab.lab)
        for scene in (ping, repeated, vxlan):
            name = f"{scene.__name__}_cables"
            if not wanted or name in wanted:
                write(name, observe(cables, lab, scene))
    finally:
        cables.close()


def main() -> None:
    """Record the scenes that are named, or all."""
    with tempfile.TemporaryDirectory() as folder:
        lab = campus(Path(folder))
        try:
            record(lab, Path(folder), sys.argv[1:])
        finally:
            lab.close()


if __name__ == "__main__":
    main()
