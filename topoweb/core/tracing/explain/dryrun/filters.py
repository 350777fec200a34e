"""What a packet filter does with a packet, as far as its rules can be read with certainty.

A rule with an expression that is not understood neither matches nor fails to: it is doubtful, the
evaluation goes on after it, and it is reported beside the decision.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from topoweb.core.tracing.explain.facts import Rule

MAX_JUMPS = 16  # as the kernel, NFT_JUMP_STACK_SIZE
_TOKEN = re.compile(r'"[^"]*"|\{[^}]*\}|\S+')
# An address, a port, or both, as nft writes them; IPv6 with a port stands in brackets.
_ADDRESS_PORT = re.compile(r"(?:\[([^]]+)\]|([\d.]+|[\da-f]*:[\da-f:.]*:[\da-f.]*))?(?::(\d+))?$")

Action = Literal["accept", "drop", "reject", "return", "jump", "goto", "nat", "next"]
FINAL = ("accept", "drop", "reject", "nat")
_NAT = ("masquerade", "snat", "dnat", "redirect")
_ACTIONS: dict[str, Action] = {
    **{"accept": "accept", "drop": "drop", "reject": "reject", "return": "return"},
    **{"jump": "jump", "goto": "goto"},
    **dict.fromkeys(_NAT, "nat"),
}
_ERRORS = {
    "icmp": {3: "destination-unreachable", 4: "source-quench", 5: "redirect",
             11: "time-exceeded", 12: "parameter-problem"},
    "ipv6-icmp": {1: "destination-unreachable", 2: "packet-too-big", 3: "time-exceeded",
                  4: "parameter-problem"},
}  # fmt: skip
# Statements that decide nothing, with the number of words that they take.
_SKIP = {"counter": 1, "log": 1, "packets": 2, "bytes": 2, "prefix": 2, "level": 2, "group": 2}


class Subject(NamedTuple):
    """What rules ask of a packet at a hook; "" where it has no interface there."""

    protocol: str  # icmp, ipv6-icmp, tcp, udp
    source: str
    target: str
    port: int  # destination port
    reply: bool
    iif: str = ""
    oif: str = ""
    error: int = 0  # type of an ICMP error, 0 for other packets

    @property
    def version(self) -> int:
        """4 or 6."""
        return 6 if ":" in self.target else 4


class Decision(NamedTuple):
    """What becomes of a packet at a hook; ``rule`` decided it, ``doubtful`` may."""

    verdict: Literal["accept", "drop", "reject"] = "accept"
    rule: Rule | None = None
    doubtful: tuple[Rule, ...] = ()
    translates: str = ""  # "masquerade", "redirect", or the address to translate to
    port: int = 0  # to translate to, 0: as it is


def decide(rules: Sequence[Rule], hook: str, subject: Subject) -> Decision:
    """Run a packet through all base chains of a hook."""
    chains: dict[tuple[str, str], list[Rule]] = {}
    for rule in rules:
        chains.setdefault((rule.table, rule.chain), []).append(rule)
    evaluation = _Evaluation(chains, subject)
    translates, port = "", 0
    for (table, _), chain in chains.items():
        if chain[0].hook != hook or not _concerns(table, subject):
            continue
        verdict, decisive = evaluation.run(chain)
        if verdict in ("drop", "reject"):
            stopped: Literal["drop", "reject"] = "drop" if verdict == "drop" else "reject"
            return Decision(stopped, decisive, tuple(evaluation.doubtful))
        if verdict == "nat" and decisive and not subject.reply and not translates:
            translates, port = _translation(decisive.text)
    return Decision("accept", None, tuple(evaluation.doubtful), translates, port)


def matches(rule: Rule, subject: Subject) -> bool | None:
    """Tell whether a rule matches a packet; None when it cannot be told."""
    return _read(rule.text, subject)[0]


def _translation(text: str) -> tuple[str, int]:
    """Return the address (or the statement, where it names none) and port to translate to."""
    words = _TOKEN.findall(text)
    to = words[words.index("to") + 1] if "to" in words[:-1] else ""
    found = _ADDRESS_PORT.match(to)
    address, port = (found[1] or found[2] or "", found[3]) if found else ("", None)
    return address or next(word for word in words if word in _NAT), int(port or 0)


def _concerns(table: str, subject: Subject) -> bool:
    family = table.partition(" ")[0]
    return family in ("inet", "bridge", "netdev") or family == ("ip", "ip6")[subject.version == 6]


class _Evaluation:
    """One packet in one packet filter."""

    def __init__(self, chains: Mapping[tuple[str, str], list[Rule]], subject: Subject) -> None:
        self._chains = chains
        self._subject = subject
        self.doubtful: list[Rule] = []

    def run(self, chain: Iterable[Rule], depth: int = 0) -> tuple[Action, Rule | None]:
        """Return how a chain ends: "next" when it says nothing."""
        for rule in chain:
            if rule.policy:
                return ("drop" if rule.verdict == "drop" else "accept"), rule
            match, action, other = _read(rule.text, self._subject)
            if match is None and (rule.verdict in ("drop", "reject") or other):
                self.doubtful.append(rule)
            if not match or action == "next":
                continue
            if action not in ("jump", "goto"):
                return action, rule
            ended = self._enter(rule, other, depth)
            if ended[0] in FINAL or action == "goto":
                return ended
        return "next", None

    def _enter(self, rule: Rule, chain: str, depth: int) -> tuple[Action, Rule | None]:
        if depth >= MAX_JUMPS:
            return "next", None
        return self.run(self._chains.get((rule.table, chain), ()), depth + 1)


def _read(text: str, subject: Subject) -> tuple[bool | None, Action, str]:
    """Return (does it match, what it does, the chain that it jumps to)."""
    words = _TOKEN.findall(text)
    match: bool | None = True
    at = 0
    while at < len(words):
        action = _ACTIONS.get(words[at])
        if action is not None:
            jumps = action in ("jump", "goto") and at + 1 < len(words)
            return match, action, words[at + 1] if jumps else ""
        if words[at] in _SKIP:
            at += _SKIP[words[at]]
            continue
        used, holds = _condition(words, at, subject)
        if not used:
            jumps = len(words) > 1 and words[-2] in ("jump", "goto")
            return (None if match is not False else False), "next", words[-1] if jumps else ""
        match = _both(match, holds)
        at += used
    return match, "next", ""


def _both(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _condition(tokens: Sequence[str], at: int, subject: Subject) -> tuple[int, bool | None]:
    """Return how many tokens a condition takes (0: not understood) and whether it holds."""
    for words, test in _CONDITIONS.items():
        if tuple(tokens[at : at + len(words)]) != words:
            continue
        value_at = at + len(words)
        negated = tokens[value_at : value_at + 1] == ["!="]
        value_at += negated
        if value_at >= len(tokens):
            return 0, None
        found = [test(subject, value) for value in _values(tokens[value_at])]
        holds = None if None in found and True not in found else any(found)
        used = value_at + 1 - at
        return used, holds if holds is None else holds != negated
    return 0, None


def _values(token: str) -> list[str]:
    inner = token.strip("{}").strip()
    return [part.strip().strip('"') for part in inner.split(",") if part.strip()]


def _address(field: str, version: int) -> Callable[[Subject, str], bool | None]:
    def test(subject: Subject, value: str) -> bool | None:
        if subject.version != version:
            return False
        address = ip_address(getattr(subject, field))
        try:
            first, dash, last = value.partition("-")
            if dash:
                return bool(ip_address(first) <= address <= ip_address(last))  # type: ignore[operator]
            return address in ip_network(value, strict=False)
        except (ValueError, TypeError):
            return None

    return test


def _destination_port(protocol: str) -> Callable[[Subject, str], bool | None]:
    def test(subject: Subject, value: str) -> bool | None:
        if subject.protocol != protocol:
            return False
        if subject.reply:
            return None  # the port that the kernel chose is not known
        first, _, last = value.partition("-")
        try:
            return int(first) <= subject.port <= int(last or first)
        except ValueError:  # a service by name
            return None

    return test


def _source_port(protocol: str) -> Callable[[Subject, str], bool | None]:
    forward = _destination_port(protocol)

    def test(subject: Subject, value: str) -> bool | None:
        if subject.protocol != protocol:
            return False
        return forward(subject._replace(reply=False), value) if subject.reply else None

    return test


def _protocol(subject: Subject, value: str) -> bool | None:
    numbers = {"1": "icmp", "6": "tcp", "17": "udp", "58": "ipv6-icmp", "icmpv6": "ipv6-icmp"}
    return numbers.get(value, value) == subject.protocol


def _echo(protocol: str) -> Callable[[Subject, str], bool | None]:
    def test(subject: Subject, value: str) -> bool | None:
        if subject.protocol != protocol:
            return False
        if subject.error:
            return value in (str(subject.error), _ERRORS[protocol].get(subject.error, ""))
        names = ("echo-reply", "0", "129") if subject.reply else ("echo-request", "8", "128")
        return value in names

    return test


def _interface(field: str) -> Callable[[Subject, str], bool | None]:
    def test(subject: Subject, value: str) -> bool | None:
        name: str = getattr(subject, field)
        return name.startswith(value[:-1]) if value.endswith("*") else name == value

    return test


def _tracked(subject: Subject, value: str) -> bool | None:
    if value == "related" or subject.error:
        return value == "related" and bool(subject.error)
    return value == ("established" if subject.reply else "new")


_CONDITIONS: Mapping[tuple[str, ...], Callable[[Subject, str], bool | None]] = {
    ("ip", "protocol"): _protocol,
    ("ip6", "nexthdr"): _protocol,
    ("meta", "l4proto"): _protocol,
    ("ip", "saddr"): _address("source", 4),
    ("ip", "daddr"): _address("target", 4),
    ("ip6", "saddr"): _address("source", 6),
    ("ip6", "daddr"): _address("target", 6),
    ("tcp", "dport"): _destination_port("tcp"),
    ("udp", "dport"): _destination_port("udp"),
    ("tcp", "sport"): _source_port("tcp"),
    ("udp", "sport"): _source_port("udp"),
    ("icmp", "type"): _echo("icmp"),
    ("icmpv6", "type"): _echo("ipv6-icmp"),
    ("iifname",): _interface("iif"),
    ("iif",): _interface("iif"),
    ("oifname",): _interface("oif"),
    ("oif",): _interface("oif"),
    ("ct", "state"): _tracked,
    ("meta", "nfproto"): lambda subject, value: value == f"ipv{subject.version}",
}
