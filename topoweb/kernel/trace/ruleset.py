"""A node's packet filter as nft(8) lists it.

Whoever is root in a node writes its rules, and so what nft must parse. nft therefore runs as a
program of its own with the lab's privileges, not ours: inside the lab's user namespace, as the
lab's root, with bounded memory and time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Literal, NamedTuple

from topoweb.core.tracing.explain.facts import Rule
from topoweb.kernel.uplink.nft import PATH

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = 256 << 20  # bytes of address space
TRACING = "inet topoweb_trace"  # the table of a rule trace, which decides nothing
TIMEOUT = 3.0  # seconds
MAX_TEXT = 1 << 20  # bytes of a listing; what is beyond is cut off
HOOKS = ("ingress", "prerouting", "input", "forward", "output", "postrouting", "egress")
_BASE = re.compile(
    r"type \w+ hook (\w+).* priority (-?\d+);(?: policy (\w+);)?|type \w+ hook (\w+)"
)
_STRING = re.compile(r'"[^"]*"')
_COMMENT = re.compile(r'\s*comment "([^"]*)"$')
_COUNTER = re.compile(r"\bcounter packets (\d+)")
_LAST = re.compile(r"(?:^|\s)(drop|reject|accept)(?: with [\w -]+)?$")

Verdict = Literal["drop", "reject", "accept", "other"]


def listing(user_fd: int, net_fd: int) -> str:
    """Return the rules of a network namespace, "" where they cannot be told.

    ``user_fd``: the user namespace to run in; -1: ours, for a namespace of our own making.
    """
    command = inside(user_fd, net_fd, "--numeric-priority", "list", "ruleset")
    keep = [fd for fd in (user_fd, net_fd) if fd >= 0]
    return _output(command, keep) if command else ""


def inside(user_fd: int, net_fd: int, *arguments: str, seconds: int = 0) -> list[str]:
    """Return the command that runs nft in a node; [] where a program is missing.

    The descriptors must be passed on to it; ``user_fd`` as in `listing`. After ``seconds`` (0:
    never) it is ended, whoever has started it.
    """
    names = ("prlimit", "nsenter", "nft", "timeout")
    programs = [shutil.which(name, path=PATH) for name in names]
    if None in programs:
        return []
    limit, enter, nft, timeout = programs
    spaces = [f"--net=/proc/self/fd/{net_fd}"]
    if user_fd >= 0:
        spaces.append(f"--user=/proc/self/fd/{user_fd}")
        if _single_uid():  # of an ordinary user's worker: it is the lab's already
            spaces.append("--preserve-credentials")
    return [
        *(str(limit), f"--as={MEMORY}", "--core=0", "--"),
        *(str(enter), *spaces, "--"),
        *((str(timeout), "--kill-after=1", str(seconds)) if seconds else ()),
        *(str(nft), *arguments),
    ]


def _output(command: list[str], keep: list[int]) -> str:
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=keep,
            cwd="/",
            env={"PATH": PATH, "LANG": "C.UTF-8"},
        ) as program:
            return _read(program)
    except OSError:
        return ""


def _read(program: subprocess.Popen[bytes]) -> str:
    try:
        text, _ = program.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        program.kill()
        return ""
    return text[:MAX_TEXT].decode(errors="replace") if program.returncode == 0 else ""


def _single_uid() -> bool:
    """True in a user namespace that may not drop groups (setgroups denied)."""
    try:
        with open("/proc/self/setgroups") as file:  # noqa: PTH123
            return file.read().strip() == "deny"
    except OSError:
        return os.geteuid() != 0


class _Chain(NamedTuple):
    table: str
    name: str
    hook: str
    priority: int
    rules: tuple[Rule, ...]


def parse(text: str) -> tuple[Rule, ...]:
    """Return the rules and policies of a listing in the order of evaluation.

    Base chains come by hook and priority, each with its policy at its end; then the chains that
    they may jump to.
    """
    chains = sorted((one for one in _chains(text) if one.table != TRACING), key=_order)
    return tuple(rule for chain in chains for rule in chain.rules)


def _order(chain: _Chain) -> tuple[int, int]:
    place = HOOKS.index(chain.hook) if chain.hook in HOOKS else len(HOOKS)
    return place, chain.priority


def _chains(text: str) -> Iterator[_Chain]:
    table, name, body = "", "", list[str]()
    for line in text.splitlines():
        words = line.strip()
        if words.startswith("table ") and words.endswith("{"):
            table = words.removeprefix("table ").removesuffix("{").strip()
        elif line.startswith("\tchain ") and words.endswith("{"):
            name, body = words.split()[1], []
        elif line == "\t}" and name:
            yield _chain(table, name, body)
            name = ""
        elif name and words:
            body.append(words)


def _chain(table: str, name: str, body: list[str]) -> _Chain:
    hook, priority, policy, rules = "", 0, "", body
    if body and (base := _BASE.match(body[0])):
        hook = base[1] or base[4]
        priority, policy, rules = int(base[2] or 0), base[3] or "", body[1:]
    found = [_rule(table, name, hook, words) for words in rules]
    if policy:
        verdict = _verdict(policy)
        text = f"policy {policy}"
        found.append(
            Rule(table=table, chain=name, hook=hook, text=text, verdict=verdict, policy=True)
        )
    return _Chain(table, name, hook, priority, tuple(found))


def _rule(table: str, chain: str, hook: str, words: str) -> Rule:
    remark = _COMMENT.search(words)
    text = words[: remark.start()] if remark else words
    counter = _COUNTER.search(text)
    return Rule(
        table=table,
        chain=chain,
        hook=hook,
        text=text,
        verdict=_verdict(_STRING.sub('""', text)),
        comment=remark[1] if remark else "",
        packets=int(counter[1]) if counter else -1,
    )


def _verdict(text: str) -> Verdict:
    last = _LAST.search(text)
    if last is None:
        return "other"
    return {"drop": "drop", "reject": "reject", "accept": "accept"}[last[1]]  # type: ignore[return-value]
