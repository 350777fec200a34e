"""Script labs over the API, with nothing but the standard library.

from topoweb.client import Client

topoweb = Client("http://localhost:8000", token="topoweb_…")
lab = topoweb.create("demo", template="two-subnets")
lab.run()
print(lab.probe("ping", "pc1", "pc4")["result"]["verdict"])
print(lab.trace("pc1", "pc4")["verdict"]["text"]["en"])
lab.stop()
"""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

POLL = 0.2  # seconds
SETTLED = ("running", "stopped", "failed", "cancelled")


class ApiError(Exception):
    """A refusal. ``problem`` is the problem+json body: status, detail, path, problems."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(" ".join(filter(None, (problem.get("path"), problem.get("detail")))))
        self.problem = problem


class Client:
    """A server and a token (``manage.py lab token`` makes one)."""

    def __init__(self, url: str, token: str, *, timeout: float = 30.0) -> None:
        self._base = url.rstrip("/") + "/api/v1"
        self._token = token
        self._timeout = timeout

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON answer; None when there is none. ApiError when refused."""
        return json.loads(self.read(method, path, body) or b"null")

    def read(self, method: str, path: str, body: object = None) -> bytes:
        """Return the answer's bytes. ApiError when refused."""
        request = urllib.request.Request(  # noqa: S310 - the scheme is the caller's
            self._base + path,
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=self._timeout) as answer:  # noqa: S310
                data: bytes = answer.read()
                return data
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
            try:
                problem = json.loads(text)
            except ValueError:  # not our server
                problem = {"status": error.code, "detail": error.reason}
            raise ApiError(problem) from None

    def labs(self) -> list[Lab]:
        """Return one's labs."""
        return [Lab(self, one["id"]) for one in self.call("GET", "/labs")]

    def create(
        self, name: str = "", *, template: str | None = None, document: object = None
    ) -> Lab:
        """Make a lab: empty, from the gallery, or from a document."""
        body = {"name": name, "template": template, "document": document}
        return Lab(self, self.call("POST", "/labs", body)["id"])


class Lab:
    """A lab on the server."""

    def __init__(self, client: Client, lab_id: int) -> None:
        self.id = lab_id
        self._client = client

    def call(self, method: str, path: str = "", body: object = None) -> Any:  # noqa: ANN401 - JSON
        """Return the JSON answer of a path below the lab."""
        return self._client.call(method, f"/labs/{self.id}{path}", body)

    def document(self) -> dict[str, Any]:
        """Return the drawing."""
        document: dict[str, Any] = self.call("GET", "/document")["document"]
        return document

    def apply(self, *operations: dict[str, Any]) -> dict[str, Any]:
        """Change the drawing: all of the add, set and remove operations, or none."""
        body = {"op_id": uuid.uuid4().hex, "base_seq": 0, "kind": "batch"}
        accepted: dict[str, Any] = self.call(
            "POST", "/operations", {**body, "operations": operations}
        )
        return accepted

    def plan(self) -> list[str]:
        """Return as commands what a run would do."""
        return [step["command"] for step in self.call("POST", "/plan", {})["steps"]]

    def run(self, timeout: float = 300.0) -> dict[str, Any]:
        """Run the lab and return its status once it stands. TimeoutError."""
        self.call("POST", "/run", {})
        return self._settled(timeout)

    def stop(self, timeout: float = 300.0) -> dict[str, Any]:
        """Stop the lab and return its status once it is gone. TimeoutError."""
        self.call("POST", "/stop", {})
        return self._settled(timeout)

    def probe(
        self, kind: str, source: str, target: str, *, port: int | None = None, count: int = 3
    ) -> dict[str, Any]:
        """Run a ping, tcp, udp or traceroute probe from a node; nodes by id. TimeoutError."""
        wish = {"kind": kind, "source": source, "target": target, "port": port, "count": count}
        probe: dict[str, Any] = self.call("POST", "/probes", wish)
        deadline = time.monotonic() + 60
        while probe["status"] in {"waiting", "running"}:
            _pause(deadline)
            probe = self.call("GET", f"/probes/{probe['id']}")
        return probe

    def trace(
        self,
        source: str,
        target: str,
        *,
        protocol: str = "icmp",
        port: int | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Follow one packet (icmp, tcp, udp) and return where it went, and why it ended there.

        ``dry_run``: only what the kernel's state foretells; nothing is sent.
        """
        body = {"source": source, "target": target, "protocol": protocol, "port": port}
        answer: dict[str, Any] = self.call("POST", "/dry-run" if dry_run else "/traces", body)
        return answer

    def live(self) -> dict[str, Any]:
        """Return what is in the kernel now."""
        snapshot: dict[str, Any] = self.call("GET", "/live")
        return snapshot

    def packets(self, filter: str = "", *, after: int = 0) -> list[list[Any]]:  # noqa: A002
        """Return the rows of captured packets that a display filter lets through (≤ 1000)."""
        asked = urllib.parse.urlencode({"filter": filter, "after": after, "limit": 1000})
        answer: dict[str, Any] = self.call("GET", f"/packets?{asked}")
        rows: list[list[Any]] = answer["rows"]
        return rows

    def recording(
        self, path: str | os.PathLike[str], *, seconds: float | None = None, name: str = ""
    ) -> dict[str, Any]:
        """Save what was seen of the last minutes, here and on the server; return the recording."""
        body = {"seconds": seconds, "name": name}
        saved: dict[str, Any] = self.call("POST", "/recordings", body)
        with open(path, "wb") as file:  # noqa: PTH123 - any path will do
            file.write(self._client.read("GET", f"/recordings/{saved['id']}/file"))
        return saved

    def delete(self) -> None:
        """Delete the lab."""
        self.call("DELETE")

    def _settled(self, timeout: float) -> dict[str, Any]:
        deadline = time.monotonic() + timeout
        while True:
            status: dict[str, Any] = self.call("GET", "/status")
            done = status["observed_generation"] >= status["generation"]
            if done and status["phase"] in SETTLED:
                return status
            _pause(deadline)


def _pause(deadline: float) -> None:
    if time.monotonic() > deadline:
        raise TimeoutError("the worker is not done; is one running?")
    time.sleep(POLL)
