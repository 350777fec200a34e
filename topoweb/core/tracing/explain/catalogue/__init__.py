"""Every sentence of the explainer by its code, in English and in Simplified Chinese.

One file for each kind of sentence. A new fault is an entry in `verdicts`, what proves it one in
`evidence`, what mends it one in `remedies`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from topoweb.core.tracing.explain.catalogue.evidence import EVIDENCE
from topoweb.core.tracing.explain.catalogue.remedies import REMEDIES
from topoweb.core.tracing.explain.catalogue.sentence import Language, Sentence
from topoweb.core.tracing.explain.catalogue.verdicts import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CATALOGUE", "EVIDENCE", "REMEDIES", "VERDICTS", "Language", "Sentence", "sentence"]

CATALOGUE: Mapping[str, Sentence] = {**VERDICTS, **EVIDENCE, **REMEDIES}


def sentence(code: str, params: Mapping[str, Any]) -> dict[Language, str]:
    """Return the text of ``code`` by language. KeyError for an unknown code or a missing param."""
    return CATALOGUE[code].fill(params)
