"""Short ways to write plans and to look into a lab's namespaces."""

from __future__ import annotations

import subprocess
import time
from typing import TYPE_CHECKING

from topoweb.core.plan.actions import (
    Action,
    AddAddress,
    AddBridge,
    AddNamespace,
    AddRoute,
    AddVeth,
    SetDevice,
    SetForwarding,
    Step,
    VethEnd,
)
from topoweb.core.plan.state import Endpoint, RouteState
from topoweb.engine.reconcile import carries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.plan.result import ApplyResult
    from topoweb.kernel.lab import LinuxKernel

LAB = 7


def at(place: str) -> Endpoint:
    """Return the endpoint "n1 eth0"."""
    namespace, name = place.split()
    return Endpoint(namespace=namespace, name=name)


def steps(*actions: Action) -> list[Step]:
    return [Step(action, "test", f"s{number}") for number, action in enumerate(actions)]


def apply(kernel: LinuxKernel, *actions: Action, lab: int = LAB) -> ApplyResult:
    """Apply, and wait until cables carry packets; progress and cancel are of no interest."""
    result = kernel.apply(lab, steps(*actions), lambda done: None, lambda: False)
    deadline = time.monotonic() + 10
    while not carries(kernel.observe(lab)) and time.monotonic() < deadline:
        time.sleep(0.01)  # the kernel tells nobody in particular
    return result


def node(name: str, ipv4: bool = False, ipv6: bool = False) -> list[Action]:
    return [AddNamespace(namespace=name), SetForwarding(namespace=name, ipv4=ipv4, ipv6=ipv6)]


def bridge(name: str, stp: bool = False) -> AddBridge:
    return AddBridge(
        namespace=name, name="br0", up=True, mtu=1500, stp=stp, ageing=300, tag="topoweb:7:b:b"
    )


def end(place: str, tag: str, master: str | None = None, up: bool = True) -> VethEnd:
    return VethEnd(at=at(place), mac=None, mtu=1500, master=master, up=up, tag=tag)


def cable(
    link: str, a: str, b: str, a_master: str | None = None, b_master: str | None = None
) -> AddVeth:
    return AddVeth(
        a=end(a, f"topoweb:{LAB}:{link}:a", a_master), b=end(b, f"topoweb:{LAB}:{link}:b", b_master)
    )


def address(place: str, prefix: str) -> AddAddress:
    return AddAddress(at=at(place), address=prefix)


def route(name: str, prefix: str, via: str, metric: int = 0) -> AddRoute:
    return AddRoute(namespace=name, route=RouteState(prefix=prefix, via=via, metric=metric))


def up(*places: str) -> list[SetDevice]:
    return [SetDevice(at=at(place), up=True) for place in places]


def two_hosts() -> list[Action]:
    return [
        AddNamespace(namespace="n1"),
        AddNamespace(namespace="n2"),
        cable("l1", "n1 eth0", "n2 eth0"),
        *up("n1 lo", "n2 lo"),
        address("n1 eth0", "10.0.1.1/24"),
        address("n2 eth0", "10.0.1.2/24"),
    ]


def star(hosts: int, first: int = 1) -> list[Action]:
    """A switch ``sw`` and hosts h1, h2, … with 10.0.0.<n>/24."""
    names = [f"h{number}" for number in range(first, first + hosts)]
    plan: list[Action] = [AddNamespace(namespace=name) for name in names]
    if first == 1:
        plan = [AddNamespace(namespace="sw"), *plan, bridge("sw")]
    for number, name in enumerate(names, first):
        plan.append(cable(f"l{number}", f"sw p{number}", f"{name} eth0", a_master="br0"))
    plan += up(*(f"{name} lo" for name in names))
    for number, name in enumerate(names, first):
        plan.append(address(f"{name} eth0", f"10.0.{number >> 8}.{number & 255}/16"))
    return plan


def inside(kernel: LinuxKernel, name: str, command: str, lab: int = LAB) -> str:
    """Run a command in a node's namespace as an administrator would; return its output."""
    found = kernel.manifest(lab)
    assert found, "the lab is gone"
    path = found.holder.descriptor_path(found.namespaces[name].slot)
    done = subprocess.run(
        ["nsenter", f"--net={path}", *command.split()], capture_output=True, text=True, timeout=30
    )
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


def pings(kernel: LinuxKernel, name: str, target: str) -> None:
    """Assert that one echo is answered."""
    inside(kernel, name, f"ping -c1 -W5 {target}")


def errors(result: ApplyResult) -> Iterable[str]:
    return [failure.message for failure in result.failures]
