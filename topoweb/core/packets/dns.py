"""DNS messages (RFC 1035) with compressed names, also over TCP and as mDNS."""

from __future__ import annotations

import struct

from topoweb.core.packets.addresses import ipv4_text, ipv6_text
from topoweb.core.packets.block import Block, flag, hex16, named
from topoweb.core.packets.layer import Malformed, Truncated

TYPES = {1: "A", 2: "NS", 5: "CNAME", 6: "SOA", 12: "PTR", 13: "HINFO", 15: "MX", 16: "TXT",
         28: "AAAA", 33: "SRV", 35: "NAPTR", 41: "OPT", 43: "DS", 46: "RRSIG", 47: "NSEC",
         48: "DNSKEY", 64: "SVCB", 65: "HTTPS", 252: "AXFR", 255: "ANY"}  # fmt: skip
CODES = {0: "no error", 1: "format error", 2: "server failure", 3: "no such name",
         4: "not implemented", 5: "refused"}  # fmt: skip
SECTIONS = (("answer", "Answer"), ("authority", "Authority"), ("additional", "Additional"))
HEADER = struct.Struct(">HHHHHH")
NAME_MAX = 255  # RFC 1035 §2.3.4
RECORDS_MAX = 200  # shown; a 64 KiB message could claim far more


def read_name(data: bytes, base: int, at: int, end: int) -> tuple[str, int]:
    """Return the name at ``at`` and the position after it; pointers count from ``base``.

    Every pointer must lead strictly backwards, so there is no loop; the text is bounded too.
    """
    labels: list[str] = []
    total, after, lowest = 0, 0, at
    while size := _at(data, at, end):
        if size >= 0xC0:
            target = base + ((size & 0x3F) << 8 | _at(data, at + 1, end))
            after = after or at + 2
            if target >= lowest:
                raise Malformed("a compressed name does not point backwards")
            at = lowest = target
            continue
        total += size + 1
        if size >= 0x40 or total > NAME_MAX:
            raise Malformed("a name is too long or has a label of an unknown kind")
        _at(data, at + size, end)
        labels.append(_label(data[at + 1 : at + 1 + size]))
        at += size + 1
    return ".".join(labels) or "<root>", after or at + 1


def _at(data: bytes, at: int, end: int) -> int:
    if at >= end:
        raise Truncated
    return data[at]


def dissect(block: Block) -> None:
    """Header, questions and records."""
    base = block.position
    identifier = block.number("id", "Transaction id", 2, hex16)
    response, code = _flags(block)
    counts = [
        block.number(name, label, 2)
        for name, label in (
            ("questions", "Questions"),
            ("answers", "Answers"),
            ("authorities", "Authority records"),
            ("additionals", "Additional records"),
        )
    ]
    block.summary = f"{'response' if response else 'query'} {hex16(identifier)}"
    if code:
        block.summary += f" {CODES.get(code, code)}"
    for _ in range(min(counts[0], RECORDS_MAX)):
        block.summary += f" {_question(block, base)}"
    for count, (name, label) in zip(counts[1:], SECTIONS, strict=True):
        for _ in range(min(count, RECORDS_MAX)):
            _record(block, base, name, label)


def dissect_tcp(block: Block) -> None:
    """The two bytes of length before a message over TCP, then the message."""
    block.number("length", "Length", 2)
    dissect(block)


def _flags(block: Block) -> tuple[bool, int]:
    bits = block.peek(2)
    with block.group("flags", "Flags") as group:
        block.take(2)
        group.value = hex16(bits)
        block.add("response", "Response", flag(bits & 0x8000), 2)
        block.add("opcode", "Opcode", str(bits >> 11 & 15), 2)
        block.add("authoritative", "Authoritative", flag(bits & 0x0400), 2)
        block.add("truncated", "Truncated", flag(bits & 0x0200), 2)
        block.add("recursion_desired", "Recursion desired", flag(bits & 0x0100), 2)
        block.add("recursion_available", "Recursion available", flag(bits & 0x0080), 2)
        block.add("rcode", "Response code", named(CODES)(bits & 15), 2)
    return bool(bits & 0x8000), bits & 15


def _name(block: Block, base: int, name: str, label: str) -> str:
    text, after = read_name(block.data, base, block.position, block.end)
    size = after - block.position
    block.take(size)
    block.add(name, label, text, size)
    return text


def _question(block: Block, base: int) -> str:
    with block.group("question", "Question") as group:
        name = _name(block, base, "name", "Name")
        kind = block.number("type", "Type", 2, named(TYPES))
        block.number("class", "Class", 2, named({1: "IN"}))
        group.value = f"{TYPES.get(kind, kind)} {name}"
    return group.value


def _record(block: Block, base: int, name: str, label: str) -> None:
    with block.group(name, label) as group:
        owner = _name(block, base, "name", "Name")
        kind = block.number("type", "Type", 2, named(TYPES))
        block.number("class", "Class", 2, named({1: "IN"}))
        block.number("ttl", "Time to live", 4, lambda seconds: f"{seconds} s")
        size = block.number("length", "Data length", 2)
        at = block.position
        block.take(size)
        value = _value(block.data, base, kind, at, block.position)
        block.add("data", "Data", value, size)
        group.value = f"{TYPES.get(kind, kind)} {owner} {value}"


def _value(data: bytes, base: int, kind: int, at: int, end: int) -> str:
    if kind == 1 and end - at == 4:
        return ipv4_text(data[at:end])
    if kind == 28 and end - at == 16:
        return ipv6_text(data[at:end])
    if kind in (2, 5, 12):
        return read_name(data, base, at, end)[0]
    if kind == 15 and end - at > 2:
        return f"{int.from_bytes(data[at : at + 2], 'big')} {read_name(data, base, at + 2, end)[0]}"
    if kind == 16 and end > at:
        return _label(data[at + 1 : min(end, at + 1 + data[at])])
    return data[at:end].hex()


def _label(data: bytes) -> str:
    """Return printable ASCII; other bytes (and dots inside a label) as ``\\ddd`` (RFC 4343)."""
    text = data.decode("latin-1")
    if text.isascii() and text.isprintable() and "." not in text:
        return text
    return "".join(chr(b) if 32 < b < 127 and b not in (46, 92) else f"\\{b:03d}" for b in data)


def brief(data: bytes, at: int, end: int) -> tuple[str, str]:
    """Return ``("DNS", info)``. struct.error when the header is cut off."""
    identifier, bits, questions, answers, _, _ = HEADER.unpack_from(data, at)
    parts = ["response" if bits & 0x8000 else "query", hex16(identifier)]
    if bits & 15:
        parts.append(CODES.get(bits & 15, f"code {bits & 15}"))
    try:
        position = at + HEADER.size
        if questions:
            name, position = read_name(data, at, position, end)
            kind = int.from_bytes(data[position : position + 2], "big")
            parts += [TYPES.get(kind, str(kind)), name]
            position += 4
        if answers and questions < 2:
            parts.append(_first_answer(data, at, position, end))
    except (Truncated, Malformed):
        parts.append("[malformed]")
    return "DNS", " ".join(parts)


def _first_answer(data: bytes, base: int, at: int, end: int) -> str:
    _, at = read_name(data, base, at, end)
    if at + 10 > end:
        raise Truncated
    kind, size = (
        int.from_bytes(data[at : at + 2], "big"),
        int.from_bytes(data[at + 8 : at + 10], "big"),
    )
    value = _value(data, base, kind, at + 10, min(end, at + 10 + size))
    return f"{TYPES.get(kind, kind)} {value}"
