"""The blocking reader against real sockets: services that behave, and services that do not."""

from __future__ import annotations

import json
import socket
import threading
import time
from contextlib import contextmanager

import pytest

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.labs import streamclient
from topoweb.protocol.frames import Frame, Kind, Stream, decode, encode
from topoweb.protocol.stream import LENGTH, verify


def pack(kind, payload, stream=Stream.QUERY):
    data = encode(Frame(stream, kind, 0, payload))
    return LENGTH.pack(len(data)) + data


DONE = pack(Kind.CLOSE, b'{"code": "done", "reason": ""}')


@contextmanager
def service(path, *answers):
    """Answer one connection with raw bytes; yields what was received."""
    frames = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(10)

        def serve():
            peer, _ = listener.accept()
            with peer, peer.makefile("rb") as file:
                for _ in range(2):
                    (length,) = LENGTH.unpack(file.read(LENGTH.size))
                    frames.append(decode(file.read(length)))
                for answer in answers:
                    peer.sendall(answer)
                peer.shutdown(socket.SHUT_WR)
                file.read()  # until the reader closes

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield frames
        finally:
            thread.join()


@contextmanager
def refusing(path, times):
    """Refuse connections as soon as their OPEN has come, and close."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        listener.settimeout(10)

        def serve():
            for _ in range(times):
                peer, _ = listener.accept()
                with peer:
                    (length,) = LENGTH.unpack(peer.recv(LENGTH.size))
                    peer.recv(length)
                    peer.sendall(pack(Kind.CLOSE, b'{"code": "not_found", "reason": ""}'))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            thread.join()


def ask(**params):
    return streamclient.query("worker", 3, 5, params)


def test_answer_of_many_frames_with_a_genuine_token(run_directory):
    parts = [pack(Kind.DATA, b'{"rev":'), pack(Kind.DATA, b" 7}"), DONE]
    with service(run_directory / "worker.sock", *parts) as frames:
        assert ask(what="live") == {"rev": 7}
    opening, credit = frames
    body = json.loads(opening.payload)
    token = verify(body["token"], streamclient.stream_key(), time.time())
    assert (token.lab, token.user, token.stream, token.write) == (3, 5, Stream.QUERY, False)
    assert body["params"] == {"what": "live"}
    assert (opening.kind, credit.kind) == (Kind.OPEN, Kind.CREDIT)


def test_who_refuses_at_once_is_not_away(run_directory):
    times = 100
    with refusing(run_directory / "worker.sock", times):
        for _ in range(times):
            with pytest.raises(TopowebError) as refused:
                ask(what="live")
            assert refused.value.kind is ErrorKind.NOT_FOUND


@pytest.mark.parametrize(
    ("answers", "kind", "code"),
    [
        ([pack(Kind.CLOSE, b'{"code": "away", "reason": "stops"}')], ErrorKind.LOST, "worker-away"),
        ([pack(Kind.CLOSE, b'{"code": "not_found", "reason": ""}')], ErrorKind.NOT_FOUND, None),
        ([pack(Kind.CLOSE, b'{"code": "forbidden", "reason": ""}')], ErrorKind.INTERNAL, None),
        ([pack(Kind.CLOSE, b"[]")], ErrorKind.INTERNAL, None),
        ([pack(Kind.DATA, b"no json"), DONE], ErrorKind.INTERNAL, "bad-answer"),
        ([b"\xff\xff\xff\x7f"], ErrorKind.INTERNAL, None),
        ([b"\x02\x00\x00\x00ab"], ErrorKind.INTERNAL, "bad-answer"),
        ([pack(Kind.DATA, b"{}")[:-1]], ErrorKind.LOST, "worker-away"),
        ([], ErrorKind.LOST, "worker-away"),
    ],
)
def test_wrong_answers_are_told_apart(run_directory, answers, kind, code):
    with service(run_directory / "worker.sock", *answers), pytest.raises(TopowebError) as caught:
        ask()
    assert caught.value.kind is kind
    assert code in (None, caught.value.code)


def test_silent_service_is_away(run_directory, monkeypatch):
    monkeypatch.setattr(streamclient, "TIMEOUT", 0.05)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(run_directory / "worker.sock"))
        listener.listen()
        with pytest.raises(TopowebError) as caught:
            ask()
    assert caught.value.kind is ErrorKind.LOST


def test_answer_is_bounded(run_directory, monkeypatch):
    monkeypatch.setattr(streamclient, "MAX_ANSWER", 10)
    parts = [pack(Kind.DATA, b"12345678"), pack(Kind.DATA, b"12345678")]
    with (
        service(run_directory / "worker.sock", *parts),
        pytest.raises(TopowebError) as caught,
    ):
        ask()
    assert caught.value.kind is ErrorKind.LIMIT


@pytest.mark.django_db
def test_live_and_pcap_over_http(client, lab, run_directory):
    body = json.dumps({"rev": 1}).encode()
    with service(run_directory / "worker.sock", pack(Kind.DATA, body), DONE):
        assert client.get(f"/api/v1/labs/{lab.pk}/live").json() == {"rev": 1}
    parts = [pack(Kind.DATA, b"\x0a\x0d\x0d\x0a", Stream.PCAP), DONE]
    with service(run_directory / "tracer.sock", *parts) as frames:
        answer = client.get(f"/api/v1/labs/{lab.pk}/pcap?nodes=n1&nodes=n2&protocols=ICMP")
    assert answer.content == b"\x0a\x0d\x0d\x0a"
    assert answer.headers["Content-Type"] == "application/x-pcapng"
    params = json.loads(frames[0].payload)["params"]
    names = {"n1": "h1", "n2": "h2"}
    assert params == {"nodes": ["n1", "n2"], "protocols": ["ICMP"], "names": names}


@pytest.mark.django_db
def test_drift_is_kept_as_an_operation(client, lab, owner, run_directory):
    drift = [
        {"path": "interfaces/eth0/mtu", "drawn": 1500, "actual": 1400},
        {"path": "interfaces/tun0", "drawn": None, "actual": "tun"},
        {"path": "routes", "drawn": [], "actual": [
            "10.9.0.0/16 via 10.0.0.2 dev eth0", "10.8.0.0/16 dev eth0 metric 7"]},
    ]  # fmt: skip
    live = json.dumps({"nodes": {"n1": {"drift": drift}}}).encode()

    def keep(path):
        (run_directory / "worker.sock").unlink(missing_ok=True)
        with service(run_directory / "worker.sock", pack(Kind.DATA, live), DONE):
            body = {"node": "n1", "path": path, "action": "keep"}
            return client.post(f"/api/v1/labs/{lab.pk}/drift", body, "application/json")

    assert keep("interfaces/eth0/mtu").status_code == 200
    assert keep("routes").status_code == 200
    assert keep("routes").status_code == 200  # nothing twice
    assert keep("interfaces/tun0").status_code == 409
    assert keep("interfaces/eth0/up").status_code == 404
    drawn = client.get(f"/api/v1/labs/{lab.pk}/document").json()["document"]
    assert drawn["interfaces"]["i1"]["mtu"] == 1400
    routes = {(r["prefix"], r["via"], r["device"], r["metric"]) for r in drawn["routes"].values()}
    assert routes == {("10.9.0.0/16", "10.0.0.2", None, None), ("10.8.0.0/16", None, "i1", 7)}
