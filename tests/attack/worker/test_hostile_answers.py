"""What programs in a node say to the worker's questions: a student is root there and may lie."""

from __future__ import annotations

import json

import msgspec
import pytest

from tests.attack.register import case
from topoweb.core.tracing import frr

HUGE = "9" * 400
ROUTE = '{"10.0.0.0/8": [{"protocol": "ospf", "selected": true, "nexthops": [{"ip": "10.0.0.1"}]}]}'
OSPF = '{"neighbors": {"1.1.1.1": [{"nbrState": "Full/DR", "ifaceAddress": "10.0.0.2"}]}}'
ROUTES = {
    "nothing": "",
    "no-json": "zebra\n$(id)",
    "list": "zebra\n[] []",
    "deep": "zebra\n" + '{"a":' * 100_000,
    "deep-lists": 'zebra\n{"a":' + "[" * 100_000,
    "hostile-daemons": f"zebra ../../x $(id) {'a' * 1000} -c\n{{}}{{}}",
    "wrong-types": 'zebra\n{"x": 1, "y": {"z": []}, "w": [1, [], {"nexthops": 7}]}{}',
    "surrogates": 'zebra\n{"\\ud800": [{"protocol": "\\udfff"}]}{}',
    "control-characters": 'zebra\n{"\\u001b]52;c;eA==\\u0007": [{"protocol": "\\u0000"}]}{}',
    "markup": 'zebra\n{"<script>": [{"protocol": "<img src=x onerror=x>"}]}{}',
    "many": "zebra\n" + json.dumps({f"10.0.{n}.0/24": [{}] for n in range(20_000)}) + "{}",
    "many-hops": "zebra\n" + json.dumps({"10.0.0.0/8": [{"nexthops": [{}] * 50_000}]}) + "{}",
    "long-texts": "zebra\n" + json.dumps({"x" * 100_000: [{"protocol": "y" * 100_000}]}) + "{}",
    "huge-numbers": f'zebra\n{{"a": [{{"protocol": {HUGE}, "nexthops": [{{"ip": {HUGE}}}]}}]}}{{}}',
    "more-digits-than-python-reads": 'zebra\n{"a": ' + "9" * 10_000 + "}{}",
    "nan": 'zebra\n{"a": [{"selected": NaN, "protocol": Infinity}]}{}',
}  # fmt: skip
NEIGHBOURS = {
    "uptime-huge": OSPF.replace('"nbrState"', f'"upTimeInMsec": {HUGE}, "nbrState"'),
    "uptime-negative": OSPF.replace('"nbrState"', '"upTimeInMsec": -9e99, "nbrState"'),
    "uptime-as-text": OSPF.replace('"nbrState"', '"upTimeInMsec": "1; id", "nbrState"'),
    "router-id-surrogate": OSPF.replace("1.1.1.1", "\\ud800"),
    "state-surrogate": OSPF.replace("Full/DR", "\\udc00"),
    "address-as-path": OSPF.replace("10.0.0.2", "../../etc"),
    "interface-escape": OSPF.replace('"nbrState"', '"ifaceName": "\\u001b[2J", "nbrState"'),
    "list": '{"neighbors": [1, 2]}',
    "deep": '{"neighbors": ' + '{"a":' * 50_000,
    "many": json.dumps(
        {"neighbors": {f"r{n}": [{"ifaceAddress": "10.0.0.2"}] for n in range(9_999)}}
    ),
}  # fmt: skip


def is_harmless(value):
    """Bounded, of JSON's types, and such that it can be sent."""
    text = msgspec.json.encode(value)
    assert len(text) < 1 << 20
    json.loads(text)


@pytest.mark.parametrize(
    "text", [case(key, f"a forged answer of vtysh about routes: {key}",
                  "ValueError, or short texts in a bounded list", text)
             for key, text in ROUTES.items()],
)  # fmt: skip
def test_routes(text):
    try:
        daemons, routes = frr.read_routes(text)
    except ValueError:
        return
    assert len(routes) <= frr.MANY
    assert all(word.isalnum() and len(word) <= 16 for word in daemons)
    is_harmless([daemons, routes])


@pytest.mark.parametrize(
    "text", [case(key, f"a forged answer of vtysh about neighbours: {key}",
                  "ValueError, or short texts in a bounded list", text)
             for key, text in NEIGHBOURS.items()],
)  # fmt: skip
def test_neighbours(text):
    try:
        found = frr.read_neighbours(text, ["ospfd"], 1_800_000_000.0)
    except ValueError:
        return
    assert len(found) <= frr.MANY
    is_harmless(found)
