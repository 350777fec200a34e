"""The trace verb: a packet is foretold, sent by a probe, followed by the tracer, and judged."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from topoweb.core.errors import ErrorKind, TopowebError
from topoweb.core.texts import refusal
from topoweb.core.topology.targets import resolve
from topoweb.core.tracing.explain.names import with_names
from topoweb.labs import queries, services, streamclient
from topoweb.labs.drawing import drawing_of
from topoweb.labs.probes import ProbeWish, check_probe
from topoweb.protocol.frames import ARMED, Stream

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.auth.models import AbstractBaseUser

    from topoweb.core.topology.model import Topology
    from topoweb.labs.models import Lab, Probe

PROBES = {"icmp": "ping", "tcp": "tcp", "udp": "udp"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceWish:
    """A packet to trace: ``target`` is a node id or an IP address."""

    source: str
    target: str
    protocol: str
    port: int | None = None

    def probe(self, target: str) -> ProbeWish:
        """Return the probe that sends it."""
        return ProbeWish(
            kind=PROBES[self.protocol], source=self.source, target=target, port=self.port, count=1
        )


def stream_params(lab: Lab, wish: TraceWish) -> dict[str, Any]:
    """Return what the tracer is told: the target as an address.

    TopowebError, as for a probe: the lab does not run, or a field is wrong.
    """
    if not lab.running:
        raise refusal(ErrorKind.CONFLICT, "not-running")
    topology = drawing_of(lab).topology
    check_probe(topology, wish.probe(wish.target))
    address = resolve(topology, wish.source, wish.target)
    return {
        "source": wish.source,
        "target": address,
        "protocol": wish.protocol,
        "port": wish.port,
    }


def send(user: AbstractBaseUser, lab: Lab, params: Mapping[str, Any]) -> Probe:
    """Ask the worker to send the packet that the tracer waits for."""
    wish = TraceWish(**params)
    return services.request_probe(user, lab, wish.probe(wish.target))


def foretell(user: AbstractBaseUser, lab: Lab, wish: TraceWish) -> Any:  # noqa: ANN401 - JSON
    """Return what the kernel's state foretells. Sends nothing."""
    params = {"what": "dry-run", **stream_params(lab, wish)}
    answer = streamclient.query("tracer", lab.pk, user.pk, params)
    return named(answer, drawing_of(lab).topology)


def run(user: AbstractBaseUser, lab: Lab, wish: TraceWish) -> Any:  # noqa: ANN401 - JSON
    """Foretell, send, follow and judge one packet; takes 10 seconds at most.

    TopowebError: LOST when the tracer is away or stops on the way.
    """
    params = stream_params(lab, wish)
    told: dict[str, Any] = {}
    traces: dict[int, Any] = {}  # by packet, the latest
    probe: Probe | None = None
    for payload in streamclient.payloads("tracer", Stream.TRACE, lab.pk, user.pk, params):
        if payload == ARMED:
            probe = send(user, lab, params)
            continue
        message = json.loads(payload)
        if message["type"] == "trace":
            traces[message["trace"]["packet"]] = message["trace"]
        else:
            told[message["type"]] = message
    if probe is None or "verdict" not in told:
        raise TopowebError(ErrorKind.LOST, "The tracer stopped on the way", hint="Trace it again.")
    answer = {
        "dry": {key: told["dry"][key] for key in ("steps", "verdict")},
        "tier": told["dry"]["tier"],
        "traces": list(traces.values()),
        **{key: told["verdict"][key] for key in ("exchange", "verdict", "agree", "differs")},
        "mended": told["verdict"].get("mended"),
        "probe": queries.probe_json(queries.probe_of(lab.pk, probe.pk) or probe),
    }
    return named(answer, drawing_of(lab).topology)


def named(value: Any, topology: Topology) -> Any:  # noqa: ANN401 - JSON
    """Return what the tracer said with the drawing put in.

    Drawn names are in the texts, which stay as they were under ``raw``; operations have the ids of
    drawn objects, or are null when what they would change is not drawn.
    """
    if isinstance(value, list):
        return [named(one, topology) for one in value]
    if not isinstance(value, dict):
        return value
    shown = {key: named(one, topology) for key, one in value.items()}
    if isinstance(text := value.get("text"), dict):
        name = partial(_name, topology)
        shown |= {"text": {key: with_names(one, name) for key, one in text.items()}, "raw": text}
    if isinstance(operation := value.get("operation"), dict):
        shown["operation"] = drawn = _drawn(operation, topology)
        path = drifted(drawn, topology) if drawn is not None else ""
        if path:
            shown |= {"operation": None, "restore": {"node": value["node"], "path": path}}
    return shown


def drifted(operation: Mapping[str, Any], topology: Topology) -> str:
    """Return where the kernel has drifted when an operation would change nothing drawn; else "".

    The path is one of LIVE's ``drift`` lists.
    """
    collection = operation["collection"]
    if operation["kind"] == "add":
        wanted = operation["value"]
        same = collection == "routes" and any(
            (one.node, one.prefix, one.via) == (wanted["node"], wanted["prefix"], wanted["via"])
            for one in topology.routes.values()
        )
        return "routes" if same else ""
    one = getattr(topology, collection).get(operation["id"])
    patch = operation["patch"]
    if (
        one is None
        or not patch
        or any(_text(getattr(one, key)) != _text(patch[key]) for key in patch)
    ):
        return ""
    if collection == "interfaces":
        return f"interfaces/{one.name}/{next(iter(patch))}"
    return "routes" if collection == "routes" else str(next(iter(patch)))


def _text(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _name(topology: Topology, node: str) -> str:
    drawn = topology.nodes.get(node)
    return drawn.name if drawn else node


def _drawn(operation: dict[str, Any], topology: Topology) -> dict[str, Any] | None:
    """Put ids in for "<node>/<interface name>" and "<node>/<prefix>", which the tracer says."""
    node, slash, rest = str(operation.get("id")).partition("/")
    if not slash:
        return operation
    if operation.get("collection") == "interfaces":
        found = (
            key for key, one in topology.interfaces.items() if (one.node, one.name) == (node, rest)
        )
    else:
        found = (
            key for key, one in topology.routes.items() if (one.node, one.prefix) == (node, rest)
        )
    drawn = next(found, None)
    return {**operation, "id": drawn} if drawn is not None else None
