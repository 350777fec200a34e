"""The classroom server: Redis, PostgreSQL, two web processes as an unprivileged user, worker and
tracer as root. A person signs in by password and has a lab, which outlives a killed worker.
"""

from __future__ import annotations

import contextlib
import http.cookiejar
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from tests.web.servers import postgres, redis  # noqa: F401 - fixtures
from topoweb.kernel import manifest
from topoweb.kernel.holder import find_holders
from topoweb.kernel.ownership import owner_token

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.geteuid() != 0, reason="worker and tracer are root's"),
]
ROOT = Path(__file__).resolve().parents[2]
WEB_UID = WEB_GID = 65534
DEADLINE = 120.0  # seconds; a busy machine is slow, a broken server is never done
NAME, PASSWORD = "teacher", "correct horse battery"
NODES = 7  # of the template two-subnets
SETTLED = {"running", "stopped", "failed", "cancelled"}


class Server:
    """The processes of a classroom server, and the directories that they share."""

    def __init__(self, folder: Path, database: str, doorbell: str) -> None:
        self.data, self.run_dir = folder / "data", folder / "run"
        self.data.mkdir(mode=0o750)
        os.chown(self.data, WEB_UID, WEB_GID)
        self.run_dir.mkdir()
        os.chown(self.run_dir, 0, WEB_GID)
        self.run_dir.chmod(0o2750)  # as deploy/systemd/topoweb.tmpfiles has it
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("TOPOWEB_", "PYTEST_"))}
        self.environment = {
            **kept,
            "HOME": str(self.data),
            "PYTHONDONTWRITEBYTECODE": "1",
            "DJANGO_SETTINGS_MODULE": "topoweb.settings",
            "TOPOWEB_MODE": "classroom",
            "TOPOWEB_DATA": str(self.data),
            "TOPOWEB_RUN": str(self.run_dir),
            "TOPOWEB_REDIS": doorbell,
            "TOPOWEB_DATABASE_URL": database,
            "TOPOWEB_LOG": "WARNING",
        }
        self.processes: list[subprocess.Popen[bytes]] = []

    def jailed(self, *program: str) -> list[str]:
        """Return the command that runs a program as the web user, wherever the checkout is."""
        read = [f"--read={path}" for path in (ROOT, Path(sys.prefix), Path(sys.base_prefix))]
        jail = [sys.executable, "-m", "topoweb.worker.launch.jail", str(WEB_UID), str(WEB_GID)]
        return [*jail, *read, f"--write={self.data}", "--", sys.executable, *program]

    def manage(self, *arguments: str, **more: str) -> None:
        done = subprocess.run(
            self.jailed("manage.py", *arguments),
            env=self.environment | more, cwd=ROOT, capture_output=True, text=True, timeout=DEADLINE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def start(self, command: list[str], *descriptors: int) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command, env=self.environment, cwd=ROOT, pass_fds=descriptors, stdin=subprocess.DEVNULL
        )
        self.processes.append(process)
        return process

    def root(self, service: str) -> subprocess.Popen[bytes]:
        """Start worker or tracer with the capabilities that its systemd unit leaves it."""
        bounds = ",".join(["-all", *(f"+{name}" for name in bounding_set(service))])
        bounded = ["setpriv", "--no-new-privs", f"--bounding-set={bounds}"]
        return self.start([*bounded, sys.executable, "manage.py", service])

    def web(self) -> tuple[subprocess.Popen[bytes], str]:
        """Start a web process on a socket that listens already: who connects early, waits."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            number = listener.fileno()
            program = ("-m", "daphne", "--fd", str(number), "topoweb.asgi:application")
            host, port = listener.getsockname()
            return self.start(self.jailed(*program), number), f"{host}:{port}"

    def holders(self) -> list[int]:
        return [holder.pid for _, holder in find_holders(owner_token(self.run_dir))]

    def ends_in_order(self, *processes: subprocess.Popen[bytes]) -> None:
        for process in processes:
            process.terminate()
            assert process.wait(DEADLINE) == 0
        assert not [path for path in self.run_dir.rglob("*") if path.is_socket()]

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(DEADLINE)
        cleanup = [sys.executable, "manage.py", "cleanup"]
        subprocess.run(cleanup, env=self.environment, cwd=ROOT, check=True, capture_output=True)


class Person:
    """A browser without a screen: cookies, the CSRF token, and each request to the next web."""

    def __init__(self, addresses: list[str]) -> None:
        self._addresses = itertools.cycle(addresses)
        self._cookies = http.cookiejar.CookieJar()
        cookies = urllib.request.HTTPCookieProcessor(self._cookies)
        self._opener = urllib.request.build_opener(cookies)
        self._csrf = self.ask("GET", "/session")["csrf"]

    def ask(self, method: str, path: str, body: object = None):
        request = urllib.request.Request(
            f"http://{next(self._addresses)}/api/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        if method != "GET":
            request.add_header("X-CSRFToken", self._csrf)
        with self._opener.open(request, timeout=DEADLINE) as answer:
            return json.loads(answer.read() or b"null")

    def sign_in(self, name: str, password: str) -> None:
        session = self.ask("POST", "/session", {"username": name, "password": password})
        assert session["user"]["name"] == name
        assert session["mode"] == "classroom"
        self._csrf = session["csrf"]

    def until(self, path: str, good):
        """Ask until the answer is good; every request waits for the server itself."""
        end = time.monotonic() + DEADLINE
        while True:
            answer = self.ask("GET", path)
            if good(answer):
                return answer
            assert time.monotonic() < end, answer

    def settled(self, lab: str) -> str:
        status = self.until(
            f"{lab}/status",
            lambda s: s["observed_generation"] >= s["generation"] and s["phase"] in SETTLED,
        )
        assert not status["failures"]
        return status["phase"]

    def ping(self, lab: str, source: str, target: str):
        wish = {"kind": "ping", "source": source, "target": target, "count": 1}
        number = self.ask("POST", f"{lab}/probes", wish)["id"]
        done = self.until(f"{lab}/probes/{number}", lambda p: p["status"] in {"done", "failed"})
        return done["result"]


@pytest.fixture
def server(postgres, redis):  # noqa: F811 - the fixtures
    doorbell = Path(redis)
    doorbell.parent.chmod(0o755)  # the web user comes through
    doorbell.chmod(0o666)
    Path(postgres.split("host=")[1]).chmod(0o755)
    folder = Path(tempfile.mkdtemp(prefix="tw-"))  # a socket's path has 107 bytes
    folder.chmod(0o755)
    server = Server(folder, postgres, redis)
    try:
        yield server
    finally:
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, folder)
            server.end()


def bounding_set(service: str) -> list[str]:
    """Return the capabilities of a unit's CapabilityBoundingSet that this machine has."""
    unit = (ROOT / "deploy" / "systemd" / f"topoweb-{service}.service").read_text()
    (line,) = (line for line in unit.splitlines() if line.startswith("CapabilityBoundingSet="))
    names = {name.removeprefix("CAP_").lower() for name in line.split("=")[1].split()}
    command = ["setpriv", "--dump"]
    dump = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (ours,) = (line for line in dump.splitlines() if line.startswith("Capability bounding set:"))
    return sorted(names & {*ours.split(":")[1].strip().split(",")})


