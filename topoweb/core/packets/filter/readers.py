"""How the values of a field are read from a packet. A reader yields nothing for what is cut off."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from topoweb.core.packets import dhcp, dns
from topoweb.core.packets.layer import Malformed, Truncated

if TYPE_CHECKING:
    from topoweb.core.packets.filter.subject import Subject
    from topoweb.core.packets.filter.values import Value
    from topoweb.core.packets.filter.walk import Span

Read = Callable[["Subject", "Span"], Iterable["Value"]]

RECORDS_MAX = 64  # of a DNS message
HEADERS_MAX = 64  # lines of an HTTP message


@dataclass(frozen=True, slots=True)
class Fixed:
    """An unsigned number ``at`` bytes after its layer's start; a part of it by shift and width.

    ``only(data, start)``: where the layer has it at all.
    """

    at: int
    size: int
    shift: int = 0
    width: int = 0  # bits; 0: all
    scale: int = 1
    only: Callable[[bytes, int], bool] | None = None

    def __call__(self, subject: Subject, span: Span) -> Iterator[int]:
        """Yield the value, unless it is cut off."""
        start = span.start + self.at
        stop = start + self.size
        if stop > len(subject.data) or stop > span.end:
            return
        if self.only is None or self.only(subject.data, span.start):
            yield self.part(int.from_bytes(subject.data[start:stop], "big"))

    def part(self, whole: int) -> int:
        """Return the value from the number that its bytes are."""
        value = whole >> self.shift
        return (value & ((1 << self.width) - 1) if self.width else value) * self.scale

    @property
    def bits(self) -> int:
        """How many bits a value has, before it is scaled."""
        return self.width or self.size * 8 - self.shift


def either(*readers: Read) -> Read:
    """Return a reader of all values of several."""

    def read(subject: Subject, span: Span) -> Iterator[Value]:
        for reader in readers:
            yield from reader(subject, span)

    return read


def kind_in(*kinds: int) -> Callable[[bytes, int], bool]:
    """Return a condition on the first byte: the type of ICMP and ICMPv6 messages."""
    return lambda data, start: data[start] in kinds


def is_ethernet_arp(data: bytes, start: int) -> bool:
    """True for ARP with MAC and IPv4 addresses."""
    return data[start + 4] == 6 and data[start + 5] == 4


def payload_size(subject: Subject, span: Span) -> Iterator[int]:
    """Yield the bytes of a TCP segment behind its header, as they were sent."""
    if span.start + 13 <= len(subject.data):
        size = (subject.data[span.start + 12] >> 4) * 4
        if size >= 20:
            yield max(0, span.end - span.start - size)


def whole_size(_: Subject, span: Span) -> Iterator[int]:
    """Yield how many bytes a layer has, as they were sent."""
    yield span.end - span.start


def tcp_option(kind: int) -> Read:
    """Return a reader of a TCP option that is a number."""

    def read(subject: Subject, span: Span) -> Iterator[int]:
        data, at = subject.data, span.start + 20
        if at > len(data):
            return
        end = min(span.start + (data[span.start + 12] >> 4) * 4, span.end, len(data))
        while at + 1 < end and data[at]:
            size = 1 if data[at] == 1 else max(data[at + 1], 2)
            if data[at] == kind and at + size <= end:
                yield int.from_bytes(data[at + 2 : at + size], "big")
            at += size

    return read


def dhcp_message(subject: Subject, span: Span) -> Iterator[int]:
    """Yield the type of a DHCP message: option 53."""
    data, end = subject.data, min(span.end, len(subject.data))
    at = span.start + dhcp.FIXED
    if data[at : at + 4] != dhcp.COOKIE:
        return
    at += 4
    while at + 2 < end and data[at] != dhcp.END:
        if data[at] == dhcp.MESSAGE_TYPE:
            yield data[at + 2]
        at += 1 if data[at] == dhcp.PAD else 2 + data[at + 1]


def dns_questions(what: str) -> Read:
    """Return a reader of the questions' ``name`` or ``type``."""

    def read(subject: Subject, span: Span) -> Iterator[Value]:
        try:
            for name, kind, _, _, _ in _records(subject, span, questions=True):
                yield name if what == "name" else kind
        except (Truncated, Malformed):
            return

    return read


def dns_answers(what: str, *kinds: int) -> Read:
    """Return a reader of records, of all sections: ``name``, ``type``, ``ttl``, ``data``."""

    def read(subject: Subject, span: Span) -> Iterator[Value]:
        try:
            for name, kind, ttl, at, end in _records(subject, span, questions=False):
                if not kinds or kind in kinds:
                    yield from _of_record(
                        subject.data, span.start, (name, kind, ttl, at, end), what
                    )
        except (Truncated, Malformed):
            return

    return read


Record = tuple[str, int, int, int, int]  # name, type, ttl, data from, to


def _of_record(data: bytes, base: int, record: Record, what: str) -> Iterator[Value]:
    name, kind, ttl, at, end = record
    if what != "data":
        values: dict[str, Value] = {"name": name, "type": kind, "ttl": ttl}
        yield values[what]
    elif kind in (2, 5, 12):
        yield dns.read_name(data, base, at, end)[0]
    elif (kind, end - at) in ((1, 4), (28, 16)):
        yield int.from_bytes(data[at:end], "big")


def _records(subject: Subject, span: Span, *, questions: bool) -> Iterator[Record]:
    """Yield the questions, or else the records. `Truncated`, `Malformed`."""
    data, end = subject.data, min(span.end, len(subject.data))
    base = span.start
    if base + dns.HEADER.size > end:
        return
    _, _, asked, *counts = dns.HEADER.unpack_from(data, base)
    at = base + dns.HEADER.size
    for _ in range(min(asked, RECORDS_MAX)):
        name, at = dns.read_name(data, base, at, end)
        if at + 4 > end:
            raise Truncated
        if questions:
            yield name, int.from_bytes(data[at : at + 2], "big"), 0, at, at
        at += 4
    for _ in range(0 if questions else min(sum(counts), RECORDS_MAX)):
        name, at = dns.read_name(data, base, at, end)
        if at + 10 > end:
            raise Truncated
        kind, _, ttl, size = (
            int.from_bytes(data[at + a : at + b], "big")
            for a, b in ((0, 2), (2, 4), (4, 8), (8, 10))
        )
        at += 10
        if at + size > end:
            raise Truncated
        yield name, kind, ttl, at, at + size
        at += size


def http_first(place: int) -> Read:
    """Return a reader of a request's method (0) or target (1)."""

    def read(subject: Subject, span: Span) -> Iterator[str]:
        words = _lines(subject, span)[0].split(" ")
        if not words[0].startswith("HTTP/") and len(words) > place:
            yield words[place]

    return read


def http_code(subject: Subject, span: Span) -> Iterator[int]:
    """Yield the status code of a response."""
    words = _lines(subject, span)[0].split(" ")
    if words[0].startswith("HTTP/") and len(words) > 1 and words[1].isdecimal():
        yield int(words[1][:4])


def http_header(name: str) -> Read:
    """Return a reader of a header by its name in lower case."""

    def read(subject: Subject, span: Span) -> Iterator[str]:
        for line in _lines(subject, span)[1:]:
            if not line:
                return
            title, _, value = line.partition(":")
            if title.lower() == name:
                yield value.strip()

    return read


def _lines(subject: Subject, span: Span) -> list[str]:
    text = subject.data[span.start : span.end].decode("latin-1")
    return [line.rstrip("\r") for line in text.split("\n", HEADERS_MAX)[:HEADERS_MAX]]
