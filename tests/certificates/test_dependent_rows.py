"""Certificates of rows that are copies of each other, or belong to cases."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.certificates import (
    betting_bound,
    certify,
    load,
    row_hashes,
    save,
    tolerance_bound,
    upper_bound,
    verify,
)
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.data.cases import case_hashes


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(111, 3))


# --- copies ---------------------------------------------------------------------------------


def test_rows_written_twenty_times_are_as_many_rows_as_before(
    threshold: Any, rows: np.ndarray
) -> None:
    teacher = threshold(0.2)
    once = certify(threshold(), rows, teacher.predict(rows))
    many = np.repeat(rows, 20, axis=0)
    found = certify(threshold(), many, teacher.predict(many))
    assert (found.n, found.epsilon, found.mean_loss) == (111, once.epsilon, once.mean_loss)
    assert "over 111 fresh rows" in found.statement
    assert "Copies of these rows were left out: 2,109." in found.statement
    assert any("about different rows" in a for a in found.assumptions)
    kept = certify(threshold(), many, teacher.predict(many), duplicates="keep")
    assert kept.n == 2220
    assert "Rows identical to others, counted as draws of their own: 2,109." in kept.statement
    assert any('duplicates="keep"' in a for a in kept.assumptions)


def test_copies_may_differ_by_the_rounding_of_float32(threshold: Any, rows: np.ndarray) -> None:
    many = np.concatenate([rows, rows.astype(np.float32), rows * (1 + 1e-12)])
    assert certify(threshold(), many, threshold().predict(many)).n == 111


def test_copies_that_the_teacher_tells_apart_count_as_the_worse(
    threshold: Any, rows: np.ndarray
) -> None:
    y = threshold().predict(rows)
    other = np.where(y == "yes", "no", "yes")
    found = certify(threshold(), np.concatenate([rows, rows]), np.concatenate([y, other]))
    assert (found.n, found.mean_loss) == (111, 1.0)


def test_coincidences_of_discrete_rows_count(threshold: Any) -> None:
    rows = np.random.default_rng(0).integers(-2, 3, size=(300, 3)).astype(float)
    found = certify(threshold(), rows, threshold(0.5).predict(rows))
    same = 300 - len(np.unique(rows, axis=0))
    assert found.n == 300
    assert f"counted as draws of their own: {same}." in found.statement
    dropped = certify(threshold(), rows, threshold(0.5).predict(rows), duplicates="drop")
    assert dropped.n == 300 - same


def test_copies_of_too_few_rows_are_refused(threshold: Any, rows: np.ndarray) -> None:
    many = np.repeat(rows[:9], 20, axis=0)
    with pytest.raises(InvalidInput, match="9 different rows of 180, which are copies"):
        certify(threshold(), many, threshold().predict(many))


def test_groups_count_copies_once_each(threshold: Any, rows: np.ndarray) -> None:
    many = np.repeat(rows, 3, axis=0)
    groups = np.where(many[:, 1] > 0, "up", "down")
    found = certify(threshold(), many, threshold(0.2).predict(many), groups=groups)
    assert {g.group: g.n for g in found.groups} == {
        "up": int((rows[:, 1] > 0).sum()),
        "down": int((rows[:, 1] <= 0).sum()),
    }


@pytest.mark.parametrize("change", ["float32", "larger", "smaller", "as it is"])
def test_training_rows_are_known_whatever_their_precision(
    threshold: Any, rows: np.ndarray, change: str
) -> None:
    altered = {
        "float32": rows.astype(np.float32),
        "larger": rows * (1 + 1e-12),
        "smaller": rows * (1 - 1e-12),
        "as it is": rows,
    }[change]
    with pytest.raises(InvalidInput, match="Training saw 111 of these 111 rows"):
        certify(threshold(), altered, threshold().predict(altered), seen=row_hashes(rows))


def test_copies_in_training_excuse_no_leak(threshold: Any, rows: np.ndarray) -> None:
    """The training rows repeat themselves, which would explain coincidence in discrete rows."""
    fresh = np.random.default_rng(1).normal(size=(100, 3))
    mixed = np.concatenate([fresh, rows[:5]])
    seen = row_hashes(np.repeat(rows, 10, axis=0))
    with pytest.raises(InvalidInput, match="Training saw 5 of these 105 rows"):
        certify(threshold(), mixed, threshold().predict(mixed), seen=seen)


# --- cases ----------------------------------------------------------------------------------


def panel(seed: int = 0, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    case = np.repeat(np.arange(n), rng.integers(1, 9, n))
    return rng.normal(size=(n, 3))[case] + 0.2 * rng.normal(size=(len(case), 3)), case


def test_cases_by_hand(threshold: Any) -> None:
    rows, case = panel()
    wrong = (rows[:, 0] > 0) != (rows[:, 0] > 0.4)
    means = np.array([wrong[case == c].mean() for c in range(60)])
    found = certify(threshold(), rows, threshold(0.4).predict(rows), cases=case, epsilon=0.05)
    assert found.n == 60
    assert found.mean_loss == pytest.approx(means.mean())
    assert found.epsilon == pytest.approx(betting_bound(means, 0.05))
    assert f"over 60 fresh cases with {len(rows)} rows" in found.statement
    assert "each case counted alike" in found.statement
    assert any("cases are independent draws" in a for a in found.assumptions)
    assert any("cases stand in the order" in a for a in found.assumptions)
    frame = pd.DataFrame(rows, columns=["x0", "x1", "x2"]).assign(patient=[f"p{c}" for c in case])
    by_name = certify(
        threshold(), frame, threshold(0.4).predict(rows), cases="patient", epsilon=0.05
    )
    assert by_name.epsilon == found.epsilon


def test_groups_of_cases(threshold: Any) -> None:
    rows, case = panel()
    up = rows[:, 1] > 0
    found = certify(threshold(), rows, threshold(0.4).predict(rows), cases=case, groups=up)
    wrong = (rows[:, 0] > 0) != (rows[:, 0] > 0.4)
    for bound in found.groups:
        own = up == (bound.group == "True")
        order = list(dict.fromkeys(case[own]))
        means = np.array([wrong[own & (case == c)].mean() for c in order])
        assert bound.n == len(order)
        assert bound.epsilon == pytest.approx(betting_bound(means, 0.025))


def test_a_fixed_tolerance_is_a_share_for_each_case(scale: Any) -> None:
    rows, case = panel()
    y = rows[:, 0] + 0.3 * rows[:, 1]
    found = certify(scale(), rows, y, cases=case, tolerance=0.2)
    over = np.abs(rows[:, 0] - y) > 0.2
    means = np.array([over[case == c].mean() for c in range(60)])
    assert found.epsilon == pytest.approx(betting_bound(means, 0.05))
    assert "within 0.2 kPa" in found.statement


def test_a_tolerance_is_found_from_one_row_of_each_case(scale: Any) -> None:
    rows, case = panel()
    errors = 0.3 * np.abs(rows[:, 1])
    found = certify(scale(), rows, rows[:, 0] + 0.3 * rows[:, 1], cases=case, epsilon=0.1)
    assert (found.n, found.epsilon) == (60, 0.1)
    drawn, k = tolerance_bound(np.zeros(60), 0.1, 0.05)
    assert drawn == 0
    assert np.isclose(errors, found.tolerance).any()
    assert found.mean_loss == pytest.approx(k / 60)


def test_single_rows_as_cases_are_bounded_without_the_binomial(threshold: Any) -> None:
    rows, _ = panel()
    n = len(rows)
    found = certify(threshold(), rows, threshold().predict(rows), cases=np.arange(n))
    assert found.n == n
    assert found.epsilon == pytest.approx(betting_bound(np.zeros(n), 0.05))
    assert found.epsilon > upper_bound(0, n, 0.05)


def test_cases_that_share_a_row_are_no_two_draws(threshold: Any) -> None:
    rows, case = panel()
    other = 59
    again = np.concatenate([rows, rows[case == 0][:1]])
    found = certify(threshold(), again, threshold().predict(again), cases=np.append(case, other))
    assert found.n == 59
    assert "1 joined others" in found.statement


def test_seen_cases_are_refused(threshold: Any) -> None:
    rows, case = panel()
    other, others = panel(1)
    y = threshold().predict(rows)
    seen = np.stack([row_hashes(other), case_hashes(others + 1000)], axis=1)
    found = certify(threshold(), rows, y, cases=case, seen=seen)
    assert "None of their cases is among the 60 cases" in found.assumptions[2]
    seen = np.stack([row_hashes(other), case_hashes(others + 50)], axis=1)
    with pytest.raises(InvalidInput, match="Training saw 10 of these 60 cases"):
        certify(threshold(), rows, y, cases=case, seen=seen)


def test_until_goes_by_cases(threshold: Any) -> None:
    rows, case = panel(n=900)
    y = threshold(0.05).predict(rows)
    frame = pd.DataFrame(rows, columns=["x0", "x1", "x2"]).assign(patient=case)
    ends = np.flatnonzero(np.diff(case // 20, prepend=-1))
    parts = [frame.iloc[a:b] for a, b in zip(ends, [*ends[1:], len(rows)], strict=True)]
    draws = ((p, y[p.index]) for p in parts)
    found = certify(threshold(), draws=draws, until=0.1, cases="patient")
    assert found.reached
    used = found.settings["rows"]
    assert (case[used - 1], case[used]) == (found.n - 1, found.n)  # a whole case ends it
    assert f"after {found.n} cases with {used:,} rows" in found.statement
    triples = ((p[["x0", "x1", "x2"]], y[p.index], p["patient"]) for p in parts)
    assert certify(threshold(), draws=triples, until=0.1).epsilon == found.epsilon
    assert verify(found, threshold(), frame, y, cases="patient").ok
    with pytest.raises(InvalidInput, match="goes by cases"):
        verify(found, threshold(), frame, y)


def test_a_case_in_two_batches_is_refused(threshold: Any) -> None:
    rows, case = panel()
    y = threshold().predict(rows)
    halves = [(rows[:30], y[:30], case[:30]), (rows[30:], y[30:], case[30:])]
    assert case[29] == case[30]
    with pytest.raises(InvalidInput, match="goes on in another batch"):
        certify(threshold(), draws=iter(halves), until=0.001)


def test_draws_that_repeat_themselves_are_refused(threshold: Any, rows: np.ndarray) -> None:
    y = threshold().predict(rows)
    draws = [(rows, y)] * 20
    with pytest.raises(InvalidInput, match="copy others: these draws are not independent"):
        certify(threshold(), draws=iter(draws), until=0.01)
    assert certify(threshold(), draws=iter(draws), until=0.01, duplicates="keep").reached


# --- verification ---------------------------------------------------------------------------


def test_a_rewritten_freshness_sentence_does_not_verify(
    threshold: Any, rows: np.ndarray, tmp_path: Path
) -> None:
    y = threshold(0.2).predict(rows)
    path = save(certify(threshold(), rows, y), tmp_path / "certificate.json")
    record = json.loads(path.read_text())
    sure = "The rows were compared with the 9,000 rows that training saw: 0 of 111 coincide."
    record["certificate"]["assumptions"][2] = sure
    path.write_text(json.dumps(record))
    assert sure not in load(path).assumptions  # sentences are made from the numbers
    found = verify(path, threshold(), rows, y)
    assert {d.field for d in found.differences} == {"assumptions"}
    # with numbers that say so it is the word of whoever wrote them, and is called that
    record["certificate"]["settings"]["seen"] = {
        "rows": 9000, "hits": 0, "of": 111, "cases": None, "list": "0" * 64,
    }  # fmt: skip
    path.write_text(json.dumps(record))
    found = verify(path, threshold(), rows, y)
    assert found.ok
    assert any("freshness is the word of whoever issued it" in s for s in found.unchecked)
    assert "Not checked:" in str(found)
    record["certificate"]["settings"]["seen"] = "all of them"
    path.write_text(json.dumps(record))
    with pytest.raises(FileRefused, match="seen is 'all of them'"):
        verify(path, threshold(), rows, y)


def test_the_list_of_seen_rows_is_compared(threshold: Any, rows: np.ndarray) -> None:
    y = threshold(0.2).predict(rows)
    seen = row_hashes(rows + 1)
    certificate = certify(threshold(), rows, y, seen=seen)
    found = verify(certificate, threshold(), rows, y, seen=seen[::-1])  # in any order
    assert found.ok
    assert "settings['seen']" in found.matches
    assert not any("freshness" in s for s in found.unchecked)
    other = verify(certificate, threshold(), rows, y, seen=seen[1:])
    assert other.ok
    assert "another list" in other.notes[-1]
    lying = {**certificate.settings["seen"], "hits": 3}
    altered = replace(certificate, settings={**certificate.settings, "seen": lying})
    differ = verify(altered, threshold(), rows, y, seen=seen)
    assert "settings['seen']" in {d.field for d in differ.differences}


def test_copies_and_cases_are_recomputed(threshold: Any, rows: np.ndarray) -> None:
    many = np.repeat(rows, 20, axis=0)
    y = threshold(0.2).predict(many)
    kept = certify(threshold(), many, y, duplicates="keep")
    found = verify(kept, threshold(), many, y)
    assert any("identical rows are draws of their own" in s for s in found.unchecked)
    # who hides that it was said so is found out
    hidden = replace(kept, settings={**kept.settings, "duplicates": "auto"})
    assert {"n", "epsilon"} <= {d.field for d in verify(hidden, threshold(), many, y).differences}
    panel_rows, case = panel()
    y = threshold(0.4).predict(panel_rows)
    certificate = certify(threshold(), panel_rows, y, cases=case)
    assert verify(certificate, threshold(), panel_rows, y, cases=case * 7).ok  # names are no matter
    other = verify(certificate, threshold(), panel_rows, y, cases=case // 2)
    assert {"n", "settings['ordered_rows']"} <= {d.field for d in other.differences}


def test_the_order_matters_only_where_the_bound_depends_on_it(
    threshold: Any, scale: Any, rows: np.ndarray
) -> None:
    y = threshold(0.2).predict(rows)
    counted = certify(threshold(), rows, y)
    assert verify(counted, threshold(), rows[::-1].astype(np.float32), y[::-1]).ok
    z = rows[:, 0] + np.random.default_rng(0).uniform(-1, 1, 111)
    betting = certify(scale(), rows, z, loss="absolute", loss_range=(0, 2))
    turned = verify(betting, scale(), rows[::-1], z[::-1])
    assert "settings['ordered_rows']" in {d.field for d in turned.differences}
    assert "rows" in turned.matches
    assert "in another order" in str(turned)
    assert any("order in which they were drawn" in s for s in turned.unchecked)
