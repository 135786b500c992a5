"""Rows without a label teach the student, and nothing is measured on a label they lack."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

import limbeck
from limbeck.core.errors import InvalidInput
from limbeck.data.labels import is_missing
from limbeck.methods.search_and_stitch.method import SearchAndStitch

X = np.random.default_rng(0).normal(size=(600, 3))
Y = (X[:, 0] + X[:, 1] + np.random.default_rng(1).normal(size=600) > 0).astype(int)
ABSENT = np.random.default_rng(2).random(600) < 0.3
TEACHER = LogisticRegression().fit(X, Y)
QUICK: dict[str, Any] = {"queries": 0, "max_leaves": 4}


def marked(y: Any, mark: int) -> Any:
    return np.where(ABSENT, mark, y)


@pytest.fixture(scope="module")
def result() -> Any:
    return limbeck.distill(TEACHER, X, marked(Y, -1), **QUICK)


def test_the_columns_of_the_labels_leave_them_out(result: Any) -> None:
    held = result.holdout
    known = held.y >= 0
    assert 0 < known.sum() < len(known) == 180
    teacher = next(e for e in result.comparison.entries if e.role == "teacher")
    assert teacher.accuracy.value == (held.answers[known] == held.y[known]).mean()
    student = next(e for e in result.comparison.entries if e.role == "student")
    said = result.student.predict(held.rows)
    assert student.accuracy.value == (said[known] == held.y[known]).mean()
    assert student.agreement.value == (said == held.answers).mean()
    assert result.certificate.n == 180
    assert any(f"{ABSENT.sum()} of 600 rows have no label" in note for note in result.notes)


def test_the_student_is_the_one_that_all_labels_would_give(result: Any) -> None:
    whole = limbeck.distill(TEACHER, X, Y, **QUICK)
    assert result.student.to_dict() == whole.student.to_dict()
    assert [e.model for e in result.comparison.entries] == [
        e.model for e in whole.comparison.entries
    ]


def test_the_control_learns_from_the_rows_with_a_label(result: Any) -> None:
    seen: list[int] = []

    class Watched(SearchAndStitch):
        def learn(self, rows: Any, y: Any, *args: Any, **named: Any) -> Any:
            seen.extend([len(rows), len(y), int(y.min())])
            return super().learn(rows, y, *args, **named)

    watched = Watched(queries=0, max_leaves=4, epsilon=0.05)
    again = limbeck.distill(TEACHER, X, marked(Y, -1), into=watched)
    assert again.comparison == result.comparison
    assert seen == [int((~ABSENT).sum() - (result.holdout.y >= 0).sum())] * 2 + [0]


def test_both_marks_and_names_say_the_same(result: Any, tmp_path: Any) -> None:
    others = limbeck.distill(TEACHER, X, marked(Y, -100), **QUICK)
    assert others.comparison == result.comparison
    missing = limbeck.distill(TEACHER, X, np.where(ABSENT, np.nan, Y), **QUICK)
    assert missing.comparison == result.comparison
    names = np.array(["no", "yes"])
    named = LogisticRegression().fit(X, names[Y])
    y = np.array([names[v] if v >= 0 else -1 for v in marked(Y, -1)], dtype=object)
    found = limbeck.distill(named, X, y, **QUICK)
    assert [e.accuracy for e in found.comparison.entries] == [
        e.accuracy for e in result.comparison.entries
    ]
    loaded = limbeck.load(found.save(tmp_path / "run"))
    assert is_missing(loaded.holdout.y).sum() == (result.holdout.y < 0).sum()


@pytest.mark.parametrize(
    "more",
    [
        {"class_weight": "balanced"},
        {"sample_weight": np.linspace(1, 2, 600)},
        {"cases": np.arange(600) // 2},
        {"into": "junta", "max_leaves": None, "queries": None},
        {"holdout": (X[:200] + 1e-3, marked(Y, -1)[:200])},
    ],
)
def test_with_everything_else_that_rows_may_have(more: dict[str, Any]) -> None:
    settings = {k: v for k, v in {**QUICK, **more}.items() if v is not None}
    found = limbeck.distill(TEACHER, X, marked(Y, -1), **settings)
    assert any("have no label" in note for note in found.notes)
    held = found.holdout
    known = held.y >= 0
    teacher = next(e for e in found.comparison.entries if e.role == "teacher")
    if "cases" in more:
        case = held.cases[known]
        right = [(held.answers == held.y)[known][case == c].mean() for c in np.unique(case)]
        assert teacher.accuracy.value == pytest.approx(np.mean(right))
    else:
        assert teacher.accuracy.value == (held.answers[known] == held.y[known]).mean()


def test_what_is_ambiguous_is_refused() -> None:
    with pytest.raises(InvalidInput, match="Labels are -1, 1, for 2 classes: -1 may be a class"):
        limbeck.distill(TEACHER, X, 2 * Y - 1, **QUICK)
    turned = LogisticRegression().fit(X, 2 * Y - 1)
    assert not limbeck.distill(turned, X, 2 * Y - 1, **QUICK).notes  # two classes, both known
    with pytest.raises(InvalidInput, match="Of 420 rows left to train the control, 0 have a label"):
        limbeck.distill(TEACHER, X, np.full(600, -1), **QUICK)
