"""`manage.py tracer` as a process: a ping drawn by the kernel, through the socket, into tshark."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.kernel.bpflab import needs_bpf
from tests.kernel.privilege import uid_base
from tests.kernel.tracelab import DEADLINE, TraceLab, eventually
from topoweb.protocol.frames import Frame, Kind, Stream, decode, encode
from topoweb.protocol.stream import LENGTH, StreamToken, sign

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root or a user namespace")
ROOT = Path(__file__).parents[2]
KEPT = {"cap_dac_read_search", "cap_net_admin", "cap_net_broadcast", "cap_net_raw",
        "cap_sys_ptrace", "cap_sys_admin"}  # fmt: skip
CAPABILITIES = {2: "cap_dac_read_search", 11: "cap_net_broadcast", 12: "cap_net_admin",
                13: "cap_net_raw", 19: "cap_sys_ptrace", 21: "cap_sys_admin"}  # fmt: skip


class Tracer:
    """The process and a blocking client of its socket."""

    def __init__(self, run: Path, data: Path, tier: str = "auto") -> None:
        self.run, self.tier = run, tier
        environment = os.environ | {
            "TOPOWEB_TRACE_TIER": tier,
            "TOPOWEB_RUN": str(run),
            "TOPOWEB_DATA": str(data),
            "TOPOWEB_DATABASE_URL": "sqlite:////nonexistent/topoweb.sqlite3",
            "DJANGO_SETTINGS_MODULE": "topoweb.settings",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "django", "tracer"], cwd=ROOT, env=environment
        )
        eventually(self.answers, "the tracer did not start", 30)

    def answers(self) -> bool:
        """True when somebody listens: the socket's name is there a moment before."""
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.run / "tracer.sock")) == 0

    def open(self, stream: Stream, params: dict[str, Any], lab: int = 7) -> socket.socket:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(DEADLINE)
        client.connect(str(self.run / "tracer.sock"))
        token = StreamToken(
            lab=lab, user=1, stream=stream, write=False,
            expires=int(time.time()) + 60, nonce=secrets.token_hex(8),
        )  # fmt: skip
        text = sign(token, (self.run / "stream.key").read_bytes())
        _put(
            client,
            Frame(stream, Kind.OPEN, 0, json.dumps({"token": text, "params": params}).encode()),
        )
        _put(client, Frame(stream, Kind.CREDIT, 0, b'{"credit": 64}'))
        return client

    def whole(self, stream: Stream, params: dict[str, Any]) -> bytes:
        with self.open(stream, params) as client:
            body = b""
            while (frame := _get(client)).kind is Kind.DATA:
                body += frame.payload
            assert json.loads(frame.payload)["code"] == "done"
            return body

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE)


def _put(client: socket.socket, frame: Frame) -> None:
    data = encode(frame)
    client.sendall(LENGTH.pack(len(data)) + data)


def _get(client: socket.socket) -> Frame:
    (size,) = LENGTH.unpack(_exactly(client, 4))
    return decode(_exactly(client, size))


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = client.recv(size - len(data))
        assert part, "closed"
        data += part
    return data


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[TraceLab]:
    """Its namespaces belong to a uid range of their own, as in root mode."""
    lab = TraceLab(tmp_path / "r", nodes=3, base=uid_base(200_000))
    yield lab
    lab.close()


@pytest.fixture(params=["afpacket", pytest.param("bpf", marks=needs_bpf)])
def tracer(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tracer]:
    (tmp_path / "r").mkdir(exist_ok=True)
    tracer = Tracer(tmp_path / "r", tmp_path / "d", request.param)
    yield tracer
    if tracer.process.poll() is None:
        assert tracer.stop() == 0
    assert not (tmp_path / "r" / "tracer.sock").exists()
    assert not (tmp_path / "r" / "tracer-wake.sock").exists()


def echoes(client: socket.socket, count: int) -> list[list[Any]]:
    rows: list[list[Any]] = []
    while len(rows) < count:
        message = json.loads(_get(client).payload)
        assert message["gap"] == message["lost"] == 0
        rows += [row for row in message["rows"] if row[5] == "ICMP"]
        _put(client, Frame(Stream.PACKETS, Kind.CREDIT, 0, b'{"credit": 1}'))
    return rows


