"""Writes docs/filters.md: `python -m tests.unit.packets.filter_page`."""

# ruff: noqa: E501 - lines of a page

from __future__ import annotations

from pathlib import Path

from topoweb.core.packets.filter import FIELDS, LENGTH_MAX
from topoweb.core.packets.filter.fields import OPERATOR_TEXTS
from topoweb.core.packets.filter.parser import CONDITIONS_MAX, DEPTH_MAX
from topoweb.core.packets.filter.regex import TEXT_MAX

PAGE = Path(__file__).parents[3] / "docs" / "filters.md"

HEAD = """# Display filters

A subset of Wireshark's display filters, the same wherever packets are chosen: the box over the packet list, `GET /labs/{id}/packets?filter=`, the pcapng download, `manage.py lab packets LAB --filter …`. What is in the subset means the same as in Wireshark 4.0: `tests/unit/packets/expressions.py` lists over 200 filters that choose the same packets as tshark does, in every test run.

```
ip.addr == 10.0.1.0/24 and not arp          tcp.flags.syn == 1 && tcp.flags.ack == 0
icmp.type in {3, 11} or dns.flags.rcode != 0    node == "r1" and dropped
```

A field by itself asks whether the packet has it; so `tcp.flags.syn` is true for every TCP packet, and `tcp.flags.syn == 1` for those with the flag. A packet may have several values of a field: both ports in `tcp.port`, both addresses in `ip.addr`, those of a packet that an ICMP error quotes. `==` asks for any of them, `!=` for none being equal (and there must be one); `!(ip.addr == 10.0.0.1)` also lets packets without the field pass. `any` and `all` before a field say which is meant: `all tcp.port > 1023`.

| sign | words | asks |
|---|---|---|
"""

MIDDLE = f"""
`not` binds closest, then `and`, then `or`; parentheses change that. Numbers are decimal, `0x…`, `0b…` or octal with a leading 0; `field & 0x02` asks for bits, `field & 0x12 == 0x02` compares what is left. Addresses may be prefixes (`10.0.0.0/8`), MAC addresses are written with `:` or `-`. Texts stand in quotation marks, with `\\\\`, `\\"`, `\\n`, `\\r`, `\\t`, `\\xHH`, or as `r"…"` without escapes. Sets hold values, ranges and prefixes: `{{80, 443, 8000..8100}}` (commas may be left out). Two fields of one type can be compared: `ip.src < ip.dst`. `contains` on a protocol looks for a text or for bytes (`47:45:54`) from its header to the end of what it carries.

Regular expressions know `.` `[]` `()` `(?:)` `|` `^` `$` `*` `+` `?` `{{m,n}}` `\\d` `\\w` `\\s` and their opposites; letters match in both cases. They never backtrack: a pattern becomes a table of states, and one that gets too large is refused. The first {TEXT_MAX} characters of a text are looked at.

Bounds: {LENGTH_MAX} characters, {CONDITIONS_MAX} conditions (members of sets included), {DEPTH_MAX} levels. An error names its place, and the nearest field where one is unknown.

Different from Wireshark: `tcp.seq` and `tcp.ack` are as they are sent, not relative to the connection's first; fragments are not put together again; `ip.frag_offset` counts in units of 8 bytes (as in Wireshark 4.0); HTTP is known by its first words on any port; only captured bytes can be asked for. Word operators may also be written in capitals. Not in the subset: slices, functions, arithmetic, `xor`, macros, names for numbers (`arp.opcode == request`).

A filter with `dropped` or `verdict` asks what became of a packet. That is known some milliseconds after the packet was seen, so such rows come late into a list that is open; `dropped` leaves out what is no loss (a packet that its destination took, or that was for nobody here). A verdict stands for all packets that were dropped for the same reason at the same place within a second.

## Fields

| field | kind | asks for | 简体中文 | example |
|---|---|---|---|---|
"""


def written() -> str:
    """Return the page."""
    signs = [
        f"| {_code(sign)} | {' '.join(map(_code, words))} | {en} |"
        for sign, words, en, _ in OPERATOR_TEXTS
    ]
    fields = [
        f"| `{one.name}` | {one.kind} | {one.en} | {one.zh} | {_code(one.example)} |"
        for one in FIELDS.values()
    ]
    return HEAD + "\n".join(signs) + "\n" + MIDDLE + "\n".join(fields) + "\n"


def _code(text: str) -> str:
    return "`" + text.replace("|", "\\|") + "`"


if __name__ == "__main__":
    PAGE.write_text(written(), encoding="utf-8")
