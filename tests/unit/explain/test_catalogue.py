"""Both languages say the same with the same parameters."""

from __future__ import annotations

import re

import pytest

from tests.unit.explain import codes
from topoweb.core.tracing.explain import catalogue, sentence
from topoweb.core.tracing.explain.catalogue.sentence import PARAMS
from topoweb.core.tracing.explain.drops import FAMILIES
from topoweb.core.tracing.explain.dryrun.steps import TEXTS
from topoweb.core.tracing.explain.reasons import ROWS

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.mark.parametrize("code", catalogue.CATALOGUE)
def test_both_languages_are_complete(code: str) -> None:
    said = catalogue.CATALOGUE[code]
    assert said.params("en") == said.params("zh-CN")
    assert said.params() <= PARAMS.keys()
    assert CHINESE.search(said.zh), said.zh
    assert not CHINESE.search(said.en), said.en
    assert said.en[-1] in ".:}?", said.en  # a sentence, or what a terminal shows after a colon


def test_codes_are_told_apart() -> None:
    parts = (catalogue.VERDICTS, catalogue.EVIDENCE, catalogue.REMEDIES)
    assert sum(map(len, parts)) == len(catalogue.CATALOGUE)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", code) for code in catalogue.CATALOGUE)


def test_nodes_stand_by_their_ids() -> None:
    text = sentence("no-return-route", {"node": "n3", "source": "10.20.3.2"})
    assert text["en"] == (
        "The request arrived at {name:n3}. {name:n3} has no route back to 10.20.3.2,"
        " so no reply was ever sent."
    )
    assert "{name:n3}" in text["zh-CN"]


def test_wrong_params_are_refused() -> None:
    with pytest.raises(KeyError):
        sentence("no-return-route", {"node": "n3"})
    with pytest.raises(TypeError):
        sentence("packet-size", {"size": "many"})


def test_every_family_of_the_table_has_its_function() -> None:
    named = {row.family for row in ROWS if row.family}
    assert named == FAMILIES.keys()
    assert all(row.family or row.kind == "noise" for row in ROWS)


def test_the_page_of_all_codes_is_fresh() -> None:
    assert codes.PAGE.read_text() == codes.page(), "run python -m tests.unit.explain.codes"


def test_no_parameter_is_left_over() -> None:
    used = set().union(*(said.params() for said in catalogue.CATALOGUE.values()))
    steps = set().union(*(said.params() for said in TEXTS.values()))
    assert used | steps == PARAMS.keys()
