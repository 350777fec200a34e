"""One request between two hosts and the router between them, told as the kernel would tell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tests.unit.tracer_bench import BenchFacts, Client, frame, sighting

if TYPE_CHECKING:
    from collections.abc import Callable

    from topoweb.core.tracing.observation import Observation

POINTER = 0xFFFF888812345678


def arriving(sequence: int) -> Observation:
    """The request at the router, of whose buffer the tracer knows the address."""
    one = sighting(sequence)
    return replace(
        one, time_ns=one.time_ns + 10, namespace="n2", direction="rx", peer="n1", skb=POINTER
    )


def crossing(sequence: int) -> list[Observation]:
    """The request from host to host, seen at both ends of both cables."""
    there = replace(sighting(sequence, "l2", ttl=63), interface="eth1")
    seen = [sighting(sequence), arriving(sequence), there]
    seen.append(replace(there, namespace="n3", interface="eth0", direction="rx", peer="n2"))
    began = seen[0].time_ns
    return [replace(one, skb=POINTER, time_ns=began + 10 * i) for i, one in enumerate(seen)]


def drop(sequence: int, reason: str = "IP_INADDRERRORS", symbol: str = "ip_error") -> Observation:
    """The router drops the request: it does not forward."""
    seen = arriving(sequence)
    return replace(seen, time_ns=seen.time_ns + 10, direction="drop", reason=reason, symbol=symbol)


def reply(sequence: int) -> Observation:
    """The answer on its way back over the first cable."""
    data = bytearray(frame(sequence))
    data[26:30], data[30:34] = data[30:34], data[26:30]
    data[34] = 0
    one = sighting(sequence)
    return replace(one, time_ns=one.time_ns + 50_000, namespace="n2", peer="n1", along="ba",
                   data=bytes(data))  # fmt: skip


def not_forwarding(lab: int) -> BenchFacts:
    facts = BenchFacts()
    facts.settings["n2", "net.ipv4.ip_forward"] = "0"
    return facts


def no_return(lab: int) -> BenchFacts:
    facts = BenchFacts()
    facts.tables["n3"].clear()
    return facts


async def until(
    client: Client, holds: Callable[[dict[str, Any]], object], messages: int = 200
) -> dict[str, Any]:
    """Read messages, returning credit, until one is so."""
    for _ in range(messages):
        message = await client.message()
        client.credit()
        if holds(message):
            return message
    raise AssertionError("it did not come")


def exchange_of(message: dict[str, Any], state: str) -> dict[str, Any] | None:
    found = (one for one in message.get("exchanges", ()) if one["state"] == state)
    return next(found, None)
