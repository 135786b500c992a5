from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from limbeck.certificates import certify, certify_active, row_hashes, verify
from limbeck.certificates.planning import plan_counts
from limbeck.certificates.sentences import assumptions_of, identity, plan_of, statement_of


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(200, 3))


def test_more_rows_are_ruled_out_only_where_that_is_certain(
    threshold: Any, rows: np.ndarray
) -> None:
    def said(wrong: int, asked: float) -> str:
        y = threshold().predict(rows)
        y[:wrong] = np.where(y[:wrong] == "yes", "no", "yes")
        return certify(threshold(), rows, y, epsilon=asked).statement

    assert "will not help" in said(40, 0.05)  # at least 15% with confidence 95%
    open_ = said(12, 0.05)  # 6% seen, and 3.5% may be
    assert "will not help" not in open_
    assert "whether it can be is open" in open_
    assert "at least 3.49%" in open_
    assert "rows would show that it cannot" in open_
    few = said(6, 0.05)
    assert "at this rate of errors that takes about" in few


def test_the_plan_is_made_anew_where_none_is_stored(threshold: Any, rows: np.ndarray) -> None:
    y = threshold().predict(rows)
    y[:12] = np.where(y[:12] == "yes", "no", "yes")
    c = certify(threshold(), rows, y, epsilon=0.05)
    assert plan_of(c) == plan_of(replace(c, settings={**c.settings, "plan": None}))
    assert plan_of(certify(threshold(), rows, y)) is None


@pytest.mark.parametrize("own", [True, False])
def test_an_active_certificate_says_how_rows_were_chosen(threshold: Any, own: bool) -> None:
    rows = np.random.default_rng(0).random((2000, 3))
    student, teacher = threshold(0.5), threshold(0.55)
    found = certify_active(student, rows, teacher.predict, until=0.01, doubt=rows[:, 0], seed=3)
    active = {**found.certificate.settings["active"], "own_doubt": own}
    c = replace(found.certificate, settings={**found.certificate.settings, "active": active})
    assert f"an estimated {100 * c.mean_loss:.3g}% " in c.statement
    whose = "the student's own doubt" if own else "a doubt that was given"
    assert any("seed 3, fixed before" in a and whose in a for a in assumptions_of(c))


def test_a_file_that_differs_is_counted(threshold: Any, rows: np.ndarray) -> None:
    y = threshold(0.2).predict(rows)
    c = certify(threshold(), rows, y)
    found = verify(replace(c, epsilon=0.5), threshold(), rows, y)
    total = len(found.matches) + len(found.differences)
    assert [d.field for d in found.differences] == ["epsilon"]
    assert str(found).startswith(f"Not verified: 1 of {total} fields differ.")
    assert "mean_loss" in found.matches


def test_what_seen_rows_cannot_be_read_from_is_a_difference(
    threshold: Any, rows: np.ndarray
) -> None:
    y = threshold(0.2).predict(rows)
    c = certify(threshold(), rows, y, seen=row_hashes(rows + 1))
    odd = replace(c, settings={**c.settings, "seen": {"rows": "many"}})
    found = verify(odd, threshold(), rows, y)
    assert not found.ok
    assert "no comparison with seen rows can be read from the file" in str(found)


def test_what_old_settings_do_not_say_is_one_candidate_and_rows(threshold: Any, rows: Any) -> None:
    y = threshold().predict(rows)
    y[:12] = np.where(y[:12] == "yes", "no", "yes")
    c = certify(threshold(), rows, y, epsilon=0.05)
    bare = replace(c, settings={})
    assert plan_of(bare) == plan_counts(12, 200, 0.05, 0.05) == plan_of(c)
    assert assumptions_of(bare) == assumptions_of(c)
    assert statement_of(bare) == statement_of(c)


@pytest.mark.parametrize(("rule", "copies", "coincidences", "says"), [
    ("drop", 1, 0, "copies: so said whoever"), ("keep", 0, 1, "own: so said whoever"),
    ("auto", 1, 0, "copies where chance"), ("auto", 0, 1, "own, as happens"), ("drop", 0, 0, ""),
])  # fmt: skip
def test_who_said_what_identical_rows_are(
    rule: str, copies: int, coincidences: int, says: str
) -> None:
    settings = {"duplicates": rule, "copies": copies, "coincidences": coincidences}
    assert says in identity(settings)
    assert bool(identity(settings)) == bool(says)
