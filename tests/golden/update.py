"""Golden cases: a folder with a drawing, and what topoweb makes of it.

``topology.json`` is written by hand, and ``limits.json`` where the lab has some; ``plan.txt`` and
``problems.txt`` are written by ``python -m tests.golden.update``, and reviewed in the diff.
"""

from __future__ import annotations

import json
from pathlib import Path

from topoweb.core.plan.diff import diff
from topoweb.core.plan.expand import expand, subjects
from topoweb.core.plan.render import render
from topoweb.core.plan.state import LabState
from topoweb.core.topology.document import DocumentError, parse
from topoweb.core.topology.validate import validate

HERE = Path(__file__).parent
LAB = 1
GRANT = 2_000_000_000  # until then every lab may go out


def cases() -> list[Path]:
    """Return the folders of all cases."""
    return sorted(path.parent for path in HERE.glob("*/topology.json"))


def results(case: Path) -> dict[str, str]:
    """Return file name → text for what a case's drawing should give."""
    document = json.loads((case / "topology.json").read_text())
    limits = case / "limits.json"
    rate = json.loads(limits.read_text())["link_rate"] if limits.exists() else None
    try:
        topology = parse(document)
    except DocumentError as error:
        problems, plan = error.problems, []
    else:
        problems = validate(topology)
        drawn = subjects(topology)
        wanted = expand(LAB, topology, uplink_until=GRANT, link_rate=rate)
        plan = [
            f"# {step.reason}\n" + "".join(f"{line}\n" for line in render(step.action, drawn.nodes))
            for step in diff(wanted, LabState(), drawn).steps
        ]
    found = [f"{p.severity} {p.code} {p.path}\n  {p.message}\n  {p.hint}\n" for p in problems]
    return {"plan.txt": "".join(plan), "problems.txt": "".join(found)}


if __name__ == "__main__":
    for folder in cases():
        for name, text in results(folder).items():
            (folder / name).write_text(text)
