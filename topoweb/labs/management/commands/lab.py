"""``manage.py lab``: labs by command line."""

from __future__ import annotations

import json
import sys
import time
from argparse import SUPPRESS
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from topoweb.accounts import services as accounts
from topoweb.core.errors import TopowebError
from topoweb.core.limits import RECORDING
from topoweb.labs import (
    captured,
    doorbells,
    gallery,
    plans,
    queries,
    recording_queries,
    recordings,
    services,
    trace_text,
    traces,
    waiting,
)
from topoweb.labs.drawing import drawing_of
from topoweb.labs.found import require_database
from topoweb.labs.probes import KINDS, ProbeWish
from topoweb.labs.problems import problem_json
from topoweb.labs.traces import TraceWish

if TYPE_CHECKING:
    from argparse import ArgumentParser

    from django.contrib.auth.models import User

    from topoweb.core.topology.model import Topology
    from topoweb.labs.models import Lab, Recording

USER = "whose labs; without it those of the local user"
JSON = "answer as JSON"


class Command(BaseCommand):
    """Make, run, probe and watch labs. Exit status 1 with the reason when something is refused."""

    help = "Work with labs: create, list, import, export, plan, run, stop, probe, trace, record, …"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the verbs."""
        parser.add_argument("--user", help=USER)
        parser.add_argument("--json", action="store_true", help=JSON)
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

        create = verbs.add_parser("create", help="make a lab, empty or from the gallery")
        create.add_argument("name")
        create.add_argument("--template", choices=[one.id for one in gallery.templates()])
        verbs.add_parser("list", help="list one's labs")
        load = verbs.add_parser("import", help="make a lab from a JSON document (- for stdin)")
        load.add_argument("file")
        load.add_argument("--name", default="")
        token = verbs.add_parser("token", help="make an API token; it is shown once")
        token.add_argument("name", nargs="?", default="")

        save = _for_lab(verbs, "export", "write the drawing as JSON")
        save.add_argument("-o", "--output", help="file to write; without it stdout")
        _for_lab(verbs, "plan", "say as commands what a run would do")
        _for_lab(verbs, "status", "say how the lab is")
        _for_lab(verbs, "delete", "delete the lab")
        for verb, text in (("run", "run the lab as drawn"), ("stop", "remove it from the kernel")):
            _waits(_for_lab(verbs, verb, text), 300)
        _seeing_verbs(verbs)
        for one in verbs.choices.values():  # behind the verb as well as before it
            one.add_argument("--json", action="store_true", default=SUPPRESS, help=JSON)
            one.add_argument("--user", default=SUPPRESS, help=USER)

    def handle(self, *_: object, **options: Any) -> None:  # noqa: ANN401 - Django's signature
        """Do the verb; a refusal is printed with its place and its remedy."""
        require_database()
        doorbells.find_server()
        try:
            getattr(self, f"_{options['verb']}")(_user(options["user"]), options)
        except TopowebError as error:
            raise CommandError(_refusal(error)) from None

    def _create(self, user: User, options: dict[str, Any]) -> None:
        template = options["template"]
        document = gallery.template(template).document if template else None
        self._made(services.create_lab(user, options["name"], document), options)

    def _import(self, user: User, options: dict[str, Any]) -> None:
        self._made(services.create_lab(user, options["name"], _read_json(options["file"])), options)

    def _made(self, lab: Lab, options: dict[str, Any]) -> None:
        self._answer(options, {"id": lab.pk, "name": lab.name}, f"lab {lab.pk}: {lab.name}")

    def _list(self, user: User, options: dict[str, Any]) -> None:
        labs: list[dict[str, Any]] = [
            {"id": lab.pk, "name": lab.name, "status": queries.status_json(lab)}
            for lab in queries.labs_of(user)
        ]
        lines = (f"{one['id']:>6}  {one['status']['phase']:<9} {one['name']}" for one in labs)
        self._answer(options, labs, "\n".join(lines) or "no labs yet")

    def _token(self, user: User, options: dict[str, Any]) -> None:
        token = accounts.issue_api_token(user, options["name"])
        self._answer(options, {"token": token}, token)

    def _export(self, user: User, options: dict[str, Any]) -> None:
        _, document = queries.document_of(_lab(user, options).pk)
        text = json.dumps(document, ensure_ascii=False, indent=1)
        if options["output"]:
            Path(options["output"]).write_text(text + "\n", encoding="utf-8")
        else:
            self.stdout.write(text)

    def _plan(self, user: User, options: dict[str, Any]) -> None:
        lab = _lab(user, options)
        problems = [problem_json(one) for one in drawing_of(lab).problems]
        steps = plans.steps(lab)
        lines = [f"{one['severity']}: {one['path']}: {one['message']}" for one in problems]
        lines += [f"{step['command']}  # {step['reason']}" for step in steps]
        answer = {"steps": steps, "problems": problems}
        self._answer(options, answer, "\n".join(lines) or "nothing to do")

    def _status(self, user: User, options: dict[str, Any]) -> None:
        status = queries.status_json(_lab(user, options))
        self._answer(options, status, _status_line(status))

    def _delete(self, user: User, options: dict[str, Any]) -> None:
        lab = _lab(user, options)
        lab_id = lab.pk
        services.delete_lab(lab, user)
        self._answer(options, {"deleted": lab_id}, f"lab {lab_id} deleted")

    def _run(self, user: User, options: dict[str, Any]) -> None:
        lab = _lab(user, options)
        services.run(user, lab)
        self._settle(lab, options, wanted="running")

    def _stop(self, user: User, options: dict[str, Any]) -> None:
        lab = _lab(user, options)
        services.stop(user, lab)
        self._settle(lab, options, wanted="stopped")

    def _settle(self, lab: Lab, options: dict[str, Any], *, wanted: str) -> None:
        if options["no_wait"]:
            status = queries.status_of(lab.pk)
        else:
            status = waiting.for_status(lab.pk, options["timeout"], self._progress)
        self._answer(options, status, _status_line(status))
        if not options["no_wait"] and status["phase"] != wanted:
            raise CommandError(_status_line(status))

    def _progress(self, status: dict[str, Any]) -> None:
        if status["steps_total"] and self.stderr.isatty():
            line = f"{status['phase']} {status['steps_done']}/{status['steps_total']}"
            self.stderr.write(line, ending="\r")

    def _probe(self, user: User, options: dict[str, Any]) -> None:
        lab = _lab(user, options)
        topology = drawing_of(lab).topology
        wish = ProbeWish(
            kind=options["kind"],
            source=_node(topology, options["source"]),
            target=_node(topology, options["target"]),
            port=options["port"],
            count=options["count"],
        )
        probe = services.request_probe(user, lab, wish)
        if options["no_wait"]:
            answer = queries.probe_json(probe)
            self._answer(options, answer, f"probe {probe.pk}")
            return
        answer = waiting.for_probe(probe, options["timeout"])
        result = answer["result"] or {}
        self._answer(options, answer, result.get("output") or result.get("message") or "no result")
        if result.get("verdict") not in {"reply", "connected"}:
            raise CommandError(f"{result.get('verdict', 'failed')}: {result.get('message', '')}")

    def _trace(self, user: User, options: dict[str, Any]) -> None:
        lab = _lab(user, options)
        topology = drawing_of(lab).topology
        wish = _trace_wish(topology, options)
        if options["dry_run"]:
            answer = traces.foretell(user, lab, wish)
            self._answer(options, answer, "\n".join(trace_text.foretold_lines(answer, topology)))
            return
        answer = traces.run(user, lab, wish)
        self._answer(options, answer, "\n".join(trace_text.lines(answer, topology)))
        if answer["verdict"]["kind"] != "delivered":
            raise CommandError(answer["verdict"]["code"])

    def _packets(self, user: User, options: dict[str, Any]) -> None:
        lab = _lab(user, options)
        wanted = {key: options[key] for key in ("after", "limit")}
        answer = captured.rows(user, lab, **wanted, expression=options["filter"])
        self._answer(options, answer, "\n".join(captured.lines(answer)) or "no packets")

    def _record(self, user: User, options: dict[str, Any]) -> None:
        lab, seconds = _lab(user, options), options["seconds"]
        if seconds is not None and not 0 < seconds <= RECORDING.seconds:
            raise CommandError(f"at most {RECORDING.seconds} seconds are kept")
        if options["wait"] is not None:
            seconds = min(max(options["wait"], 1), RECORDING.seconds)
            recordings.keep(user, lab, -(-seconds // 60))
            time.sleep(seconds)
        if options["output"]:
            data = recordings.take(user, lab, seconds)
            Path(options["output"]).write_bytes(data)
            told = {"file": options["output"], "size": len(data)}
            self._answer(options, told, f"{options['output']}: {len(data)} bytes")
            return
        row = recordings.save(user, lab, options["name"], seconds)
        self._answer(options, recording_queries.recording_json(row), _recording_line(row))

    def _recordings(self, user: User, options: dict[str, Any]) -> None:
        rows = list(recording_queries.recordings_of(user))
        told = [recording_queries.recording_json(row) for row in rows]
        self._answer(options, told, "\n".join(map(_recording_line, rows)) or "no recordings yet")

    def _answer(self, options: dict[str, Any], value: object, text: str) -> None:
        if options["json"]:
            text = json.dumps(value, ensure_ascii=False)
        self.stdout.write(text)


def _seeing_verbs(verbs: Any) -> None:  # noqa: ANN401 - argparse's own
    """Declare the verbs that send, follow and show packets."""
    probe = _for_lab(verbs, "probe", "ping, connect, traceroute or send a datagram")
    probe.add_argument("kind", choices=KINDS)
    probe.add_argument("source", help="node, by name or id")
    probe.add_argument("target", help="node, by name or id, or an IP address")
    probe.add_argument("--port", type=int)
    probe.add_argument("--count", type=int, default=3)
    _waits(probe, 60)
    trace = _for_lab(verbs, "trace", "follow one packet and say why it does not arrive")
    trace.add_argument("source", help="node, by name or id")
    trace.add_argument("target", help="node, by name or id, or an IP address")
    port = trace.add_mutually_exclusive_group()
    port.add_argument("--tcp", type=int, metavar="PORT", help="a TCP connection, not a ping")
    port.add_argument("--udp", type=int, metavar="PORT", help="a UDP datagram, not a ping")
    trace.add_argument("--dry-run", action="store_true", help="only foretell; send nothing")
    packets = _for_lab(verbs, "packets", "list the captured packets that are still held")
    packets.add_argument("--filter", default="", help="display filter, see docs/filters.md")
    packets.add_argument("--after", type=int, default=0, help="only those numbered higher")
    packets.add_argument("--limit", type=int, default=200, help="at most so many (≤ 1000)")
    taken = _for_lab(verbs, "record", "save what was seen of the last minutes")
    span = taken.add_mutually_exclusive_group()
    span.add_argument("--seconds", type=float, help="only the last seconds")
    span.add_argument("--wait", type=int, metavar="SECONDS", help="the next seconds instead")
    taken.add_argument("--name", default="", help="of the recording, where it is kept here")
    taken.add_argument("-o", "--output", help="file to write; it is not kept here then")
    verbs.add_parser("recordings", help="list one's recordings")


def _for_lab(verbs: Any, verb: str, text: str) -> ArgumentParser:  # noqa: ANN401 - argparse's own
    parser: ArgumentParser = verbs.add_parser(verb, help=text)
    parser.add_argument("lab", help="id or name")
    return parser


def _waits(parser: ArgumentParser, timeout: float) -> None:
    parser.add_argument("--timeout", type=float, default=timeout, help="seconds to wait")
    parser.add_argument("--no-wait", action="store_true", help="store the wish and return")


def _user(name: str | None) -> User:
    if name is None:
        return accounts.local_user()
    user = get_user_model().objects.filter(username=name).first()
    if user is None:
        raise CommandError(f"there is no user {name!r}")
    return user


def _lab(user: User, options: dict[str, Any]) -> Lab:
    """Return one's lab by id, or by a name that only one has."""
    wanted: str = options["lab"]
    lab = queries.lab_for(user, int(wanted)) if wanted.isdecimal() else None
    if lab is None:
        named = list(queries.labs_of(user).filter(name=wanted)[:2])
        if len(named) > 1:
            raise CommandError(f"several labs are named {wanted!r}; give the id")
        if not named:
            raise CommandError(f"there is no lab {wanted!r}")
        lab = named[0]
    return lab


