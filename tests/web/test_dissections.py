"""A packet through tshark from the web's side: bytes from the tracer, words from the worker."""

from __future__ import annotations

import base64
import json

import pytest
from channels.db import database_sync_to_async

from tests.unit.packets import wire
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.engine.streams import StreamServer
from topoweb.labs.streamclient import stream_key
from topoweb.protocol.frames import Stream

pytestmark = pytest.mark.django_db(transaction=True)
FRAME = wire.samples()["echo"]
ROW = [7, 1763871000.123456, "l1", "ab", 1, "ICMP", "a", "b", "echo", 98, ""]
PDML = """<pdml creator="wireshark/4.0.17"><packet>
<proto name="ip" showname="Internet Protocol" size="20" pos="14">
<field name="ip.ttl" showname="Time to Live: 64" size="1" pos="22" show="64"/>
<field name="ip.src" showname="Source" size="4" pos="26" show="10.0.1.11"/>
<field name="ip.proto" showname="Protocol: &lt;script&gt;" size="1" pos="23" show="no number"/>
<field name="ip.new" showname="Unknown to us" size="1" pos="23" show="1"/>
</proto><proto name="http"><field name="http.host" show="a&quot;b"/></proto>
</packet></pdml>"""


class Services:
    def __init__(self):
        self.asked = []
        self.answer = {"pdml": PDML}

    async def packet(self, session):
        if session.params["number"] != 7:
            raise TopowebError(ErrorKind.NOT_FOUND, "this packet is not kept any more")
        found = {"row": ROW, "layers": [], "hex": FRAME.hex()}
        await session.send_all(json.dumps(found).encode())

    async def dissect(self, session):
        self.asked.append((session.token, session.params))
        await session.send_all(json.dumps(self.answer).encode())


@pytest.fixture
async def services(run_directory):
    one = Services()
    servers = []
    for name, handler in (("tracer", one.packet), ("worker", one.dissect)):
        server = StreamServer({Stream.QUERY: handler}, stream_key())
        await server.start(run_directory / f"{name}.sock")
        servers.append(server)
    yield one
    for server in servers:
        await server.stop()


def ask(client, lab, number=7):
    get = database_sync_to_async(client.get, thread_sensitive=False)
    return get(f"/api/v1/labs/{lab.pk}/packets/{number}/tshark")


async def test_a_packet_as_tshark_sees_it(client, lab, owner, services):
    answer = (await ask(client, lab)).json()
    assert (answer["version"], answer["more"]) == ("4.0.17", 0)
    ip, http = answer["layers"]
    assert (ip["name"], ip["start"], ip["end"], ip["filter"]) == ("ip", 14, 34, "ip")
    assert [one["filter"] for one in ip["fields"]] == [
        "ip.ttl == 64", "ip.src == 10.0.1.11", "", "",
    ]  # fmt: skip
    assert ip["fields"][2]["label"] == "Protocol: <script>"
    assert http["fields"][0]["filter"] == 'http.host == "a\\"b"'
    ((token, params),) = services.asked
    assert (token.lab, token.user) == (lab.pk, owner.pk)
    assert params == {
        "what": "dissect", "data": base64.b64encode(FRAME).decode(), "length": 98,
        "time_ns": 1763871000123456000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "status", "code"),
    [
        ({"error": "tshark-missing", "reason": "gone"}, 501, "tshark-missing"),
        ({"error": "tshark-busy", "reason": ""}, 503, "tshark-busy"),
        ({"error": "tshark-failed", "reason": "it took more than 5 s"}, 502, "tshark-failed"),
        ({"error": "__class__", "reason": ""}, 502, "tshark-failed"),
        ({"pdml": "<pdml>"}, 502, "tshark-failed"),
        ({"pdml": '<!DOCTYPE x SYSTEM "file:///etc/passwd"><pdml/>'}, 502, "tshark-failed"),
    ],
)
async def test_what_can_go_wrong(client, lab, services, answer, status, code):
    services.answer = answer
    got = await ask(client, lab)
    assert (got.status_code, got.json()["code"]) == (status, code)
    assert got.json()["detail"]


async def test_a_packet_that_is_not_kept(client, lab, services):
    assert (await ask(client, lab, 8)).status_code == 404
    assert (await ask(client, lab, 10**30)).status_code == 404
    assert not services.asked


async def test_nobody_elses_packet(client, lab, services, stranger):
    def sign_in():
        client.force_login(stranger)

    await database_sync_to_async(sign_in)()
    assert (await ask(client, lab)).status_code == 404
    assert not services.asked
