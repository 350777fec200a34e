"""Addresses that two nodes have, that a sender does not have, that may not be on a cable."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from topoweb.core.topology import prefixes
from topoweb.core.tracing.explain import owners, remedy, shell, ways
from topoweb.core.tracing.explain.case import witness

if TYPE_CHECKING:
    from topoweb.core.tracing.explain.case import Case, Params
    from topoweb.core.tracing.explain.facts import Facts
    from topoweb.core.tracing.explain.owners import Owner
    from topoweb.core.tracing.explain.verdict import Evidence, Remedy, Verdict

FREE_SEARCH = 1024  # addresses of a network that are tried for a free one


def source_own(case: Case) -> Verdict | None:
    """Explain IP_LOCAL_SOURCE: the packet claims to come from this node itself."""
    source = case.packet.source
    found = duplicate(case, source)
    if found is not None:
        return found
    sender = owners.of_mac(case.facts, case.packet.source_mac)
    seen = [_address(case.node, one.interface, one.address)
            for one in owners.owners(case.facts, source) if one.node == case.node]  # fmt: skip
    mend = _own_address(case, sender.node) if sender is not None else None
    words: Params = {"interface": case.interface, "source": source}
    return case.verdict("source-is-own", seen, mend, **words)


def source_invalid(case: Case) -> Verdict:
    """Explain addresses that may not appear on a cable (RFC 1812 §5.3.7)."""
    words: Params = {"source": case.packet.source, "target": case.packet.target}
    return case.verdict("source-invalid", interface=case.interface, **words)


def foreign_source(case: Case, sender: str) -> Verdict | None:
    """Return the verdict for a sender that uses an address that nobody has; else None."""
    source = case.packet.source
    if not source or source.startswith(("0.", "::")) or owners.owners(case.facts, source):
        return None
    if case.facts.route(case.node, source).kind == "local":
        return None
    seen = [witness("state", "address-unowned", address=source)]
    mend = _own_address(case, sender)
    return case.verdict("source-not-own", seen, mend, node=sender, source=source)


def duplicate(case: Case, address: str) -> Verdict | None:
    """Return the verdict when two nodes on one cable or switch have an address; else None."""
    found = owners.claims(case.facts, address)
    if found is None:
        return None
    keeper, mover = found
    if keeper.failed or ways.forwards(case.facts, mover.node, 6 if ":" in address else 4):
        keeper, mover = mover, keeper  # others count on a router's address
    seen = [_address(one.node, one.interface, one.address) for one in found]
    seen += _macs(case, found)
    words: Params = {
        "node": keeper.node,
        "interface": keeper.interface,
        "address": address,
        "other": mover.node,
        "other_interface": mover.interface,
    }
    if case.drop is None:  # nobody saw it end: the place is who has the address
        case = replace(case, node=keeper.node, arriving=keeper.interface)
    return case.verdict("duplicate-address", seen, _move(case.facts, mover), **words)


def ipv6_disabled(case: Case) -> Verdict:
    """Explain IPV6DISABLED."""
    interface = case.interface
    name = f"net.ipv6.conf.{interface}.disable_ipv6"
    value = case.facts.sysctl(case.node, name)
    seen = [witness("state", "setting-is", shell.sysctl(name), f"{name} = {value}",
                    node=case.node, setting=name, value=value)]  # fmt: skip
    command = f"sysctl -w {name}=0"
    mend = remedy.of("turn-ipv6-on", case.node, command, interface=interface)
    return case.verdict("ipv6-disabled", seen if value else (), mend, interface=interface)


def _move(facts: Facts, mover: Owner) -> Remedy:
    """Return the remedy that gives one of two the next free address of its network."""
    free = _free(facts, mover.address)
    if not free:
        return remedy.of("find-other-address", mover.node, address=mover.plain)
    item = facts.interfaces(mover.node)[mover.interface]
    return remedy.address(
        "change-address", mover.node, mover.interface, item.addresses, mover.address, free
    )


def _free(facts: Facts, address: str) -> str:
    if "/" not in address:
        return ""
    mine = prefixes.interface(address)
    network = mine.network
    for step in range(1, FREE_SEARCH):
        candidate = mine.ip + step
        if candidate not in network or candidate == network.broadcast_address:
            break
        if not facts.holders(str(candidate)):
            return f"{candidate}/{network.prefixlen}"
    return ""


def _own_address(case: Case, sender: str) -> Remedy:
    addresses = [
        text.partition("/")[0]
        for item in case.facts.interfaces(sender).values()
        for text in item.addresses
        if not text.startswith(("127.", "::1", "fe80:"))
    ]
    return remedy.of("send-from-own-address", sender, "ip addr", addresses=", ".join(addresses))


def _address(node: str, interface: str, address: str) -> Evidence:
    command = f"ip addr show {interface}"
    words: Params = {"node": node, "interface": interface, "address": address}
    return witness("state", "interface-address", command, address, **words)


def _macs(case: Case, found: tuple[Owner, Owner]) -> list[Evidence]:
    """Return what is seen in ARP, when the packet is one of two answers."""
    macs = [case.facts.interfaces(one.node)[one.interface].mac for one in found]
    words: Params = {"address": found[0].plain, "mac": macs[0], "other_mac": macs[1]}
    return [witness("state", "mac-of-both", **words)]
