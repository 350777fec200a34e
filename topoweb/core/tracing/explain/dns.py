"""DNS: answers that say no (RFC 1035 §4.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from topoweb.core.packets.dns import CODES
from topoweb.core.tracing.explain import headers, owners, remedy
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.headers import Headers
    from topoweb.core.tracing.explain.verdict import Verdict
    from topoweb.core.tracing.trace import Trace

VERDICTS = {
    1: "dns-bad-query",
    2: "dns-server-failure",
    3: "dns-no-such-name",
    5: "dns-refused",
}
NO_SUCH_NAME = 3


def answered(case: Case, reply: Headers) -> Verdict | None:
    """Return the verdict for an answer without what was asked for; None for a good one."""
    code = VERDICTS.get(reply.code)
    if code is None:
        return None
    server = owners.owner(case.facts, reply.source)
    node = server.node if server is not None else case.node
    words: Params = {"address": reply.source, "name": reply.name}
    result = CODES[reply.code]
    seen = [witness("hops", "hops-answer", f"dig @{reply.source} {reply.name}", result,
                    address=reply.source, result=result)]  # fmt: skip
    if reply.code == NO_SUCH_NAME:
        return case.verdict(code, seen, None, "expected", node=node, **words)
    if code == "dns-server-failure":
        mend = remedy.of("mend-delegation", node, **words)
    else:
        mend = remedy.of("ask-other-dns", node, name=reply.name)
    return case.verdict(code, seen, mend, node=node, **words)


def silent(case: Case, name: str) -> Verdict | None:
    """Return the verdict for a server that took a query and said nothing; else None."""
    port, address = case.packet.target_port, case.packet.target
    bound = case.facts.listens(case.node, "udp", port)
    if not bound:
        return None
    seen = [
        witness("hops", "hops-no-reply", node=case.node),
        witness("state", "socket-at", "ss -lnu", node=case.node, protocol="UDP", port=port,
                addresses=", ".join(bound)),
    ]  # fmt: skip
    words: Params = {"address": address, "name": name or "?"}
    mend = remedy.of("mend-delegation", case.node, **words)
    return case.verdict("dns-silent", seen, mend, **words)


def reply(traces: Iterable[Trace]) -> Headers | None:
    """Return the newest answer among the packets of an exchange."""
    read = [headers.of(trace.hops[-1].seen) for trace in traces if trace.hops]
    answers = [one for one in read if one.response]
    return answers[-1] if answers else None
