"""The lab socket: who may look, and what is told."""

# ruff: noqa: F811 - fixtures are imported
from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.db import transaction

from tests.web.labsocket import (
    ORIGIN,
    close_code,
    connect,  # noqa: F401 - a fixture
    cookie_of,
    in_thread,
    said,
    say,
)
from topoweb.accounts.models import ApiToken
from topoweb.accounts.services import issue_api_token
from topoweb.gateway import consumers
from topoweb.labs import doorbells, services, uplinks
from topoweb.labs.models import Lab, LabStatus, Operation, Probe, UplinkGrant

pytestmark = pytest.mark.django_db(transaction=True)


def rename(user, lab, name, op_id="op-1"):
    operation = {
        "kind": "set",
        "collection": "nodes",
        "id": "n1",
        "patch": {"name": name},
    }
    lab.refresh_from_db()
    return services.apply_operation(user, lab, op_id, lab.seq, operation)


# Who may look.


async def test_hello(connect, lab, owner):
    socket = await connect(lab)
    hello = await said(socket, "hello")
    assert hello["seq"] == lab.seq
    assert hello["status"]["phase"] == "stopped"
    assert hello["user"] == {"id": owner.pk, "name": "owner"}
    assert (await said(socket, "problems"))["problems"] == []


async def test_signed_out(connect, lab):
    socket = await connect(lab, headers=[ORIGIN])
    assert await close_code(socket) == 4401
    socket = await connect(lab, headers=[ORIGIN, (b"cookie", b"sessionid=nonsense")])
    assert await close_code(socket) == 4401


async def test_another_users_lab_is_not_told_apart_from_none(connect, lab, stranger):
    cookie = await in_thread(cookie_of)(stranger)
    assert await close_code(await connect(lab, headers=[ORIGIN, cookie])) == 4404
    assert await close_code(await connect(lab.pk + 1000)) == 4404
    assert await close_code(await connect(10**30)) == 4404


async def test_a_page_of_another_site_is_refused(connect, lab, owner):
    cookie = await in_thread(cookie_of)(owner)
    assert await connect(lab, headers=[(b"origin", b"http://evil.example"), cookie]) is None
    assert await connect(lab, headers=[cookie]) is None


async def test_unknown_address_is_refused(connect, lab):
    assert await connect(lab, path="/ws/elsewhere") is None


async def test_api_token_needs_no_origin_and_can_be_revoked(connect, lab, owner, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK", 0.05)
    token = await in_thread(issue_api_token)(owner)
    socket = await connect(lab, headers=[(b"authorization", f"Bearer {token}".encode())])
    await said(socket, "hello")
    await in_thread(ApiToken.objects.all().delete)()
    assert await close_code(socket) == 4401
    socket = await connect(lab, headers=[(b"authorization", b"Bearer nonsense")])
    assert await close_code(socket) == 4401


async def test_signing_out_closes_the_socket(connect, lab, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK", 0.05)
    socket = await connect(lab)
    await said(socket, "hello")
    await in_thread(Session.objects.all().delete)()
    assert await close_code(socket) == 4401


async def test_deleting_the_lab_closes_the_socket(connect, lab):
    socket = await connect(lab)
    await said(socket, "hello")
    await in_thread(services.delete_lab)(lab)
    assert await close_code(socket) == 4404


async def test_giving_the_lab_away_is_noticed_at_the_next_open(connect, lab, stranger):
    socket = await connect(lab)
    await said(socket, "hello")
    await in_thread(Lab.objects.filter(pk=lab.pk).update)(owner=stranger)
    await say(socket, type="open", stream="live")
    assert await close_code(socket) == 4404


# What is refused.


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        "{}",
        "[" * 60_000,
        '{"type": "open"}',
        '{"type": "open", "stream": "pcap"}',
        '{"type": "open", "stream": ["live"]}',
        '{"type": "open", "stream": "live", "params": []}',
        '{"type": "credit", "stream": "live"}',
        '{"type": "credit", "stream": "live", "credit": 0}',
        '{"type": "credit", "stream": "live", "credit": -1}',
        '{"type": "credit", "stream": "live", "credit": true}',
        '{"type": "credit", "stream": "live", "credit": 1e9}',
        '{"type": "lab.changed", "stream": "live"}',
        '{"type": {}, "stream": "live"}',
        '{"type": "close", "stream": "live", "x": "' + "x" * 70_000 + '"}',
    ],
)
async def test_malformed_message(connect, lab, text):
    socket = await connect(lab)
    await socket.send_to(text_data=text)
    assert await close_code(socket) == 4400


async def test_binary_message(connect, lab):
    socket = await connect(lab)
    await socket.send_to(bytes_data=b"\x01\x02\x00\x00\x00\x00\x00\x00")
    assert await close_code(socket) == 4400


