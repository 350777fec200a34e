"""``python -m tests.attack.threats`` writes the table of attacks into THREAT_MODEL.md.

``--check`` only compares: exit status 1 when the table and the tests differ.
"""

from __future__ import annotations

import contextlib
import io
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "THREAT_MODEL.md"
RING = "tests/attack"
BEGIN = "<!-- attacks: written by python -m tests.attack.threats -->"
END = "<!-- end of attacks -->"
EXEMPT = "test_table.py"  # what checks the table is no attack


class Collector:
    """A plugin that keeps (test, what it tries, expected refusal) of every collected test."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str]] = []
        self.bare: list[str] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        for item in session.items:
            if item.path.name == EXEMPT:
                continue
            mark = item.get_closest_marker("attack")
            if mark is None:
                self.bare.append(item.nodeid)
            else:
                self.rows.append((item.nodeid.removeprefix(f"{RING}/"), *mark.args))


def collect() -> Collector:
    """Return the attacks as pytest collects them. SystemExit when it cannot, or for a bare test."""
    collector = Collector()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        code = pytest.main(
            ["--collect-only", "-q", "-p", "no:cacheprovider", str(ROOT / RING)], [collector]
        )
    if code:
        sys.exit(f"the attack ring could not be collected:\n{said.getvalue()}")
    if collector.bare:
        sys.exit("tests without @attack: " + ", ".join(collector.bare))
    return collector


def table(rows: list[tuple[str, str, str]]) -> str:
    """Return the attacks as a Markdown table, numbered."""
    lines = ["| number | attack | expected refusal | test |", "|---|---|---|---|"]
    for number, (test, tries, refusal) in enumerate(rows, 1):
        cells = (str(number), tries, refusal, f"`{test}`")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Write the table, or compare."""
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        sys.exit(f"{PAGE.name} has no place for the attacks: {BEGIN} … {END}")
    new = f"{before}{BEGIN}\n{table(collect().rows)}\n{END}{after}"
    if "--check" not in sys.argv:
        PAGE.write_text(new)
    elif new != page:
        sys.exit(f"{PAGE.name} is behind: run python -m tests.attack.threats")


if __name__ == "__main__":
    main()
