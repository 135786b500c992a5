from __future__ import annotations

from dataclasses import replace

from limbeck.audits.results import ModelMultiplicity, Statement
from limbeck.results.audit_sections.multiplicity import compared, multiplicity
from tests.results.audit_sections.test_page import Reader, example

FOUND = ModelMultiplicity(
    3, 0.0125, (Statement("age matters most", 1.0), Statement("<b> falls", 0.25)),
    (("age", "<b>", "sex"), ("<b>", "age"), ("age", "<b>")), ("team", "<i>"),
)  # fmt: skip


def test_features_are_ordered_by_their_middle_place_over_all_students() -> None:
    page = str(multiplicity(replace(example(), model_multiplicity=FOUND)))
    text = " ".join(Reader(page).text.split())
    ranks = text[text.index("used by") :]
    assert ranks == "used by age 1 1 2 3 of 3 <b> 1 2 2 3 of 3 sex 3 3 3 1 of 3"


def test_statements_have_their_share_and_what_is_not_stated_is_named() -> None:
    page = str(multiplicity(replace(example(), model_multiplicity=FOUND)))
    text = " ".join(Reader(page).text.split())
    assert "age matters most 100% <b> falls 25%" in text
    assert page.count('class="strong"') == 1
    assert "Nothing is stated of team , <i> : their effect" in text
    assert "<b>" not in page
    assert compared(FOUND).startswith("3 students within 0.013 of the best fidelity")
    bare = replace(FOUND, statements=(), rankings=(), silent=())
    told = str(multiplicity(replace(example(), model_multiplicity=bare)))
    assert "<table" not in told
    assert multiplicity(replace(example(), model_multiplicity=None)) is None
