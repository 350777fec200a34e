"""DHCP: no server, a silent one, one that refuses, two of them (RFC 2131)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.tracing.explain import headers, owners, remedy
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.headers import Headers
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Trace

SERVER_PORT = 67
OFFER, ACK, NAK = 2, 5, 6


def unanswered(case: Case, asker: str, interface: str) -> Verdict:
    """Return the verdict for a client that nobody offered an address. ``case``: its request."""
    near = owners.reachable(case.facts, asker, interface)
    for node, name in sorted(near):
        bound = case.facts.listens(node, "udp", SERVER_PORT)
        if bound:
            seen = [witness("state", "socket-at", "ss -lnu", node=node, protocol="UDP",
                            port=SERVER_PORT, addresses=", ".join(bound))]  # fmt: skip
            mend = remedy.of("check-dhcp-range", node, server=node)
            words: Params = {"interface": interface, "server": node, "other_interface": name}
            return case.verdict("dhcp-server-silent", seen, mend, node=asker, **words)
    seen = [
        witness("state", "socket-none", "ss -lnu", node=node, protocol="UDP", port=SERVER_PORT)
        for node in sorted({node for node, _ in near})
    ]
    mend = remedy.of("start-dhcp-server", asker)
    return case.verdict("dhcp-no-server", seen, mend, node=asker, interface=interface)


def answered(
    case: Case, asker: str, replies: Sequence[Headers], *, all_seen: bool
) -> Verdict | None:
    """Return the verdict for answers that a client should not get; None for good ones.

    ``all_seen``: these are all answers; of some alone a refusal proves nothing.
    """
    said = [one for one in replies if one.kind in {OFFER, ACK, NAK}]
    servers = sorted({(one.source, one.source_mac) for one in said})
    addresses = list(dict.fromkeys(address for address, _ in servers))
    if len(addresses) > 1:
        seen = [witness("hops", "hops-answer", address=address, result=mac)
                for address, mac in servers]  # fmt: skip
        rogue = _rogue(case, addresses)
        found = owners.owner(case.facts, rogue)
        stop = found.node if found is not None else asker
        mend = remedy.of("stop-rogue-dhcp", stop, server=stop)
        words: Params = {"address": addresses[0], "addresses": ", ".join(addresses[1:])}
        return case.verdict("dhcp-rogue", seen, mend, node=asker, **words)
    refusals = [one for one in said if one.kind == NAK]
    if refusals and refusals == said and all_seen:
        seen = [witness("hops", "hops-answer", address=refusals[0].source, result="NAK")]
        return case.verdict("dhcp-refused", seen, node=asker, address=refusals[0].source)
    return None


def replies(traces: Iterable[Trace]) -> list[Headers]:
    """Return the servers' messages among the packets of an exchange."""
    read = [headers.of(trace.hops[0].seen) for trace in traces if trace.hops]
    return [one for one in read if one.source_port == SERVER_PORT and one.response]


def _rogue(case: Case, addresses: Sequence[str]) -> str:
    """Return the server that is likelier the wrong one: it does not route."""
    for address in addresses:
        found = owners.owner(case.facts, address)
        if found is not None and case.facts.sysctl(found.node, "net.ipv4.ip_forward") != "1":
            return address
    return addresses[-1]
