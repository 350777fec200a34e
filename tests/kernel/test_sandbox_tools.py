"""Every tool that a student finds in a node, used there for something that only it can show."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB
from tests.kernel.privilege import needs_uid_ranges
from tests.kernel.rootless import ordinary_user
from tests.kernel.sandboxed import opened, run, says, shell, until, wait_for
from topoweb.kernel.features import TOOLS, tools
from topoweb.kernel.services.scripts import script

if TYPE_CHECKING:
    from collections.abc import Callable

    from topoweb.kernel.sandbox.sandboxes import LinuxSandboxes

pytestmark = pytest.mark.ok_suite
PRESENT = {tool["program"] for tool in tools() if tool["ok"]}
INPUT = "nft add table inet t && nft add chain inet t in '{ type filter hook input priority 0; }'"
DNSMASQ = "dnsmasq -k -u root -C /dev/null --log-facility=-"
ONE, TWO = "10.0.1.1", "10.0.1.2"  # n1 and n2


def serve(
    sandboxes: LinuxSandboxes, node: str, line: str, ready: bytes, *, daemon: bool = False
) -> None:
    """Run a server in a node; return when it says that it is ready."""
    sandboxes.start(LAB, node, shell(line, daemon=daemon), "server")
    wait_for(lambda: ready in sandboxes.log(LAB, "server", 4000))


def ip(sandboxes: LinuxSandboxes) -> None:
    says(sandboxes, "n1", "ip addr add 10.5.0.1/32 dev lo")
    says(sandboxes, "n2", f"ip route add 10.5.0.1 via {ONE} && ping -c1 -W5 10.5.0.1")


def bridge(sandboxes: LinuxSandboxes) -> None:
    line = "ip link add br9 type bridge && ip link add v0 type veth peer name v1 && "
    line += "ip link set v0 master br9 && bridge fdb add 02:00:00:00:00:99 dev v0 master static"
    assert "02:00:00:00:00:99 dev v0" in says(sandboxes, "n1", f"{line} && bridge fdb show br br9")


def tc(sandboxes: LinuxSandboxes) -> None:
    says(sandboxes, "n1", "tc qdisc add dev eth0 root tbf rate 8mbit burst 4k latency 9ms")
    said = says(sandboxes, "n1", f"ping -c3 -i0.1 -W5 {TWO}; tc -s qdisc show dev eth0")
    counted = re.search(r"tbf .*\n Sent \d+ bytes (\d+) pkt", said)
    assert counted
    assert int(counted[1]) >= 3


def ss(sandboxes: LinuxSandboxes) -> None:
    serve(sandboxes, "n1", "python3 -u -m http.server 8000", b"Serving")
    assert re.search(r":8000\b.*python3", says(sandboxes, "n1", "ss -Htlnp"))


def ping(sandboxes: LinuxSandboxes) -> None:
    assert "2 received" in says(sandboxes, "n1", f"ping -c2 -i0.2 -W5 {TWO}")


def traceroute(sandboxes: LinuxSandboxes) -> None:
    assert re.search(rf"\n 1  {TWO} ", says(sandboxes, "n1", f"traceroute -n -q1 -w5 {TWO}"))


def tcpdump(sandboxes: LinuxSandboxes) -> None:
    packets = says(
        sandboxes,
        "n1",
        "tcpdump -ni eth0 -c1 -w /root/a.pcap icmp 2> /root/said & "
        f"until grep -q listening /root/said; do sleep 0.1; done; ping -c1 {TWO} > /dev/null;"
        "wait; tcpdump -nr /root/a.pcap 2> /dev/null",
    )
    assert "ICMP echo request" in packets


def nft(sandboxes: LinuxSandboxes) -> None:
    rule = (
        "nft add table inet t && nft add chain inet t in '{ type filter hook input priority 0; }'"
    )
    says(sandboxes, "n1", f"{rule} && nft add rule inet t in icmp type echo-request counter")
    says(sandboxes, "n2", f"ping -c1 -W5 {ONE}")
    assert "counter packets 1 bytes 84" in says(sandboxes, "n1", "nft list ruleset")


def iptables(sandboxes: LinuxSandboxes) -> None:
    says(sandboxes, "n1", "iptables -A INPUT -p icmp -j DROP")
    assert run(sandboxes, "n2", f"ping -c1 -W1 {ONE}").status == 1
    assert re.search(r"\n +1 +84 DROP", says(sandboxes, "n1", "iptables -nvxL INPUT"))


def sysctl(sandboxes: LinuxSandboxes) -> None:
    says(sandboxes, "n1", "sysctl -w net.ipv4.icmp_echo_ignore_all=1")
    assert run(sandboxes, "n2", f"ping -c1 -W1 {ONE}").status == 1
    says(sandboxes, "n1", "sysctl -w net.ipv4.icmp_echo_ignore_all=0")
    says(sandboxes, "n2", f"ping -c1 -W5 {ONE}")


def conntrack(sandboxes: LinuxSandboxes) -> None:
    says(sandboxes, "n1", f"{INPUT} && nft add rule inet t in ct state new accept")
    says(sandboxes, "n2", f"ping -c1 -W5 {ONE}")
    assert f"src={TWO} dst={ONE} type=8" in says(sandboxes, "n1", "conntrack -L -p icmp")
    says(sandboxes, "n1", 'conntrack -F && test -z "$(conntrack -L -p icmp 2> /dev/null)"')


def ethtool(sandboxes: LinuxSandboxes) -> None:
    said = says(sandboxes, "n1", "ethtool -K eth0 tx off && ethtool -k eth0")
    assert "tx-checksumming: off" in said


def iperf3(sandboxes: LinuxSandboxes) -> None:
    serve(sandboxes, "n2", "iperf3 --server --forceflush", b"listening")
    said = json.loads(says(sandboxes, "n1", f"iperf3 --client {TWO} --time 1 --json"))
    assert said["end"]["sum_received"]["bytes"] > 1_000_000


def curl(sandboxes: LinuxSandboxes) -> None:
    says(sandboxes, "n2", "echo a page > /root/page")
    serve(sandboxes, "n2", "python3 -u -m http.server --directory /root 80", b"Serving")
    assert says(sandboxes, "n1", f"curl -sS http://{TWO}/page") == "a page\n"


def dig(sandboxes: LinuxSandboxes) -> None:
    line = (
        "dnsmasq -k -u root -C /dev/null --no-resolv --log-facility=- --address=/www.lab/10.0.1.9"
    )
    serve(sandboxes, "n2", line, b"started")
    assert says(sandboxes, "n1", f"dig +short @{TWO} www.lab") == "10.0.1.9\n"
    assert "REFUSED" in says(sandboxes, "n1", f"dig @{TWO} elsewhere.example")


def nc(sandboxes: LinuxSandboxes) -> None:
    serve(sandboxes, "n2", "nc -l 7000 > /root/got", b"")
    wait_for(lambda: ":7000" in says(sandboxes, "n2", "ss -Htln"))
    says(sandboxes, "n1", f"echo by hand | nc {TWO} 7000")
    wait_for(lambda: says(sandboxes, "n2", "cat /root/got") == "by hand\n")


def socat(sandboxes: LinuxSandboxes) -> None:
    serve(sandboxes, "n2", "socat -dd UDP-RECVFROM:7000 EXEC:cat", b"receiving on")
    assert says(sandboxes, "n1", f"echo again | socat -t1 - UDP:{TWO}:7000") == "again\n"


def python3(sandboxes: LinuxSandboxes) -> None:
    """A raw socket: a frame by hand, seen by the other end's counters."""
    code = "import socket as s; p = s.socket(s.AF_PACKET, s.SOCK_RAW); p.bind(('eth0', 0));"
    code += "print(p.send(b'\\xff' * 6 + p.getsockname()[4] + b'\\x88\\xb5' + bytes(46)))"
    serve(sandboxes, "n2", "tcpdump -lnei eth0 ether proto 0x88b5", b"listening")
    assert says(sandboxes, "n1", f'python3 -c "{code}"') == "60\n"
    wait_for(lambda: b"ethertype Unknown (0x88b5)" in sandboxes.log(LAB, "server", 4000))


