"""A connection whose other end is gone holds up neither a stop nor a node's removal."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from tests.kernel.plans import LAB, address, apply, errors, inside, two_hosts
from tests.kernel.sandboxed import says, wait_for
from topoweb.core.plan.actions import RemoveNamespace
from topoweb.core.programs import Command
from topoweb.kernel import connections, netns

if TYPE_CHECKING:
    from topoweb.core.programs import Started
    from topoweb.kernel.lab import LinuxKernel

AT_MOST = 5.0  # seconds; without `connections.abort` it is 108
ADDRESSES = {socket.AF_INET: "10.0.1.2", socket.AF_INET6: "fd00::2"}
SERVER = """
import socket, sys, time
listener = socket.create_server(("", 80), family=int(sys.argv[1]))
print("listens", flush=True)
client = listener.accept()
time.sleep(900)
"""
CLIENT = """
import os, socket, sys, time
client = socket.create_connection((sys.argv[1], 80))
client.send(b"arrives")
print("connected", flush=True)
while not os.path.exists("/tmp/cut"): time.sleep(0.01)
client.send(b"never arrives")
print("sent", flush=True)
time.sleep(900)
"""


def send_into_nothing(kernel: LinuxKernel, family: socket.AddressFamily) -> Started:
    """A program of n1 has sent something to n2 that n2 cannot get; return that program."""
    plan = [*two_hosts(), address("n1 eth0", "fd00::1/64"), address("n2 eth0", "fd00::2/64")]
    assert errors(apply(kernel, *plan)) == []
    sandboxes = kernel.sandboxes
    python = ("/usr/bin/python3", "-c")
    sandboxes.start(LAB, "n2", Command(arguments=(*python, SERVER, f"{family:d}")), "server")
    wait_for(lambda: sandboxes.log(LAB, "server", 99) == b"listens\n")
    client = sandboxes.start(
        LAB, "n1", Command(arguments=(*python, CLIENT, ADDRESSES[family])), "client"
    )
    wait_for(lambda: sandboxes.log(LAB, "client", 99) == b"connected\n")
    inside(kernel, "n2", "ip link delete eth0")  # the cable is cut
    says(sandboxes, "n1", "touch /tmp/cut")
    wait_for(lambda: sandboxes.log(LAB, "client", 99) == b"connected\nsent\n")
    return client


def connected(kernel: LinuxKernel) -> str:
    return inside(kernel, "n1", "ss -Htn")


def abort(kernel: LinuxKernel, node: str) -> None:
    def enter() -> None:
        netns.enter_closing(kernel.open_namespace(LAB, node))
        connections.abort()

    netns.run_apart(enter)


@pytest.mark.parametrize("family", ADDRESSES)
def test_a_stop_waits_for_no_connection(kernel: LinuxKernel, family: socket.AddressFamily) -> None:
    send_into_nothing(kernel, family)
    began = time.monotonic()
    kernel.destroy(LAB)
    assert time.monotonic() - began < AT_MOST


@pytest.mark.parametrize("family", ADDRESSES)
def test_a_stop_waits_for_no_connection_without_a_program(
    kernel: LinuxKernel, family: socket.AddressFamily
) -> None:
    kernel.sandboxes.end(send_into_nothing(kernel, family), patience=0)
    assert "FIN-WAIT-1" in connected(kernel)
    began = time.monotonic()
    kernel.destroy(LAB)
    assert time.monotonic() - began < AT_MOST


def test_a_node_s_removal_waits_for_no_connection(kernel: LinuxKernel) -> None:
    send_into_nothing(kernel, socket.AF_INET)
    began = time.monotonic()
    assert errors(apply(kernel, RemoveNamespace(namespace="n1"))) == []
    assert time.monotonic() - began < AT_MOST


def test_where_orphans_cannot_be_ended_programs_are_disconnected_before_they_die(
    kernel: LinuxKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As before Linux 6.11."""
    monkeypatch.setattr(connections, "ABORTS_ORPHANS", (99, 0))
    client = send_into_nothing(kernel, socket.AF_INET)
    kernel.sandboxes.vacate(LAB, ["n1"])
    assert not kernel.sandboxes.alive(client)
    assert connected(kernel) == ""


def test_where_orphans_cannot_be_ended_they_are_not_sent_long(
    kernel: LinuxKernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "ABORTS_ORPHANS", (99, 0))
    kernel.sandboxes.end(send_into_nothing(kernel, socket.AF_INET), patience=0)
    abort(kernel, "n1")
    wait_for(lambda: connected(kernel) == "")


def test_what_listens_or_is_another_node_s_stays(kernel: LinuxKernel) -> None:
    send_into_nothing(kernel, socket.AF_INET)
    kernel.sandboxes.vacate(LAB, ["n1"])
    assert "10.0.1.2:80" in inside(kernel, "n2", "ss -Htn")
    abort(kernel, "n2")
    assert inside(kernel, "n2", "ss -Htn") == ""
    assert ":80" in inside(kernel, "n2", "ss -Htnl")
