"""A layer in the making: a cursor over its bytes that adds a field for each thing it reads."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from topoweb.core.packets.addresses import ipv4_text, ipv6_text
from topoweb.core.packets.layer import Field, Layer, Truncated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Packet:
    """The frame and what upper layers must know of lower ones."""

    __slots__ = ("data", "length", "pseudo", "quoted")

    def __init__(self, data: bytes, length: int) -> None:
        self.data = data
        self.length = length  # the frame's true length; more than len(data) when it was cut off
        self.pseudo: bytes | None = None  # both IP addresses; None: no checksum can be verified
        self.quoted = False  # inside the packet that an ICMP error quotes


class Group:
    """The value of a field that has fields of its own; set it while the group is open."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = ""


class Block:
    """Reads ``data[start:end]``; every read past the end raises `Truncated`."""

    def __init__(self, protocol: str, packet: Packet, start: int, end: int) -> None:
        self.protocol = protocol
        self.packet = packet
        self.data = data = packet.data
        self.start = self.position = min(start, len(data))
        self.end = max(self.start, min(end, len(data)))
        self.summary = ""
        self._fields: list[Field] = []

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self.end - self.position

    def peek(self, size: int, ahead: int = 0) -> int:
        """Return the unsigned number ``ahead`` bytes on, without moving."""
        at = self.position + ahead
        if at + size > self.end:
            raise Truncated
        return int.from_bytes(self.data[at : at + size], "big")

    def take(self, size: int) -> bytes:
        """Return ``size`` bytes and move past them, without a field."""
        if size < 0 or size > self.left:
            raise Truncated
        start, self.position = self.position, self.position + size
        return self.data[start : self.position]

    def add(
        self, name: str, label: str, value: str, size: int, fields: tuple[Field, ...] = ()
    ) -> None:
        """Add a field over the last ``size`` bytes that were read."""
        start = self.position - size
        self._fields.append(Field(name, label, value, start, self.position, fields))

    def number(self, name: str, label: str, size: int, show: Callable[[int], str] = str) -> int:
        """Read an unsigned big-endian number and show it by ``show``."""
        value = int.from_bytes(self.take(size), "big")
        self.add(name, label, show(value), size)
        return value

    def raw(self, name: str, label: str, size: int, show: Callable[[bytes], str]) -> bytes:
        """Read bytes and show them by ``show``."""
        value = self.take(size)
        self.add(name, label, show(value), size)
        return value

    def mac(self, name: str, label: str) -> str:
        """Read a MAC address."""
        return self.raw(name, label, 6, mac_text).hex(":")

    def ipv4(self, name: str, label: str) -> str:
        """Read an IPv4 address."""
        return ipv4_text(self.raw(name, label, 4, ipv4_text))

    def ipv6(self, name: str, label: str) -> str:
        """Read an IPv6 address."""
        return ipv6_text(self.raw(name, label, 16, ipv6_text))

    @contextmanager
    def group(self, name: str, label: str) -> Iterator[Group]:
        """Collect the fields read inside as children of one field."""
        outer, self._fields = self._fields, []
        start = self.position
        group = Group()
        try:
            yield group
        finally:  # a truncated group still shows what could be read
            inner, self._fields = tuple(self._fields), outer
            outer.append(Field(name, label, group.value, start, self.position, inner))

    def layer(self) -> Layer:
        """Return the finished layer; it ends where reading stopped."""
        return Layer(self.protocol, self.start, self.position, self.summary, tuple(self._fields))


def mac_text(data: bytes) -> str:
    """Return ``02:00:00:00:00:01``."""
    return data.hex(":")


def hex16(value: int) -> str:
    """Return a 16-bit number as ``0x0abc``."""
    return f"0x{value:04x}"


def named(names: dict[int, str]) -> Callable[[int], str]:
    """Return a formatter: ``name (number)``, or the number alone."""
    return lambda value: f"{names[value]} ({value})" if value in names else str(value)


def flag(value: int) -> str:
    """Return a bit in words."""
    return "set" if value else "not set"
