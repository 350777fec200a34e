"""What the running kernel says of its own types (BTF): names of drop reasons, prototypes.

The numbers of `enum skb_drop_reason` change from kernel to kernel, so they are never written down.
"""

from __future__ import annotations

import ctypes
import struct
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from topoweb.kernel.trace.bpf.libbpf import library, pointer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENUM, TYPEDEF = 6, 8  # BTF_KIND_*
SUBSYSTEM_SHIFT = 16  # SKB_DROP_REASON_SUBSYS_SHIFT
PREFIX = "SKB_DROP_REASON_"
SUBSYSTEM_PREFIX = "SKB_DROP_REASON_SUBSYS_"
UNNAMED = "NOT_SPECIFIED"  # what a kernel before 5.17 says, too

_TYPE = struct.Struct("=III")  # struct btf_type: name, info, size or type
_ENUMERATOR = struct.Struct("=II")  # struct btf_enum: name, value


class _Type(NamedTuple):
    """An entry of BTF."""

    address: int
    members: int
    target: int  # the type that it points to or stands for


class Types:
    """The kernel's BTF, open."""

    def __init__(self, handle: int) -> None:
        self._handle = handle
        self._library = library()

    def enumerators(self, name: str) -> dict[int, str]:
        """Return value → name of an enum; empty where the kernel has none of this name."""
        found = self._find(name, ENUM)
        if found is None:
            return {}
        size = found.members * _ENUMERATOR.size
        members = ctypes.string_at(found.address + _TYPE.size, size)
        return {value: self._name(label) for label, value in _ENUMERATOR.iter_unpack(members)}

    def arguments(self, tracepoint: str) -> int:
        """Return how many arguments a tracepoint gives to a program; 0 when it is not there."""
        found = self._find(f"btf_trace_{tracepoint}", TYPEDEF)
        if found is None:
            return 0
        prototype = self._type(self._type(found.target).target)  # typedef of a pointer to it
        return prototype.members - 1  # the first is the tracepoint's own

    def _find(self, name: str, kind: int) -> _Type | None:
        number = self._library.btf__find_by_name_kind(self._handle, name.encode(), kind)
        return self._type(number) if number > 0 else None

    def _type(self, number: int) -> _Type:
        address = pointer(self._library.btf__type_by_id(self._handle, number), "reading BTF")
        _, info, target = _TYPE.unpack(ctypes.string_at(address, _TYPE.size))
        return _Type(address, info & 0xFFFF, target)

    def _name(self, offset: int) -> str:
        text: bytes = self._library.btf__name_by_offset(self._handle, offset)
        return text.decode()


@contextmanager
def kernel_types() -> Iterator[Types]:
    """Open the kernel's BTF. TopowebError UNSUPPORTED where there is none."""
    handle = pointer(library().btf__load_vmlinux_btf(), "reading BTF")
    try:
        yield Types(handle)
    finally:
        library().btf__free(handle)


class Reasons:
    """Names of drop reasons by their number in this kernel."""

    def __init__(self, core: Mapping[int, str], subsystems: Mapping[int, str]) -> None:
        """From the enumerators of `skb_drop_reason` (and likes) and `skb_drop_reason_subsys`."""
        self._names = {number: name.removeprefix(PREFIX) for number, name in core.items()}
        self._subsystems = {
            number: name.removeprefix(SUBSYSTEM_PREFIX) for number, name in subsystems.items()
        }

    def name(self, number: int) -> str:
        """Return a reason's name without its prefix; the number itself where it has none."""
        if number in self._names:
            return self._names[number]
        subsystem = self._subsystems.get(number >> SUBSYSTEM_SHIFT, "")
        if number >> SUBSYSTEM_SHIFT and subsystem:
            return f"{subsystem}_{number & 0xFFFF}"
        return str(number) if number else UNNAMED


def reasons(types: Types) -> Reasons:
    """Read the names of this kernel."""
    core = types.enumerators("skb_drop_reason") | types.enumerators("ovs_drop_reason")
    return Reasons(core, types.enumerators("skb_drop_reason_subsys"))
