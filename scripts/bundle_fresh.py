"""Prove that static/topoweb was built from the sources beside it, without Node.

``BUILD`` holds a SHA-256 over the front end's sources and lock file, and over the bundle itself.
``--write`` rewrites it after a build.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUNDLE = ROOT / "static" / "topoweb"


def digest(base: Path, files: list[Path]) -> str:
    """Return one hash over names and contents."""
    total = hashlib.sha256()
    for path in sorted(files):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(base).as_posix()} {content}\n".encode())
    return total.hexdigest()


def state() -> str:
    """Return what BUILD should hold."""
    frontend = ROOT / "frontend"
    sources = [p for p in (frontend / "src").rglob("*") if p.is_file() and ".test." not in p.name]
    sources += [frontend / name for name in ("package-lock.json", "vite.config.ts", "package.json")]
    bundle = [p for p in BUNDLE.rglob("*") if p.is_file() and p.name != "BUILD"]
    return f"sources {digest(frontend, sources)}\nbundle {digest(BUNDLE, bundle)}\n"


def main() -> int:
    """Check, or write with --write."""
    stamp = BUNDLE / "BUILD"
    if "--write" in sys.argv:
        stamp.write_text(state())
        return 0
    if stamp.exists() and stamp.read_text() == state():
        return 0
    sys.stderr.write("static/topoweb is not built from frontend/ as it stands: make build\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
