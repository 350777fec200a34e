"""Probes as JSON."""

# ruff: noqa: TC003 - pydantic reads annotations at run time
from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from topoweb.labs.schemas import Id, Output, Strict


class ProbeIn(Strict):
    """A probe to run inside a node."""

    kind: Literal["ping", "tcp", "udp", "traceroute"]
    source: Id
    target: Annotated[str, Field(min_length=1, max_length=64)]
    port: Annotated[int, Field(ge=1, le=65535)] | None = None
    count: Annotated[int, Field(ge=1, le=10)] = 3


class Hop(Output):
    """One hop of a traceroute."""

    ttl: int
    address: str | None
    rtt_ms: float | None


class ProbeResult(BaseModel):
    """What a probe found."""

    verdict: Literal["reply", "no_answer", "unreachable", "refused", "error", "connected"]
    message: str
    sent: int = 0
    received: int = 0
    rtt_ms: list[float] = []
    ttl: int | None = None
    hops: list[Hop] = []
    output: str = ""


class ProbeOut(Output):
    """A probe and how far it is."""

    id: int
    kind: Literal["ping", "tcp", "udp", "traceroute"]
    source: str
    target: str
    port: int | None
    count: int
    status: Literal["waiting", "running", "done", "failed"]
    result: ProbeResult | None
    created: datetime
