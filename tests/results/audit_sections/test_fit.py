from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

from limbeck.audits.results import Estimate
from limbeck.results.audit_sections.fit import explained, fidelity, groups
from tests.results.audit_sections.test_page import Reader, example


def text(part) -> str:
    return " ".join(Reader(str(part)).text.split())


def test_the_share_of_the_score_that_is_explained_is_told_with_its_interval() -> None:
    audit = example()
    found = replace(audit, fidelity=replace(audit.fidelity, score_r2=Estimate(0.534, 0.49, 0.581)))
    assert explained(found).startswith("Out of fold the student explains 53% (49% to 58%) of")
    assert explained(found) in text(fidelity(found))


def test_a_certificate_stands_with_what_it_assumes() -> None:
    stated = SimpleNamespace(statement="At most <3>.", assumptions=("rows are independent", "a&b"))
    said = text(fidelity(replace(example(), certificate=stated)))
    assert "Certificate of the student's error At most <3>. It holds if: rows are" in said
    assert "a&b" in said
    assert "Certificate" not in text(fidelity(example()))


def test_groups_are_told_where_there_are_some() -> None:
    audit = example()
    assert groups(replace(audit, groups=())) is None
    said = text(groups(audit))
    assert said.startswith("Groups of race")
    assert said.count("It is scored higher.") == 2
    several = replace(audit, group=None, groups=tuple(replace(g, sentences=()) for g in
                      audit.groups))  # fmt: skip
    assert text(groups(several)).startswith("Groups Intervals")
    assert "<ul>" not in str(groups(several))
