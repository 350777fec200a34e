from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.web.drawings import two_hosts
from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.topology.document import DocumentError
from topoweb.labs import drawing, history, queries, services
from topoweb.labs.models import Lab, LabStatus, Operation, Probe, Revision

pytestmark = pytest.mark.django_db


def add_node(key, name=None):
    value = {"kind": "host", "name": name or key}
    return {"kind": "add", "collection": "nodes", "id": key, "value": value}


def move(key, x):
    return {"kind": "set", "collection": "nodes", "id": key, "patch": {"x": x}}


def apply(user, lab, operation, op_id=None, base_seq=0):
    return services.apply_operation(
        user, lab, op_id or services.new_op_id(), base_seq, operation
    ).operation


def test_operations_have_rising_numbers_and_are_stored(owner, lab):
    first = apply(owner, lab, add_node("n3"), "a")
    second = apply(owner, lab, move("n3", 40.0), "b", base_seq=1)
    assert (first["seq"], second["seq"]) == (1, 2)
    seq, document = queries.document_of(lab.pk)
    assert (seq, document["nodes"]["n3"]["x"]) == (2, 40.0)
    assert [one["op_id"] for one in queries.operations_since(lab.pk, 0)] == ["a", "b"]


def test_same_op_id_gives_the_same_answer_once(owner, lab):
    first = apply(owner, lab, add_node("n3"), "same")
    again = apply(owner, lab, add_node("n4"), "same")
    assert again == first
    assert Operation.objects.filter(lab=lab).count() == 1
    assert "n4" not in queries.document_of(lab.pk)[1]["nodes"]


def test_refused_operation_changes_nothing(owner, lab):
    before = queries.document_of(lab.pk)
    with pytest.raises(DocumentError) as caught:
        apply(
            owner,
            lab,
            {"kind": "batch", "operations": [add_node("n3"), move("nobody", 1)]},
        )
    assert caught.value.problems[0].path.startswith("/operations/1")
    assert queries.document_of(lab.pk) == before
    assert not Operation.objects.filter(lab=lab).exists()


def test_base_seq_from_the_future_is_a_conflict(owner, lab):
    with pytest.raises(TopowebError) as caught:
        apply(owner, lab, add_node("n3"), base_seq=5)
    assert caught.value.kind is ErrorKind.CONFLICT


@pytest.mark.django_db(transaction=True)
def test_drawing_is_parsed_once_for_many_operations(owner, lab, monkeypatch):
    calls = []
    apply(owner, lab, move("n1", 1.0))
    monkeypatch.setattr(drawing, "parse", calls.append)
    for n in range(3, 8):
        apply(owner, lab, add_node(f"n{n}"))
    assert calls == []


def test_drawing_kept_in_memory_follows_another_process(owner, lab):
    apply(owner, lab, add_node("n3"))
    document = two_hosts()
    document["name"] = "changed elsewhere"
    Lab.objects.filter(pk=lab.pk).update(seq=9, document=document)
    apply(owner, lab, move("n1", 5.0))
    seq, stored = queries.document_of(lab.pk)
    assert (seq, stored["name"], sorted(stored["nodes"])) == (10, "changed elsewhere", ["n1", "n2"])


def test_generation_rises_only_while_running(owner, lab):
    apply(owner, lab, add_node("n3"))
    assert Lab.objects.get(pk=lab.pk).generation == 0
    services.run(owner, lab)
    apply(owner, lab, add_node("n4"))
    row = Lab.objects.get(pk=lab.pk)
    assert (row.running, row.generation) == (True, 2)
    services.stop(owner, lab)
    row.refresh_from_db()
    assert (row.running, row.generation) == (False, 3)


def test_cancel_and_restore_name_their_generation(owner, lab):
    with pytest.raises(TopowebError):
        services.restore_drift(lab)
    services.run(owner, lab)
    services.cancel(owner, lab)
    services.restore_drift(lab)
    row = Lab.objects.get(pk=lab.pk)
    assert (row.cancel_generation, row.generation, row.restore_generation) == (1, 2, 2)


def test_drawing_with_errors_does_not_run(owner, lab):
    wrong = {"kind": "set", "collection": "interfaces", "id": "i1"}
    apply(owner, lab, {**wrong, "patch": {"addresses": ["10.0.0.0/24"]}})
    with pytest.raises(drawing.ProblemsError) as caught:
        services.run(owner, lab)
    assert caught.value.problems
    assert {one.severity for one in caught.value.problems} == {"error"}
    assert not Lab.objects.get(pk=lab.pk).running


