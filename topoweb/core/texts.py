"""What the server says to people beside the problems of a drawing: codes and English words.

A page translates by code and params and falls back to the English; `codes.py` of the validation
works alike, and shares no code with this table.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.topology.validate.code import Code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from topoweb.core.topology.problem import Problem

FEWER = "Remove some, or ask an administrator for more."
MINE = "Stop another of your labs first."
THEIRS = "Wait until other labs have been stopped."
CLOSE_ONE = "Close one first."
DELETE_RECORDING = "Delete a recording that you do not need any more."
RECREATE = "Something of that name or value exists already; restore the node to clear it."
UNREACHABLE = "The next hop is not reachable from this node: give it an address there."
FEATURE = "This kernel lacks the feature; see what the host's page says."

LIMITS = {
    "limit-nodes": Code("The drawing has {count} nodes; the lab may have {limit}", FEWER),
    "limit-links": Code("The drawing has {count} cables; the lab may have {limit}", FEWER),
    "limit-labs": Code(
        "You would have {count} labs; you may have {limit}",
        "Delete a lab that you do not need any more.",
    ),
    "limit-running-labs": Code("You would run {count} labs; you may run {limit} at a time", MINE),
    "limit-running-nodes": Code(
        "Your running labs would have {count} nodes; they may have {limit}", MINE
    ),
    "limit-host-labs": Code("This host would run {count} labs; it may run {limit}", THEIRS),
    "limit-host-nodes": Code("This host would run {count} nodes; it may run {limit}", THEIRS),
    "limit-host-memory": Code(
        "This host has {count} MiB of memory left; {limit} MiB must stay free", THEIRS
    ),
    "limit-terminals": Code("This lab has {count} terminals open and may have {limit}.", CLOSE_ONE),
    "limit-revisions": Code("A lab keeps at most {limit} named revisions", ""),
    "limit-user-terminals": Code(
        "You have {count} terminals open and may have {limit}.", CLOSE_ONE
    ),
    "limit-recordings": Code(
        "You would have {count} recordings; you may have {limit}", DELETE_RECORDING
    ),
    "limit-recording-bytes": Code(
        "Your recordings would take {count} MiB; they may take {limit} MiB", DELETE_RECORDING
    ),
    "limit-kept-labs": Code(
        "You would keep {count} labs recording; you may keep {limit} at a time",
        "End one of the others first.",
    ),
}

STATUS = {
    "run-cancelled": Code("Cancelled; run again to go on.", ""),
    "run-blocked": Code("The drawing has {errors}; nothing was changed.", ""),
    "steps-failed": Code("{steps} failed: {reason}", ""),
    "steps-undone": Code("{changes} did not take; trying again.", ""),
    "step-undone": Code("It did not take: {reason}", ""),
    "uplink-closed": Code("The uplink is closed: this lab has no grant for it.", ""),
    "host-restarted": Code("The host was restarted.", ""),
    "worker-fault": Code("Internal error of the worker.", "The worker's log has the details."),
}

STEPS = {
    "step-failed": Code("{reason}", ""),
    "step-eperm": Code(
        "{reason}", "The worker may not do this on this host; see what the host's page says."
    ),
    "step-eexist": Code("{reason}", RECREATE),
    "step-einval": Code(
        "{reason}", "The kernel refuses this value; compare it with the neighbouring objects."
    ),
    "step-enetunreach": Code("{reason}", UNREACHABLE),
    "step-ehostunreach": Code("{reason}", UNREACHABLE),
    "step-enetdown": Code("{reason}", "The interface is down; draw it up, or remove the route."),
    "step-eaddrnotavail": Code(
        "{reason}", "The address does not exist on that interface any more."
    ),
    "step-enomem": Code("{reason}", "The host is out of memory; stop another lab."),
    "step-enospc": Code("{reason}", "A ceiling of the host's kernel is reached; stop another lab."),
    "step-enobufs": Code("{reason}", "The kernel was out of buffers; it is tried again."),
    "step-eopnotsupp": Code("{reason}", FEATURE),
}

TERMINALS = {
    "lab-stopped": Code("The lab was stopped.", ""),
    "node-removed": Code("The node was removed.", ""),
    "worker-stopped": Code("The worker was stopped.", ""),
    "terminal-unwatched": Code("Nobody looked at it for long.", ""),
    "terminal-gone": Code("This terminal does not exist any more.", ""),
    "terminal-read-only": Code("You may look at this lab, not type in it.", ""),
    "node-not-running": Code("This node does not run.", ""),
}

SERVICES = {
    "program-missing": Code("{program} is missing on this host.", "Install the package {package}."),
    "program-ended": Code("The program ended.", ""),
    "program-ended-saying": Code("The program ended: {words}", ""),
    "service-interface-gone": Code("Its interface does not exist any more.", "Choose another one."),
    "service-command-empty": Code("The command is empty.", "Write what shall run."),
}

REQUESTS = {
    "not-running": Code("The lab is not running", "Run it first."),
    "drawing-has-errors": Code("The drawing has {count} error(s); mend them, then run", ""),
    "plan-too-far": Code(
        "Too much was drawn since the worker last looked", "Wait until the worker has caught up."
    ),
    "no-such-drift": Code("Nothing differs there now", ""),
    "worker-away": Code(
        "The worker is away: {reason}",
        "Start it with `manage.py serve` or `manage.py worker`, or look at its log;"
        " what was wished is stored.",
    ),
    "tracer-away": Code(
        "The tracer is away: {reason}",
        "Start it with `manage.py serve` or `manage.py tracer`, or look at its log.",
    ),
    "worker-late": Code("The worker is not done after {seconds} s", ""),
    "uplink-until": Code(
        "An uplink is granted for {days} days at most, beginning now",
        "Choose a moment in that time.",
    ),
    "sign-in-wrong": Code("The name or the password is wrong", ""),
    "token-unusable": Code("The token is unknown, used or too old", "Ask for a new one."),
    "tshark-missing": Code(
        "Packets are not dissected by Wireshark on this host: {reason}",
        "Install the package tshark on the worker's host.",
    ),
    "tshark-busy": Code("Other packets are being dissected", "Try again in a moment."),
    "tshark-failed": Code(
        "tshark did not get through this packet: {reason}", "Our own fields are beside it."
    ),
    "login-throttled": Code("Too many failed sign-ins", "Wait {minutes} minutes and try again."),
}

RECORDINGS = {
    "recording-empty": Code(
        "Nothing of this lab was seen lately",
        "Run it, keep its page open or keep recording, then save.",
    ),
    "recording-bad-file": Code(
        "{place}: {reason}", "Choose a .topoweb file as topoweb has saved it."
    ),
    "recording-too-large": Code("A recording is at most {limit} MiB", "Save fewer seconds."),
    "share-throttled": Code("Too many requests", "Wait a minute and try again."),
}

TEXTS: Mapping[str, Code] = {
    **LIMITS,
    **STATUS,
    **STEPS,
    **TERMINALS,
    **SERVICES,
    **REQUESTS,
    **RECORDINGS,
}


@dataclass(frozen=True, slots=True)
class Text:
    """What is said, and what a translation is found by; without a code there is none."""

    message: str = ""
    hint: str = ""
    code: str = ""
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """Message and hint, for where there is one place for both."""
        return f"{self.message} {self.hint}".strip()

    def shown(self) -> dict[str, Any]:
        """Return message, code and params as messages and rows have them."""
        return {"message": self.message, "code": self.code, "params": dict(self.params)}

    @classmethod
    def of_problem(cls, problem: Problem) -> Text:
        """Return what a problem says."""
        return cls(problem.message, problem.hint, problem.code, dict(problem.params))

    @classmethod
    def of(cls, error: TopowebError) -> Text:
        """Return what an error says."""
        own = error.code if error.code != error.kind.value else ""
        return cls(error.message, error.hint, own, error.params)


SILENT = Text()


def text(code: str, **params: object) -> Text:
    """Return the text of ``code``. KeyError for an unlisted one, or for a value left out."""
    entry = TEXTS[code]
    words = {name: str(value) for name, value in params.items()}
    return Text(entry.message.format_map(words), entry.hint.format_map(words), code, words)


def refusal(kind: ErrorKind, code: str, *, path: str = "", **params: object) -> TopowebError:
    """Return an error that says the text of ``code``."""
    said = text(code, **params)
    return TopowebError(
        kind, said.message, hint=said.hint, path=path, code=code, params=said.params
    )
