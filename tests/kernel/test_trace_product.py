"""The trace verb through the real tracer's process: real faults, the right place and reason."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import json
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.test_tracer import Tracer, _get, lab, tracer  # noqa: F401 - fixtures
from tests.kernel.tracelab import eventually
from topoweb.protocol.frames import ARMED, Kind, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kernel.tracelab import TraceLab

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")
TARGET = "10.9.2.2"  # of n2, behind the router n1


def traced(
    tracer: Tracer, lab: TraceLab, source: int = 0, target: str = TARGET
) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, Any]]:
    """Have one ping foretold, sent and followed; return dry run, traces and verdict."""
    wish = {"source": f"n{source}", "target": target, "protocol": "icmp", "port": None}
    sender = threading.Thread(
        target=lab.inside, args=(source, ["ping", "-c1", "-W2", target], False)
    )
    told: dict[str, dict[str, Any]] = {}
    traces: dict[int, dict[str, Any]] = {}
    for payload in payloads(tracer, wish):
        if payload == ARMED:
            sender.start()
            continue
        message = json.loads(payload)
        if message["type"] == "trace":
            traces[message["trace"]["packet"]] = message["trace"]
        told[message["type"]] = message
    sender.join()
    return told["dry"], list(traces.values()), told["verdict"]


def payloads(tracer: Tracer, wish: dict[str, Any]) -> Iterator[bytes]:
    with tracer.open(Stream.TRACE, wish) as client:
        client.settimeout(20)
        while (frame := _get(client)).kind is Kind.DATA:
            yield frame.payload
        assert json.loads(frame.payload)["code"] == "done"


def places(traces: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Return (link, direction) of all that was seen to cross a cable of a ping."""
    return {
        (hop["link"], hop["along"])
        for trace in traces
        if any(layer["protocol"] == "ICMP" for layer in trace["hops"][0]["layers"])
        for hop in trace["hops"]
        if hop["link"]
    }


def test_a_ping_from_sound_to_broken_and_back(lab: TraceLab, tracer: Tracer) -> None:
    dry, traces, end = traced(tracer, lab)
    assert dry["verdict"]["kind"] == "delivered"
    assert end["verdict"]["kind"] == "delivered", end["verdict"]
    assert places(traces) == {("l0", "ab"), ("l1", "ab"), ("l1", "ba"), ("l0", "ba")}
    assert (end["agree"], end["differs"]) == (True, None)

    lab.sysctl(1, "net/ipv4/ip_forward", "0")
    dry, traces, end = traced(tracer, lab)
    assert (dry["verdict"]["code"], dry["verdict"]["node"]) == ("forwarding-off", "n1")
    verdict = end["verdict"]
    assert (verdict["code"], verdict["node"], verdict["kind"]) == ("forwarding-off", "n1", "fault")
    assert verdict["remedy"]["operation"] or verdict["remedy"]["commands"]
    assert places(traces) == {("l0", "ab")}
    assert end["agree"]
    if tracer.tier == "bpf":
        assert (verdict["seen"], verdict["reason"]) == (True, "IP_INADDRERRORS")
        last = traces[-1]["hops"][-1]
        assert (last["node"], last["interface"], last["direction"]) == ("n1", "left", "drop")

    lab.sysctl(1, "net/ipv4/ip_forward", "1")
    lab.ip(2, "route del default")
    dry, traces, end = traced(tracer, lab)
    assert (dry["verdict"]["code"], dry["verdict"]["node"]) == ("no-return-route", "n2")
    verdict = end["verdict"]
    assert (verdict["code"], verdict["node"]) == ("no-return-route", "n2")
    assert verdict["seen"] is False
    assert places(traces) == {("l0", "ab"), ("l1", "ab")}

    lab.ip(2, "route add default via 10.9.2.1")
    _, _, end = traced(tracer, lab)
    assert end["verdict"]["kind"] == "delivered", end["verdict"]


def test_a_source_without_a_route_sends_nothing(lab: TraceLab, tracer: Tracer) -> None:
    lab.ip(0, "route del default")
    dry, traces, end = traced(tracer, lab)
    assert (dry["verdict"]["code"], dry["verdict"]["node"]) == ("source-no-route", "n0")
    assert end["verdict"] == dry["verdict"]
    assert end["exchange"] is None
    assert places(traces) == set()


def test_ends_come_with_the_packets(lab: TraceLab, tracer: Tracer) -> None:
    """Nobody asked: the verdict comes with the stream of packets, and on the packet's story."""
    lab.ip(2, "route del default")
    client = tracer.open(Stream.PACKETS, {})
    _get(client)
    lab.inside(0, ["ping", "-c1", "-W1", TARGET], False)
    ends: list[dict[str, Any]] = []
    while not ends:
        ends += [
            end for end in json.loads(_get(client).payload).get("ends", ())
            if end["verdict"]["code"] == "no-return-route"
        ]  # fmt: skip
    client.close()
    assert (ends[0]["node"], ends[0]["link"], ends[0]["direction"]) == ("n2", "l1", "ab")
    story = json.loads(tracer.whole(Stream.QUERY, {"what": "trace", "packet": ends[0]["packet"]}))
    assert story["verdict"]["code"] == "no-return-route"
    assert story["exchange"]["state"] == "unanswered"
    assert "skb" not in json.dumps(story)


def test_tables_as_they_were_at_a_hop(lab: TraceLab, tracer: Tracer) -> None:
    """A route that has gone since is still in the tables of the packet that took it."""
    _, traces, end = traced(tracer, lab)
    assert end["verdict"]["kind"] == "delivered"
    packet, index = next(
        (trace["packet"], index)
        for trace in traces
        for index, hop in enumerate(trace["hops"])
        if hop["node"] == "n0" and hop["layers"][-1]["protocol"] != "ARP"
    )
    lab.ip(0, "route del default")
    question = {"what": "tables", "packet": packet, "hop": index}
    routes: list[dict[str, Any]] = []

    def gone() -> bool:
        answer = json.loads(tracer.whole(Stream.QUERY, question))
        assert (answer["node"], answer["exact"]) == ("n0", True)
        routes[:] = [row for row in answer["tables"]["routes"] if row["prefix"] == "0.0.0.0/0"]
        return [row["change"] for row in routes] == ["gone"]

    eventually(gone, "the route's end is not told")
    assert (routes[0]["via"], routes[0]["interface"]) == ("10.9.1.2", "right")


def test_a_filters_verdict_says_which_rules_were_passed(lab: TraceLab, tracer: Tracer) -> None:
    """Seen by the kernel's own trace of rules, and nothing of it stays in the node."""
    chain = "add table inet f; add chain inet f c { type filter hook forward priority 0; }; "
    lab.inside(1, ["nft", chain + "add rule inet f c ip protocol icmp counter drop"])
    _, _, end = traced(tracer, lab)
    verdict = end["verdict"]
    assert (verdict["code"], verdict["node"]) == ("filter-drop", "n1")
    (walked,) = [one for one in verdict["evidence"] if one["code"] == "rules-passed"]
    assert walked["output"].startswith("inet f c ip protocol icmp counter packets")
    assert walked["output"].endswith("drop (drop)")
    assert "topoweb_trace" not in lab.inside(1, ["nft", "list", "tables"])
