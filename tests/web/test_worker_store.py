"""The engine's store on real rows."""

from __future__ import annotations

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.web.drawings import two_hosts
from topoweb.core.texts import text
from topoweb.core.topology.document import parse
from topoweb.engine.ports import Report
from topoweb.labs import queries, services
from topoweb.labs.models import Lab, LabStatus, Operation, Probe
from topoweb.labs.probes import ProbeWish
from topoweb.worker import heartbeat
from topoweb.worker.heartbeat import Heartbeat
from topoweb.worker.store import DjangoStore

# The store opens and closes its own connections, so no transaction may surround it.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rung():
    return []


@pytest.fixture
def store(rung):
    return DjangoStore(rung.append)


def running(lab, **said):
    report = {"lab": lab.pk, "phase": "running", "observed_generation": lab.generation, **said}
    return Report(**report)


def test_the_mark_follows_the_wish_and_the_reports(store, owner, lab, rung):
    assert store.mark(lab.pk).settled
    services.run(owner, lab)
    mark = store.mark(lab.pk)
    assert (mark.generation, mark.running, mark.settled) == (1, True, False)
    lab.refresh_from_db()
    store.report(running(lab))
    assert store.mark(lab.pk).settled
    assert store.marks() == [store.mark(lab.pk)]
    assert rung == [lab.pk]
    services.stop(owner, lab)
    assert not store.mark(lab.pk).settled


def test_cancel_counts_for_the_generation_it_was_meant_for(store, owner, lab):
    services.cancel(owner, lab)
    assert not store.mark(lab.pk).halted  # nothing was ever wished
    services.run(owner, lab)
    services.cancel(owner, lab)
    assert store.mark(lab.pk).halted
    services.run(owner, lab)
    assert not store.mark(lab.pk).halted


def test_a_cancel_that_comes_too_late_does_not_count(store, owner, lab):
    services.run(owner, lab)
    lab.refresh_from_db()
    store.report(running(lab))
    services.cancel(owner, lab)
    assert not store.mark(lab.pk).halted


def test_restore_is_asked_for_once(store, owner, lab):
    services.run(owner, lab)
    assert not store.mark(lab.pk).restore
    services.restore_drift(lab)
    assert store.mark(lab.pk).restore
    lab.refresh_from_db()
    store.report(running(lab))
    assert not store.mark(lab.pk).restore


def test_the_wish_is_parsed_from_what_is_stored(store, lab):
    wish = store.wish(lab.pk)
    assert wish.topology.nodes["n1"].name == "h1"
    assert not wish.problems


def test_a_document_that_does_not_parse_is_said_and_not_believed(store, lab):
    document = two_hosts() | {"nodes": {"n1": {"kind": "host", "name": 7}}, "links": 3}
    Lab.objects.filter(pk=lab.pk).update(document=document)
    wish = store.wish(lab.pk)
    assert not wish.topology.nodes
    assert "/nodes/n1/name" in {problem.path for problem in wish.problems}


def test_a_deleted_lab_has_no_mark_no_wish_and_takes_no_report(store, lab, rung):
    Lab.objects.all().delete()
    assert store.mark(lab.pk) is None
    assert store.wish(lab.pk) is None
    store.report(Report(lab=lab.pk, observed_generation=1, phase="stopped"))
    assert not LabStatus.objects.exists()
    assert rung == []


def test_what_a_report_says_comes_with_its_code(store, lab):
    said = text("steps-undone", changes="2 changes", count=2)
    store.report(running(lab, **said.shown()))
    status = queries.status_of(lab.pk)
    assert (status["message"], status["code"]) == (said.message, "steps-undone")
    assert status["params"] == {"changes": "2 changes", "count": "2"}


def test_a_run_has_one_beginning_until_it_stops(store, lab):
    def since():
        return LabStatus.objects.get(lab=lab).since

    store.report(running(lab, phase="starting"))
    assert since() is None
    store.report(running(lab))
    began = since()
    assert began is not None
    for phase in ("changing", "running", "failed"):
        store.report(running(lab, phase=phase))
        assert since() == began
    store.report(running(lab, phase="stopped"))
    assert since() is None


def test_a_report_is_stored_whole_and_makes_the_row_if_need_be(store, lab):
    LabStatus.objects.all().delete()
    failures = ({"subject": "i1", "message": "no", "hint": "do"},)
    text = "x" * 9000
    store.report(
        running(lab, phase="failed", message=text, steps_done=1, steps_total=2, failures=failures)
    )
    row = LabStatus.objects.get()
    assert (row.phase, row.steps_done, row.steps_total) == ("failed", 1, 2)
    assert len(row.message) == 2000
    assert row.failures == list(failures)


def test_the_worker_writes_status_rows_only(store, owner, lab):
    before = Lab.objects.values().get()
    services.run(owner, lab)
    wished = Lab.objects.values().get()
    store.report(running(lab))
    assert Lab.objects.values().get() == wished
    assert before["document"] == wished["document"]


