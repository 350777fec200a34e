from __future__ import annotations

import shlex
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from topoweb.core.plan import render as module
from topoweb.core.plan.actions import (
    Action,
    AddAddress,
    AddNamespace,
    AddRoute,
    Plan,
    RemoveAddress,
    RemoveDevice,
    RemoveNamespace,
    RemoveRoute,
    SetDevice,
    SetForwarding,
    Step,
)
from topoweb.core.plan.render import render, script
from topoweb.core.plan.state import Endpoint, RouteState

PORT = Endpoint(namespace="n1", name="eth0")
NAMES = {"n1": "h1"}
DEFAULT = RouteState(prefix="0.0.0.0/0", via="10.0.0.1")


@pytest.mark.parametrize(
    ("action", "lines"),
    [
        (RemoveNamespace(namespace="n1"), ["ip netns del h1"]),
        (RemoveDevice(at=PORT), ["ip -n h1 link del dev eth0"]),
        (
            SetDevice(at=PORT, mtu=1400, mac="02:00:00:00:00:01", master="br0", up=True),
            [
                "ip -n h1 link set dev eth0 mtu 1400",
                "ip -n h1 link set dev eth0 address 02:00:00:00:00:01",
                "ip -n h1 link set dev eth0 master br0",
                "ip -n h1 link set dev eth0 up",
            ],
        ),
        (
            SetDevice(at=PORT, master="", stp=True, ageing=15, up=False),
            [
                "ip -n h1 link set dev eth0 nomaster",
                "ip -n h1 link set dev eth0 type bridge stp_state 1",
                "ip -n h1 link set dev eth0 type bridge ageing_time 1500",
                "ip -n h1 link set dev eth0 down",
            ],
        ),
        (AddAddress(at=PORT, address="10.0.0.1/24"), ["ip -n h1 addr add 10.0.0.1/24 dev eth0"]),
        (RemoveAddress(at=PORT, address="::1/64"), ["ip -n h1 addr del ::1/64 dev eth0"]),
        (AddRoute(namespace="n1", route=DEFAULT), ["ip -n h1 route add 0.0.0.0/0 via 10.0.0.1"]),
        (
            RemoveRoute(namespace="n1", route=RouteState(prefix="::/0", device="eth0", metric=5)),
            ["ip -n h1 route del ::/0 dev eth0 metric 5"],
        ),
        (
            SetForwarding(namespace="n1", ipv6=True),
            ["ip netns exec h1 sysctl -w net.ipv6.conf.all.forwarding=1"],
        ),
    ],
)
def test_commands(action: Action, lines: list[str]) -> None:
    assert render(action, NAMES) == lines
    assert script(Plan((Step(action, "why"),)), NAMES) == lines


def test_every_action_has_a_renderer() -> None:
    assert set(module._RENDERERS) == set(get_args(Action))


@settings(max_examples=200)
@given(st.text(min_size=1, max_size=15))
def test_names_cannot_leave_their_word(name: str) -> None:
    (line,) = render(AddNamespace(namespace="n1"), {"n1": name})
    assert shlex.split(line) == ["ip", "netns", "add", name]