def vim(sandboxes: LinuxSandboxes) -> None:
    edit(sandboxes, "vim", b"iwritten in it\x1b:wq\r", b"~")


def nano(sandboxes: LinuxSandboxes) -> None:
    edit(sandboxes, "nano", b"written in it\x0f\r\x18", b"Exit")


def edit(sandboxes: LinuxSandboxes, editor: str, keys: bytes, ready: bytes) -> None:
    """Write a file with an editor on a terminal; ``ready`` is on its screen when it waits."""
    with opened(sandboxes, "n1") as terminal:
        os.write(terminal.master, f"{editor} /root/note; echo ed''ited\n".encode())
        until(terminal, ready)
        os.write(terminal.master, keys)
        until(terminal, b"edited")
    assert says(sandboxes, "n1", "cat /root/note") == "written in it\n"


def vtysh(sandboxes: LinuxSandboxes) -> None:
    files = {"frr.py": script("frr.py"), "frr.conf": b""}
    sandboxes.furnish(LAB, "n1", "own", files)
    started = "python3 -u /run/topoweb/own/frr.py /run/topoweb/own/frr.conf zebra staticd"
    serve(sandboxes, "n1", started, b"configured", daemon=True)
    says(sandboxes, "n1", f"vtysh -c 'configure terminal' -c 'ip route 10.9.0.0/16 {TWO}'")
    wait_for(lambda: f"via {TWO}" in says(sandboxes, "n1", "ip route show 10.9.0.0/16"))
    assert f"10.9.0.0/16 [1/0] via {TWO}" in says(sandboxes, "n1", "vtysh -c 'show ip route'")


