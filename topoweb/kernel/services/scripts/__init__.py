"""What we run inside nodes ourselves. These files see nothing of this package there."""

from __future__ import annotations

from importlib.resources import files

_HERE = files(__name__)


def script(name: str) -> bytes:
    """Return a script, "echo.py", to be furnished to a node."""
    return (_HERE / name).read_bytes()
