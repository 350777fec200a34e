"""A lab's manifest that lies: nothing is killed, entered or removed without proof."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.attack.register import attack, case
from tests.kernel.plans import apply, inside, two_hosts
from topoweb.core.errors import TopowebError
from topoweb.core.plan.state import LabState
from topoweb.kernel import manifest
from topoweb.kernel.forker import start_time
from topoweb.kernel.lab import LinuxKernel

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="uid ranges are root's")
LAB, VICTIM = 41_010, 41_011


@pytest.fixture
def kernel(tmp_path):
    own = LinuxKernel(tmp_path)
    try:
        yield own
    finally:
        for lab in own.labs():
            own.destroy(lab)
        own.close()


@pytest.fixture
def bystander():
    """A process of the host that holds its namespaces where a holder has the lab's."""
    hold = "exec 99</proc/self/ns/user 100</proc/self/ns/net; exec /usr/bin/sleep 607"
    process = subprocess.Popen(["/bin/bash", "-c", hold])
    until = time.monotonic() + 20
    while b"sleep" not in Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")[0]:
        assert time.monotonic() < until
        time.sleep(0.01)  # nobody tells when a process becomes another program
    yield process
    process.kill()
    process.wait()


def forge(kernel, run_dir, text):
    path = manifest.path_of(run_dir, LAB)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else json.dumps(text).encode())
    kernel._spaces.clear()  # as a worker that has just started


def inode(kind):
    return Path(f"/proc/self/ns/{kind}").stat().st_ino


def true_of(process):
    """A manifest that is right in all but what it may claim."""
    return {
        "version": 1,
        "lab": LAB,
        "boot_id": manifest.boot_id(),
        "holder": {"pid": process.pid, "start": start_time(process.pid)},
        "userns": inode("user"),
        "uid_base": 100_000,
        "namespaces": {"n1": {"slot": 0, "inode": inode("net")}},
        "links": {},
    }


LIES = {
    "the-host's-namespaces": {},
    "another-start-time": {"holder": {"start": 1}},
    "another-boot": {"boot_id": "00000000-0000-0000-0000-000000000000"},
    "another-user-namespace": {"userns": 1},
    "pid-1": {"holder": {"pid": 1}},
    "pid-0": {"holder": {"pid": 0}},
    "pid-negative": {"holder": {"pid": -1}},
    "slot-negative": {"namespaces": {"n1": {"slot": -100, "inode": 1}}},
    "slot-huge": {"namespaces": {"n1": {"slot": 10**12, "inode": 1}}},
}


@pytest.mark.parametrize(
    "lie", [case(key, f"a manifest that names a process of the host: {key}",
                 "not believed: no lab is seen, nothing is killed or changed", lie)
            for key, lie in LIES.items()],
)  # fmt: skip
def test_lies(kernel, tmp_path, bystander, lie):
    data = copy.deepcopy(true_of(bystander))
    for name, value in lie.items():
        data[name] = {**data[name], **value} if isinstance(value, dict) else value
    links = subprocess.check_output(["ip", "-o", "link"])
    forge(kernel, tmp_path, data)
    assert LAB not in kernel.labs()
    assert kernel.observe(LAB) == LabState()
    with pytest.raises(TopowebError):
        os.close(kernel.open_namespace(LAB, "n1"))
    kernel.destroy(LAB)
    assert bystander.poll() is None
    assert subprocess.check_output(["ip", "-o", "link"]) == links


TEXTS = {
    "empty": b"", "list": b"[]", "null": b"null", "binary": bytes(range(256)),
    "half": b'{"version": 1, "lab"', "deep": b"[" * 100_000, "holder-null": b'{"version": 1,'
    b'"lab": 1, "boot_id": "", "holder": null, "userns": 1, "namespaces": {}, "links": {}}',
    "pid-as-text": b'{"version": 1, "lab": 1, "boot_id": "", "holder": {"pid": "1; id",'
    b'"start": 1}, "userns": 1, "namespaces": {}, "links": {}}',
    "names-as-paths": b'{"version": 1, "lab": 1, "boot_id": "", "holder": {"pid": 1, "start": 1},'
    b'"userns": 1, "namespaces": {"../../etc": {"slot": 0, "inode": 1}}, "links": {"x": 1}}',
}  # fmt: skip


@attack("manifests that are none: empty, half, deep, of other types", "counted as no manifest")
def test_no_manifests(kernel, tmp_path):
    for name, text in TEXTS.items():
        forge(kernel, tmp_path, text)
        assert kernel.labs() == [], name
        assert kernel.observe(LAB) == LabState()
        kernel.destroy(LAB)


@attack("a lab's manifest that names another lab's holder", "the other lab stays as it is")
def test_another_labs_holder(kernel, tmp_path):
    apply(kernel, *two_hosts(), lab=VICTIM)
    stolen = json.loads(manifest.path_of(tmp_path, VICTIM).read_bytes())
    forge(kernel, tmp_path, {**stolen, "lab": LAB})
    with pytest.raises(TopowebError):
        os.close(kernel.open_namespace(LAB, "n1"))
    kernel.destroy(LAB)
    assert "10.0.1.1" in inside(kernel, "n1", "ip addr", lab=VICTIM)


@attack("directories below labs/ that are no numbers, and links to elsewhere", "passed over")
def test_directories(kernel, tmp_path):
    (tmp_path / "labs").mkdir(exist_ok=True)
    for name in ("x", "..x", "-1", "1 2", "٣", "1e3"):
        (tmp_path / "labs" / name).mkdir()
    (tmp_path / "labs" / "9").symlink_to("/etc")
    assert kernel.labs() == []
    kernel.destroy(9)
    assert Path("/etc/passwd").exists()
