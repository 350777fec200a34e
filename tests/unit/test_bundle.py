"""The committed bundle: built from the sources beside it, small, and asking nobody else."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUNDLE = ROOT / "static" / "topoweb"
FIRST_LOAD = 260_000  # bytes, gzipped: code and style of the first page; fonts come after
STATIC_IMPORT = re.compile(r"""(?:from|import)\s*["']\./([\w.-]+\.js)["']""")


def first_load(name: str, seen: set[str]) -> set[str]:
    """Return a chunk and all that it imports at once (not what it loads later)."""
    if name not in seen:
        seen.add(name)
        text = (BUNDLE / name).read_text()
        for other in STATIC_IMPORT.findall(text):
            first_load(other, seen)
    return seen


def test_it_is_built_from_these_sources():
    done = subprocess.run(
        [sys.executable, "scripts/bundle_fresh.py"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_first_load_is_small():
    names = first_load("app.js", set()) | {"app.css"}
    assert "vendor.js" in names
    size = sum(len(gzip.compress((BUNDLE / name).read_bytes(), 9)) for name in names)
    assert size <= FIRST_LOAD


def test_style_loads_nothing_from_elsewhere():
    for target in re.findall(r"url\(([^)]+)\)", (BUNDLE / "app.css").read_text()):
        path = target.strip("\"'")
        assert (BUNDLE / path).is_file(), path