def udhcpc(sandboxes: LinuxSandboxes) -> None:
    line = f"{DNSMASQ} --port=0 --no-ping --dhcp-leasefile=/run/leases "
    line += "--dhcp-range=10.0.1.50,10.0.1.60"
    serve(sandboxes, "n2", line, b"started")
    said = says(sandboxes, "n1", "udhcpc -i eth0 -f -n -q -s /bin/true 2>&1")
    assert re.search(r"lease of 10\.0\.1\.(5\d|60) obtained", said)


USES: dict[str, Callable[[LinuxSandboxes], None]] = {
    "ip": ip, "bridge": bridge, "tc": tc, "ss": ss, "ping": ping, "traceroute": traceroute,
    "tcpdump": tcpdump, "nft": nft, "iptables": iptables, "sysctl": sysctl,
    "conntrack": conntrack, "ethtool": ethtool, "iperf3": iperf3, "curl": curl, "dig": dig,
    "nc": nc, "socat": socat, "python3": python3, "vim": vim, "nano": nano, "vtysh": vtysh,
    "dnsmasq": dig, "udhcpc": udhcpc,
}  # fmt: skip


@pytest.mark.parametrize("tool", TOOLS)
def test_a_tool_works_in_a_node(sandboxes: LinuxSandboxes, tool: str) -> None:
    if tool not in PRESENT:
        pytest.skip(f"{tool} is not installed (package {TOOLS[tool]})")
    USES[tool](sandboxes)


def test_names_and_neighbours(sandboxes: LinuxSandboxes) -> None:
    """What the C library is asked: the node's own files answer."""
    assert says(sandboxes, "n1", "getent hosts alpha") == "127.0.1.1       alpha\n"
    assert "lladdr" in says(sandboxes, "n1", f"ping -c1 -W5 {TWO} > /dev/null; ip neigh show {TWO}")


WITHOUT_ROOT = """
import json, sys, traceback
from pathlib import Path
from tests.kernel.plans import LAB, apply, errors, two_hosts
from tests.kernel.sandboxed import NAMES
from tests.kernel.test_sandbox_tools import PRESENT, USES
from topoweb.core.programs import Residence
from topoweb.kernel.lab import LinuxKernel
kernel = LinuxKernel(Path(sys.argv[1]))
failed = {}
for tool in PRESENT:
    assert errors(apply(kernel, *two_hosts())) == []
    kernel.sandboxes.house(LAB, Residence(names=NAMES))
    try:
        USES[tool](kernel.sandboxes)
    except Exception:
        failed[tool] = traceback.format_exc()
    kernel.destroy(LAB)
kernel.close()
print(json.dumps(failed))
"""


@pytest.mark.slow
@needs_uid_ranges  # of root, who becomes somebody else
def test_all_tools_work_without_root() -> None:
    with ordinary_user() as user:
        said = user.apart(WITHOUT_ROOT, str(user.run_dir))
        assert json.loads(said) == {}
