"""At the end of the way: programs that do not listen, do not read, or ignore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from topoweb.core.tracing.explain import headers, remedy, shell
from topoweb.core.tracing.explain.case import witness
from topoweb.core.tracing.explain.headers import EPHEMERAL

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.verdict import Evidence, Verdict

ANY = ("0.0.0.0", "::", "*")  # noqa: S104 - texts of sockets that listen everywhere
ECHO_IGNORE = {4: "net.ipv4.icmp_echo_ignore_all", 6: "net.ipv6.icmp.echo_ignore_all"}


def no_socket(case: Case) -> Verdict | None:
    """Explain NO_SOCKET: nothing takes the segment or datagram."""
    packet = case.packet
    if packet.protocol not in {"tcp", "udp"}:
        return None
    late = packet.target_port >= EPHEMERAL and (packet.answer or packet.flags == "SYN, ACK")
    if late:
        words: Params = {"protocol": packet.protocol.upper(), "port": packet.target_port}
        return case.verdict("late-answer", kind="expected", **words)
    return listening(case) or _nobody(case, ())


def listening(case: Case) -> Verdict | None:
    """Return the verdict when no program takes what is sent to this port and address."""
    packet = case.packet
    protocol: Literal["tcp", "udp"] = "tcp" if packet.protocol == "tcp" else "udp"
    addresses = case.facts.listens(case.node, protocol, packet.target_port)
    if any(address in {packet.target, *ANY} for address in addresses):
        return None
    return _nobody(case, addresses)


def _nobody(case: Case, addresses: tuple[str, ...]) -> Verdict:
    packet = case.packet
    protocol, port = packet.protocol, packet.target_port
    words: Params = {"protocol": protocol.upper(), "port": port}
    command = f"ss -ln{protocol[0]}"
    if not addresses:
        seen = [witness("state", "socket-none", command, node=case.node, **words)]
        mend = remedy.program(case.node, protocol, port)
        return case.verdict("no-listener", seen, mend, **words)
    texts = ", ".join(addresses)
    seen = [witness("state", "socket-at", command, f"{texts} port {port}",
                    node=case.node, addresses=texts, **words)]  # fmt: skip
    mend = remedy.of("listen-everywhere", case.node, address=packet.target)
    words |= {"addresses": texts, "address": packet.target}
    return case.verdict("listens-elsewhere", seen, mend, **words)


def queue_full(case: Case) -> Verdict | None:
    """Return the verdict for a connection that no program accepts soon enough; else None."""
    port = case.packet.target_port
    waiting, limit = case.facts.accept_queue(case.node, port)
    if waiting <= limit or not waiting:
        return None
    seen = [
        witness("state", "queue-of-socket", "ss -lnt",
                node=case.node, port=port, count=waiting, limit=limit),
        *_counter(case, "TcpExtListenOverflows"),
    ]  # fmt: skip
    mend = remedy.of("read-faster", case.node, "ss -lnt")
    return case.verdict("queue-of-listener-full", seen, mend, port=port)


def echo_ignored(case: Case) -> Verdict | None:
    """Return the verdict for an echo request to a node that ignores all of them; else None."""
    name = ECHO_IGNORE[case.family]
    if not case.packet.echo or case.facts.sysctl(case.node, name) != "1":
        return None
    seen = [
        *(() if case.drop is not None else (witness("reason", "kernel-consumed"),)),
        witness("state", "setting-is", shell.sysctl(name), f"{name} = 1",
                node=case.node, setting=name, value="1"),
    ]  # fmt: skip
    return case.verdict("echo-ignored", seen, remedy.of("allow-echo", case.node,
                        f"sysctl -w {name}=0"))  # fmt: skip


def buffer(case: Case) -> Verdict:
    """Explain a receive buffer that is full."""
    name = "TcpExtTCPRcvQDrop" if case.packet.protocol == "tcp" else "UdpRcvbufErrors"
    words: Params = {"protocol": case.packet.protocol.upper(), "port": case.packet.target_port}
    mend = remedy.of("read-faster", case.node, f"ss -lnm{case.packet.protocol[:1] or 'u'}")
    return case.verdict("buffer-full", _counter(case, name), mend, **words)


def accept_queue(case: Case) -> Verdict:
    """Explain a listener whose queue of new connections is full."""
    mend = remedy.of("read-faster", case.node, "ss -lnt")
    seen = _counter(case, "TcpExtListenOverflows")
    return case.verdict("queue-of-listener-full", seen, mend, port=case.packet.target_port)


def protocol(case: Case) -> Verdict:
    """Explain an IP protocol that the node does not speak."""
    return case.verdict("protocol-unknown", number=case.packet.number)


def ethertype(case: Case) -> Verdict:
    """Explain an EtherType that the node does not speak."""
    value = f"0x{case.packet.ethertype:04x}"
    return case.verdict("ethertype-unknown", interface=case.interface, value=value)


def checksum(case: Case) -> Verdict:
    """Explain a checksum that is wrong."""
    name = case.drop.reason.removesuffix("_CSUM") if case.drop else ""
    name = "IPv4" if name == "IP" else name if name != "CSUM" else case.packet.protocol.upper()
    return case.verdict("bad-checksum", interface=case.interface, protocol=name)


def header(case: Case) -> Verdict:
    """Explain a header that is malformed, or only seems so: a switch's filter does not say how."""
    if case.drop is not None and not headers.sums_up(case.drop.data):
        return case.verdict("bad-checksum", interface=case.interface, protocol="IPv4")
    return case.verdict("bad-header", interface=case.interface)


def _counter(case: Case, name: str) -> list[Evidence]:
    count = case.facts.counters(case.node).get(name)
    if count is None:
        return []
    return [witness("counters", "counter-is", f"nstat -az {name}",
                    node=case.node, counter=name, count=count)]  # fmt: skip
