"""Offloads of a device: checksums and segmentation left to hardware that a veth does not have.

By the ioctl of ethtool(8), linux/ethtool.h. Numbers of feature bits differ between kernels, so
they are asked for by their names, once.
"""

from __future__ import annotations

import ctypes
import fcntl
import re
import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import socket

SIOCETHTOOL = 0x8946
GSTRINGS, GSSET_INFO, GFEATURES, SFEATURES = 0x1B, 0x37, 0x3A, 0x3B
ETH_SS_FEATURES = 4
ETH_GSTRING_LEN = 32
WORD = 0xFFFFFFFF
IFREQ = struct.Struct("16sP16x")  # struct ifreq: name, pointer to the data
FEATURES = struct.Struct("=IIII")  # available, requested, active, never changed; of 32 features
# What is shown to the sender as the wire's own: what "tx", "sg", "tso", "gso", "gro" stand for.
SENDING = re.compile(
    r"tx-checksum-.+|tx-scatter-gather.*|tx-tcp.*-segmentation|tx-generic-segmentation"
)
RECEIVING = re.compile("rx-gro")


class Bits(NamedTuple):
    """Bit masks of features, and how many words of 32 there are."""

    sending: int
    receiving: int
    words: int


def offloads(link: socket.socket, name: str) -> bool:
    """Tell whether a device of the socket's namespace leaves anything to hardware.

    OSError when it is gone.
    """
    bits = _bits_by(link, name)
    data = _ask(link, name, struct.pack("=II", GFEATURES, bits.words) + bytes(16 * bits.words))
    active = sum(
        FEATURES.unpack_from(data, 8 + 16 * word)[2] << 32 * word for word in range(bits.words)
    )
    return bool(active & (bits.sending | bits.receiving))


def set_offloads(link: socket.socket, name: str, *, on: bool) -> None:
    """Switch all offloads of a device off, or on as it was born with them. OSError when refused."""
    bits = _bits_by(link, name)
    valid = bits.sending if on else bits.sending | bits.receiving
    request = struct.pack("=II", SFEATURES, bits.words)
    for shift in range(0, 32 * bits.words, 32):
        part = valid >> shift & WORD
        request += struct.pack("=II", part, part if on else 0)
    _ask(link, name, request)


_known: list[Bits] = []  # of this kernel, once they were asked for


def _bits_by(link: socket.socket, name: str) -> Bits:
    """Return the bits that bear the names; any device tells."""
    if not _known:
        _known.append(_read_bits(link, name))
    return _known[0]


def _read_bits(link: socket.socket, name: str) -> Bits:
    request = struct.pack("=IIQI", GSSET_INFO, 0, 1 << ETH_SS_FEATURES, 0)
    (count,) = struct.unpack_from("=I", _ask(link, name, request), 16)
    request = struct.pack("=III", GSTRINGS, ETH_SS_FEATURES, count) + bytes(count * ETH_GSTRING_LEN)
    data = _ask(link, name, request)[12:]
    sending = receiving = 0
    for bit in range(count):
        raw = data[bit * ETH_GSTRING_LEN : (bit + 1) * ETH_GSTRING_LEN]
        text = raw.partition(b"\0")[0].decode()
        sending |= bool(SENDING.fullmatch(text)) << bit
        receiving |= bool(RECEIVING.fullmatch(text)) << bit
    return Bits(sending, receiving, -(-count // 32))


def _ask(link: socket.socket, name: str, request: bytes) -> bytes:
    data = ctypes.create_string_buffer(request, len(request))
    fcntl.ioctl(link, SIOCETHTOOL, IFREQ.pack(name.encode(), ctypes.addressof(data)))
    return data.raw
