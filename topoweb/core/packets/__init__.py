"""Bytes of a captured frame → layers with byte ranges, and a one-line summary.

`decode` builds the whole field tree for one packet that a person opened, `summary` the row of one
that is listed; `identity_of` is the fast path for every packet that passes. None of them raises on
any bytes. One file a protocol: a new protocol is a new file and a line in `decode.DISSECTORS`.
"""

from topoweb.core.packets.decode import decode
from topoweb.core.packets.identity import identity_of
from topoweb.core.packets.layer import Field, Layer, Summary
from topoweb.core.packets.summary import summary

__all__ = ["Field", "Layer", "Summary", "decode", "identity_of", "summary"]
