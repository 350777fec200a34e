"""Display filters from the web's side: checked, names resolved, and handed to the tracer."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import asyncio
import json

import pytest
from channels.db import database_sync_to_async
from django.core.management import CommandError, call_command

from tests.web.drawings import two_hosts
from tests.web.labsocket import connect, frame_of, said, say  # noqa: F401 - a fixture
from topoweb.accounts.services import issue_api_token, local_user
from topoweb.client import ApiError, Client
from topoweb.core.packets.filter import FIELDS
from topoweb.engine.streams import StreamServer
from topoweb.labs import services
from topoweb.labs.streamclient import stream_key
from topoweb.protocol.frames import Stream

pytestmark = pytest.mark.django_db(transaction=True)
CHECK = "/api/v1/filters/check"
ROW = [1, 1.5, "l1", "ab", 1, "ICMP", "10.0.0.1", "10.0.0.2", "echo request", 98, ""]


def check(client, expression, **more):
    return client.get(CHECK, {"expression": expression, **more}).json()


@pytest.fixture
async def tracer(run_directory):
    """A tracer that notes with which params it is asked."""
    opened = []

    async def answer(session):
        opened.append(session.params)
        payload = {"gap": 0, "lost": 0, "tier": "bpf", "rows": [ROW]}
        await session.send_all(json.dumps(payload).encode())

    async def stream(session):
        await answer(session)
        await asyncio.Event().wait()

    handlers = {Stream.PACKETS: stream, Stream.QUERY: answer, Stream.PCAP: answer}
    server = StreamServer(handlers, stream_key())
    await server.start(run_directory / "tracer.sock")
    yield opened
    await server.stop()


def get(client, lab, path, **params):
    ask = database_sync_to_async(client.get, thread_sensitive=False)
    return ask(f"/api/v1/labs/{lab.pk}{path}", params)


def test_a_right_filter(client):
    assert check(client, 'ip.addr == 10.0.0.1 and not arp and verdict == "x"') == {
        "ok": True, "error": None, "fields": ["ip.addr", "arp", "verdict"], "late": True,
    }  # fmt: skip
    assert check(client, "")["ok"]
    assert check(client, 'node == "whatever"')["ok"]  # no lab is given


def test_a_wrong_filter_says_where_and_what_helps(client):
    answer = check(client, "arp || ip.adr == 1.1.1.1")
    assert answer["ok"] is False
    error = answer["error"]
    assert (error["code"], error["position"], error["length"]) == ("filter-unknown-field", 7, 6)
    assert error["suggestions"][0] == "ip.addr"
    assert error["text"]["en"] == "There is no field ip.adr."
    assert "ip.adr" in error["text"]["zh-CN"]
    assert "ip.addr" in error["hint"]["zh-CN"]
    assert check(client, "x" * 513)["error"]["code"] == "filter-too-long"
    assert client.get(CHECK, {"expression": "x" * 5000}).status_code == 422


def test_names_are_looked_up_in_the_drawing(client, lab, stranger):
    assert check(client, 'node == "h1" and link == "h2-h1"', lab=lab.pk)["ok"]
    assert check(client, 'node in {"n2", "h1"} and link == "l1"', lab=lab.pk)["ok"]
    error = check(client, 'arp && node == "h3"', lab=lab.pk)["error"]
    assert (error["code"], error["position"], error["length"]) == ("filter-unknown-node", 15, 4)
    assert set(error["suggestions"]) == {'"h1"', '"h2"'}
    error = check(client, 'link == "h1-sw1"', lab=lab.pk)["error"]
    assert error["code"] == "filter-unknown-link"
    assert "h1-h2" in error["hint"]["en"]
    theirs = services.create_lab(stranger, "theirs", two_hosts())
    assert client.get(CHECK, {"expression": "arp", "lab": theirs.pk}).status_code == 404


def test_who_is_not_signed_in_checks_nothing(client):
    client.logout()
    assert client.get(CHECK, {"expression": "arp"}).status_code == 401
    assert client.get("/api/v1/filters/fields").status_code == 401


def test_the_language_is_described(client):
    shown = client.get("/api/v1/filters/fields").json()
    assert {one["name"] for one in shown["fields"]} == set(FIELDS)
    verdict = next(one for one in shown["fields"] if one["name"] == "verdict")
    assert '"forwarding-off"' in verdict["values"]
    for one in verdict["values"]:
        assert check(client, f"verdict == {one}")["ok"]
    assert {"==", "&&", "matches"} <= {one["sign"] for one in shown["operators"]}


async def test_lists_and_downloads_hand_the_filter_on(client, lab, tracer):
    wanted = 'node == "h1" || ip.ttl < 5'
    answer = await get(client, lab, "/packets", filter=wanted, after=3)
    assert answer.json()["rows"] == [ROW]
    objects = {"node": {"h1": ["n1"]}}
    assert tracer[0] == {
        "what": "packets", "after": 3, "limit": 200, "filter": wanted, "objects": objects,
    }  # fmt: skip
    assert (await get(client, lab, "/pcap", filter=wanted, nodes="n2")).status_code == 200
    assert tracer[1]["filter"] == wanted
    assert (tracer[1]["objects"], tracer[1]["nodes"]) == (objects, ["n2"])
    await get(client, lab, "/packets")
    assert "filter" not in tracer[2]


@pytest.mark.parametrize("path", ["/packets", "/pcap"])
async def test_a_wrong_filter_never_reaches_the_tracer(client, lab, tracer, path):
    answer = await get(client, lab, path, filter='node == "gone"')
    assert answer.status_code == 422
    body = answer.json()
    assert (body["code"], body["path"]) == ("filter-unknown-node", "query:filter")
    assert (body["params"]["position"], body["params"]["length"]) == ("8", "6")
    assert not tracer


async def test_the_lab_socket_resolves_names_and_refuses(connect, lab, tracer):
    socket = await connect(lab)
    await said(socket, "problems")
    params = {"backlog": 9, "filter": 'link == "h1-h2" && icmp', "objects": {"link": {"x": ["y"]}}}
    await say(socket, type="open", stream="packets", params=params)
    assert json.loads((await frame_of(socket)).payload)["rows"] == [ROW]
    assert tracer == [{**params, "objects": {"link": {"h1-h2": ["l1"]}}}]
    for wrong in ("icmp &&", 'node == "gone"', 7):
        await say(socket, type="open", stream="packets", params={"filter": wrong})
        notice = await said(socket, "notice")
        assert (notice["code"], notice["stream"]) == ("stream-refused", "packets")
        assert notice["message"]
    assert len(tracer) == 1
    await say(socket, type="open", stream="packets", params={"filter": "  "})
    await frame_of(socket)
    assert tracer[1:] == [{}]


async def test_the_python_client(live_server, lab, owner, tracer):
    topoweb = Client(live_server.url, await database_sync_to_async(issue_api_token)(owner))
    ask = database_sync_to_async(topoweb.labs, thread_sensitive=False)
    (own,) = await ask()
    rows = database_sync_to_async(own.packets, thread_sensitive=False)
    assert await rows('node == "h1" && arp', after=3) == [ROW]
    assert tracer[0]["filter"] == 'node == "h1" && arp'
    assert tracer[0]["after"] == 3
    with pytest.raises(ApiError, match="early"):
        await rows("arp &&")


async def test_the_command_line(tracer, capsys):
    def make():
        return services.create_lab(local_user(), "mine", two_hosts())

    lab = await database_sync_to_async(make)()
    call = database_sync_to_async(call_command, thread_sensitive=False)
    await call("lab", "packets", "mine", "--filter", 'node == "h2"', "--limit", "5")
    said = capsys.readouterr().out
    assert "ICMP" in said
    assert "10.0.0.1" in said
    assert tracer[0]["objects"] == {"node": {"h2": ["n2"]}}
    assert tracer[0]["limit"] == 5
    with pytest.raises(CommandError, match=r"no field ip\.adr"):
        await call("lab", "packets", str(lab.pk), "--filter", "ip.adr")
