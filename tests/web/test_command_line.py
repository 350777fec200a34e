"""``manage.py lab`` and the Python client. A stand-in of the worker answers the rows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone

from tests.web.drawings import two_hosts
from topoweb import settings as ours
from topoweb.accounts.services import issue_api_token, local_user, user_of_api_token
from topoweb.client import ApiError, Client
from topoweb.hosts.services import heartbeat
from topoweb.labs import waiting
from topoweb.labs.models import Lab, LabStatus, Probe
from topoweb.worker.launch import places

RESULT = {"verdict": "reply", "message": "3 of 3", "output": "64 bytes from 10.0.0.2"}


def lab(capsys, *arguments, **options):
    call_command("lab", "--json", *map(str, arguments), **options)
    text = capsys.readouterr().out
    return json.loads(text) if text.strip() else None


@pytest.fixture
def worker(transactional_db):
    """Do in a thread what a worker does to the rows, at once."""
    stopped = threading.Event()

    def serve():
        while not stopped.wait(0.02):
            for row in Lab.objects.all():
                phase = "running" if row.running else "stopped"
                LabStatus.objects.filter(lab=row).update(
                    phase=phase, observed_generation=row.generation
                )
            Probe.objects.filter(status="waiting").update(status="done", result=RESULT)
        connections.close_all()

    heartbeat("local", {"netem": {"ok": False, "reason": "not in this kernel"}})
    thread = threading.Thread(target=serve)
    thread.start()
    yield
    stopped.set()
    thread.join()


def test_whole_life_of_a_lab(worker, capsys, tmp_path):
    made = lab(capsys, "create", "demo", "--template", "two-subnets")
    commands = [step["command"] for step in lab(capsys, "plan", made["id"])["steps"]]
    assert "ip netns add pc1" in commands
    assert lab(capsys, "run", "demo")["phase"] == "running"
    assert lab(capsys, "status", "demo")["generation"] == 1
    probe = lab(capsys, "probe", "demo", "ping", "pc1", "pc4", "--count", 2)
    assert (probe["result"], probe["count"]) == (RESULT, 2)
    file = tmp_path / "demo.json"
    lab(capsys, "export", "demo", "-o", file)
    assert len(json.loads(file.read_text())["links"]) == 6
    copy = lab(capsys, "import", file, "--name", "copy")
    assert [one["name"] for one in lab(capsys, "list")] == ["copy", "demo"]
    assert lab(capsys, "stop", made["id"])["phase"] == "stopped"
    lab(capsys, "delete", copy["id"])
    assert [one["name"] for one in lab(capsys, "list")] == ["demo"]


@pytest.mark.django_db(transaction=True)
def test_worker_away_is_said_and_the_wish_stays(capsys, monkeypatch):
    monkeypatch.setattr(waiting, "GRACE", 0.0)
    made = lab(capsys, "create", "demo")
    with pytest.raises(CommandError, match="away"):
        lab(capsys, "run", made["id"])
    assert Lab.objects.get().running
    heartbeat("local")
    with pytest.raises(CommandError, match="not done"):
        lab(capsys, "run", made["id"], "--timeout", 0)


@pytest.mark.django_db
def test_refusals_are_words(capsys, tmp_path):
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({**two_hosts(), "links": {"l1": {"a": "i1", "b": "i9"}}}))
    with pytest.raises(CommandError, match="/links/l1/b"):
        lab(capsys, "import", file)
    file.write_text("{")
    with pytest.raises(CommandError, match=r"wrong\.json"):
        lab(capsys, "import", file)
    with pytest.raises(CommandError, match="no lab"):
        lab(capsys, "status", "nothing")
    with pytest.raises(CommandError, match="no user"):
        call_command("lab", "--user", "nobody", "list")


@pytest.mark.django_db
def test_options_of_all_verbs_stand_before_or_behind_the_verb(capsys):
    made = lab(capsys, "create", "mine")
    call_command("lab", "list", "--json")
    assert [one["id"] for one in json.loads(capsys.readouterr().out)] == [made["id"]]
    with pytest.raises(CommandError, match="nobody"):
        call_command("lab", "list", "--user", "nobody")


@pytest.mark.django_db
def test_token_of_the_command_line_works(capsys):
    token = lab(capsys, "token", "script")["token"]
    assert user_of_api_token(token) == local_user()


def test_ten_lines_of_python(worker, live_server):
    topoweb = Client(live_server.url, issue_api_token(local_user()))
    demo = topoweb.create("demo", document=two_hosts())
    accepted = demo.apply(
        {"kind": "set", "collection": "interfaces", "id": "i1", "patch": {"mtu": 1400}}
    )
    assert accepted["seq"] == 1
    assert demo.document()["interfaces"]["i1"]["mtu"] == 1400
    assert any("mtu 1400" in command for command in demo.plan())
    assert demo.run()["phase"] == "running"
    assert demo.probe("ping", "n1", "n2")["result"]["verdict"] == "reply"
    assert demo.stop()["phase"] == "stopped"
    with pytest.raises(ApiError) as caught:
        demo.live()
    assert caught.value.problem["code"] == "worker-away"
    demo.delete()
    assert topoweb.labs() == []


@pytest.mark.django_db
def test_session_tells_the_features_and_the_worker(client):
    features = client.get("/api/v1/session").json()["features"]
    assert features["worker"]["ok"] is False
    heartbeat("local", {"netem": {"ok": False, "reason": "not in this kernel"}})
    features = client.get("/api/v1/session").json()["features"]
    assert features == {
        "netem": {"ok": False, "reason": "not in this kernel"},
        "worker": {"ok": True, "reason": ""},
    }
    from topoweb.hosts.models import WorkerHost

    WorkerHost.objects.update(heartbeat=timezone.now() - timedelta(seconds=60))
    assert "silent" in client.get("/api/v1/session").json()["features"]["worker"]["reason"]


def manage(tmp_path, *arguments, **environment):
    """Run a command in a process of its own, which is told nothing but what is given."""
    kept = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ours.ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", [["lab", "list"], ["uplink", "list"], ["worker"]])
def test_where_nothing_is_one_line_says_so(tmp_path, command):
    data = tmp_path / "data"
    done = manage(tmp_path, *command, TOPOWEB_DATA=str(data))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert str(data) in done.stderr
    assert "make run" in done.stderr
    assert not (data / "topoweb.sqlite3").exists()  # nothing was made by looking


def test_a_database_that_cannot_be_read_is_said_in_one_line(tmp_path):
    (tmp_path / "topoweb.sqlite3").write_text("this is no database, whatever its name says" * 99)
    done = manage(tmp_path, "lab", "list", TOPOWEB_DATA=str(tmp_path))
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_commands_take_the_data_that_make_run_made(tmp_path, monkeypatch):
    monkeypatch.setattr(ours, "ROOT", tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    monkeypatch.delenv("TOPOWEB_DATA", raising=False)
    assert ours._data_directory() == tmp_path / "xdg" / "topoweb"
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "secret.key").write_text("x")
    assert ours._data_directory() == tmp_path / "var"
    monkeypatch.setenv("TOPOWEB_DATA", str(tmp_path / "other"))
    assert ours._data_directory() == tmp_path / "other"


def test_commands_take_the_run_directory_that_serves_their_data(tmp_path, monkeypatch):
    run, data, other = (tmp_path / name for name in ("run", "data", "other"))
    for path in (run, data, other):
        path.mkdir(mode=0o750)
    monkeypatch.setattr(places, "usual", lambda: run)
    monkeypatch.setattr(ours, "TOPOWEB_DATA", data)
    monkeypatch.delenv("TOPOWEB_RUN", raising=False)
    assert ours._run_directory() == data / "run"
    places.note(run, other)
    assert ours._run_directory() == data / "run"  # another server's
    places.note(run, data)
    assert ours._run_directory() == run
    run.chmod(0o770)  # somebody else could have put that there
    assert ours._run_directory() == data / "run"
    monkeypatch.setenv("TOPOWEB_RUN", str(other))
    assert ours._run_directory() == other
