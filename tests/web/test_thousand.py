"""A thousand hosts through the whole product: progress, cancel, edit, a killed worker, stop."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.benchmarks._thousand import host_address, switched
from tests.browser.product import Product, left_behind, served
from tests.web.test_modes import Person
from topoweb.kernel import manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="this composition needs root"),
]
NODES = 1011
DEADLINE = 120.0  # seconds


@pytest.fixture(scope="module")
def product() -> Iterator[Product]:
    with served(rootless=False) as product:
        yield product


class Local(Person):
    """Who opens the address that `serve` printed."""

    def __init__(self, product: Product) -> None:
        super().__init__([product.origin.removeprefix("http://")])
        token = product.address.partition("token=")[2]
        self._csrf = self.ask("POST", "/session/token", {"token": token})["csrf"]


def _operation(person: Person, lab: str, name: str, **fields: object) -> None:
    person.ask("POST", f"{lab}/operations", {"op_id": name, "base_seq": 0, **fields})


def test_a_thousand_hosts(product: Product) -> None:
    person = Local(product)
    before = product.holdings()
    number = person.ask("POST", "/labs", {"name": "thousand"})["id"]
    lab = f"/labs/{number}"
    _operation(person, lab, "all", kind="replace", document=switched())

    person.ask("POST", f"{lab}/run", {})
    begun = person.until(f"{lab}/status", lambda s: 0 < s["steps_done"] < s["steps_total"])
    assert begun["phase"] == "starting"
    person.ask("POST", f"{lab}/cancel", {})
    assert person.settled(lab) == "cancelled"
    status = person.ask("GET", f"{lab}/status")
    assert 0 < status["steps_done"] < status["steps_total"]
    assert status["message"].startswith("Cancelled")

    person.ask("POST", f"{lab}/run", {})
    assert person.settled(lab) == "running"
    live = person.until(f"{lab}/live", lambda live: _whole(live, "up"))
    assert live["nodes"]["h999"]["interfaces"]["eth0"]["addresses"][0] == f"{host_address(999)}/16"
    assert person.ping(lab, "h0", "h999")["verdict"] == "reply"

    made = manifest.read(product.run, number)
    assert made
    assert len(made.namespaces) == NODES
    _kill_worker(product)
    patch = {"addresses": ["10.0.200.1/16"]}
    _operation(
        person, lab, "one", kind="set", collection="interfaces", id=_port_of_h5(), patch=patch
    )
    assert person.settled(lab) == "running"
    assert manifest.read(product.run, number) == made  # nothing was made anew
    assert person.ping(lab, "h999", "10.0.200.1")["verdict"] == "reply"

    person.ask("POST", f"{lab}/stop", {})
    assert person.settled(lab) == "stopped"
    assert not product.holders()
    person.ask("DELETE", lab)
    after = product.holdings()
    gone = {"processes": set(), "network namespaces": set()}  # another worker than before
    assert not left_behind(before | gone, after | gone)


def _whole(live: dict, state: str) -> bool:
    nodes, links = live["nodes"].values(), live["links"].values()
    return (
        len(nodes) == NODES
        and all(node["present"] and not node["drift"] for node in nodes)
        and all(link["state"] == state for link in links)
    )


def _port_of_h5() -> str:
    found = [key for key, one in switched()["interfaces"].items() if one["node"] == "h5"]
    assert len(found) == 1
    return found[0]


def _kill_worker(product: Product) -> None:
    """SIGKILL; return when it is dead. The product starts another."""
    worker = int((product.run / "worker.lock").read_text())
    descriptor = os.pidfd_open(worker)
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    os.close(descriptor)
    end = time.monotonic() + DEADLINE
    while Path(f"/proc/{worker}").exists():  # the product reaps it
        assert time.monotonic() < end
        time.sleep(0.01)
