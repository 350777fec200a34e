"""The fields of a packet that decide its fate, out of the layers of `core.packets.decode`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.packets import decode
from topoweb.core.packets.numbers import IPV4, LLC_BELOW, VLAN

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from topoweb.core.packets import Field, Layer
    from topoweb.core.tracing.observation import Observation

Fields = dict[str, str]
NETWORK = ("IPv4", "IPv6")
TRANSPORT = {"ICMP": "icmp", "ICMPv6": "icmpv6", "TCP": "tcp", "UDP": "udp"}
ECHO_REQUESTS, ECHO_REPLIES = (("icmp", 8), ("icmpv6", 128)), (("icmp", 0), ("icmpv6", 129))
ICMP_ERRORS = {"icmp": (3, 4, 5, 11, 12), "icmpv6": (1, 2, 3, 4)}
DHCP_OFFER, DHCP_NAK, UNGIVEN = 2, 6, "0.0.0.0"  # noqa: S104 - a text, nothing is bound
EPHEMERAL = 32768  # net.ipv4.ip_local_port_range begins here


@dataclass(frozen=True, slots=True, kw_only=True)
class Headers:
    """One packet. What it does not have is empty, 0 or False."""

    source_mac: str = ""
    target_mac: str = ""
    ethertype: int = 0
    source: str = ""  # IP address; of ARP and ND who asks
    target: str = ""  # IP address; of ARP and ND what is asked for
    version: int = 0  # 4, 6; 0: no IP packet
    ttl: int = 0
    size: int = 0  # of the IP packet in bytes
    dont_fragment: bool = False  # always of IPv6
    fragment: bool = False
    number: int = 0  # IP protocol
    protocol: str = ""  # icmp, icmpv6, tcp, udp, arp; "" for others
    source_port: int = 0
    target_port: int = 0
    kind: int = 0  # of ICMP, ARP (operation) and DHCP (message)
    code: int = 0  # of ICMP; of DNS the response code
    said: str = ""  # of ICMP: type and code in words
    flags: str = ""  # of TCP: "SYN, ACK"
    sequence: int = 0  # of TCP
    name: str = ""  # of DNS
    response: bool = False  # of DNS
    quotes: Headers | None = None  # the packet that an ICMP error is about

    @property
    def group(self) -> bool:
        """Tell whether it is addressed to many: a broadcast or multicast frame or address."""
        many = self.target.startswith(("224.", "239.", "255.255.255.255", "ff"))
        return many or bool(self.target_mac and int(self.target_mac[:2], 16) & 1)

    @property
    def answer(self) -> bool:
        """Tell whether it answers another packet, as far as it says so itself."""
        if self.quotes is not None or (self.protocol, self.kind) in ECHO_REPLIES:
            return True
        if self.protocol == "tcp":
            return self.flags not in {"SYN", "SYN, ECE, CWR"} and self._to_asker
        return self.protocol == "udp" and (self.response or self._to_asker)

    @property
    def echo(self) -> bool:
        """Tell whether it is an echo request."""
        return (self.protocol, self.kind) in ECHO_REQUESTS

    @property
    def _to_asker(self) -> bool:
        return self.target_port >= EPHEMERAL > self.source_port


def of(seen: Observation) -> Headers:
    """Return the headers of a packet that was seen."""
    return read(seen.data, seen.length)


def read(data: bytes, length: int) -> Headers:
    """Return the headers of a frame of ``length`` bytes. Never raises."""
    layers = decode(data, length)
    quoted = _quoted(layers)
    found = _headers(layers[:quoted])
    if quoted >= len(layers):
        return found
    return _with_quote(found, _headers(layers[quoted:]))


def _quoted(layers: Sequence[Layer]) -> int:
    """Return where the packet that an ICMP error quotes begins."""
    for index, layer in enumerate(layers[:-1]):
        if layer.protocol in {"ICMP", "ICMPv6"} and layers[index + 1].protocol in NETWORK:
            return index + 1
    return len(layers)


def _with_quote(found: Headers, quote: Headers) -> Headers:
    values = {name: getattr(found, name) for name in Headers.__slots__}
    return Headers(**{**values, "quotes": quote})


def _headers(layers: Sequence[Layer]) -> Headers:
    known: dict[str, Fields] = {}
    for layer in layers:
        known[layer.protocol] = dict(reversed([*_flat(layer.fields)]))  # the first of a name wins
    values: dict[str, object] = {}
    for protocol, fields in known.items():
        reader = READERS.get(protocol)
        if reader is not None:
            values |= reader(fields)
    for protocol, name in TRANSPORT.items():
        if protocol in known:
            values["protocol"] = name
            if name.startswith("icmp"):
                values["said"] = next(e.summary for e in layers if e.protocol == protocol)
    return Headers(**values)  # type: ignore[arg-type]


def _flat(fields: Sequence[Field]) -> Iterator[tuple[str, str]]:
    for field in fields:
        yield field.name, field.value
        yield from _flat(field.fields)


def _number(fields: Mapping[str, str], name: str) -> int:
    """Return the number of "name (8)", "0x1234", "63" or "20 bytes"; 0 for a field not there."""
    text = fields.get(name, "")
    if text.endswith(")") and "(" in text:
        text = text[text.rindex("(") + 1 : -1]
    words = text.split()
    try:
        return int(words[0], 0) if words else 0
    except ValueError:
        return 0


def _ethernet(fields: Fields) -> dict[str, object]:
    return {
        "source_mac": fields.get("source", ""),
        "target_mac": fields.get("destination", ""),
        "ethertype": _number(fields, "type"),
    }


def _vlan(fields: Fields) -> dict[str, object]:
    return {"ethertype": _number(fields, "type")}


def _arp(fields: Fields) -> dict[str, object]:
    return {
        "protocol": "arp",
        "kind": _number(fields, "operation"),
        "source": fields.get("sender_ip", ""),
        "target": fields.get("target_ip", ""),
        "source_mac": fields.get("sender_mac", ""),
    }


def _ipv4(fields: Fields) -> dict[str, object]:
    return {
        "version": 4,
        "source": fields.get("source", ""),
        "target": fields.get("destination", ""),
        "ttl": _number(fields, "ttl"),
        "size": _number(fields, "total_length"),
        "number": _number(fields, "protocol"),
        "dont_fragment": fields.get("dont_fragment") == "set",
        "fragment": fields.get("more_fragments") == "set" or _number(fields, "fragment_offset") > 0,
    }


def _ipv6(fields: Fields) -> dict[str, object]:
    return {
        "version": 6,
        "source": fields.get("source", ""),
        "target": fields.get("destination", ""),
        "ttl": _number(fields, "hop_limit"),
        "size": 40 + _number(fields, "payload_length"),
        "number": _number(fields, "next_header"),
        "dont_fragment": True,
        "fragment": "fragment" in fields,
    }


def _icmp(fields: Fields) -> dict[str, object]:
    return {"kind": _number(fields, "type"), "code": _number(fields, "code")}


def _icmpv6(fields: Fields) -> dict[str, object]:
    values = _icmp(fields)
    if values["kind"] in {135, 136}:  # neighbour solicitation and advertisement (RFC 4861)
        values["target"] = fields.get("target", "")
    return values


def _tcp(fields: Fields) -> dict[str, object]:
    return _ports(fields) | {
        "flags": fields.get("flags", ""),
        "sequence": _number(fields, "sequence"),
    }


def _ports(fields: Fields) -> dict[str, object]:
    return {
        "source_port": _number(fields, "source_port"),
        "target_port": _number(fields, "destination_port"),
    }


def _dns(fields: Fields) -> dict[str, object]:
    return {
        "code": _number(fields, "rcode"),
        "response": fields.get("response") == "set",
        "name": fields.get("name", ""),
    }


def _dhcp(fields: Fields) -> dict[str, object]:
    """The message's kind is an option, often behind the captured bytes: then by what it gives."""
    response = fields.get("op") == "reply (2)"
    kind = _number(fields, "option_53")
    if response and not kind:
        kind = DHCP_NAK if fields.get("your_ip", UNGIVEN) == UNGIVEN else DHCP_OFFER
    return {"kind": kind, "response": response}


READERS = {
    "Ethernet": _ethernet, "VLAN": _vlan, "ARP": _arp, "IPv4": _ipv4, "IPv6": _ipv6,
    "ICMP": _icmp, "ICMPv6": _icmpv6, "TCP": _tcp, "UDP": _ports, "DNS": _dns, "DHCP": _dhcp,
}  # fmt: skip


def sums_up(data: bytes) -> bool:
    """Tell whether a frame's IPv4 header checksum is right (RFC 1071); True for other frames."""
    kind, at = int.from_bytes(data[12:14], "big"), 14
    if kind == VLAN:
        kind, at = int.from_bytes(data[16:18], "big"), 18
    head = data[at : at + (data[at] & 15) * 4] if kind == IPV4 and len(data) > at else b""
    total = sum(int.from_bytes(head[i : i + 2], "big") for i in range(0, len(head), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return not head or total == 0xFFFF


def is_error(packet: Headers) -> bool:
    """Tell whether it is an ICMP error."""
    return packet.kind in ICMP_ERRORS.get(packet.protocol, ())


def is_llc(packet: Headers) -> bool:
    """Tell whether the frame has a length in the place of an EtherType (STP and its kin)."""
    return 0 < packet.ethertype < LLC_BELOW
