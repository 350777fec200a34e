"""Uplinks for real: a lab, a host and an Internet, each in namespaces of this test's own."""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import pytest

from tests.kernel.outside import BANNED, HOST, HOST_PUBLIC, SERVER, Lab, Outside, shell
from tests.kernel.privilege import needs_uid_ranges
from tests.unit.core.test_plan_uplink import drawing
from topoweb.core.errors import TopowebError
from topoweb.core.plan.actions import OpenUplink, Step
from topoweb.core.plan.state import BROKEN, CLOSED
from topoweb.core.topology.model import Node, Topology
from topoweb.kernel import qdisc, rtnl
from topoweb.kernel.lab import LinuxKernel
from topoweb.kernel.uplink import gate, nft, rules
from topoweb.kernel.uplink.rules import Config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = needs_uid_ranges  # of root: no one else opens uplinks
LATER = int(time.time()) + 3600
CONFIG = Config(rate=8_000_000)
LIMITED = (25, 465, 587)


@pytest.fixture
def outside() -> Iterator[Outside]:
    with contextlib.ExitStack() as stack:
        yield Outside(stack)


@pytest.fixture
def make(outside: Outside, tmp_path: Path) -> Iterator[Callable[[Config], LinuxKernel]]:
    """Make kernels of one run directory; their labs are destroyed at the end."""
    made: list[LinuxKernel] = []

    def make(config: Config = CONFIG) -> LinuxKernel:
        made.append(LinuxKernel(tmp_path, uplink=config))
        return made[-1]

    yield make
    last = make()
    for lab in outside.on_host(last.labs):
        outside.on_host(lambda lab=lab: last.destroy(lab))  # type: ignore[misc]
    for one in made:
        one.close()


@pytest.fixture
def lab(outside: Outside, make: Callable[[Config], LinuxKernel]) -> Lab:
    lab = Lab(outside, make(CONFIG))
    assert not lab.bring(LATER).failures
    return lab


def test_what_is_allowed_passes_and_everything_else_is_refused(lab: Lab, outside: Outside) -> None:
    assert lab.uplink() == LATER
    assert lab.reaches(SERVER, timeout=10)
    peer = outside.listeners[80].accept()
    peer[0].close()
    assert peer[1][0] == HOST  # masqueraded twice: nobody outside learns of the lab
    number = rules.Way(owner="", lab=0, until=0, number=0, config=CONFIG)
    refused = [(address, 80) for address in (*BANNED, HOST, HOST_PUBLIC, str(number.host))]
    refused += [(SERVER, port) for port in LIMITED]
    with ThreadPoolExecutor(len(refused)) as pool:
        reached = list(pool.map(lambda target: lab.reaches(*target), refused))
    assert [target for target, came in zip(refused, reached, strict=True) if came] == []
    assert lab.reaches(SERVER, timeout=10)  # it still works


def test_without_the_rules_those_targets_answer(lab: Lab, outside: Outside) -> None:
    """The test before proves something: it is the rules that refuse."""
    for fd in (outside.host, None):
        with lab.node("u") as own:
            names = shell(fd or own, "nft list tables inet").split()[2::3]
            rewrite = "\n".join(
                f"nft delete table inet {name}; nft add table ip open; nft add chain ip open c"
                " '{ type nat hook postrouting priority 100; }'; nft add rule ip open c masquerade"
                for name in names
            )
            shell(fd or own, rewrite)
    assert lab.uplink() == BROKEN
    for target in ((BANNED[0], 80), (BANNED[4], 80), (HOST, 80), (HOST_PUBLIC, 80), (SERVER, 25)):
        assert lab.reaches(*target, timeout=10), target
    shell(outside.host, "nft delete table ip open")