def test_a_ping_through_a_router_from_kernel_to_tshark(
    lab: TraceLab, tracer: Tracer, tmp_path: Path
) -> None:
    client = tracer.open(Stream.PACKETS, {})
    assert json.loads(_get(client).payload)["tier"] == tracer.tier
    output = lab.inside(0, ["ping", "-c1", "-W5", "10.9.2.2"])
    assert "ttl=63" in output
    rows = echoes(client, 4)
    client.close()
    path = [("l0", "ab"), ("l1", "ab"), ("l1", "ba"), ("l0", "ba")]
    assert [(row[2], row[3]) for row in rows] == path
    assert [row[8].split()[-1] for row in rows] == ["64", "63", "64", "63"]
    assert rows[0][4] == rows[1][4] != rows[2][4] == rows[3][4]
    assert [row[1] for row in rows] == sorted(row[1] for row in rows)

    packet = json.loads(tracer.whole(Stream.QUERY, {"what": "packet", "number": rows[1][0]}))
    assert packet["row"] == rows[1]
    fields = {one["name"]: one["value"] for layer in packet["layers"] for one in layer["fields"]}
    assert fields["ttl"] == "63"

    if shutil.which("tshark"):
        check_file(tracer, tmp_path, rows)


def check_file(tracer: Tracer, tmp_path: Path, rows: list[list[Any]]) -> None:
    """tshark reads the interface names, times and comments that we wrote."""
    params = {"protocols": ["ICMP"], "names": {"n0": "h1", "n1": "r1"}}
    path = tmp_path / "x.pcapng"
    path.write_bytes(tracer.whole(Stream.PCAP, params))
    fields = ["frame.interface_name", "frame.time_epoch", "ip.ttl", "frame.comment", "frame.len"]
    options = [part for field in fields for part in ("-e", field)]
    done = subprocess.run(
        ["tshark", "-n", "-r", path, "-T", "fields", *options],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    sent_by = {"h1 right", "r1 right", "n2 left", "r1 left"}
    cables = {"afpacket": {"h1 right", "n2 left"}, "bpf": sent_by}
    assert {line[0] for line in lines} == cables[tracer.tier]
    assert [line[2] for line in lines] == ["64", "63", "64", "63"]
    assert [line[3] for line in lines] == [f"packet {row[0]}" for row in rows]
    for line, row in zip(lines, rows, strict=True):
        assert abs(float(line[1]) - row[1]) < 2e-6
        assert int(line[4]) == row[9]


def test_it_keeps_only_the_privileges_that_it_needs(tracer: Tracer) -> None:
    client = tracer.open(Stream.PACKETS, {})  # the capture thread runs by now
    _get(client)
    for task in Path(f"/proc/{tracer.process.pid}/task").iterdir():
        status = (task / "status").read_text()
        lines = dict(re.findall(r"^(\w+):\t(.*)$", status, re.MULTILINE))
        effective = int(lines["CapEff"], 16)
        names = {CAPABILITIES.get(bit, bit) for bit in range(64) if effective >> bit & 1}
        assert names <= KEPT
        assert lines["NoNewPrivs"] == "1"
    client.close()


def test_a_token_of_another_key_is_refused(tracer: Tracer) -> None:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(DEADLINE)
        client.connect(str(tracer.run / "tracer.sock"))
        token = StreamToken(lab=7, user=1, stream=2, write=False, expires=2**31, nonce="n")
        body = {"token": sign(token, b"wrong"), "params": {}}
        _put(client, Frame(Stream.PACKETS, Kind.OPEN, 0, json.dumps(body).encode()))
        closed = _get(client)
        assert closed.kind is Kind.CLOSE
        assert json.loads(closed.payload)["code"] == "forbidden"


def test_it_ends_in_order_while_it_captures(lab: TraceLab, tracer: Tracer) -> None:
    client = tracer.open(Stream.PACKETS, {})
    _get(client)
    assert tracer.stop() == 0
    client.close()
