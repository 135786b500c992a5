from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.certificates import (
    betting_bound,
    certify,
    certify_all,
    empirical_bernstein,
    row_hashes,
    smallest_n,
    tolerance_bound,
    upper_bound,
)
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(170, 3))


def labels(threshold: Any, rows: np.ndarray, wrong: int) -> np.ndarray:
    y = threshold().predict(rows)
    y[:wrong] = np.where(y[:wrong] == "yes", "no", "yes")
    return y


def test_disagreement_by_hand(threshold: Any, rows: np.ndarray) -> None:
    found = certify(threshold(), rows, labels(threshold, rows, 4))
    assert found.epsilon == upper_bound(4, 170, 0.05)
    assert found.mean_loss == 4 / 170
    assert (found.n, found.loss, found.asked, found.reached) == (170, "disagreement", None, True)
    assert found.statement == (
        "With probability at least 95% over 170 fresh rows, the student differs from the teacher"
        " on at most 5.31% of inputs drawn like them (4 of 170 differed)."
    )
    assert found.student == threshold().fingerprint()
    assert any("independent draws" in a for a in found.assumptions)
    assert any("word of whoever gave them" in a for a in found.assumptions)


def test_the_percentage_is_never_rounded_down(threshold: Any, rows: np.ndarray) -> None:
    for wrong in range(0, 170, 7):
        found = certify(threshold(), rows, labels(threshold, rows, wrong))
        stated = float(found.statement.split("at most ")[1].split("%")[0]) / 100
        assert found.epsilon <= stated + 1e-12 <= found.epsilon * 1.01 + 1e-12


def test_what_was_asked_for_is_compared(threshold: Any, rows: np.ndarray) -> None:
    y = labels(threshold, rows, 0)
    assert certify(threshold(), rows, y, epsilon=0.05).reached
    short = certify(threshold(), rows, y, epsilon=0.01)
    assert not short.reached
    assert "The 1% that was asked for is not reached" in short.statement
    assert "about 299 rows" in short.statement


@pytest.mark.parametrize("form", ["frame", "rows", "list", "int answers"])
def test_forms_of_rows_and_answers_agree(threshold: Any, rows: np.ndarray, form: str) -> None:
    student, y = threshold(), labels(threshold, rows, 3)
    base = certify(student, rows, y)
    if form == "frame":
        given: Any = pd.DataFrame(rows, columns=["x0", "x1", "x2"], index=np.arange(170) * 7)
        found = certify(student, given, pd.Series(y, index=given.index))
    elif form == "rows":
        found = certify(student, student.features_.rows(rows), y.tolist())
    elif form == "list":
        found = certify(student, rows.tolist(), y.astype(object)[:, None])
    else:
        student.task_ = Task(classes=(0, 1))
        predict = student.predict
        student.predict = lambda X: (predict(X) == "yes").astype(np.int64)
        found = certify(student, rows, (y == "yes").astype(float))
        assert found.mean_loss == base.mean_loss
        return
    assert (found.epsilon, found.rows, found.student) == (base.epsilon, base.rows, base.student)


def test_rows_with_other_columns_are_encoded_anew(threshold: Any) -> None:
    frame = pd.DataFrame({"b": [0.0, 1.0] * 20, "a": [5.0, -5.0] * 20})
    student = threshold(columns=2)
    student.features_ = Features.of(frame[["a", "b"]])
    y = np.array(["yes", "no"] * 20)
    assert certify(student, Features.of(frame).rows(frame), y).mean_loss == 0
    assert certify(student, frame, y).mean_loss == 0


