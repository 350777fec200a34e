"""Display filters that are meant to harm: refused or answered at once, whoever evaluates them."""

from __future__ import annotations

import time

import pytest

from tests.attack.register import attack, case
from tests.unit.packets import wire
from tests.web.drawings import two_hosts
from topoweb.core.packets.filter import Filter, FilterError, Subject
from topoweb.labs import services

pytestmark = pytest.mark.django_db
CHECK = "/api/v1/filters/check"
SECONDS = 2.0  # of processor time, generously

HOSTILE = {
    "backtracking": 'http.host matches "(a+)+$" or http.host matches "(a|a)*b"',
    "counts-of-counts": 'http.host matches "((a{64}){64}){64}"',
    "many-states": 'http.host matches "(a|b)*a(a|b){40}"',
    "deep-parentheses": "(" * 250 + "arp" + ")" * 250,
    "deep-negation": "!" * 500 + "arp",
    "many-conditions": "arp||" * 100 + "arp",
    "large-set": "tcp.port in {" + "1 " * 240 + "}",
    "too-long": "a" * 4000,
    "huge-number": "tcp.port == " + "9" * 400,
    "huge-prefix": "ip.addr == 1.2.3.4/" + "9" * 400,
    "nul": "arp\0",
    "surrogate": 'http.host == "\ud800"',
    "wide-characters": 'http.host == "' + "𝕏" * 400 + '"',
    "format-string": "{name} {0} %s %n",
    "dunder": "__class__.__mro__",
    "python": "__import__('os').system('id')",
    "sql": 'node == "\'; DROP TABLE labs_lab; --"',
    "markup": "<script>alert(1)</script>",
    "path": 'link == "../../etc/passwd"',
}


@pytest.mark.parametrize(
    "expression",
    [case(key, f"a display filter that is hostile: {key}",
          "answered at once, as text; nothing is evaluated but the filter's own language", value)
     for key, value in HOSTILE.items()],
)  # fmt: skip
def test_checked(client, lab, expression):
    sent = expression.encode(errors="replace").decode()
    began = time.process_time()
    answer = client.get(CHECK, {"expression": sent, "lab": lab.pk})
    listed = client.get(f"/api/v1/labs/{lab.pk}/packets", {"filter": sent})
    assert time.process_time() - began < SECONDS
    assert answer.status_code in (200, 422)
    assert answer.headers["Content-Type"].startswith("application/")
    ok = answer.status_code == 200 and answer.json()["ok"]
    assert listed.status_code == (503 if ok else 422)  # 503: there is no tracer here


@pytest.mark.parametrize(
    "expression",
    [case(key, f"a hostile display filter that reaches the tracer: {key}",
          "refused there too, or microseconds a packet", value)
     for key, value in HOSTILE.items()],
)  # fmt: skip
def test_evaluated(expression):
    """The tracer does not trust that the web has looked."""
    host = b"GET / HTTP/1.1\r\nHost: " + b"a" * 1400 + b"\r\n\r\n"
    frame = wire.ethernet(0x0800, wire.ipv4(6, wire.tcp(1, 80, 0x18, host)))
    began = time.process_time()
    try:
        asked = Filter(expression)
    except FilterError:
        asked = None
    for _ in range(1000 if asked else 0):
        asked.passes(Subject(frame, len(frame)))
    assert time.process_time() - began < SECONDS


@attack(
    "names of another lab's drawing guessed through the check of a filter",
    "404 as for no lab; without a lab no name is looked up",
)
def test_names_of_another_lab(client, stranger):
    theirs = services.create_lab(stranger, "theirs", two_hosts())
    for name in ("h1", "nobody"):
        expression = f'node == "{name}"'
        assert client.get(CHECK, {"expression": expression, "lab": theirs.pk}).status_code == 404
        assert client.get(CHECK, {"expression": expression}).json()["ok"]
