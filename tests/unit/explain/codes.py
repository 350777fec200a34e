"""Writes docs/verdict-codes.md, the list of all verdicts: `python -m tests.unit.explain.codes`."""

from __future__ import annotations

from pathlib import Path

from topoweb.core.tracing.explain.catalogue import EVIDENCE, REMEDIES, VERDICTS

PAGE = Path(__file__).parents[3] / "docs" / "verdict-codes.md"
HEAD = (
    "# Verdicts, evidence and remedies",
    "",
    "All that the explainer can say, by code (from `core/tracing/explain/catalogue/`)."
    " `{node}`, `{owner}` … are ids of nodes in `params` and `{name:<id>}` in texts.",
)


def page() -> str:
    lines = [*HEAD]
    parts = (("Verdicts", VERDICTS), ("Remedies", REMEDIES), ("Evidence", EVIDENCE))
    for title, sentences in parts:
        lines += ["", f"## {title}", "", "| code | English | 简体中文 |", "|---|---|---|"]
        lines += [
            f"| `{code}` | {said.en} | {said.zh} |" for code, said in sorted(sentences.items())
        ]
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page())
