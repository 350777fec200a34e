"""What this host can do, found out by trying, with a sentence for each thing that it cannot.

Everything is tried in a throw-away network namespace, so nothing is left on the host.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import TopowebError
from topoweb.kernel import netlink, netns, rtnl
from topoweb.kernel.forker import UIDS
from topoweb.kernel.lab import FIRST_UID, UID_RANGES, maps_uids
from topoweb.kernel.observe import nested
from topoweb.kernel.sandbox import cgroups, trial
from topoweb.kernel.sandbox.container import ENVIRONMENT
from topoweb.kernel.trace.bpf.source import prove

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RTM_NEWQDISC = 36
TCA_KIND, TCA_OPTIONS = 1, 2
TC_ROOT = 0xFFFFFFFF
TRY_USER_NAMESPACE = (
    "import ctypes, os; libc = ctypes.CDLL(None, use_errno=True); "
    "os._exit(ctypes.get_errno() if libc.unshare(0x10000000) else 0)"
)

LINK_KINDS = {
    "bridge": "switches",
    "vlan": "802.1Q sub-interfaces and trunks",
    "vrf": "VRF routers",
    "dummy": "dummy interfaces",
    "macvlan": "macvlan children",
    "ipvlan": "ipvlan children",
    "wireguard": "WireGuard tunnels",
    "vxlan": "VXLAN tunnels",
}
PROGRAMS = {
    "crun": "terminals and services inside nodes",
    "catatonit": "terminals and services inside nodes",
    "ping": "ping in a terminal",
    "traceroute": "traceroute in a terminal",
    "tshark": "dissection of a packet by Wireshark",
}
# What a student finds in a node: program → Debian's package.
TOOLS = {
    "ip": "iproute2",
    "bridge": "iproute2",
    "tc": "iproute2",
    "ss": "iproute2",
    "ping": "iputils-ping",
    "traceroute": "traceroute",
    "tcpdump": "tcpdump",
    "nft": "nftables",
    "iptables": "iptables",
    "sysctl": "procps",
    "conntrack": "conntrack",
    "ethtool": "ethtool",
    "iperf3": "iperf3",
    "curl": "curl",
    "dig": "bind9-dnsutils",
    "nc": "ncat",
    "socat": "socat",
    "python3": "python3-minimal",
    "vim": "vim-tiny",
    "nano": "nano",
    "vtysh": "frr",
    "dnsmasq": "dnsmasq-base",
    "udhcpc": "udhcpc",
}
OTHER_NAMES = {"vim": ("vim.tiny",), "nc": ("ncat",)}  # of the same tool


def tools() -> list[dict[str, Any]]:
    """Return {"program", "package", "ok"} of each tool for nodes, present or not on this host."""
    return [
        {"program": program, "package": package, "ok": _in_nodes(program)}
        for program, package in TOOLS.items()
    ]


def _in_nodes(program: str) -> bool:
    names = (program, *OTHER_NAMES.get(program, ()))
    return any(shutil.which(name, path=ENVIRONMENT["PATH"]) for name in names)


def features() -> dict[str, dict[str, Any]]:
    """Return {"ok", "reason", "remedy"} by feature. The answer holds for a boot."""
    found = {"userns": _user_namespaces(), "uid_range": _uid_range()}
    found["netns"] = _tried(_network_namespace, "Networks cannot be built at all", "Run as root.")
    if found["netns"]["ok"]:
        found.update(netns.run_apart(lambda: dict(_in_namespace())))
    found["ipv6"] = _verdict(
        Path("/proc/net/if_inet6").exists(), "IPv6 is off in this kernel.", "Boot with IPv6 on."
    )
    found["tracing"] = _tracing()
    for program, purpose in PROGRAMS.items():
        found[program] = _verdict(
            shutil.which(program) is not None,
            f"The program {program} is not installed: no {purpose}.",
            f"Install the package that has {program}.",
        )
    found["sandbox"] = _sandbox()
    found["cgroups"] = _verdict(
        cgroups.find("0" * 8).unified is not None,
        "Control groups cannot be used: programs in nodes have no limits.",
        "Run the worker as root on a host with cgroup v2.",
    )
    return found


def _sandbox() -> dict[str, Any]:
    reason, remedy = trial.refusal()
    return _verdict(
        not reason,
        f"Nodes have no terminals and services: {reason}.",
        remedy or "Install crun and catatonit, and allow user namespaces.",
    )


def _verdict(ok: bool, reason: str, remedy: str) -> dict[str, Any]:
    return {"ok": ok, "reason": "" if ok else reason, "remedy": "" if ok else remedy}


def _tried(attempt: Callable[[], None], consequence: str, remedy: str) -> dict[str, Any]:
    try:
        attempt()
    except OSError as error:
        return _verdict(ok=False, reason=f"{consequence}: {error.strerror}.", remedy=remedy)
    return _verdict(ok=True, reason="", remedy="")


def _user_namespaces() -> dict[str, Any]:
    # unshare(CLONE_NEWUSER) needs a process with a single thread
    done = subprocess.run([sys.executable, "-I", "-S", "-c", TRY_USER_NAMESPACE], check=False)
    words = os.strerror(done.returncode) if done.returncode > 0 else "the trial died"
    return _verdict(
        done.returncode == 0,
        f"User namespaces are not allowed ({words}): labs cannot be walled off.",
        "Raise user.max_user_namespaces and allow unprivileged user namespaces.",
    )


def _uid_range() -> dict[str, Any]:
    return _verdict(
        maps_uids(FIRST_UID, FIRST_UID + UID_RANGES * UIDS),
        "Labs have no user ids of their own: they share yours.",
        "Run the worker as root to give each lab its own range.",
    )


def _network_namespace() -> None:
    netns.run_apart(netns.enter_new)


def link_features() -> dict[str, dict[str, Any]]:
    """Return what `features` says of kinds of devices. The calling thread's namespace changes."""
    netns.enter_new()
    with netlink.Netlink() as link:
        return dict(_kinds(link))


