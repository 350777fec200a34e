"""What vtysh says, as FRR 8.4 prints it, and what a node's root could print in its place."""

from __future__ import annotations

import pytest

from topoweb.core.tracing.frr import MANY, read_neighbours, read_routes

ROUTES = """ zebra ospfd bgpd staticd

{
  "10.3.0.0/24":[
    {"prefix":"10.3.0.0/24","protocol":"ospf","selected":true,"installed":true,
     "nexthops":[{"flags":3,"fib":true,"ip":"10.0.13.3","afi":"ipv4","interfaceName":"c"},
                 {"ip":"10.0.12.2","interfaceName":"a"}]}
  ],
  "10.0.13.0/24":[
    {"protocol":"ospf","nexthops":[{"directlyConnected":true,"interfaceName":"c"}]}
  ],
  "192.0.2.0/24":[{"protocol":"static","selected":true,"nexthops":[]}]
}
{}
"""
OSPF = """{
  "neighbors":{
    "2.2.2.2":[
      {"nbrState":"Full\\/DR","upTimeInMsec":29853,"ifaceAddress":"10.0.12.2",
       "ifaceName":"a:10.0.12.1"}
    ]
  }
}
"""
BGP = """{
"ipv4Unicast":{
  "routerId":"10.1.0.1","as":65001,
  "peers":{"10.0.12.2":{"remoteAs":65002,"peerUptimeMsec":2000,"state":"Established"},
           "10.0.13.3":{"remoteAs":65003,"peerUptimeMsec":0,"state":"Active"}}
},
"ipv6Unicast":{"peers":{"10.0.12.2":{"state":"Established"}}}
}
"""
RIP = """Routing Protocol is "rip"
  Sending updates every 30 seconds with +/-50%, next due in 8 seconds
  Routing for Networks:
    10.0.0.0/8
  Routing Information Sources:
    Gateway          BadPackets BadRoutes  Distance Last Update
    10.0.12.2                0         0       120   00:00:06
  Distance: (default is 120)
"""


def test_routes() -> None:
    daemons, routes = read_routes(ROUTES)
    assert daemons == ["zebra", "ospfd", "bgpd", "staticd"]
    said = [tuple(route.values()) for route in routes]
    assert said == [
        ("10.3.0.0/24", "10.0.13.3", "c", "ospf", True),
        ("10.3.0.0/24", "10.0.12.2", "a", "ospf", True),
        ("10.0.13.0/24", None, "c", "ospf", False),
        ("192.0.2.0/24", None, None, "static", True),
    ]


def test_neighbours_of_all_protocols() -> None:
    found = read_neighbours(OSPF + BGP + RIP, ["bgpd", "ripd", "ospfd"], 1000.0)
    assert [tuple(one.values()) for one in found] == [
        ("ospf", "10.0.12.2", "2.2.2.2", "Full/DR", "a", 970.147),
        ("bgp", "10.0.12.2", None, "Established", None, 998.0),
        ("bgp", "10.0.13.3", None, "Active", None, None),
        ("rip", "10.0.12.2", None, "up", None, None),
    ]
    assert read_neighbours("", [], 0.0) == []


@pytest.mark.parametrize(
    "text", ["", "zebra", "zebra\n[]", "zebra\n{} 7", "zebra\n{", "zebra\n" + "[" * 100_000]
)
def test_another_answer_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        read_routes(text)


def test_hostile_values_are_left_out_or_cut() -> None:
    text = (
        'zebra\n{"x":7,"y":[7,{"nexthops":7,"protocol":{}}],'
        '"z":[{"nexthops":[{"ip":"<b>","interfaceName":["a"]}],"selected":"yes"}]}{}'
    )
    for route in read_routes(text)[1]:
        assert route["via"] is None
        assert route["device"] is None
        assert route["selected"] is False
    neighbours = '{"neighbors":{"1.1.1.1":[{"ifaceAddress":"<script>"},{"address":7}],"2":7}}'
    assert read_neighbours(neighbours, ["ospfd"], 0.0) == []
    assert read_neighbours('{"a":7,"b":{"peers":{"x":7,"<b>":{}}}}', ["bgpd"], 0.0) == []


def test_many_are_cut() -> None:
    entries = ",".join(f'"p{n}":[{{"protocol":"bgp"}}]' for n in range(MANY + 100))
    assert len(read_routes(f"zebra\n{{{entries}}}{{}}")[1]) == MANY
