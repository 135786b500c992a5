"""Curves from a teacher, end to end."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import limbeck
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.status import StatusCode


def rows(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame({
        "age": rng.integers(18, 80, n).astype(float), "pay": rng.lognormal(3, 0.5, n),
        "job": pd.Categorical(rng.choice(["a", "b", "c"], n)),
    })  # fmt: skip


def teacher(X: pd.DataFrame) -> np.ndarray:
    return 0.1 * (X["age"] > 40) + 0.3 * np.log(X["pay"]) + 0.2 * (X["job"] == "b").astype(float)


def distill(model=teacher, X=None, y=None, **given):
    given = {"queries": 0, "progress": False, "regression": True} | given
    return limbeck.distill(model, rows() if X is None else X, y, into="additive", **given)


def test_an_additive_teacher_is_recovered() -> None:
    result = distill(y=teacher(rows()) + 0.1)
    fresh = rows(seed=1)
    error = result.student.predict(fresh) - teacher(fresh)
    assert 1 - error.var() / teacher(fresh).var() > 0.98
    assert result.student.feature_importances_[1] == max(result.student.feature_importances_)
    assert "control" in str(result)
    assert "greedy tree" in str(result)


def test_pairs_are_needed_where_columns_act_together() -> None:
    def both(X):
        return np.where((X["age"] > 50) & (X["pay"] > 20), 1.0, 0.0)

    alone, paired = distill(both), distill(both, pairs=1)
    assert "pairs=3" in alone.status.remedy
    assert paired.trace["pairs"] == [["age", "pay"]]
    fresh = rows(seed=1)
    assert paired.student.score(fresh, both(fresh)) > 0.9 > alone.student.score(fresh, both(fresh))


def test_three_classes_with_queries_and_class_weights() -> None:
    X, y = load_iris(return_X_y=True, as_frame=True)
    forest = RandomForestClassifier(10, random_state=0).fit(X[::2], y[::2])
    result = limbeck.distill(
        forest, X[1::2], y[1::2], into="additive", queries=2000, class_weight="balanced",
        progress=False,
    )  # fmt: skip
    assert result.student.predict_proba(X).shape == (150, 3)
    assert result.student.score(X, forest.predict(X)) > 0.9
    assert set(result.trace["samplers_tried"]) >= {"munge", "none"}
    assert result.queries <= 2000


def test_sizes_directions_and_forbidden_columns_are_kept() -> None:
    result = distill(max_numbers=12, max_terms=2, monotone={"pay": 1}, forbidden=["job"])
    student = result.student
    assert student.numbers <= 12
    assert student.feature_importances_[2] == 0
    pay = student.terms_.tables[1][: len(student.bins_.edges[1]) + 1]
    assert (np.diff(pay) >= 0).all()


def test_a_sum_of_steps_is_exact() -> None:
    def steps(X):
        return np.where((X["age"] > 40).astype(float) + (X["job"] == "b") > 0.5, "yes", "no")

    result = distill(steps, regression=None, classes=["no", "yes"], epsilon=0.001)
    assert result.status.code in (StatusCode.EXACT, StatusCode.COMPLETE)
    fresh = rows(seed=2)
    assert (result.student.predict(fresh) == steps(fresh)).mean() > 0.97


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"bins": 1}, "bins is 1"),
        ({"min_rows": -1}, "min_rows is -1"),
        ({"queries": -5}, "queries is -5"),
        ({"sampler": "jittr"}, "jittr"),
        ({"query_weight": 1.5}, "query_weight is 1.5"),
        ({"max_numbers": 1}, "max_numbers is 1"),
        ({"monotone": {"aeg": 1}}, "did you mean|Did you mean"),
        ({"forbidden": ["age", "pay", "job"]}, "all 3 columns"),
        ({"pears": 1}, "pears"),
    ],
)
def test_bad_settings_are_refused_before_any_work(given, words) -> None:
    def never(X):
        if len(X) > 2048:  # by so many rows outputs are understood
            raise AssertionError
        return teacher(X)

    with pytest.raises(InvalidInput, match=words):
        distill(never, X=rows(4000), **given)


def test_queries_of_stored_scores_are_refused() -> None:
    with pytest.raises(AccessDenied, match="stored rows only"):
        limbeck.distill((rows(), teacher(rows()).to_numpy()), rows(), into="additive", queries=10,
                        regression=True, progress=False)  # fmt: skip


@pytest.mark.parametrize("value", [False, True])
def test_a_constant_teacher_has_no_curve(value) -> None:
    """Curves of 1e-16 stood for columns that say nothing; missing values and levels among them."""
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"a": rng.normal(size=120), "c": pd.Categorical(rng.choice(list("xy"), 120))})
    X.loc[::7, "a"] = np.nan
    settings = {"regression": True} if value else {"y": np.arange(120) % 2}
    found = limbeck.distill(
        lambda rows: np.full(len(rows), 3.5 if value else 1), X, into="additive", pairs=1,
        queries=100, epsilon=0.2, progress=False, **settings,
    )  # fmt: skip
    assert found.student.numbers == 1
    assert "not used: a, c" in found.student.text()
    assert "urves of 1 number " in found.status.message
