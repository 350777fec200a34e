"""A packet foretold once more, with the remedy applied."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.explain.labs import H1, H2, routed
from topoweb.core.tracing.explain import dryrun
from topoweb.core.tracing.explain.dryrun import Request
from topoweb.core.tracing.explain.mended import Mended
from topoweb.core.tracing.explain.remedy import (
    address,
    forwarding_on,
    interface_on,
    loopback_on,
    mtu,
    other_hop,
    program,
    route,
    spanning_tree,
)


def again(lab: Any, request: Request | None = None) -> tuple[str, str, str]:
    """Foretell, then with the remedy: code before, code and node after."""
    request = request or Request(source="h1", target=H2)
    before = dryrun.walk(lab, request)
    after = dryrun.mended(lab, request, before, before.verdict)
    assert after is not None
    return before.verdict.code, after.verdict.code, after.verdict.node


def test_forwarding() -> None:
    lab = routed()
    lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    assert again(lab) == ("forwarding-off", "delivered", "h2")
    assert lab.settings["r1", "net.ipv4.ip_forward"] == "0"  # nothing was done


def test_the_next_fault_comes_to_light() -> None:
    lab = routed()
    lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    lab.tables["h2"].clear()
    assert again(lab) == ("forwarding-off", "no-return-route", "h2")


@pytest.mark.parametrize(("node", "code"), [("h1", "source-no-route"), ("h2", "no-return-route")])
def test_a_route_that_is_added(node: str, code: str) -> None:
    lab = routed()
    lab.tables[node].clear()
    assert again(lab) == (code, "delivered", "h2")


def test_a_route_to_another_next_hop() -> None:
    lab = routed()
    lab.tables["h1"].clear()
    lab.add_route("h1", "0.0.0.0/0", "10.0.1.99")
    assert again(lab) == ("gateway-unowned", "delivered", "h2")


def test_a_mask() -> None:
    lab = routed()
    lab.change("h1", "eth0", addresses=(f"{H1}/8",))
    assert again(lab) == ("wrong-mask", "delivered", "h2")


def test_a_loopback() -> None:
    lab = routed()
    lab.change("h1", "lo", up=False)
    request = Request(source="h1", target="127.0.0.1")
    assert again(lab, request) == ("lo-down", "delivered", "h1")


def test_a_program() -> None:
    request = Request(source="h1", target=H2, protocol="tcp", port=80)
    assert again(routed(), request) == ("no-listener", "delivered", "h2")


def test_a_fault_that_the_walk_had_not_foreseen_is_not_foretold_anew() -> None:
    lab = routed()
    request = Request(source="h1", target=H2)
    whole = dryrun.walk(lab, request)
    lab.settings["r1", "net.ipv4.ip_forward"] = "0"
    found = dryrun.walk(lab, request).verdict
    assert dryrun.mended(lab, request, whole, found) is None


@pytest.mark.parametrize("mend", [interface_on("h1", "eth0"), spanning_tree("r1")])
def test_what_the_state_does_not_tell_is_not_made_up(mend: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Mended(routed(), mend.operation)


def test_every_other_operation_is_known() -> None:
    lab = routed()
    for mend in (
        forwarding_on("r1", 4), forwarding_on("r1", 6), loopback_on("h1"), mtu("r1", "eth1", 900),
        route("h1", "10.9.0.0/16", "10.0.1.1"), other_hop("h1", "0.0.0.0/0", "10.0.1.1"),
        address("change-mask", "h1", "eth0", [f"{H1}/24"], f"{H1}/24", f"{H1}/25"),
        program("h2", "tcp", 80),
    ):  # fmt: skip
        assert mend.operation is not None
        assert Mended(lab, mend.operation).interfaces("h1").keys() == lab.interfaces("h1").keys()


def test_look_ups_follow_the_kernels_order() -> None:
    """Prefix first; strict filters and forwarding count for what comes in only."""
    lab = routed()
    lab.add_route("r1", "10.0.2.0/25", kind="blackhole", device="lo")
    lab.settings["r1", "net.ipv4.conf.eth0.rp_filter"] = "1"
    lab.settings["r1", "net.ipv4.conf.eth0.forwarding"] = "1"
    operation = mtu("r1", "eth1", 900).operation
    assert operation is not None
    mended = Mended(lab, operation)
    assert mended.interfaces("r1")["eth1"].mtu == 900
    assert mended.route("r1", H2).kind == "blackhole"
    assert mended.route("r1", "10.0.2.200").interface == "eth1"
    assert mended.route("r1", "10.0.2.200").source == "10.0.2.1"
    assert mended.route("r1", "10.0.2.200", source="10.0.2.7", arriving="eth0").error == "EINVAL"
    assert mended.route("r1", "10.0.2.200", source=H1, arriving="eth0").kind == "unicast"
    assert mended.route("r1", "10.0.1.1").kind == "local"
    assert mended.route("r1", "10.7.0.1").error == "ENETUNREACH"
