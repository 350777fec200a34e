"""Rules are followed as far as they can be read; a doubtful one decides nothing."""

from __future__ import annotations

import pytest

from topoweb.core.tracing.explain.dryrun.filters import Subject, decide, matches
from topoweb.core.tracing.explain.facts import Rule

PING = Subject("icmp", "10.0.1.2", "10.0.2.2", 0, reply=False, iif="eth0", oif="eth1")
WEB = Subject("tcp", "10.0.1.2", "10.0.2.2", 80, reply=False, iif="eth0", oif="eth1")


def rule(text: str, verdict: str = "drop", **more: object) -> Rule:
    known = {"table": "inet t", "chain": "c", "hook": "forward", **more}
    return Rule(text=text, verdict=verdict, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "ping", "web"),
    [
        ("drop", True, True),
        ("ip protocol icmp drop", True, False),
        ("ip protocol != icmp drop", False, True),
        ("meta l4proto { tcp, udp } drop", False, True),
        ("icmp type echo-request drop", True, False),
        ("icmp type { echo-reply, time-exceeded } drop", False, False),
        ("ip saddr 10.0.1.0/24 ip daddr != 10.0.3.2 drop", True, True),
        ("ip saddr 10.0.1.1-10.0.1.9 drop", True, True),
        ("ip saddr { 10.0.9.9, 10.0.8.0/24 } drop", False, False),
        ("ip6 saddr 2001:db8::/32 drop", False, False),
        ("tcp dport 22 drop", False, False),
        ("tcp dport { 22, 80-90 } counter packets 1 bytes 2 drop", False, True),
        ("tcp sport 80 drop", False, None),
        ('iifname "eth0" oifname "eth*" drop', True, True),
        ('iif "eth1" drop', False, False),
        ("ct state established,related accept", False, False),
        ("ct state new drop", True, True),
        ("meta nfproto ipv4 drop", True, True),
        ("ip ttl 1 drop", None, None),
        ("ip protocol icmp limit rate 1/second drop", None, False),
        ('log prefix "drop" drop', True, True),
        ("tcp dport @ports drop", False, None),
        ("ip saddr @bad drop", None, None),
    ],
)
def test_what_matches(text: str, ping: bool | None, web: bool | None) -> None:
    assert matches(rule(text), PING) is ping
    assert matches(rule(text), WEB) is web


def test_the_first_that_decides_wins_and_every_chain_is_asked() -> None:
    rules = [
        rule("ip protocol icmp accept", "accept"),
        rule("policy drop", policy=True),
        rule("ip daddr 10.0.2.2 drop", chain="late"),
    ]
    assert decide(rules[:2], "forward", PING).verdict == "accept"
    assert decide(rules[:2], "forward", WEB).rule == rules[1]
    assert decide(rules, "forward", PING).rule == rules[2]
    assert decide(rules, "input", PING).verdict == "accept"
    assert decide([rule("drop", table="ip6 t")], "forward", PING).verdict == "accept"
    assert decide([rule("drop", table="ip t")], "forward", PING).verdict == "drop"


def test_jumps_go_and_return() -> None:
    rules = [
        rule("tcp dport 80 jump web", "other"),
        rule("ip protocol icmp goto pings", "other"),
        rule("drop"),
        rule("return", "other", chain="web", hook=""),
        rule("drop", chain="pings", hook=""),
        rule("jump endless", "other", chain="endless", hook=""),
    ]
    assert decide(rules, "forward", WEB).rule == rules[2]
    assert decide(rules, "forward", PING).rule == rules[4]
    assert decide([rule("jump c", "other")], "forward", PING).verdict == "accept"


def test_a_doubtful_rule_is_told() -> None:
    rules = [
        rule("ip ttl 1 drop"),
        rule("ip ttl 1 jump x", "other"),
        rule("limit rate 1/s", "other"),
    ]
    decision = decide(rules, "forward", PING)
    assert (decision.verdict, decision.doubtful) == ("accept", tuple(rules[:2]))


def test_translations() -> None:
    def to(text: str) -> tuple[str, int]:
        found = decide([rule(text, "other", hook="postrouting")], "postrouting", PING)
        return found.translates, found.port

    assert to('oifname "eth1" masquerade') == ("masquerade", 0)
    assert to("snat ip to 192.0.2.1") == ("192.0.2.1", 0)
    assert to("ip protocol icmp dnat to 192.0.2.1:80") == ("192.0.2.1", 80)
    assert to("dnat ip6 to [2001:db8::1]:80") == ("2001:db8::1", 80)
    assert to("dnat ip6 to 2001:db8::1") == ("2001:db8::1", 0)
    assert to("tcp dport 80 redirect to :8080") == ("", 0)
    assert to("redirect to :8080") == ("redirect", 8080)
    assert to("dnat to @servers") == ("dnat", 0)
