"""Names of kernel functions by address, from /proc/kallsyms.

Reading it needs CAP_SYSLOG, and kernel.kptr_restrict below 2; else every name is "". The file is
opened once, with the privileges of the start, because the kernel looks at those of the opener.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from pathlib import Path
from typing import IO

KALLSYMS, MODULES = Path("/proc/kallsyms"), Path("/proc/modules")
# Address, kind (text) and name; compilers' endings (".isra.0", ".cold") are left out. All at once:
# a kernel has a hundred thousand, and packets wait meanwhile.
FUNCTION = re.compile(rb"^([0-9a-f]+) [tTwW] ([^.\s]*)", re.MULTILINE)


class Symbols:
    """The kernel's functions, those of modules that are loaded later too."""

    def __init__(self, kallsyms: Path = KALLSYMS, modules: Path = MODULES) -> None:
        self._file: IO[bytes] | None = None
        if kallsyms.exists():
            self._file = kallsyms.open("rb")
        self._modules = modules
        self._loaded: list[bytes] | None = None
        self._starts: array[int] = array("Q")
        self._names: list[bytes] = []
        self._known: dict[int, str] = {}

    def name(self, address: int) -> str:
        """Return the function that an address lies in, "" where that cannot be known."""
        name = self._known.get(address)
        if name is None:
            self._refresh()
            at = bisect_right(self._starts, address) - 1
            name = self._known[address] = self._names[at].decode() if at >= 0 else ""
        return name

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _refresh(self) -> None:
        """Read the symbols on first use, and again when another module is there."""
        loaded = self._modules_now()
        if self._file is None or loaded == self._loaded:
            return
        self._loaded = loaded
        self._file.seek(0)
        text = FUNCTION.findall(self._file.read())
        found = sorted((int(start, 16), name) for start, name in text if start.strip(b"0"))
        self._starts = array("Q", [start for start, _ in found])
        self._names = [name for _, name in found]
        self._known.clear()

    def _modules_now(self) -> list[bytes]:
        if not self._modules.exists():  # a kernel without modules
            return []
        return [line.split(b" ", 1)[0] for line in self._modules.read_bytes().splitlines()]