def probe(owner, lab, target):
    wish = ProbeWish(kind="ping", source="n1", target=target, count=2)
    return services.request_probe(owner, lab, wish)


def test_probes_are_taken_once_and_answered(store, owner, lab, rung):
    services.run(owner, lab)
    row = probe(owner, lab, "n2")
    assert store.mark(lab.pk).probes
    (request,) = store.probes(lab.pk)
    assert (request.id, request.source, request.target) == (row.pk, "n1", "10.0.0.2")
    assert (request.kind, request.count, request.port) == ("ping", 2, None)
    assert not store.mark(lab.pk).probes
    assert store.probes(lab.pk) == ()
    row.refresh_from_db()
    assert row.status == "running"
    store.probe_done(row.pk, {"verdict": "no_answer"})
    row.refresh_from_db()
    assert (row.status, row.result) == ("done", {"verdict": "no_answer"})
    assert rung == [lab.pk, lab.pk]


def test_a_probe_of_a_node_that_has_gone_is_answered_at_once(store, owner, lab):
    services.run(owner, lab)
    row = probe(owner, lab, "n2")
    Lab.objects.filter(pk=lab.pk).update(document=two_hosts() | {"interfaces": {}, "links": {}})
    assert list(store.probes(lab.pk)) == []
    row.refresh_from_db()
    assert row.status == "failed"
    assert "h2 has no address" in row.result["message"]


def test_probes_of_a_worker_that_died_do_not_run_for_ever(store, owner, lab):
    services.run(owner, lab)
    row = probe(owner, lab, "n2")
    store.probes(lab.pk)
    store.forget_probes()
    row.refresh_from_db()
    assert row.status == "failed"
    assert Probe.objects.filter(status="running").count() == 0


def test_the_sweep_reads_no_document_and_costs_one_query(store, owner):
    for number in range(3):
        services.create_lab(owner, f"lab {number}", two_hosts())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(store.marks()) == 3
    assert len(queries) == 1
    assert "document" not in queries[0]["sql"]


def drawn(owner, lab, count):
    """Rename a node so many times."""
    for number in range(count):
        patch = {"kind": "set", "collection": "nodes", "id": "n1", "patch": {"name": f"a{number}"}}
        services.apply_operation(owner, lab, services.new_op_id(), 0, patch)


def read(store, lab):
    """The drawing that the store has of a lab, and whether it read the document for it."""
    with CaptureQueriesContext(connection) as queries:
        topology = store.wish(lab.pk).topology
    return topology, any('"document"' in query["sql"] for query in queries)


def test_an_edit_is_followed_without_reading_the_document(store, owner, lab):
    assert read(store, lab) == (parse(lab.document), True)
    drawn(owner, lab, 3)
    lab.refresh_from_db()
    assert lab.document["nodes"]["n1"]["name"] == "a2"
    assert read(store, lab) == (parse(lab.document), False)
    assert read(store, lab) == (parse(lab.document), False)


def test_the_document_is_read_where_operations_lack_or_do_not_fit(store, owner, lab):
    store.wish(lab.pk)
    drawn(owner, lab, 2)
    Operation.objects.filter(lab=lab, seq=1).delete()
    lab.refresh_from_db()
    assert read(store, lab) == (parse(lab.document), True)
    for nonsense in ([{"op": "add"}], [{"op": "set", "collection": [], "id": {}}], [7], {"a": 1}):
        drawn(owner, lab, 1)
        Operation.objects.filter(lab=lab, seq=lab.seq + 1).update(changes=nonsense)
        lab.refresh_from_db()
        assert read(store, lab) == (parse(lab.document), True)


def test_many_operations_at_once_are_not_repeated(store, owner, lab):
    store.wish(lab.pk)
    drawn(owner, lab, 101)
    lab.refresh_from_db()
    assert read(store, lab) == (parse(lab.document), True)


def test_a_lab_that_has_the_id_of_a_deleted_one_is_another(store, lab):
    store.wish(lab.pk)
    later = lab.created + timedelta(seconds=1)
    Lab.objects.filter(pk=lab.pk).update(created=later, document={"name": "next"})
    assert not store.wish(lab.pk).topology.nodes


def test_the_heartbeat_writes_sqlites_log_back(owner, monkeypatch):
    if connection.vendor != "sqlite":
        pytest.skip("another database")
    file = Path(connection.settings_dict["NAME"])
    beat = Heartbeat("local", dict).beat
    monkeypatch.setattr(heartbeat, "LONG_LOG", 1 << 40)
    with contextlib.closing(sqlite3.connect(file)) as other:  # closing the last one writes it back
        other.execute("SELECT count(*) FROM labs_lab").fetchall()
        services.create_lab(owner, "lab", two_hosts())
        before = file.stat().st_mtime_ns
        beat()
        assert file.stat().st_mtime_ns == before
        monkeypatch.setattr(heartbeat, "LONG_LOG", 0)
        beat()
        assert file.stat().st_mtime_ns > before