async def test_flood(connect, lab):
    socket = await connect(lab)
    for _ in range(2 * consumers.MESSAGES_PER_SECOND + 2):  # some may fall into a next second
        await say(socket, type="credit", stream="live", credit=1)
    assert await close_code(socket) == 4400


# Facts.


async def test_an_accepted_operation_reaches_every_viewer(connect, lab, owner):
    sockets = [await connect(lab) for _ in range(3)]
    for socket in sockets:
        await said(socket, "hello")
    accepted = await in_thread(rename)(owner, lab, "alpha")
    for socket in sockets:
        (operation,) = (await said(socket, "operations"))["operations"]
        assert operation == accepted.operation
        assert operation["changes"][0]["patch"] == {"name": "alpha"}


async def test_a_lost_doorbell_costs_latency_only(connect, lab, owner, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK", 0.05)
    monkeypatch.setattr(doorbells, "_ring", lambda *_arguments, **_options: None)
    socket = await connect(lab)
    await said(socket, "hello")
    await in_thread(rename)(owner, lab, "alpha")
    assert (await said(socket, "operations"))["operations"][0]["seq"] == 1


async def test_many_operations_come_once_each_and_in_order(connect, lab, owner):
    socket = await connect(lab)
    seq = (await said(socket, "hello"))["seq"]

    def work():
        for number in range(30):
            rename(owner, lab, f"h{number}", f"op-{number}")

    writing = asyncio.create_task(in_thread(work)())
    seen = []
    while len(seen) < 30:
        seen += [o["seq"] for o in (await said(socket, "operations"))["operations"]]
    await writing
    assert seen == list(range(seq + 1, seq + 31))


async def test_pruned_operations_start_anew(connect, lab, owner):
    socket = await connect(lab)
    await said(socket, "hello")

    def work():
        rename(owner, lab, "a", "op-a")
        Operation.objects.filter(lab=lab).delete()
        doorbells.changed(lab.pk)

    await in_thread(transaction.atomic(work))()
    lab = await in_thread(Lab.objects.get)(pk=lab.pk)
    assert (await said(socket, "hello"))["seq"] == lab.seq


async def test_status_problems_and_probes(connect, lab, owner):
    def wait(status="waiting", **fields):
        return Probe.objects.create(
            lab=lab,
            user=owner,
            kind="ping",
            source="n1",
            target="10.0.0.2",
            status=status,
            **fields,
        )

    await in_thread(wait)("done")
    pending = await in_thread(wait)("running")
    socket = await connect(lab)
    hello = await said(socket, "hello")
    assert (await said(socket, "probe"))["probe"]["id"] == pending.pk  # not the finished one

    def change():
        status = {"phase": "running", "observed_generation": 3}
        LabStatus.objects.update_or_create(lab=lab, defaults=status)
        Probe.objects.filter(pk=pending.pk).update(status="done", result={"verdict": "reply"})
        doorbells.changed(lab.pk)

    await in_thread(change)()
    status = (await said(socket, "status"))["status"]
    assert {**hello["status"], "phase": "running", "observed_generation": 3} == status
    probe = (await said(socket, "probe"))["probe"]
    assert (probe["status"], probe["result"]) == ("done", {"verdict": "reply"})

    def duplicate():
        operation = {
            "kind": "set",
            "collection": "interfaces",
            "id": "i2",
            "patch": {"addresses": ["10.0.0.1/24"]},
        }
        lab.refresh_from_db()
        services.apply_operation(owner, lab, "op-d", lab.seq, operation)

    await in_thread(duplicate)()
    assert (await said(socket, "problems"))["problems"]


async def test_an_uplink_that_is_granted_and_revoked_reaches_an_open_page(connect, lab, owner):
    socket = await connect(lab)
    assert (await said(socket, "hello"))["uplink"]["granted"] is False
    until = int(time.time()) + 600
    await in_thread(uplinks.grant)(owner, lab, until, "a lesson")
    told = (await said(socket, "uplink"))["uplink"]
    assert told == {"granted": True, "until": until, "reason": "a lesson"}
    await in_thread(uplinks.revoke)(owner, lab)
    assert (await said(socket, "uplink"))["uplink"]["granted"] is False


async def test_an_uplink_whose_time_is_over_is_told(connect, lab, owner, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK", 0.05)
    await in_thread(uplinks.grant)(owner, lab, time.time() + 600)
    socket = await connect(lab)
    assert (await said(socket, "hello"))["uplink"]["granted"] is True
    past = datetime.now(UTC) - timedelta(seconds=5)
    await in_thread(UplinkGrant.objects.update)(until=past)  # no doorbell rings for the clock
    assert (await said(socket, "uplink"))["uplink"]["granted"] is False
