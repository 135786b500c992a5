from __future__ import annotations

from dataclasses import replace

import numpy as np

from limbeck.audits.results import Differences
from limbeck.results.audit_sections.features import differences, numbers
from tests.results.audit_sections.test_page import SHAPES, Reader, example, only_score


def text(part) -> str:
    return " ".join(Reader(str(part)).text.split())


def test_at_most_forty_features_are_drawn_and_all_are_in_tables() -> None:
    shapes = tuple(replace(SHAPES[1], feature=f"x{i}") for i in range(43))
    audit = replace(example(), differences=Differences(shapes, (), 0.9, 25))
    page = str(differences(audit))
    assert page.count("<h3>") == 40
    assert "The 3 features of least importance are in the tables only." in page
    assert "shaded: 90% bands over 25 bags of rows" in page
    assert "Nothing can be told of single features." in page
    assert str(numbers(audit)).count("<details") == 43


def test_without_an_outcome_only_the_score_is_described() -> None:
    said = text(differences(only_score(example())))
    assert said.startswith("What the score does, feature by feature")
    assert "pointwise bands" in said
    assert "model of the outcome" not in said


def test_features_that_could_not_be_computed_are_not_drawn() -> None:
    audit = example()
    nan = tuple(replace(s, score=np.full_like(s.score, np.nan)) for s in SHAPES)
    page = str(differences(replace(audit, differences=replace(audit.differences, shapes=nan))))
    assert "<svg" not in page
    assert "score rises 0.4 more from age 20 to 25" in page
    assert numbers(replace(audit, differences=replace(audit.differences, shapes=nan))) is None
    for found in (None, replace(audit.differences, shapes=())):
        assert differences(replace(audit, differences=found)) is None
        assert numbers(replace(audit, differences=found)) is None
