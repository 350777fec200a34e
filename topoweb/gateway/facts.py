"""What a viewer has not been told yet: rows, read again after each doorbell. Synchronous."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.labs import queries
from topoweb.labs.drawing import drawing_of
from topoweb.labs.problems import problem_json
from topoweb.labs.uplinks import grant_json

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser

    from topoweb.labs.models import Lab

Message = dict[str, Any]
PAGE = 500  # rows that a query returns at most
FINISHED = ("done", "failed")


class Facts:
    """One viewer's place in a lab's rows. ``news`` returns the messages that bring it up to now."""

    def __init__(self, lab: Lab, user: AbstractBaseUser) -> None:
        self._lab = lab.pk
        self._user = {"id": user.pk, "name": user.get_username()}
        self._seq: int | None = None
        self._status: Message | None = None
        self._uplink: Message | None = None
        self._problems: tuple[int, list[Any]] = (-1, [])  # as of seq
        self._after = 0  # all probes up to this id are finished and told
        self._probes: dict[int, str] = {}  # id → status, of those told after it

    def hello(self, lab: Lab) -> list[Message]:
        """Return what a new viewer is told first. Earlier operations come with the document."""
        self._seq = lab.seq
        self._status = queries.status_json(lab)
        self._uplink = grant_json(lab)
        finished = [probe for probe in self._new_probes() if probe["status"] in FINISHED]
        self._settle(finished)
        return [
            {
                "type": "hello",
                "seq": lab.seq,
                "status": self._status,
                "user": self._user,
                "uplink": self._uplink,
            },
            *self._problem_news(lab),
            *self._probe_news(),
        ]

    def news(self, lab: Lab) -> list[Message]:
        """Return what changed since the last call, oldest first."""
        if self._seq is None:
            return self.hello(lab)
        messages = self._operation_news(lab)
        if messages is None:  # pruned: the viewer has to load the document anew
            return self.hello(lab)
        status = queries.status_json(lab)
        if status != self._status:
            self._status = status
            messages.append({"type": "status", "status": status})
        uplink = grant_json(lab)
        if uplink != self._uplink:
            self._uplink = uplink
            messages.append({"type": "uplink", "uplink": uplink})
        return [*messages, *self._problem_news(lab), *self._probe_news()]

    def _operation_news(self, lab: Lab) -> list[Message] | None:
        messages: list[Message] = []
        assert self._seq is not None
        while self._seq < lab.seq:
            operations = queries.operations_since(self._lab, self._seq)
            if not operations:
                return None
            self._seq = operations[-1]["seq"]
            messages.append({"type": "operations", "operations": operations})
        return messages

    def _problem_news(self, lab: Lab) -> list[Message]:
        seq, told = self._problems
        if seq == lab.seq:
            return []
        problems = [problem_json(problem) for problem in drawing_of(lab).problems]
        self._problems = (lab.seq, problems)
        return [{"type": "problems", "problems": problems}] if problems != told or seq < 0 else []

    def _probe_news(self) -> list[Message]:
        changed = self._new_probes()
        self._settle(changed)
        return [{"type": "probe", "probe": probe} for probe in changed]

    def _new_probes(self) -> list[Message]:
        """Return the probes whose status this viewer was not told."""
        found: list[Message] = []
        after = self._after
        while rows := queries.probes_since(self._lab, after):
            found += [row for row in rows if self._probes.get(row["id"]) != row["status"]]
            after = rows[-1]["id"]
            if len(rows) < PAGE:
                break
        return found

    def _settle(self, told: list[Message]) -> None:
        """Note what was told, and move past the finished ones."""
        self._probes.update((probe["id"], probe["status"]) for probe in told)
        for number in sorted(self._probes):
            if self._probes[number] not in FINISHED:
                break
            self._after = number
            del self._probes[number]
