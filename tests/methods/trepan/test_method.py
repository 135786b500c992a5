from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

import limbeck
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.methods.trepan.method import Trepan, TrepanTree
from limbeck.students.m_of_n.m_of_n_tree import MOfNTree
from limbeck.students.tree.tree import Tree


def counting(m: int, n: int):
    return lambda X: (np.asarray(X)[:, :n].sum(axis=1) >= m).astype(int)


@pytest.mark.parametrize(
    ("m", "n", "d"), [(2, 3, 6), (3, 5, 10), (2, 4, 8), (4, 7, 12), (5, 9, 12)]
)
def test_an_m_of_n_teacher_is_recovered_exactly(m, n, d):
    rng = np.random.default_rng(m)
    X = rng.integers(0, 2, (150, d)).astype(float)
    result = limbeck.distill(counting(m, n), X, into="m_of_n", method="trepan", classes=[0, 1],
                             max_leaves=4)  # fmt: skip
    test = result.student.tests_[0]
    assert result.student.size == 2
    assert (test.m, len(test.literals)) == (m, n)
    everything = np.array(list(itertools.product([0.0, 1.0], repeat=d)))
    assert (result.student.predict(everything) == counting(m, n)(everything)).all()


def test_an_m_of_n_teacher_on_numbers():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 6))
    edges = np.array([0.0, 0.5, -0.5, 0.2])

    def teacher(Z):
        return ((np.asarray(Z)[:, :4] > edges).sum(axis=1) >= 2).astype(int)

    result = limbeck.distill(teacher, X, into="m_of_n", classes=[0, 1], leaves=3)
    test = result.student.tests_[0]
    assert (test.m, [c.columns[0] for c in test.literals]) == (2, [0, 1, 2, 3])
    limits = [c.conditions[0].low for c in test.literals]
    assert limits == pytest.approx(edges, abs=0.1)


def monk(number: int) -> tuple[pd.DataFrame, np.ndarray]:
    """The MONK's problems on all 432 rows, without noise (Thrun and others 1991)."""
    a = np.array(list(itertools.product(*(range(1, k + 1) for k in (3, 3, 2, 3, 4, 2)))))
    y = {
        1: (a[:, 0] == a[:, 1]) | (a[:, 4] == 1),
        2: (a == 1).sum(axis=1) == 2,
        3: ((a[:, 4] == 3) & (a[:, 3] == 1)) | ((a[:, 4] != 4) & (a[:, 1] != 3)),
    }[number]
    return pd.DataFrame({f"a{i + 1}": pd.Categorical(a[:, i].astype(str)) for i in range(6)}), y


@pytest.mark.parametrize(("number", "leaves"), [(1, 8), (2, 12), (3, 3)])
def test_the_monks_problems_are_written_exactly(number, leaves):
    X, y = monk(number)
    answers = dict(zip(map(tuple, X.to_numpy()), y, strict=True))

    def teacher(Z):
        return np.array([int(answers[row]) for row in map(tuple, Z.astype(str).to_numpy())])

    student = limbeck.distill(teacher, pd.concat([X] * 2), into="m_of_n", classes=[0, 1],
                              max_leaves=24, leaves=24, duplicates="keep").student  # fmt: skip
    assert student.score(X, y.astype(int)) == 1.0
    assert student.size <= leaves


def test_a_tree_of_single_conditions_is_an_ordinary_tree():
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    forest = RandomForestClassifier(10, random_state=0).fit(X[::2], y[::2])
    result = limbeck.distill(forest, X[1::2], y[1::2], into="tree", method="trepan", leaves=6)
    assert isinstance(result.student, Tree)
    assert result.student.size <= 6
    assert (result.student.predict(X[1::2]) == forest.predict(X[1::2])).mean() > 0.93
    again = limbeck.distill(forest, X[1::2], y[1::2], into="tree", method="trepan", leaves=6)
    assert again.student.fingerprint() == result.student.fingerprint()


def test_missing_values_and_levels_reach_the_teacher_in_its_form():
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"x": rng.normal(size=300), "n": rng.integers(0, 9, 300),
                      "c": pd.Categorical(rng.choice(["u", "v"], 300))})  # fmt: skip
    X.loc[::7, "x"] = np.nan
    seen = []

    def teacher(Z):
        seen.append(Z)
        return np.where(Z["x"].isna(), "none", np.where(Z["x"] > 0, Z["c"].astype(str), "low"))

    result = limbeck.distill(teacher, X, into="m_of_n", classes=["low", "none", "u", "v"],
                             leaves=5)  # fmt: skip
    assert all((Z.dtypes == X.dtypes).all() for Z in seen)
    assert (result.student.predict(X) == teacher(X)).mean() > 0.97
    assert "x is missing" in result.student.text() or "x is not missing" in result.student.text()


def test_values_are_distilled_too():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    result = limbeck.distill(lambda Z: 3.0 * (np.asarray(Z)[:, 0] > 0) + (np.asarray(Z)[:, 1] > 1),
                             X, into="m_of_n", regression=True, leaves=4)  # fmt: skip
    assert isinstance(result.student, MOfNTree)
    assert result.student.size == 4


def test_queries_are_limited_and_counted():
    asked = []

    def teacher(Z):
        asked.append(len(Z))
        return (np.asarray(Z)[:, 0] > 0).astype(int)

    X = np.random.default_rng(0).normal(size=(200, 3))
    result = limbeck.distill(teacher, X, into="tree", method="trepan", classes=[0, 1], leaves=4,
                             queries=700)  # fmt: skip
    assert 0 < result.queries <= 700
    stored = limbeck.distill(teacher, X, into="tree", method="trepan", classes=[0, 1], leaves=4,
                             queries=0)  # fmt: skip
    assert stored.queries == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"max_leaves": 1}, "max_leaves is 1"),
        ({"leaves": 99}, "leaves is 99"),
        ({"queries": -1}, "queries is -1"),
        ({"level": 0.0}, "level is 0"),
        ({"min_instances": 2.5}, "min_instances is 2.5"),
    ],
)
def test_bad_settings(given, message):
    for method in (Trepan, TrepanTree):
        with pytest.raises(InvalidInput, match=message):
            method(**given)


def test_queries_need_a_teacher_that_answers_them():
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    with pytest.raises(AccessDenied, match="stored rows only"):
        limbeck.distill(
            (X, np.column_stack([1 - y, y])), X, into="m_of_n", queries=10, classes=[0, 1]
        )