def _node(topology: Topology, wanted: str) -> str:
    """Return the id of a node given by id or name; anything else as it is."""
    if wanted in topology.nodes:
        return wanted
    return next((key for key, node in topology.nodes.items() if node.name == wanted), wanted)


def _trace_wish(topology: Topology, options: dict[str, Any]) -> TraceWish:
    protocol = next((name for name in ("tcp", "udp") if options[name] is not None), "icmp")
    return TraceWish(
        source=_node(topology, options["source"]),
        target=_node(topology, options["target"]),
        protocol=protocol,
        port=options.get(protocol),
    )


def _read_json(name: str) -> object:
    try:
        text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8")
        return json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        raise CommandError(f"{name}: {error}") from None


def _recording_line(row: Recording) -> str:
    span = f"{row.ended - row.began:.0f} s, {row.packets} packets, {row.faults} faults"
    return f"{row.pk:>6}  {row.created:%Y-%m-%d %H:%M}  {row.name}: {span}"


def _status_line(status: dict[str, Any]) -> str:
    lines = [f"{status['phase']} {status['message']}".strip()]
    lines += [
        f"  {one.get('subject', '')}: {one.get('message', '')} {one.get('hint', '')}".rstrip()
        for one in status["failures"]
    ]
    return "\n".join(lines)


def _refusal(error: TopowebError) -> str:
    problems = getattr(error, "problems", None)
    if not problems:
        return " ".join(part for part in (error.path, error.message, error.hint) if part)
    lines = (f"{one.severity}: {one.path}: {one.message} {one.hint}".rstrip() for one in problems)
    return "\n".join([error.message, *lines])
