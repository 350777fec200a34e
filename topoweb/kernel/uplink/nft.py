"""The program nft(8), run in the network namespace of the calling thread."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from topoweb.core.errors import ErrorKind, TopowebError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from topoweb.kernel.uplink.rules import Ruleset

PATH = "/usr/local/sbin:/usr/sbin:/sbin:/usr/bin:/bin"
TIMEOUT = 20.0  # seconds


def installed() -> bool:
    """True when the program is there."""
    return shutil.which("nft", path=PATH) is not None


def load(rules: Ruleset) -> None:
    """Load a table, whole or not at all. TopowebError with nft's own words."""
    _run(["-f", "-"], rules.text)


def tables() -> list[str]:
    """Return the names of the tables of the family inet."""
    lines = _run(["list", "tables", "inet"]).splitlines()
    return [words[2] for words in map(str.split, lines) if len(words) == 3]


def drop(names: Iterable[str]) -> None:
    """Delete tables of the family inet, all of them or none."""
    text = "".join(f"delete table inet {name}\n" for name in names)
    if text:
        _run(["-f", "-"], text)


def _run(arguments: list[str], text: str = "") -> str:
    program = shutil.which("nft", path=PATH)
    if program is None:
        raise TopowebError(
            ErrorKind.UNSUPPORTED, "The program nft is not installed", hint="Install nftables."
        )
    try:
        done = subprocess.run(
            [program, *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIMEOUT,
            env={"PATH": PATH, "LANG": "C.UTF-8"},
        )
    except subprocess.TimeoutExpired as error:
        raise TopowebError(ErrorKind.BUSY, "nft does not answer") from error
    if done.returncode:
        words = " ".join(done.stderr.split())[:500]
        raise TopowebError(ErrorKind.UNSUPPORTED, f"nft refused the rules: {words}")
    return done.stdout
