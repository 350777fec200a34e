"""The fields of a decoded packet with the filters that would find them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.packets.filter.fields import FIELDS
from topoweb.core.packets.filter.subject import Subject
from topoweb.core.packets.filter.values import written
from topoweb.core.packets.filter.walk import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.core.packets.filter.field import Field as Known
    from topoweb.core.packets.layer import Field, Layer

# Decoded layers by the protocol that the filter knows them as.
PROTOCOLS = {
    "Ethernet": "eth", "VLAN": "vlan", "LLC": "llc", "STP": "stp", "ARP": "arp", "IPv4": "ip",
    "IPv6": "ipv6", "ICMP": "icmp", "ICMPv6": "icmpv6", "UDP": "udp", "TCP": "tcp", "DNS": "dns",
    "DHCP": "dhcp", "HTTP": "http", "Data": "data",
}  # fmt: skip
_KNOWN = {(one.layer, one.decoded): one for one in FIELDS.values() if one.decoded}

Json = dict[str, Any]


def annotated(layers: Iterable[Layer], data: bytes, length: int) -> list[Json]:
    """Return layers as JSON; a field or layer that the filter knows has a ``filter``."""
    subject = Subject(data, length)
    return [_layer(one, subject) for one in layers]


def _layer(layer: Layer, subject: Subject) -> Json:
    protocol = PROTOCOLS.get(layer.protocol, "")
    over_tcp = (
        2 if protocol == "dns" and layer.fields[:1] and layer.fields[0].name == "length" else 0
    )
    span = Span(layer.start + over_tcp, subject.length)
    shown = {
        "protocol": layer.protocol,
        "start": layer.start,
        "end": layer.end,
        "summary": layer.summary,
        "fields": [_field(one, "", protocol, span, subject) for one in layer.fields],
    }
    return shown | {"filter": protocol} if protocol else shown


def _field(field: Field, above: str, protocol: str, span: Span, subject: Subject) -> Json:
    path = above + field.name
    below = "" if field.name == "flags" else path + "/"
    shown = {
        "name": field.name,
        "label": field.label,
        "value": field.value,
        "start": field.start,
        "end": field.end,
        "fields": [_field(one, below, protocol, span, subject) for one in field.fields],
    }
    known = _KNOWN.get((protocol, path))
    text = _filter(known, span, subject) if known else ""
    return shown | {"filter": text} if text else shown


def _filter(known: Known, span: Span, subject: Subject) -> str:
    """Return the expression; "" where a packet has several values, of which this may be any."""
    assert known.read is not None
    values = list(known.read(subject, span))
    return f"{known.name} == {written(known.kind, values[0])}" if len(values) == 1 else ""
