"""The start of an HTTP/1 message: first line and header lines (RFC 9112)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topoweb.core.packets.block import Block

STARTS = (b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"PATCH ", b"CONNECT ",
          b"TRACE ", b"HTTP/1.")  # fmt: skip
LINES_MAX = 64
LINE_MAX = 200  # shown characters


def looks_like(data: bytes, at: int) -> bool:
    """Return True when the bytes at ``at`` begin an HTTP/1 request or response."""
    return data.startswith(STARTS, at)


def first_line(data: bytes, at: int, end: int) -> str:
    """Return the first line as printable text."""
    return _text(data[at : _line_end(data, at, end)])


def dissect(block: Block) -> None:
    """One field a line up to the empty line; the body is one field."""
    block.summary = first_line(block.data, block.position, block.end)
    for index in range(LINES_MAX):
        if not block.left:
            return
        stop = _line_end(block.data, block.position, block.end)
        line = block.data[block.position : stop]
        newline = 2 if block.data[stop : stop + 2] == b"\r\n" else 1
        block.take(min(stop + newline - block.position, block.left))
        if not line:
            break
        size = block.position - (stop - len(line))
        name = "first_line" if index == 0 else "header"
        block.add(name, "First line" if index == 0 else "Header", _text(line), size)
    if block.left:
        size = block.left
        block.raw("body", "Body", size, lambda data: f"{len(data)} bytes")


def _line_end(data: bytes, at: int, end: int) -> int:
    stop = data.find(b"\n", at, end)
    if stop < 0:
        return end
    return stop - 1 if stop > at and data[stop - 1] == 13 else stop


def _text(line: bytes) -> str:
    text = line[:LINE_MAX].decode("latin-1")
    return "".join(c if c.isprintable() else "." for c in text)