def test_name_of_lab_and_drawing_are_one(owner, lab):
    assert services.rename_lab(owner, lab, "new name").name == "new name"
    assert queries.document_of(lab.pk)[1]["name"] == "new name"
    patch = {"name": "again"}
    apply(owner, lab, {"kind": "set", "collection": "document", "id": "", "patch": patch})
    assert Lab.objects.get(pk=lab.pk).name == "again"


def test_revision_every_fifty_operations_and_ten_minutes(owner, lab):
    for n in range(history.EVERY_OPERATIONS):
        apply(owner, lab, move("n1", float(n)))
    assert [row.seq for row in queries.revisions_of(lab.pk)] == [50]
    Revision.objects.update(created=timezone.now() - history.EVERY)
    apply(owner, lab, move("n1", -1.0))
    assert [row.seq for row in queries.revisions_of(lab.pk)] == [51, 50]


def test_restore_is_an_operation_and_loses_nothing(owner, lab):
    history.keep_revision(owner, lab, "good")
    apply(owner, lab, {"kind": "remove", "collection": "nodes", "id": "n1"})
    apply(owner, lab, history.restore_operation(lab, 1))
    assert "n1" in queries.document_of(lab.pk)[1]["nodes"]
    kept = queries.revision_of(lab.pk, 2)  # what the restore replaced
    assert "n1" not in kept.document["nodes"]
    with pytest.raises(TopowebError):
        history.restore_operation(lab, 99)


def test_automatic_revisions_are_bounded_and_named_ones_stay(owner, lab, monkeypatch):
    monkeypatch.setattr(history, "KEPT_AUTOMATIC", 2)
    monkeypatch.setattr(history, "EVERY", timedelta(0))
    history.keep_revision(owner, lab, "mine")
    for n in range(5):
        apply(owner, lab, move("n1", float(n)))
    assert [row.name for row in queries.revisions_of(lab.pk)] == ["", "", "mine"]


def test_old_operations_give_way_to_the_document(owner, lab, monkeypatch):
    monkeypatch.setattr(history, "KEPT_OPERATIONS", 5)
    monkeypatch.setattr(history, "PRUNE_EVERY", 10)
    for n in range(10):
        apply(owner, lab, move("n1", float(n)))
    assert queries.operations_since(lab.pk, 0) is None
    assert [one["seq"] for one in queries.operations_since(lab.pk, 5)] == [6, 7, 8, 9, 10]
    assert queries.operations_since(lab.pk, 10) == []
    assert queries.operations_since(lab.pk, 11) is None


def test_probe_is_checked_before_it_is_stored(owner, lab):
    wish = services.ProbeWish(kind="ping", source="n1", target="n2")
    with pytest.raises(TopowebError, match="not running"):
        services.request_probe(owner, lab, wish)
    services.run(owner, lab)
    assert services.request_probe(owner, lab, wish).status == "waiting"
    for field, value in (
        ("kind", "flood"), ("source", "n9"), ("target", "nobody"), ("target", "10.0.0.1; reboot"),
        ("target", "fe80::1%eth0"), ("port", 80), ("count", 11),
    ):  # fmt: skip
        wrong = services.ProbeWish(
            **{"kind": "ping", "source": "n1", "target": "10.0.0.2", field: value}
        )
        with pytest.raises(TopowebError) as caught:
            services.request_probe(owner, lab, wrong)
        assert caught.value.path == f"/{field}"
    assert Probe.objects.count() == 1


def test_new_lab_has_a_status_and_deletion_leaves_nothing(owner, lab):
    assert queries.status_of(lab.pk)["phase"] == "stopped"
    services.run(owner, lab)
    apply(owner, lab, add_node("n3"))
    services.delete_lab(lab)
    for model in (Lab, LabStatus, Operation, Revision, Probe):
        assert not model.objects.exists()


def test_document_faults_are_all_named(owner):
    wrong = two_hosts()
    wrong["nodes"]["n1"]["kind"] = "toaster"
    wrong["links"]["l1"]["b"] = "i9"
    with pytest.raises(DocumentError) as caught:
        services.create_lab(owner, "", wrong)
    paths = {one.path for one in caught.value.problems}
    assert {"/nodes/n1/kind", "/links/l1/b"} <= paths
    assert not Lab.objects.exists()


def test_stored_document_is_plain_json(owner, lab):
    _, document = queries.document_of(lab.pk)
    assert json.loads(json.dumps(document)) == document