def test_a_spoofed_source_goes_nowhere(lab: Lab, outside: Outside) -> None:
    server = outside.datagrams(53)
    for source in ("10.0.9.9", HOST, SERVER):
        lab.shell("h", f"ip addr add {source}/32 dev lo")
        with lab.sender(source) as liar:
            liar.sendto(b"spoofed", (SERVER if source != SERVER else "8.8.8.8", 53))
        lab.shell("h", f"ip addr del {source}/32 dev lo")
    with lab.sender("10.0.1.11") as honest:
        honest.sendto(b"honest", (SERVER, 53))
    assert server.recv(100) == b"honest"


def test_ipv6_and_other_protocols_end_there(lab: Lab) -> None:
    lab.shell("u", 'test -z "$(ip -6 addr show dev wan0)"; test -z "$(ip -6 route show default)"')
    lab.shell("u", "ip -6 addr add 2001:db8::1/64 dev eth0 nodad")
    lab.shell("h", "ip -6 addr add 2001:db8::2/64 dev eth0 nodad")
    lab.shell("h", "! ping -6 -c1 -W1 2001:db8::1")
    lab.shell("h", "ping -c1 -W5 10.0.1.1")


def test_new_connections_are_few_a_second(lab: Lab, outside: Outside) -> None:
    server = outside.datagrams(4000)
    for _ in range(400):
        with lab.sender() as one:
            one.sendto(b"x", (SERVER, 4000))
    received = 0
    server.settimeout(1)
    with contextlib.suppress(TimeoutError):
        while server.recv(10):
            received += 1
    assert 50 <= received <= 350


def test_a_flood_is_held_to_the_rate_and_other_labs_do_not_feel_it(
    lab: Lab, outside: Outside, make: Callable[[Config], LinuxKernel]
) -> None:
    other = Lab(outside, make(CONFIG), 4)
    other.bring(LATER)
    server = outside.datagrams(4000)
    with lab.node("u") as fd:
        with ThreadPoolExecutor(1) as pool, lab.sender() as flood:
            ping = pool.submit(other.shell, "h", "ping -n -q -c 20 -i 0.05 -W 5 10.0.1.1")
            began = time.monotonic()
            while not ping.done():
                for _ in range(200):
                    flood.sendto(bytes(1200), (SERVER, 4000))
            span = time.monotonic() - began
            assert "20 received" in ping.result()
        text = shell(fd, "ip -s -j link show dev wan0")
    octets = int(text.partition('"tx":{"bytes":')[2].partition(",")[0])
    bound = CONFIG.rate / 8 * span + 200_000
    assert octets <= bound
    assert octets >= bound / 10, "nothing was flooded"
    server.close()


@pytest.mark.parametrize("side", ["inside", "outside"])
def test_broken_rules_make_no_link(
    outside: Outside,
    make: Callable[[Config], LinuxKernel],
    monkeypatch: pytest.MonkeyPatch,
    side: str,
) -> None:
    good: Callable[[rules.Way], rules.Ruleset] = getattr(rules, side)

    def broken(way: rules.Way) -> rules.Ruleset:
        found = good(way)
        return dataclasses.replace(found, text=found.text.replace("policy", "polite", 1))

    before = outside.ruleset()
    monkeypatch.setattr(rules, side, broken)
    lab = Lab(outside, make(CONFIG))
    (failure,) = lab.bring(LATER).failures
    assert "nft refused the rules" in failure.message
    assert not failure.retryable
    assert outside.ruleset() == before
    assert lab.shell("u", "nft list ruleset; ip -o link show type veth").count("eth0") == 1
    monkeypatch.undo()
    assert lab.uplink() == CLOSED
    assert not lab.bring(LATER).failures
    assert lab.reaches(SERVER, timeout=10)


