"""The trace verb from the web's side: API, lab socket, command line; the tracer is a fake."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import asyncio
import json

import pytest
from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.core.management import CommandError, call_command

from tests.fakes import tracer as said_by_tracer
from tests.web.drawings import two_hosts
from tests.web.labsocket import close_code, connect, frame_of, said, say  # noqa: F401 - a fixture
from topoweb.accounts.services import local_user
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.topology.document import parse
from topoweb.labs import services, traces
from topoweb.labs.models import Lab, Probe
from topoweb.labs.streamclient import stream_key
from topoweb.protocol.frames import ARMED, Stream

pytestmark = pytest.mark.django_db(transaction=True)
in_thread = sync_to_async
WISH = {"source": "n1", "target": "n2", "protocol": "icmp"}
NAMED = "h1 has no way to gone."


@pytest.fixture
async def tracer(run_directory):
    async with said_by_tracer.serving(run_directory / "tracer.sock", stream_key()) as one:
        yield one


@pytest.fixture
async def running(lab):
    await in_thread(Lab.objects.update)(running=True)
    return lab


async def probe_row():
    """Wait for the probe that the gateway or the API asks for."""
    async with asyncio.timeout(10):
        while (row := await in_thread(Probe.objects.first)()) is None:  # noqa: ASYNC110 - a row
            await asyncio.sleep(0.01)
    return row.kind, row.source, row.target, row.port, row.count


def post(client, lab, path, wish=WISH):
    """Ask in a thread of its own: a trace holds it while other threads read rows."""
    ask = database_sync_to_async(client.post, thread_sensitive=False)
    return ask(f"/api/v1/labs/{lab.pk}{path}", wish, "application/json")


async def test_the_api_foretells_sends_follows_and_judges(client, running, owner, tracer):
    asked = asyncio.ensure_future(post(client, running, "/traces"))
    assert await probe_row() == ("ping", "n1", "10.0.0.2", None, 1)
    tracer.sent.set()
    answer = (await asked).json()
    (session,) = tracer.opened
    token = session.token
    assert (token.lab, token.user, token.stream) == (running.pk, owner.pk, Stream.TRACE)
    assert session.params == {**WISH, "target": "10.0.0.2", "port": None}
    assert [len(trace["hops"]) for trace in answer["traces"]] == [2]  # the latest of the packet
    assert (answer["tier"], answer["agree"], answer["differs"]) == ("bpf", False, 0)
    assert answer["verdict"]["text"]["en"] == NAMED
    assert answer["verdict"]["raw"] == said_by_tracer.WORDS
    assert answer["verdict"]["remedy"]["text"]["zh-CN"] == "h1 到不了 gone。"
    assert answer["dry"]["steps"][0]["text"]["en"] == NAMED
    assert answer["probe"]["kind"] == "ping"


async def test_a_dry_run_sends_nothing(client, running, tracer):
    wish = {**WISH, "protocol": "tcp", "port": 80, "target": "10.0.9.9"}
    answer = (await post(client, running, "/dry-run", wish)).json()
    assert answer["verdict"]["text"]["en"] == NAMED
    assert tracer.opened[0].params == {"what": "dry-run", **wish}
    assert not await in_thread(Probe.objects.exists)()


async def test_the_story_of_a_packet_of_the_list(client, lab, tracer):
    answer = await in_thread(client.get)(f"/api/v1/labs/{lab.pk}/packets/7/trace")
    assert answer.json()["verdict"]["text"]["en"] == NAMED
    assert tracer.opened[0].params == {"what": "trace", "packet": 7}
    assert (await in_thread(client.get)(f"/api/v1/labs/{lab.pk}/packets/{2**63}/trace")).status_code


async def test_the_tables_of_a_node_at_a_hop(client, lab, tracer):
    path = f"/api/v1/labs/{lab.pk}/packets/7/hops/2/tables"
    assert (await in_thread(client.get)(path)).status_code == 200
    assert tracer.opened[0].params == {"what": "tables", "packet": 7, "hop": 2}
    for wrong in (f"packets/7/hops/{2**63}", f"packets/{2**63}/hops/0"):
        answer = await in_thread(client.get)(f"/api/v1/labs/{lab.pk}/{wrong}/tables")
        assert answer.status_code == 404


def test_operations_name_drawn_objects():
    document = two_hosts()
    document["routes"] = {"r1": {"node": "n1", "prefix": "10.9.0.0/16", "via": "10.0.0.2"}}
    topology = parse(document)

    def put(collection, key):
        said = {"kind": "set", "collection": collection, "id": key, "patch": {}}
        return traces.named({"remedy": {"operation": said}}, topology)["remedy"]["operation"]

    assert put("interfaces", "n2/eth0")["id"] == "i2"
    assert put("routes", "n1/10.9.0.0/16")["id"] == "r1"
    assert put("nodes", "n1")["id"] == "n1"
    assert put("interfaces", "n2/eth7") is None
    assert put("routes", "n2/10.9.0.0/16") is None


def test_a_remedy_that_is_drawn_already_is_to_be_restored():
    """The kernel has drifted: an operation on the drawing would change nothing."""
    document = two_hosts()
    document["routes"] = {"r1": {"node": "n1", "prefix": "10.9.0.0/16", "via": "10.0.0.2"}}
    topology = parse(document)

    def shown(operation):
        return traces.named({"remedy": {"node": "n1", "operation": operation}}, topology)["remedy"]

    def change(collection, key, **patch):
        return {"kind": "set", "collection": collection, "id": key, "patch": patch}

    route = {"node": "n1", "prefix": "10.9.0.0/16", "via": "10.0.0.2"}
    for operation, path in (
        (change("nodes", "n1", lo_up=True), "lo_up"),
        (change("interfaces", "n1/eth0", up=True), "interfaces/eth0/up"),
        (change("routes", "n1/10.9.0.0/16", via="10.0.0.2", device=None), "routes"),
        ({"kind": "add", "collection": "routes", "id": "x", "value": route}, "routes"),
    ):
        remedy = shown(operation)
        assert (remedy["operation"], remedy["restore"]) == (None, {"node": "n1", "path": path})
    for operation in (
        change("nodes", "n1", forward_ipv4=True),
        change("interfaces", "n1/eth0", mtu=900),
        {"kind": "add", "collection": "routes", "id": "x", "value": route | {"via": "10.0.0.3"}},
    ):
        assert "restore" not in shown(operation)
        assert shown(operation)["operation"] is not None


@pytest.mark.parametrize(
    ("wish", "status", "path"),
    [
        ({**WISH, "source": "n9"}, 422, "/source"),
        ({**WISH, "target": "nowhere"}, 422, "/target"),
        ({**WISH, "port": 7}, 422, "/port"),
        ({**WISH, "protocol": "tcp"}, 422, "/port"),
        ({**WISH, "protocol": "sctp"}, 422, "/protocol"),
        ({**WISH, "more": 1}, 422, "/more"),
    ],
)
async def test_wishes_that_cannot_be(client, running, tracer, wish, status, path):
    for place in "/traces", "/dry-run":
        answer = await post(client, running, place, wish)
        assert (answer.status_code, answer.json()["path"]) == (status, path)
    assert not tracer.opened


async def test_a_lab_that_does_not_run(client, lab, tracer):
    answer = await post(client, lab, "/traces")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-running")
    assert not tracer.opened


async def test_a_tracer_that_is_away_or_refuses(client, running, run_directory):
    answer = await post(client, running, "/traces")
    assert (answer.status_code, answer.json()["code"]) == (503, "tracer-away")
    async with said_by_tracer.serving(run_directory / "tracer.sock", stream_key()) as one:
        one.fault = TopowebError(ErrorKind.BUSY, "no")
        assert (await post(client, running, "/traces")).status_code == 503


async def messages(socket, count):
    found = []
    for _ in range(count):
        frame = await frame_of(socket)
        assert frame.stream is Stream.TRACE
        found.append(json.loads(frame.payload))
    return found


async def test_a_browser_traces_over_its_socket(connect, running, owner, tracer):
    socket = await connect(running)
    await said(socket, "problems")
    await say(socket, type="open", stream="trace", params=WISH)
    dry, armed = await messages(socket, 2)
    assert (dry["type"], armed) == ("dry", json.loads(ARMED))
    assert await probe_row() == ("ping", "n1", "10.0.0.2", None, 1)
    assert (await said(socket, "probe"))["probe"]["kind"] == "ping"
    tracer.sent.set()
    await messages(socket, 2)
    assert await socket.receive_nothing(0.1)  # the four frames of the beginning are used up
    await say(socket, type="credit", stream="trace", credit=4)
    (end,) = await messages(socket, 1)
    assert end["verdict"]["text"] == said_by_tracer.WORDS  # names are the browser's to put in
    assert await in_thread(Probe.objects.count)() == 1
    assert tracer.opened[0].token.user == owner.pk


async def test_a_second_trace_ends_the_first(connect, running, tracer):
    socket = await connect(running)
    await said(socket, "problems")
    await say(socket, type="open", stream="trace", params=WISH)
    await messages(socket, 2)
    await probe_row()
    await say(socket, type="open", stream="trace", params={**WISH, "target": "10.0.0.9"})
    await messages(socket, 2)
    assert [one.params["target"] for one in tracer.opened] == ["10.0.0.2", "10.0.0.9"]


async def test_a_browser_is_told_why_it_may_not(connect, lab, tracer):
    socket = await connect(lab)
    await said(socket, "problems")
    await say(socket, type="open", stream="trace", params=WISH)
    notice = await said(socket, "notice")
    assert (notice["code"], notice["stream"]) == ("stream-refused", "trace")
    assert "not running" in notice["message"]
    assert not tracer.opened


async def test_a_tracer_that_is_away_is_said(connect, running, run_directory):
    socket = await connect(running)
    await said(socket, "problems")
    await say(socket, type="open", stream="trace", params=WISH)
    assert (await said(socket, "notice"))["code"] == "stream-away"
    async with said_by_tracer.serving(run_directory / "tracer.sock", stream_key()) as one:
        one.fault = TopowebError(ErrorKind.LIMIT, "too many open streams")
        await say(socket, type="open", stream="trace", params=WISH)
        assert (await said(socket, "notice"))["message"] == "too many open streams"


async def test_the_command_line(running, tracer, capsys):
    user = await in_thread(local_user)()
    await in_thread(Lab.objects.update)(owner=user)

    def command(*arguments):
        with pytest.raises(CommandError, match="source-no-route"):
            call_command("lab", "trace", str(running.pk), "h1", "h2", *arguments)
        return capsys.readouterr().out

    tracer.sent.set()
    text = await in_thread(command)()
    assert "✗ h1 has no way to gone." in text
    assert "1.5 µs  h1 eth0 tx" in text
    assert "$ ip route add default via 10.0.0.2 (on h1)" in text
    assert (await probe_row())[0] == "ping"
    with pytest.raises(CommandError):
        await in_thread(call_command)("lab", "trace", str(running.pk), "h1", "h9")
    await in_thread(call_command)("lab", "trace", str(running.pk), "h1", "h2", "--dry-run")
    assert "has no way" in capsys.readouterr().out
    assert await in_thread(Probe.objects.count)() == 1


async def test_a_probe_that_is_refused_ends_the_trace(client, running, tracer, monkeypatch):
    def stopped(*_):
        raise TopowebError(ErrorKind.CONFLICT, "stopped meanwhile")

    monkeypatch.setattr(services, "request_probe", stopped)
    answer = await post(client, running, "/traces")
    assert (answer.status_code, answer.json()["detail"]) == (409, "stopped meanwhile")
