"""What the real kernel reported once (tests/fixtures/tracing), from its sightings to verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.facts import FakeFacts
from tests.unit.tracing.recorded import Told, load, told
from topoweb.core.packets import summary
from topoweb.core.tracing.explain import classify, of_drop, of_silence
from topoweb.core.tracing.explain.facts import Rule

if TYPE_CHECKING:
    from topoweb.core.tracing.observation import Observation


def campus() -> FakeFacts:
    """The lab of the recordings (tests/kernel/graphlab.py)."""
    lab = FakeFacts()
    lab.node("h1", eth0="10.1.0.1/24")
    lab.node("h3", eth0="10.1.0.3/24")
    lab.node("r1", forward=True, eth0="10.1.0.254/24", eth1="10.2.0.1/24")
    lab.node("r2", forward=True, eth0="10.2.0.2/24", eth1="10.3.0.254/24")
    lab.node("h2", eth0="10.3.0.2/24")
    lab.switch("sw", "p1", "p2", "p3", addresses="10.1.0.9/24")
    lab.cable("l1", "h1/eth0", "sw/p1")
    lab.cable("l2", "sw/p2", "r1/eth0")
    lab.cable("l3", "h3/eth0", "sw/p3")
    lab.cable("l4", "r1/eth1", "r2/eth0")
    lab.cable("l5", "r2/eth1", "h2/eth0")
    for host in ("h1", "h3"):
        lab.add_route(host, "0.0.0.0/0", "10.1.0.254")
    lab.add_route("h2", "0.0.0.0/0", "10.3.0.254")
    lab.add_route("r1", "0.0.0.0/0", "10.2.0.2")
    lab.add_route("r2", "10.1.0.0/24", "10.2.0.1")
    return lab


def recorded(seen: list[Observation]) -> FakeFacts:
    """The lab with the MACs that its interfaces had."""
    lab = campus()
    for one in seen:
        item = lab.devices.get(one.namespace, {}).get(one.interface)
        mac = one.data[6:12] if one.direction == "tx" else one.data[:6]
        if item is not None and item.port is None and one.direction != "drop" and not mac[0] & 1:
            lab.change(one.namespace, one.interface, mac=mac.hex(":"))
    return lab


def drops(story: Told, lab: FakeFacts) -> set[tuple[str, str, str]]:
    """Explain every drop of a recording that is not noise."""
    found = set()
    for number in range(1, len(story.stories) + 1):
        trace = story.stories.trace(number)
        for hop in trace.hops if trace else ():
            seen = hop.seen
            if trace is None or seen.direction != "drop":
                continue
            if classify(seen.reason, seen.symbol, seen.data) == "noise":
                continue
            verdict = of_drop(trace, hop, lab)
            found.add((verdict.code, verdict.node, verdict.kind))
    return found


@pytest.mark.parametrize(
    ("scene", "expected"),
    [
        ("forwarding_off", {("forwarding-off", "r1", "fault")}),
        ("ttl", {("ttl-exceeded", "r2", "expected")}),
        ("refused", {("no-listener", "h2", "fault")}),
        ("udp_closed", {("no-listener", "h2", "fault")}),
        ("fragments", {("no-listener", "h2", "fault")}),
        ("repeated", {("no-listener", "r2", "fault")}),
        ("neighbour_failed", {("neighbour-failed", "r1", "fault")}),
        ("loop", {("routing-loop", "r2", "fault")}),
        ("filtered", {("filter-drop", "r1", "fault")}),
        ("flood", {("not-for-this-host", "h3", "expected")}),
    ],
)
def test_recorded_faults(scene: str, expected: set[tuple[str, str, str]]) -> None:
    story = told(scene)
    lab = recorded(story.seen)
    if scene == "forwarding_off":
        lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    if scene == "loop":
        lab.add_route("r2", "10.9.0.0/16", "10.2.0.1")
    if scene == "filtered":
        lab.filters["r1"] = [
            Rule(table="ip f", chain="f", hook="forward", text="tcp dport 5001 drop",
                 verdict="drop")
        ]  # fmt: skip
    assert drops(story, lab) == expected


@pytest.mark.parametrize("scene", ["ping", "tcp", "udp_echo", "broadcast", "vxlan", "macvlan"])
def test_healthy_recordings_have_no_fault(scene: str) -> None:
    story = told(scene)
    assert drops(story, recorded(story.seen)) == set()


@pytest.mark.parametrize("scene", ["ping", "ping_cables", "tcp", "udp_echo", "flood", "vxlan"])
def test_settled_recordings_are_delivered(scene: str) -> None:
    story = told(scene)
    lab = recorded(story.seen)
    settled = [one for one in story.stories.exchanges_changed() if one.state == "answered"]
    assert settled
    for exchange in settled:
        traces = [t for n in exchange.packets if (t := story.stories.trace(n)) is not None]
        assert of_silence(exchange, traces, lab).kind == "delivered", exchange


@pytest.mark.parametrize("scene", ["ping", "ping_cables"])
def test_a_recorded_request_whose_reply_never_came(scene: str) -> None:
    """Through a switch, two routers and NAT; then the recording stops before h2's reply."""
    seen = load(scene)
    reply = next(
        index
        for index, one in enumerate(seen)
        if "echo reply" in summary(one.data, one.length).info
    )
    story, lab = Told(seen[:reply]), recorded(seen)
    lab.settings["h2", "net.ipv4.icmp_echo_ignore_all"] = "1"
    trace = story.traces("echo request")[0]
    verdict = of_silence(story.exchange(trace), [trace], lab)
    assert (verdict.code, verdict.node) == ("echo-ignored", "h2")
