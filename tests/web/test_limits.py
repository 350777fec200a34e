"""Over a limit: refused by name at the web, and once more at the worker."""

from __future__ import annotations

from dataclasses import replace

import pytest
from django.contrib.auth import get_user_model

from tests.web.drawings import two_hosts
from topoweb.accounts.models import UserLimits as UserRow
from topoweb.accounts.quotas import limits_of_user
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.limits import HostLimits, Limits, UserLimits
from topoweb.core.topology.document import parse
from topoweb.core.tracing.warnings import Warned
from topoweb.engine.ports import Report
from topoweb.hosts import services as hosts
from topoweb.labs import quotas, services
from topoweb.labs.models import Lab, LabLimits, LabStatus
from topoweb.worker.store import DjangoStore

pytestmark = pytest.mark.django_db
NODE = {"kind": "add", "collection": "nodes", "value": {"kind": "host", "name": "more"}}


@pytest.fixture
def small(settings):
    """Limits that two labs of two hosts fill."""
    settings.TOPOWEB_LAB_LIMITS = Limits(nodes=2, links=1)
    settings.TOPOWEB_USER_LIMITS = UserLimits(labs=2, running_labs=1, running_nodes=3)
    settings.TOPOWEB_HOST_LIMITS = HostLimits(running_labs=2, running_nodes=4)


def refusal(call, *arguments):
    with pytest.raises(TopowebError) as caught:
        call(*arguments)
    assert caught.value.kind is ErrorKind.LIMIT
    assert caught.value.hint
    return caught.value.code


def draw(owner, lab, operation, key="n9"):
    lab.refresh_from_db()
    return services.apply_operation(
        owner, lab, services.new_op_id(), lab.seq, {"id": key, **operation}
    )


def test_a_drawing_grows_up_to_its_limit_and_shrinks_from_above(small, owner, lab):
    assert refusal(draw, owner, lab, NODE) == "limit-nodes"
    LabLimits.objects.create(lab=lab, nodes=3)
    draw(owner, lab, NODE)
    LabLimits.objects.update(nodes=1)  # lowered: what is drawn stays, and may get less
    draw(owner, lab, {"kind": "set", "collection": "nodes", "patch": {"name": "other"}})
    draw(owner, lab, {"kind": "remove", "collection": "nodes"})
    lab.refresh_from_db()
    assert (lab.node_count, lab.link_count) == (2, 1)


def test_an_import_is_measured_as_a_whole(small, owner, lab):
    document = two_hosts()
    document["nodes"]["n3"] = {"kind": "host", "name": "h3"}
    assert refusal(services.create_lab, owner, "", document) == "limit-nodes"
    lab.refresh_from_db()
    replace_all = {"kind": "replace", "document": document}
    with pytest.raises(TopowebError):
        services.apply_operation(owner, lab, "op", lab.seq, replace_all)
    lab.refresh_from_db()
    assert lab.seq == 0


def test_so_many_labs_and_no_more(small, owner, lab):
    services.create_lab(owner, "second")
    assert refusal(services.create_lab, owner, "third") == "limit-labs"
    UserRow.objects.create(user=owner, labs=3)
    services.create_lab(owner, "third")


def test_so_many_running_labs_and_no_more(small, owner, lab):
    second = services.create_lab(owner, "second", two_hosts())
    services.run(owner, lab)
    assert refusal(services.run, owner, second) == "limit-running-labs"
    services.run(owner, lab)  # again is not one more
    services.stop(owner, lab)
    services.run(owner, second)


def test_running_nodes_are_counted_over_all_labs_of_a_user(small, owner, lab):
    UserRow.objects.create(user=owner, running_labs=2)
    second = services.create_lab(owner, "second", two_hosts())
    services.run(owner, lab)
    assert refusal(services.run, owner, second) == "limit-running-nodes"


def test_a_running_lab_grows_no_further_than_its_owner_may_run(small, owner, lab, settings):
    settings.TOPOWEB_LAB_LIMITS = Limits()
    services.run(owner, lab)
    draw(owner, lab, NODE)
    more = {**NODE, "value": {"kind": "host", "name": "one-too-many"}}
    assert refusal(draw, owner, lab, more, "n10") == "limit-running-nodes"


def test_a_host_has_an_end_too(small, owner, stranger, lab):
    services.run(owner, lab)
    theirs = services.create_lab(stranger, "theirs", two_hosts())
    services.run(stranger, theirs)
    third = get_user_model().objects.create_user("third")
    late = services.create_lab(third, "late", two_hosts())
    assert refusal(services.run, third, late) == "limit-host-labs"