def test_prediction_is_streamed(threshold: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    rows = np.random.default_rng(0).normal(size=(70_000, 3))
    student = threshold()
    predict = student.predict
    student.predict = lambda X: sizes.append(len(X)) or predict(X)
    found = certify(student, rows, threshold(0.001).predict(rows))
    assert sizes == [65_536, 4_464]
    errors = int(((rows[:, 0] > 0) != (rows[:, 0] > 0.001)).sum())
    assert found.epsilon == upper_bound(errors, 70_000, 0.05)


def test_tolerance_is_found(scale: Any, rows: np.ndarray) -> None:
    y = rows[:, 0] + np.random.default_rng(1).normal(size=170)
    found = certify(scale(), rows, y, epsilon=0.1)
    t, beyond = tolerance_bound(np.abs(rows[:, 0] - y), 0.1, 0.05)
    assert (found.tolerance, found.epsilon, found.loss) == (t, 0.1, "exceeds")
    assert found.mean_loss == beyond / 170
    assert "kPa of the teacher on at least 90% of inputs" in found.statement
    assert certify(scale(), rows, y).epsilon == 0.05


def test_a_tolerance_fixed_beforehand_is_counted(scale: Any, rows: np.ndarray) -> None:
    y = rows[:, 0] + 1.0
    y[:5] += 2.0
    found = certify(scale(), rows, y, tolerance=1.5)
    assert found.epsilon == upper_bound(5, 170, 0.05)
    assert found.tolerance == 1.5


def test_bounded_losses(scale: Any, rows: np.ndarray) -> None:
    y = rows[:, 0] + np.random.default_rng(1).uniform(-1, 1, size=170)
    error = np.abs(rows[:, 0] - y)
    absolute = certify(scale(), rows, y, loss="absolute", loss_range=(0, 2))
    assert absolute.epsilon == betting_bound(error, 0.05, 0, 2)
    assert "betting" in absolute.bound
    squared = certify(
        scale(), rows, y, loss="squared", loss_range=(0, 4), bound="empirical-bernstein"
    )
    assert squared.epsilon == empirical_bernstein(error**2, 0.05, 0, 4)
    assert "never leaves [0, 4]" in " ".join(squared.assumptions)
    asked = certify(scale(), rows, y, loss="absolute", loss_range=(0, 2), epsilon=0.4)
    assert not asked.reached


def test_own_loss(threshold: Any, rows: np.ndarray) -> None:
    def costly(predicted: np.ndarray, answers: np.ndarray) -> np.ndarray:
        return np.where(predicted == answers, 0.0, np.where(answers == "yes", 1.0, 0.2))

    y = labels(threshold, rows, 10)
    found = certify(threshold(), rows, y, loss=costly, loss_range=(0, 1))
    each = costly(threshold().predict(rows), y)
    assert found.epsilon == betting_bound(each, 0.05)
    assert found.loss == "costly"
    with pytest.raises(InvalidInput, match="returned shape"):
        certify(threshold(), rows, y, loss=lambda p, a: 0.5, loss_range=(0, 1))


def test_candidates_share_delta(threshold: Any, rows: np.ndarray) -> None:
    students = [threshold(t) for t in (0.0, 0.05, 0.1)]
    found = certify_all(students, rows, labels(threshold, rows, 0), delta=0.06)
    assert found[0].epsilon == upper_bound(0, 170, 0.02)
    assert all(c.delta == 0.06 and "all 3 candidates at once" in c.statement for c in found)
    assert len({c.student for c in found}) == 3
    with pytest.raises(InvalidInput, match="no student"):
        certify_all([], rows, labels(threshold, rows, 0))


def test_groups_share_a_delta_of_their_own(threshold: Any, rows: np.ndarray) -> None:
    y = labels(threshold, rows, 6)
    groups = np.where(np.arange(170) < 40, "left", "right")
    found = certify(threshold(), rows, y, groups=groups)
    assert found.epsilon == certify(threshold(), rows, y).epsilon
    left, right = found.groups
    assert (left.group, left.n, left.delta) == ("left", 40, 0.025)
    assert left.epsilon == upper_bound(6, 40, 0.025)
    assert right.epsilon == upper_bound(0, 130, 0.025)
    assert any("2 groups hold all at once" in a for a in found.assumptions)


def test_group_bounds_hold_although_the_tolerance_was_found(scale: Any) -> None:
    rng = np.random.default_rng(0)
    student, false = scale(), 0
    groups = np.arange(120) % 2
    for _ in range(200):
        rows = rng.normal(size=(120, 3))
        size = rng.uniform(0, np.where(groups == 0, 1.0, 1.2))
        found = certify(student, rows, rows[:, 0] + size, epsilon=0.2, delta=0.2, groups=groups)
        beyond = 1 - np.minimum(found.tolerance or 0.0, [1.0, 1.2]) / [1.0, 1.2]
        false += any(b > g.epsilon for b, g in zip(beyond, found.groups, strict=True))
    assert false / 200 <= 0.2


def test_false_certificates_end_to_end(threshold: Any) -> None:
    """The teacher's threshold is such that the student is wrong on 10% of inputs."""
    rng = np.random.default_rng(5)
    student, teacher = threshold(0.5, columns=1), threshold(0.6, columns=1)
    false = 0
    for _ in range(200):
        rows = rng.random((60, 1))
        false += certify(student, rows, teacher.predict(rows), delta=0.1).epsilon < 0.1
    assert false / 200 <= 0.1 + 3 * math.sqrt(0.1 * 0.9 / 200)


def test_rows_that_training_saw_are_refused(threshold: Any, rows: np.ndarray) -> None:
    y = labels(threshold, rows, 0)
    with pytest.raises(InvalidInput, match="Training saw 20 of these 170 rows"):
        certify(threshold(), rows, y, seen=row_hashes(rows[:20]))
    student = threshold()
    student.predict = None  # refused before the student is asked
    with pytest.raises(InvalidInput, match="Training saw"):
        certify(student, rows, y, seen=row_hashes(rows))
    fresh = certify(threshold(), rows, y, seen=row_hashes(rows + 1))
    assert any("compared with the 170 rows" in a for a in fresh.assumptions)


def test_tiny_holdouts_are_refused_and_told_how_many(threshold: Any, rows: np.ndarray) -> None:
    y = labels(threshold, rows, 0)
    with pytest.raises(InvalidInput, match=f"There are 9 rows.* give {smallest_n(0.01, 0.05)}"):
        certify(threshold(), rows[:9], y[:9], epsilon=0.01)
    with pytest.raises(InvalidInput, match=r"There are 0 rows.* give 59"):
        certify(threshold(), rows[:0], y[:0])
    assert certify(threshold(), rows[:10], y[:10]).epsilon < 0.26


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"delta": 0.0}, "delta is 0"),
        ({"delta": math.nan}, "delta is nan"),
        ({"epsilon": 1.0}, "epsilon is 1"),
        ({"epsilon": -0.1}, "epsilon is -0.1"),
        ({"candidates": 0}, "candidates is 0"),
        ({"loss": "disagrement"}, "Did you mean 'disagreement'"),
        ({"loss": "absolute", "loss_range": (0, 1)}, "answers with classes"),
        ({"loss_range": (0, 1)}, "Leave loss_range out"),
        ({"tolerance": 0.1}, "tolerance=0.1"),
        ({"bound": "beting"}, "Did you mean 'betting'"),
        ({"groups": ["a"] * 3}, r"groups have shape \(3,\) for 170 rows"),
        ({"loss": lambda p, a: p == a}, "has no range"),
        ({"until": 0.1}, "until and draws go together"),
        ({"draws": iter(())}, "until and draws go together"),
    ],
)
def test_settings_are_refused(
    threshold: Any, rows: np.ndarray, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        certify(threshold(), rows, labels(threshold, rows, 0), **settings)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"loss": "disagreement"}, "needs classes"),
        ({"loss": "squared"}, "has no range"),
        ({"loss": "squared", "loss_range": (1, 0)}, "lower one first"),
        ({"loss": "squared", "loss_range": (0, 1)}, "outside the range"),
        ({"loss": "absolute", "loss_range": (0, 9), "epsilon": 9.5}, "epsilon is 9.5"),
        ({"tolerance": -1.0}, "tolerance is -1"),
        ({"epsilon": 0.001}, "at least 2995 fresh rows"),
    ],
)
def test_settings_for_regression_are_refused(
    scale: Any, rows: np.ndarray, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        certify(scale(), rows, rows[:, 0] + 3.0, **settings)


def test_answers_are_refused(threshold: Any, scale: Any, rows: np.ndarray) -> None:
    y = labels(threshold, rows, 0)
    with pytest.raises(InvalidInput, match="169 answers for 170 rows"):
        certify(threshold(), rows, y[1:])
    with pytest.raises(InvalidInput, match=r"row 3 is 'yess' \(str\).*Did you mean 'yes'"):
        certify(threshold(), rows, [*y[:3], "yess", *y[4:]])
    for missing in (None, math.nan, pd.NA):
        with pytest.raises(InvalidInput, match="answer to row 3 is missing"):
            certify(threshold(), rows, [*y[:3], missing, *y[4:]])
    values = rows[:, 0].copy()
    values[5] = np.nan
    with pytest.raises(InvalidInput, match="answer to row 5 is missing"):
        certify(scale(), rows, values)
    with pytest.raises(InvalidInput, match="not numbers"):
        certify(scale(), rows, y)
    with pytest.raises(InvalidInput, match="no rows or no answers"):
        certify(scale(), rows)
    with pytest.raises(InvalidInput, match="shape"):
        certify(scale(), rows, rows)


def test_predictions_that_cannot_be_judged(threshold: Any, scale: Any, rows: np.ndarray) -> None:
    student = threshold()
    student.predict = lambda X: np.full(len(X), "perhaps")
    assert certify(student, rows, labels(threshold, rows, 0)).mean_loss == 1.0
    numbers = scale(factor=math.nan)
    with pytest.raises(InvalidInput, match="predictions hold nan in row 0"):
        certify(numbers, rows, rows[:, 0])
    numbers.predict = lambda X: np.zeros(3)
    with pytest.raises(InvalidInput, match="3 predictions for 170 rows"):
        certify(numbers, rows, rows[:, 0])


def test_settings_and_versions_are_recorded(threshold: Any, rows: np.ndarray) -> None:
    found = certify(threshold(), rows, labels(threshold, rows, 0), candidates=2)
    assert found.settings["level"] == 0.025
    assert found.settings["versions"]["numpy"] == np.__version__