def who(process: subprocess.Popen[bytes]) -> tuple[int, int]:
    """Return a process's effective uid and capabilities."""
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    fields = dict(line.split(":\t", 1) for line in lines)
    return int(fields["Uid"].split()[1]), int(fields["CapEff"], 16)


def echoes(packets) -> set[str]:
    return {row[8].split(" id ")[0] for row in packets["rows"] if row[5] == "ICMP"}


def test_classroom_server(server: Server):
    server.manage("prepare", "--classroom")
    account = ("--noinput", f"--username={NAME}", "--email=")
    server.manage("createsuperuser", *account, DJANGO_SUPERUSER_PASSWORD=PASSWORD)
    worker, tracer = server.root("worker"), server.root("tracer")
    webs, addresses = zip(*(server.web() for _ in range(2)), strict=True)
    person = Person([*addresses])
    assert [who(web) for web in webs] == [(WEB_UID, 0)] * 2
    person.sign_in(NAME, PASSWORD)

    lab = f"/labs/{person.ask('POST', '/labs', {'template': 'two-subnets'})['id']}"
    person.ask("POST", f"{lab}/run", {})
    assert person.settled(lab) == "running"
    person.ask("GET", f"{lab}/packets")  # the capture begins
    result = person.ping(lab, "pc1", "pc4")
    assert (result["verdict"], result["ttl"]) == ("reply", 63)
    wanted = {"echo request", "echo reply"}
    person.until(f"{lab}/packets", lambda packets: echoes(packets) == wanted)

    number = int(lab.rsplit("/", 1)[1])
    before = manifest.read(server.run_dir, number)
    assert before is not None
    assert len(before.namespaces) == NODES
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait(DEADLINE)
    assert before.holder.alive()
    server.processes.remove(worker)
    worker = server.root("worker")
    assert person.ping(lab, "pc1", "pc4")["ttl"] == 63  # the new worker serves the old lab
    patch = {"kind": "set", "collection": "interfaces", "id": "pc1-eth0", "patch": {"mtu": 1400}}
    person.ask("POST", f"{lab}/operations", {"op_id": "smaller", "base_seq": 0, **patch})
    assert person.settled(lab) == "running"
    person.until(
        f"{lab}/live", lambda live: live["nodes"]["pc1"]["interfaces"]["eth0"]["mtu"] == 1400
    )
    after = manifest.read(server.run_dir, number)
    assert after is not None
    assert (after.holder, after.namespaces) == (before.holder, before.namespaces)
    assert server.holders() == [before.holder.pid]

    person.ask("POST", f"{lab}/stop", {})
    assert person.settled(lab) == "stopped"
    assert not server.holders()
    assert manifest.read(server.run_dir, number) is None
    server.ends_in_order(*webs, tracer, worker)