def test_the_api_names_the_limit(small, client, lab):
    body = {"op_id": "op", "base_seq": 0, "id": "n9", **NODE}
    place = f"/api/v1/labs/{lab.pk}/operations"
    answer = client.post(place, body, content_type="application/json")
    assert answer.status_code == 409
    assert answer["content-type"] == "application/problem+json"
    assert "3 nodes; the lab may have 2" in answer.json()["title"] + answer.json()["detail"]


def test_an_empty_field_of_the_admin_is_as_for_everybody(owner, lab):
    LabLimits.objects.create(lab=lab, cpu=0.5, link_rate=10_000_000)
    UserRow.objects.create(user=owner, terminals=3)
    assert quotas.limits_of_lab(lab.pk) == replace(Limits(), cpu=0.5, link_rate=10_000_000)
    assert limits_of_user(owner.pk) == replace(UserLimits(), terminals=3)


# The worker believes nothing: a row that the web should never have written is refused there.


@pytest.fixture
def store():
    return DjangoStore(lambda lab: None)


def running_row(owner, name, **columns):
    document = {**two_hosts(), "name": name}
    columns = {"running": True, "generation": 1, "node_count": 2, "link_count": 1, **columns}
    lab = Lab.objects.create(owner=owner, name=name, document=document, **columns)
    LabStatus.objects.create(lab=lab)
    return lab


@pytest.mark.django_db(transaction=True)
def test_the_worker_refuses_what_the_web_let_through(small, owner, store):
    first, second = running_row(owner, "first"), running_row(owner, "second")
    assert store.wish(first.pk).refusals == ()
    assert [one.code for one in store.wish(second.pk).refusals] == [
        "limit-running-labs",
        "limit-running-nodes",
    ]
    store.report(Report(lab=second.pk, observed_generation=1, phase="running"))
    assert store.wish(second.pk).refusals == ()  # what runs is not refused
    assert store.wish(first.pk).refusals  # now the other one would be too much


@pytest.mark.django_db(transaction=True)
def test_the_worker_takes_limits_from_the_rows(owner, lab, store):
    LabLimits.objects.create(lab=lab, nodes=1)
    assert store.wish(lab.pk).limits.nodes == store.limits(lab.pk).nodes == 1


@pytest.mark.django_db(transaction=True)
def test_counts_that_lie_help_nobody(small, owner, store):
    """The nodes of the lab itself are counted in its document, not in its column."""
    lab = running_row(owner, "liar", node_count=0)
    document = two_hosts()
    document["nodes"] |= {f"x{n}": {"kind": "host", "name": f"x{n}"} for n in range(3)}
    Lab.objects.filter(pk=lab.pk).update(document=document)
    assert parse(document).nodes.keys() == store.wish(lab.pk).topology.nodes.keys()
    codes = [one.code for one in store.wish(lab.pk).refusals]
    assert codes == ["limit-running-nodes", "limit-host-nodes"]


# After a restart of the machine.


@pytest.mark.django_db(transaction=True)
def test_after_a_restart_of_the_machine_labs_are_shown_stopped(owner, lab):
    rung = []
    store = DjangoStore(rung.append)
    store.after_boot("local", "boot-1")
    services.run(owner, lab)
    store.report(Report(lab=lab.pk, observed_generation=1, phase="running"))
    rung.clear()
    store.after_boot("local", "boot-1")  # the worker alone was started again
    assert store.mark(lab.pk).running
    assert rung == []
    store.after_boot("local", "boot-2")
    mark = store.mark(lab.pk)
    assert (mark.running, mark.settled, mark.phase) == (False, True, "stopped")
    status = LabStatus.objects.get(lab=lab)
    assert (status.message, status.since) == ("The host was restarted.", None)
    assert (status.code, status.params) == ("host-restarted", {})
    assert rung == [lab.pk]
    services.run(owner, lab)
    assert not store.mark(lab.pk).settled


def test_a_host_seen_for_the_first_time_was_not_restarted(db):
    assert not hosts.note_boot("new", "boot-1")
    hosts.heartbeat("old")
    assert not hosts.note_boot("old", "boot-1")
    assert hosts.note_boot("old", "boot-2")


@pytest.mark.django_db(transaction=True)
def test_warnings_are_stored_while_it_runs_and_end_with_it(owner, lab):
    store = DjangoStore(lambda lab: None)
    warned = Warned(code="storm", link="l1", message="a storm", params={"rate": 9})
    store.warn(lab.pk, [warned])
    assert LabStatus.objects.get(lab=lab).warnings == []  # it does not run
    store.report(Report(lab=lab.pk, observed_generation=1, phase="running"))
    store.warn(lab.pk, [warned])
    status = LabStatus.objects.get(lab=lab)
    assert status.warnings == [
        {"code": "storm", "link": "l1", "message": "a storm", "params": {"rate": 9}}
    ]
    store.report(Report(lab=lab.pk, observed_generation=2, phase="stopped"))
    assert LabStatus.objects.get(lab=lab).warnings == []