def test_a_link_that_cannot_be_finished_is_taken_away(
    outside: Outside, make: Callable[[Config], LinuxKernel], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = outside.ruleset()
    monkeypatch.setattr(qdisc, "set_rate", lambda index, rate: rtnl.delete_link(0, "none"))
    lab = Lab(outside, make(CONFIG))
    (failure,) = lab.bring(LATER).failures
    assert "open the way out" in failure.message
    assert outside.ruleset() == before
    assert lab.uplink() == CLOSED


def test_a_host_that_does_not_forward_is_left_as_it_is(
    outside: Outside, make: Callable[[Config], LinuxKernel]
) -> None:
    shell(outside.host, "sysctl -qw net.ipv4.ip_forward=0")
    lab = Lab(outside, make(CONFIG))
    (failure,) = lab.bring(LATER).failures
    assert "net.ipv4.ip_forward is 0" in failure.message
    assert "TOPOWEB_UPLINK=1" in failure.message
    assert shell(outside.host, "cat /proc/sys/net/ipv4/ip_forward") == "0\n"
    feature = outside.on_host(lab.kernel.gate.feature)
    assert feature["ok"] is False
    assert "TOPOWEB_UPLINK" in feature["remedy"]
    willing = Lab(outside, make(dataclasses.replace(CONFIG, forward=True)))
    assert outside.on_host(willing.kernel.gate.feature)["ok"] is True
    assert shell(outside.host, "cat /proc/sys/net/ipv4/ip_forward") == "0\n"  # nothing is open yet
    assert not willing.bring(LATER).failures
    assert shell(outside.host, "cat /proc/sys/net/ipv4/ip_forward") == "1\n"


def test_what_else_the_host_lacks_is_said(
    outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = gate.Gate("secret", CONFIG)
    assert outside.on_host(own.feature) == {"ok": True, "reason": "", "remedy": ""}
    shell(outside.host, "ip route del default")
    assert "no default route" in outside.on_host(own.feature)["reason"]
    monkeypatch.setattr(nft, "PATH", "/nowhere")
    assert "nft is not installed" in outside.on_host(own.feature)["reason"]
    with pytest.raises(TopowebError, match="not installed"):
        outside.on_host(nft.tables)


def test_revoked_it_is_gone_while_the_lab_runs_on(lab: Lab, outside: Outside) -> None:
    assert lab.reaches(SERVER, timeout=10)
    assert not lab.bring(None).failures
    assert lab.uplink() == CLOSED
    assert not lab.reaches(SERVER)
    lab.shell("h", "ping -c1 -W5 10.0.1.1")
    assert "topoweb" not in outside.ruleset()
    assert lab.shell("u", "nft list ruleset") == ""


def test_the_kernel_itself_ends_a_grant(lab: Lab, outside: Outside) -> None:
    """No worker is needed for it: here is none."""
    until = int(time.time()) + 3
    assert not lab.bring(until).failures
    lab.kernel.close()
    assert lab.reaches(SERVER, timeout=10) or time.time() >= until
    with lab.connection(SERVER) as established:
        while time.time() < until:  # each answer is awaited, so this is no idle loop
            established()
        assert not lab.reaches(SERVER)
        assert not established()


def test_a_longer_grant_is_read_back(lab: Lab) -> None:
    assert not lab.bring(LATER + 60).failures
    assert lab.uplink() == LATER + 60
    assert lab.reaches(SERVER, timeout=10)


def test_stop_leaves_nothing_on_the_host(outside: Outside, lab: Lab) -> None:
    assert "topoweb-u0" in outside.ruleset()
    outside.on_host(lambda: lab.kernel.destroy(lab.number))
    assert "topoweb" not in outside.ruleset()
    assert outside.on_host(lab.kernel.labs) == []


def test_removed_from_the_drawing_nothing_of_it_stays(lab: Lab, outside: Outside) -> None:
    assert not lab.bring(LATER, Topology(nodes={"h": Node(kind="host", name="h1")})).failures
    assert "topoweb" not in outside.ruleset()


def test_another_worker_adopts_it(
    lab: Lab, outside: Outside, make: Callable[[Config], LinuxKernel]
) -> None:
    lab.kernel.close()
    successor = Lab(outside, make(CONFIG))
    before = outside.ruleset()
    assert successor.bring(LATER).done == 0
    assert outside.ruleset() == before
    assert successor.reaches(SERVER, timeout=10)
    stricter = Lab(outside, make(dataclasses.replace(CONFIG, connections=10)))
    assert stricter.uplink() == BROKEN  # other rules are wished now
    assert stricter.bring(LATER).done == 1
    assert stricter.uplink() == LATER


def test_rules_that_a_crash_left_are_swept(
    outside: Outside, make: Callable[[Config], LinuxKernel], tmp_path: Path
) -> None:
    before = outside.ruleset()
    kernel = make(CONFIG)
    stranger = gate.Gate("another run directory", CONFIG)
    for own, number in ((kernel.gate, 5), (stranger, 6)):
        way = rules.Way(owner=own._owner, lab=9, until=LATER, number=number, config=CONFIG)
        outside.on_host(lambda way=way: nft.load(rules.outside(way)))  # type: ignore[misc]
    assert outside.on_host(kernel.labs) == []
    assert len(outside.on_host(nft.tables)) == 1  # the stranger's stays
    outside.on_host(lambda: stranger.forget(9))
    assert outside.ruleset() == before


def test_its_number_avoids_what_the_host_has_routes_to(outside: Outside, lab: Lab) -> None:
    shell(
        outside.host, "ip route add 100.127.0.0/25 dev eth0; ip route add 100.127.1.0/24 dev eth0"
    )
    assert not lab.bring(LATER + 1).failures
    assert "topoweb-u32" in outside.ruleset()
    shell(outside.host, "ip route add blackhole 100.127.0.0/16")
    (failure,) = lab.bring(LATER + 2).failures
    assert "no address of 100.127.0.0/16 is free" in failure.message
    assert "topoweb-u" not in outside.ruleset()  # closed, not half open


def test_root_of_the_lab_cannot_enter_the_uplink(lab: Lab) -> None:
    manifest = lab.kernel.manifest(lab.number)
    assert manifest is not None
    user = f"--user=/proc/{manifest.holder.pid}/fd/99"

    def enter(node: str) -> subprocess.CompletedProcess[str]:
        path = manifest.holder.descriptor_path(manifest.namespaces[node].slot)
        command = ["nsenter", user, "--", "nsenter", f"--net={path}", "ip", "link"]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert "eth0" in enter("h").stdout
    refused = enter("u")
    assert refused.returncode != 0
    assert "not permitted" in refused.stderr


def test_a_namespace_of_the_lab_is_never_given_a_way_out(lab: Lab) -> None:
    step = Step(OpenUplink(namespace="h", until=LATER), "test")
    (failure,) = lab.kernel.apply(lab.number, [step], lambda _: None, lambda: False).failures
    assert "belongs to the lab" in failure.message


def test_a_host_that_becomes_an_uplink_changes_hands(
    outside: Outside, make: Callable[[Config], LinuxKernel]
) -> None:
    lab = Lab(outside, make(CONFIG))
    lab.bring(LATER, drawing("host"))
    before = lab.kernel.manifest(lab.number)
    lab.bring(LATER, drawing("uplink"))
    after = lab.kernel.manifest(lab.number)
    assert before is not None
    assert after is not None
    assert not before.namespaces["u"].outer
    assert after.namespaces["u"].outer
    assert before.namespaces["u"].inode != after.namespaces["u"].inode
    assert lab.reaches(SERVER, timeout=10)
    lab.bring(LATER, drawing("host"))
    assert "topoweb" not in outside.ruleset()
    assert not lab.reaches(SERVER)


def test_blocked_networks_of_the_configuration(
    outside: Outside, make: Callable[[Config], LinuxKernel]
) -> None:
    blocked = (IPv4Network("93.184.216.0/24"),)
    lab = Lab(outside, make(dataclasses.replace(CONFIG, blocked=blocked)))
    assert not lab.bring(LATER).failures
    assert not lab.reaches(SERVER)
