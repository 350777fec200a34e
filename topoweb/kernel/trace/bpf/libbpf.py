"""What we use of libbpf.so.1, by ctypes. Its complaints become one TopowebError.

The library is opened on first use, so that a host without it can import this module.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections import deque
from ctypes import CFUNCTYPE, c_bool, c_char_p, c_int, c_size_t, c_uint32, c_uint64, c_void_p
from functools import cache
from pathlib import Path

from topoweb.core.errors import ErrorKind, TopowebError

NAME = "libbpf.so.1"
BTF = Path("/sys/kernel/btf/vmlinux")
WARNING = 0  # enum libbpf_print_level
LINE = 4096
SAID = 400  # characters of its complaints that an error shows: the verifier ends with its reason

_Print = CFUNCTYPE(c_int, c_int, c_char_p, c_void_p)
_FUNCTIONS: dict[str, tuple[type | None, list[type]]] = {
    "libbpf_set_print": (c_void_p, [_Print]),
    "libbpf_num_possible_cpus": (c_int, []),
    "bpf_object__open_file": (c_void_p, [c_char_p, c_void_p]),
    "bpf_object__load": (c_int, [c_void_p]),
    "bpf_object__close": (None, [c_void_p]),
    "bpf_object__find_program_by_name": (c_void_p, [c_void_p, c_char_p]),
    "bpf_object__find_map_by_name": (c_void_p, [c_void_p, c_char_p]),
    "bpf_program__set_autoload": (c_int, [c_void_p, c_bool]),
    "bpf_program__attach": (c_void_p, [c_void_p]),
    "bpf_program__fd": (c_int, [c_void_p]),
    "bpf_link__destroy": (c_int, [c_void_p]),
    "bpf_map__fd": (c_int, [c_void_p]),
    "bpf_map__set_max_entries": (c_int, [c_void_p, c_uint32]),
    "bpf_map__set_initial_value": (c_int, [c_void_p, c_char_p, c_size_t]),
    "bpf_map_update_elem": (c_int, [c_int, c_char_p, c_char_p, c_uint64]),
    "bpf_map_lookup_elem": (c_int, [c_int, c_char_p, c_char_p]),
    "bpf_map_delete_elem": (c_int, [c_int, c_char_p]),
    "btf__load_vmlinux_btf": (c_void_p, []),
    "btf__free": (None, [c_void_p]),
    "btf__find_by_name_kind": (c_int, [c_void_p, c_char_p, c_uint32]),
    "btf__type_by_id": (c_void_p, [c_void_p, c_uint32]),
    "btf__name_by_offset": (c_char_p, [c_void_p, c_uint32]),
}
_said: deque[str] = deque(maxlen=8)  # the library's latest warnings


@cache
def library() -> ctypes.CDLL:
    """Return the library. TopowebError UNSUPPORTED where it or the kernel's BTF is missing."""
    if not BTF.exists():
        raise TopowebError(
            ErrorKind.UNSUPPORTED,
            "this kernel has no BTF",
            hint="Use a kernel built with CONFIG_DEBUG_INFO_BTF.",
        )
    try:
        found = ctypes.CDLL(NAME, use_errno=True)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(found, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError) as error:
        raise TopowebError(
            ErrorKind.UNSUPPORTED,
            f"{NAME} is not installed: {error}",
            hint="Install the package libbpf1.",
        ) from error
    found.libbpf_set_print(_print)
    return found


def failure(what: str, code: int) -> TopowebError:
    """Return the error of a call that failed with errno ``code``, with what the library said."""
    said = "; ".join(_said)
    _said.clear()
    if code == errno.EPERM:  # the verifier's own refusal is EACCES
        return TopowebError(
            ErrorKind.UNSUPPORTED,
            f"{what}: the kernel lets us load no BPF programs ({os.strerror(code)})",
            hint="Run the tracer as root, with CAP_BPF and CAP_PERFMON or CAP_SYS_ADMIN.",
        )
    return TopowebError(
        ErrorKind.UNSUPPORTED,
        f"{what}: {os.strerror(code)}" + (f" ({said[-SAID:]})" if said else ""),
        hint="Use Linux 5.17 or newer.",
    )


def check(result: int, what: str) -> None:
    """Raise the failure of a call that returns a negative errno."""
    if result < 0:
        raise failure(what, -result)


def pointer(result: int | None, what: str) -> int:
    """Return a pointer; raise the failure of a call that returned none."""
    if not result:
        raise failure(what, ctypes.get_errno())
    return result


def _keep(level: int, text: bytes, arguments: int) -> int:
    """Keep a warning. ``arguments`` is the C va_list."""
    if level == WARNING:
        line = ctypes.create_string_buffer(LINE)
        ctypes.CDLL(None).vsnprintf(line, c_size_t(LINE), text, c_void_p(arguments))
        _said.append(line.value.decode(errors="replace").strip().removeprefix("libbpf: "))
    return 0


_print = _Print(_keep)  # the library calls it for as long as the process lives
