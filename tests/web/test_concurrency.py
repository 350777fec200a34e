"""Many writers of one lab: on a real SQLite file, and (by `test_postgres`) on PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, connections

from topoweb.core.topology import operations
from topoweb.core.topology.document import dump, parse
from topoweb.labs import queries, services
from topoweb.labs.models import Lab, Operation

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS, EACH = 8, 12


def together(work, count=WRITERS):
    """Run ``work(n)`` in ``count`` threads that start at once; returns the results in order."""
    start = threading.Barrier(count)

    def one(number):
        start.wait()
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(count) as pool:
        return [future.result() for future in [pool.submit(one, n) for n in range(count)]]


def test_database_is_a_real_one():
    name = str(connection.settings_dict["NAME"])
    assert connection.vendor == "postgresql" or name.endswith(".sqlite3")


def test_operations_of_many_are_numbered_without_gap_and_none_is_lost(owner, lab):
    document = queries.document_of(lab.pk)[1]

    def work(writer):
        for n in range(EACH):
            key = f"w{writer}-{n}"
            value = {"kind": "host", "name": key}
            operation = {"kind": "add", "collection": "nodes", "id": key, "value": value}
            services.apply_operation(owner, Lab.objects.get(pk=lab.pk), key, 0, operation)

    together(work)
    seq, stored = queries.document_of(lab.pk)
    rows = Operation.objects.filter(lab=lab)
    assert [row.seq for row in rows] == list(range(1, WRITERS * EACH + 1))
    assert seq == WRITERS * EACH
    assert len(stored["nodes"]) == 2 + WRITERS * EACH
    topology = parse(document)
    for row in rows:
        topology = operations.replay(topology, row.changes)
    assert dump(topology) == stored


def test_one_op_id_sent_by_many_is_accepted_once(owner, lab):
    def work(writer):
        value = {"kind": "host", "name": f"by{writer}"}
        operation = {"kind": "add", "collection": "nodes", "id": "same", "value": value}
        return services.apply_operation(owner, lab, "same", 0, operation).operation

    answers = together(work)
    assert all(answer == answers[0] for answer in answers)
    assert Operation.objects.filter(lab=lab).count() == 1


def test_run_and_stop_of_many_each_count(owner, lab):
    together(lambda n: (services.run if n % 2 else services.stop)(owner, lab))
    assert Lab.objects.get(pk=lab.pk).generation == WRITERS


def test_deletion_between_leaves_no_orphan(owner, lab):
    def work(writer):
        if writer == 0:
            services.delete_lab(lab)
            return None
        operation = {"kind": "set", "collection": "nodes", "id": "n1", "patch": {"x": writer}}
        try:
            services.apply_operation(owner, lab, f"w{writer}", 0, operation)
        except services.TopowebError as error:
            return error.kind.value
        return "done"

    answers = together(work)
    assert set(answers[1:]) <= {"done", "not_found"}
    assert not Lab.objects.exists()
    assert not Operation.objects.exists()
