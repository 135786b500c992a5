from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.progress import quiet
from limbeck.methods.columns_first import ColumnsFirst, OnColumns
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.teachers import CallableTeacher, StoredScores


def planted(X: Any) -> Any:
    """A tree of depth 3 with 6 leaves over 5 of the columns."""
    a, b, c, d, e = (np.asarray(X)[:, j] > 0 for j in (3, 71, 140, 222, 299))
    return np.where(a, np.where(b, c, ~c), d & e).astype(int)


def signs(n: int, seed: int, d: int = 300) -> Any:
    return np.random.default_rng(seed).choice([-1.0, 1.0], size=(n, d))


def distil(function: Any, X: Any, seed: int = 0, classes: Any = (0, 1), **settings: Any) -> Any:
    asked = []

    def counted(X: Any) -> Any:
        asked.append(len(X))
        return function(X)

    teacher = CallableTeacher(counted, classes=classes)
    rng = np.random.default_rng(seed)
    found = ColumnsFirst(**settings).distill(teacher, Features.of(X).rows(X), rng, quiet)
    return found, sum(asked)


@pytest.mark.parametrize("seed", range(3))
def test_a_tree_over_few_of_many_columns_is_found_with_few_questions(seed: int) -> None:
    X, fresh = signs(100, seed), signs(5000, 99)
    found, asked = distil(planted, X, seed, queries=1000)
    assert set(found.trace["columns"]) == {"x3", "x71", "x140", "x222", "x299"}
    assert (found.student.predict(fresh) == planted(fresh)).all()
    assert found.student.features_ == Features.of(X)
    assert found.queries <= 1000
    assert found.trace["questions_for_columns"] < 500
    assert asked <= found.queries + 2 * len(X)  # own rows are answered for both steps
    assert {t.features_ for t in (*found.frontier, *found.rivals.values())} == {Features.of(X)}


def test_a_column_that_matters_and_is_forbidden_is_found_and_not_used() -> None:
    X = signs(100, 0)
    found, _ = distil(planted, X, queries=600, max_leaves=6, forbidden=["x3", "x71"])
    assert "x3" in found.trace["columns"]
    for student in (found.student, *found.frontier):
        asked = set(student.nodes_.feature.tolist()) - {-1}
        assert asked <= {140, 222, 299}
    assert found.student.size > 1


def test_where_more_columns_matter_all_are_searched() -> None:
    X = signs(60, 0, 8)
    found, _ = distil(
        lambda X: (X.sum(axis=1) > 0).astype(int), X, max_columns=3, max_leaves=4, queries=300
    )
    assert found.trace["columns"] is None
    assert found.trace["columns_found"] == 4
    assert found.queries <= 300


def test_a_teacher_without_columns_is_a_leaf() -> None:
    found, _ = distil(lambda X: np.ones(len(X), dtype=int), signs(50, 0, 5), queries=1000)
    assert found.student.size == 1
    assert found.trace["columns"] == []


def test_numbers_categories_and_gaps_are_asked_about_as_they_are() -> None:
    rng = np.random.default_rng(0)
    X = pd.DataFrame({f"n{i}": rng.normal(size=150) for i in range(10)})
    X["colour"] = pd.Categorical(rng.choice(["red", "green"], 150))
    X["gap"] = np.where(rng.random(150) < 0.3, np.nan, 1.0)

    def value(X: pd.DataFrame) -> Any:
        assert list(X.columns[-2:]) == ["colour", "gap"]
        return X["gap"].isna() * 2.0 + np.where(X["colour"] == "red", X["n4"] > 0.3, 0) * 1.0

    found, _ = distil(value, X, classes=None, queries=900, max_leaves=6)
    assert set(found.trace["columns"]) == {"gap", "colour", "n4"}
    assert np.mean((found.student.predict(X) - value(X)) ** 2) < 0.05


def test_own_rows_are_asked_about_as_they_are() -> None:
    X = signs(40, 0, 20)
    rows = Features.of(X).rows(X)
    seen = []
    teacher = CallableTeacher(lambda X: seen.append(X) or (X[:, 0] > 0).astype(int), classes=(0, 1))
    lent = OnColumns(teacher, rows, range(20), np.random.default_rng(0))
    lent.scores(X)
    np.testing.assert_array_equal(seen[-1], X)
    few = OnColumns(teacher, rows, [0], np.random.default_rng(0))
    few.scores(X[:, [0]])
    np.testing.assert_array_equal(seen[-1][:, 0], X[:, 0])
    assert (seen[-1][:, None] == X[None]).all(axis=2).any(axis=1).all()
    assert few.access == Access.SCORES | Access.QUERIES
    with pytest.raises(AccessDenied, match="without activations"):
        few.activations(X, ["a"])


def test_the_control_is_a_tree_of_the_same_limits_from_labels() -> None:
    X = signs(400, 0, 50)
    y = ((X[:, 7] > 0) & (X[:, 9] > 0)).astype(int)
    task = CallableTeacher(lambda X: X, classes=(0, 1)).task
    tree = ColumnsFirst(max_leaves=4).learn(
        Features.of(X).rows(X), y, task, np.random.default_rng(0)
    )
    assert tree.size == 3
    assert (tree.predict(X) == y).all()


def test_what_it_cannot_do_is_refused() -> None:
    for settings in ({"delta": 0.0}, {"max_columns": 0}, {"sampler": object()}):
        with pytest.raises(InvalidInput):
            ColumnsFirst(**settings)
    X = signs(20, 0, 3)
    stored = StoredScores(X, (X[:, 0] > 0).astype(int))
    with pytest.raises(AccessDenied):
        ColumnsFirst().distill(stored, Features.of(X).rows(X), np.random.default_rng(0), quiet)


def test_it_is_a_method_beside_the_default() -> None:
    assert not ColumnsFirst.default
    assert SearchAndStitch.default
    assert ColumnsFirst.into == "tree"
