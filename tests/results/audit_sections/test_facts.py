from __future__ import annotations

from dataclasses import replace

from limbeck.audits.results import Differences, Estimate
from limbeck.results.audit_sections.facts import between, facts_of, p_value, sure, told
from tests.results.audit_sections.test_page import example


def test_numbers_as_text() -> None:
    found = [p_value(p) for p in (0.2, 0.0042, 1e-9, float("nan"))]
    assert found == ["p = 0.200", "p = 0.0042", "p < 0.0001", "—"]
    assert between(None) == "—"
    assert between(Estimate(0.00042, 0.0004, 0.00044)) == "0.00042 [0.0004, 0.00044]"
    assert between(Estimate(0.0, 0.0, 0.0)) == "0.000 [0.000, 0.000]"
    assert between(Estimate(-1, -2, 0.5), 1) == "−1.0 [−2.0, 0.5]"


def test_only_what_is_certain_is_counted() -> None:
    silent = "Nothing can be told of sex: every 95% band of the difference holds 0."
    audit, shapes = example(), example().differences.shapes

    def lead(*sentences: str) -> str:
        found = Differences(shapes, sentences, 0.9, 10)
        assert told(found) == len([s for s in sentences if s != silent])
        return replace(audit, differences=found, missing=None).lead

    assert lead(silent) == "No difference between score and outcome is certain at 90%."
    assert "one difference is certain at 90%, all taken" in lead("It rises.", silent)
    assert "2 differences are certain" in lead("It rises.", silent, "It falls.")
    assert "of whether the score is right" in replace(audit, outcome=None, missing=None).lead
    assert sure(0.995) == "99.5%"


def test_a_group_loses_the_name_of_the_only_column_of_groups() -> None:
    audit = example()
    assert [audit.group_name(g) for g in ("race A", "sex A", "race")] == ["A", "sex A", "race"]
    assert audit.title == "Audit of decile_score against two_year_recid"
    assert replace(audit, outcome=None).title == "Audit of decile_score"
    assert facts_of(audit) is audit
