"""One socket hears every namespace: real namespaces, changed by real `ip` commands."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from topoweb.core.tracing.records import (
    AddressRecord,
    FdbRecord,
    ForwardingRecord,
    Gone,
    LinkRecord,
    NamespaceGone,
    NamespaceView,
    NeighbourRecord,
    Overrun,
    PortRecord,
    RouteRecord,
    Seen,
    Stale,
)
from topoweb.kernel import counters
from topoweb.kernel.events import EventSocket

pytestmark = pytest.mark.skipif(shutil.which("ip") is None, reason="needs iproute2")

CHILD = """
import os, sys, ctypes
libc = ctypes.CDLL(None, use_errno=True)
def check(result):
    if result: raise OSError(ctypes.get_errno(), "unshare")
if sys.argv[2] == "user":
    check(libc.unshare(0x10000000))
    print("user", flush=True); sys.stdin.readline()
for slot in range(int(sys.argv[1])):
    check(libc.unshare(0x40000000))
    fd = os.open("/proc/self/ns/net", os.O_RDONLY)
    os.dup2(fd, 100 + slot); os.close(fd)
print("ready", flush=True)
sys.stdin.readline()
"""
DEADLINE = 10.0


class Namespaces:
    """Namespaces held by a child, as a lab's are held by its holder."""

    def __init__(self, count, user=False):
        arguments = [sys.executable, "-c", CHILD, str(count), "user" if user else "plain"]
        self.child = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        if user:
            assert self.child.stdout.readline() == "user\n"
            one_uid = Path("/proc/self/uid_map").read_text().split()[2] == "1"
            Path(f"/proc/{self.child.pid}/setgroups").write_text("deny")
            for kind in "gid", "uid":
                mapping = "0 0 1\n" if one_uid else "0 100000 65536\n"
                Path(f"/proc/{self.child.pid}/{kind}_map").write_text(mapping)
            self.child.stdin.write("\n")
            self.child.stdin.flush()
        assert self.child.stdout.readline() == "ready\n"
        self.count = count

    def path(self, slot):
        return f"/proc/{self.child.pid}/fd/{100 + slot}"

    def opener(self, slot):
        return lambda: os.open(self.path(slot), os.O_RDONLY | os.O_CLOEXEC)

    def openers(self):
        return {f"n{slot}": self.opener(slot) for slot in range(self.count)}

    def watched(self):
        return {
            f"n{slot}": (Path(self.path(slot)).stat().st_ino, self.opener(slot))
            for slot in range(self.count)
        }

    def ip(self, slot, *arguments):
        command = ["nsenter", f"--net={self.path(slot)}", "ip", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def sysctl(self, slot, key, value):
        command = f"echo {value} > /proc/sys/{key}"
        path = f"--net={self.path(slot)}"
        subprocess.run(["nsenter", path, "sh", "-c", command], check=True)

    def close(self):
        self.child.kill()
        self.child.communicate()


class Heard:
    """Collects what is delivered; waits for an event with a deadline."""

    def __init__(self):
        self.condition = threading.Condition()
        self.events = []
        self.thread = None

    def __call__(self, lab, events):
        with self.condition:
            self.events += [(lab, event) for event in events]
            self.condition.notify_all()

    def wait(self, wanted, deadline=DEADLINE):
        """Return the first (lab, event) for which ``wanted(lab, event)``."""

        def find():
            return next((e for e in self.events if wanted(*e)), None)

        with self.condition:
            found = self.condition.wait_for(find, deadline)
        assert found, f"not heard; last of {len(self.events)}: {self.events[-5:]}"
        return found

    def latest_link(self, name, **values):
        """Wait until the last that was heard of a link has these values."""

        def is_so():
            links = [e.record for _, e in self.events if isinstance(e, Seen)]
            found = [r for r in links if isinstance(r, LinkRecord) and r.name == name]
            return found and all(getattr(found[-1], k) == v for k, v in values.items())

        with self.condition:
            assert self.condition.wait_for(is_so, DEADLINE), self.events[-5:]

    def record(self, kind, node="n0", gone=False, **values):
        def wanted(_lab, event):
            return (
                isinstance(event, Gone if gone else Seen)
                and event.node == node
                and isinstance(event.record, kind)
                and all(getattr(event.record, k) == v for k, v in values.items())
            )

        return self.wait(wanted)[1].record


@pytest.fixture
def heard():
    return Heard()


@pytest.fixture
def make():
    with contextlib.ExitStack() as stack:

        def namespaces(count, **options):
            made = Namespaces(count, **options)
            stack.callback(made.close)
            return made

        yield namespaces


@pytest.fixture
def listen(heard):
    sockets = []

    def start(**options):
        sockets.append(EventSocket(heard, **options))
        return sockets[-1]

    yield start
    for socket in sockets:
        socket.close()


def test_address_is_heard_within_a_second(make, listen, heard):
    lab, events = make(1), listen()
    assert events.watch(7, lab.watched()) == {"n0"}
    begun = time.monotonic()
    lab.ip(0, "address", "add", "10.1.2.3/24", "dev", "lo")
    index = heard.record(AddressRecord, address="10.1.2.3/24", drawable=True).index
    assert time.monotonic() - begun < 1
    assert index == 1
    assert {number for number, _ in heard.events} == {7}
    lab.ip(0, "address", "del", "10.1.2.3/24", "dev", "lo")
    heard.record(AddressRecord, gone=True, address="10.1.2.3/24")


def test_all_kinds_of_record(make, listen, heard):
    lab, events = make(2), listen()
    events.watch(1, lab.watched())
    lab.ip(0, "link", "add", "br0", "type", "bridge", "stp_state", "1", "ageing_time", "12000")
    bridge = heard.record(LinkRecord, name="br0", stp=True)
    assert (bridge.kind, bridge.ageing, bridge.up) == ("bridge", 120, False)
    lab.ip(0, "link", "add", "v0", "type", "veth", "peer", "v1", "netns", lab.path(1))
    near, far = heard.record(LinkRecord, name="v0"), heard.record(LinkRecord, node="n1", name="v1")
    assert near.kind == far.kind == "veth"
    lab.ip(0, "link", "set", "v0", "alias", "topoweb:1:l1:a", "master", "br0")
    tagged = heard.record(LinkRecord, name="v0", master=bridge.index)
    assert (tagged.tag, tagged.stp_state) == ("topoweb:1:l1:a", "disabled")
    lab.ip(0, "link", "set", "br0", "up")
    lab.ip(0, "link", "set", "v0", "up")
    assert not heard.record(LinkRecord, name="v0", up=True).carrier
    lab.ip(1, "link", "set", "v1", "up")
    heard.record(LinkRecord, node="n1", name="v1", up=True, carrier=True, oper="up")
    heard.record(PortRecord, index=near.index, stp_state="listening")
    lab.ip(1, "address", "add", "10.0.0.1/24", "dev", "v1")
    route = heard.record(RouteRecord, node="n1", prefix="10.0.0.0/24")
    assert (route.proto, route.via, route.index) == ("kernel", None, far.index)
    lab.ip(1, "route", "add", "default", "via", "10.0.0.254", "metric", "5")
    route = heard.record(RouteRecord, node="n1", prefix="0.0.0.0/0")
    assert (route.via, route.metric, route.proto) == ("10.0.0.254", 5, "static")
    lab.ip(1, "route", "replace", "default", "via", "10.0.0.253", "metric", "5")
    heard.wait(lambda _, event: event == Stale("n1"))
    lab.ip(1, "neigh", "add", "10.0.0.7", "lladdr", "02:00:00:00:00:07", "dev", "v1")
    neighbour = heard.record(NeighbourRecord, node="n1", address="10.0.0.7")
    assert (neighbour.mac, neighbour.state) == ("02:00:00:00:00:07", "permanent")
    bridge_command = "bridge fdb add 02:00:00:00:00:09 dev v0 master static"
    subprocess.run(["nsenter", f"--net={lab.path(0)}", *bridge_command.split()], check=True)
    assert heard.record(FdbRecord, mac="02:00:00:00:00:09").index == near.index
    for family, key in (4, "net/ipv4/ip_forward"), (6, "net/ipv6/conf/all/forwarding"):
        view = NamespaceView().folded(counters.dump(lab.openers())[:1])
        value = 1 - view.table(ForwardingRecord)[family].on
        lab.sysctl(0, key, value)
        heard.record(ForwardingRecord, family=family, on=bool(value))
    lab.ip(0, "link", "del", "v0")
    heard.record(LinkRecord, gone=True, name="v0")
    heard.record(LinkRecord, node="n1", gone=True, name="v1")


def test_folded_events_equal_a_dump(make, listen, heard):
    lab, events = make(1), listen()
    events.watch(1, lab.watched())
    first = counters.dump(lab.openers())
    for command in (
        "link add va type veth peer name vb",
        "link set va addrgenmode none",
        "link set vb addrgenmode none",
        "link set va up mtu 1400",
        "link set vb up",
        "address add 10.0.0.1/24 dev va",
        "address add 10.0.1.1/24 dev va",
        "address add 2001:db8::1/64 dev va nodad",
        "route add 10.9.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.1.2",
        "route add 2001:db8:9::/48 via 2001:db8::2",
        "route add 10.8.0.0/16 via 10.0.0.3",
        "route del 10.8.0.0/16",
        "route add 10.7.0.0/16 via 10.0.0.2 src 10.0.1.1",
        "address del 10.0.1.1/24 dev va",
        "link set vb down",
        "address add 10.0.0.99/32 dev lo",
    ):
        lab.ip(0, *command.split())
    heard.record(AddressRecord, address="10.0.0.99/32")
    heard.latest_link("va", up=True, carrier=False)  # told up to a second late
    view = NamespaceView().folded([*first, *(event for _, event in heard.events)])
    assert view.stale  # 10.7.0.0/16 went with its source address; older kernels do not tell
    routes = counters.dump(lab.openers(), frozenset({RouteRecord}))
    (whole,) = counters.dump(lab.openers())
    truth = NamespaceView().folded([whole])
    view = view.folded(routes)
    assert not view.stale
    prefixes = {record.prefix for record in view.table(RouteRecord).values()}
    assert "10.7.0.0/16" not in prefixes
    for kind in LinkRecord, AddressRecord, RouteRecord, ForwardingRecord:
        assert view.table(kind) == truth.table(kind)


def test_hundred_namespaces_of_a_user_namespace(make, listen, heard):
    lab, events = make(100, user=True), listen()
    assert len(events.watch(3, lab.watched())) == 100
    for slot in range(100):
        lab.ip(slot, "address", "add", f"10.5.0.{slot}/32", "dev", "lo")
    for slot in range(100):
        heard.record(AddressRecord, node=f"n{slot}", address=f"10.5.0.{slot}/32")
    assert {n.node for n in counters.dump(lab.openers())} == {f"n{slot}" for slot in range(100)}


def test_without_root():
    """The same in a user namespace that maps one uid, as a worker without root has it."""
    command = ["unshare", "-U", "-r", "-n", "-m", sys.executable, "-m", "pytest", "-q", __file__]
    command += ["-p", "no:cacheprovider", "-k", "hundred or overrun or pins"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr


def test_labs_come_and_go(make, listen, heard):
    one, two, events = make(2), make(1), listen()
    first = {"n0": one.watched()["n0"]}
    assert events.watch(1, first) == {"n0"}
    assert events.watch(1, first) == set()
    assert events.watch(1, one.watched()) == {"n1"}  # grown
    events.watch(2, two.watched())
    one.ip(1, "link", "set", "lo", "up")
    heard.record(LinkRecord, node="n1", name="lo", up=True)
    events.watch(1, first)  # shrunk
    events.unwatch(2)
    heard.events.clear()
    two.ip(0, "link", "set", "lo", "up")
    one.ip(1, "link", "set", "lo", "down")
    one.ip(0, "link", "set", "lo", "up")
    heard.record(LinkRecord, node="n0", name="lo", up=True)
    assert {(number, event.node) for number, event in heard.events} == {(1, "n0")}
    assert events.watch(2, two.watched()) == {"n0"}  # its nsid is found again
    two.ip(0, "link", "set", "lo", "down")
    heard.wait(lambda number, event: number == 2 and event.record.name == "lo")


def test_watching_pins_nothing_and_death_is_heard(make, listen, heard):
    lab, events = make(2), listen()
    events.watch(1, lab.watched())
    counters.dump(lab.openers())
    counters.sample(lab.openers())
    lab.close()
    for node in "n0", "n1":
        heard.wait(lambda _, event, node=node: event == NamespaceGone(node))
    assert counters.dump(lab.openers()) == []
    assert events.watch(1, {"n0": (1, lab.opener(0))}) == set()


def test_overrun_is_told(make, listen, heard):
    lab, gate = make(1), threading.Event()
    deliver, blocked = heard.__call__, threading.Event()

    def slow(number, events):
        blocked.set()
        gate.wait(DEADLINE)
        deliver(number, events)

    events = EventSocket(slow, receive_buffer=2048)
    try:
        events.watch(1, lab.watched())
        batch = "".join(f"address add 10.7.{i // 250}.{i % 250}/32 dev lo\n" for i in range(500))
        command = ["nsenter", f"--net={lab.path(0)}", "ip", "-batch", "-"]
        subprocess.run(command, input=batch, text=True, check=True)
        assert blocked.wait(DEADLINE)
        gate.set()
        heard.wait(lambda number, event: number == 1 and event == Overrun())
        (dump,) = counters.dump(lab.openers(), frozenset({AddressRecord}))
        assert len([r for r in dump.records if r.address.startswith("10.7.")]) == 500
    finally:
        gate.set()
        events.close()


def test_counters(make):
    lab = make(2)
    lab.ip(0, "link", "add", "v0", "type", "veth", "peer", "v1", "netns", lab.path(1))
    for slot in 0, 1:
        lab.ip(slot, "address", "add", f"10.0.0.{slot + 1}/24", "dev", f"v{slot}")
        lab.ip(slot, "link", "set", f"v{slot}", "up")
    (view,) = (NamespaceView().folded([d]) for d in counters.dump(lab.openers()) if d.node == "n0")
    index = view.named["v0"].index
    before = counters.sample(lab.openers())
    command = "exec 3<>/dev/udp/10.0.0.2/9; for i in $(seq 50); do printf %0100d 0 >&3; done"
    subprocess.run(["nsenter", f"--net={lab.path(0)}", "bash", "-c", command], check=False)
    after = counters.sample(lab.openers())
    old, new = before.counters["n0"][index], after.counters["n0"][index]
    assert new.tx_bytes - old.tx_bytes >= 100
    assert after.clock > before.clock
