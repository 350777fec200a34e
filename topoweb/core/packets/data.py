"""Bytes that no protocol claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from topoweb.core.packets.block import Block


def dissect(block: Block) -> None:
    """One field with the bytes in hex."""
    size = block.left
    block.summary = f"{size} bytes"
    block.raw("data", "Data", size, bytes.hex)