def _kinds(link: netlink.Netlink) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, purpose in LINK_KINDS.items():
        yield kind, _link_kind(link, _plain(kind), purpose)
    yield "bridge_vlan", _bridge_vlan(link)


def _in_namespace() -> Iterator[tuple[str, dict[str, Any]]]:
    netns.enter_new()
    with netlink.Netlink() as link:
        own = netns.open_fd("/proc/thread-self/ns/net")
        try:
            yield "veth", _link_kind(link, _veth(own), "cables")
        finally:
            os.close(own)
        yield from _kinds(link)
        yield "netem", _netem(link)
    yield (
        "af_packet",
        _tried(
            lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
            "Packets cannot be captured",
            "Load the module af_packet.",
        ),
    )


def _veth(fd: int) -> netlink.Message:
    return rtnl.add_veth(
        rtnl.VethEndSpec("try0", 0, None, 1500),
        rtnl.VethEndSpec("try1", 0, None, 1500),
        fd,
        up=False,
        master=0,
    )


def _plain(kind: str) -> netlink.Message:
    """Return a request without the kind's parameters: a kernel that knows it says what lacks."""
    info = netlink.attribute(netlink.IFLA_INFO_KIND, kind.encode() + b"\0")
    body = netlink.IFINFO.pack(0, 0, 0, 0, 0) + netlink.name_attribute(f"try{kind}"[:15])
    body += netlink.attribute(netlink.IFLA_LINKINFO, info)
    return netlink.Message(netlink.RTM_NEWLINK, netlink.NLM_F_CREATE | netlink.NLM_F_EXCL, body)


def _link_kind(link: netlink.Netlink, request: netlink.Message, purpose: str) -> dict[str, Any]:
    refusal = link.send([request]).get(0)
    unknown = refusal is not None and refusal.errno == errno.EOPNOTSUPP
    return _verdict(
        not unknown,
        f"This kernel cannot make {purpose}.",
        "Use a kernel with this module, or load it before the worker starts.",
    )


def _bridge_vlan(link: netlink.Netlink) -> dict[str, Any]:
    answers, _ = link.ask([netlink.get_link("trybridge")])  # made just now by `_kinds`
    found = netlink.attributes(answers[0], 32, len(answers[0])) if answers[0] else {}
    info = nested(nested(found.get(netlink.IFLA_LINKINFO)).get(netlink.IFLA_INFO_DATA))
    return _verdict(
        netlink.IFLA_BR_VLAN_DEFAULT_PVID in info,
        "This kernel's bridges cannot keep VLANs apart.",
        "Use a kernel with CONFIG_BRIDGE_VLAN_FILTERING.",
    )


def _netem(link: netlink.Netlink) -> dict[str, Any]:
    index = link.index("try0")
    body = struct.pack("=BxxxiIII", 0, index, 0, TC_ROOT, 0)
    body += netlink.attribute(TCA_KIND, b"netem\0")
    body += netlink.attribute(TCA_OPTIONS, struct.pack("=6I", 0, 1000, 0, 0, 0, 0))
    request = netlink.Message(RTM_NEWQDISC, netlink.NLM_F_CREATE | netlink.NLM_F_EXCL, body)
    return _verdict(
        not link.send([request]),
        "This kernel has no netem: delay, loss and rate of cables cannot be set.",
        "Load the module sch_netem.",
    )


def _tracing() -> dict[str, Any]:
    try:
        prove()
    except TopowebError as error:
        return _verdict(
            ok=False,
            reason=f"Packets are followed on cables, not inside nodes: {error.message}.",
            remedy=error.hint,
        )
    return _verdict(ok=True, reason="", remedy="")
