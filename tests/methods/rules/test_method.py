from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

import limbeck
from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.methods.rules.method import DistillRuleList, DistillRules
from limbeck.teachers import as_teacher

FORESTS = [
    (load_breast_cancer, RandomForestClassifier, 0.92),
    (load_wine, RandomForestClassifier, 0.88),
    (load_diabetes, RandomForestRegressor, 0.7),
]


@pytest.mark.parametrize(
    ("into", "load", "kind", "least"),
    [
        pytest.param(
            into, *forest, id=f"{into}-{forest[0].__name__}",
            # each student of classes and of a number, each data set: the other pairs are slow
            marks=() if (into == "rules") == (load is not load_wine) else pytest.mark.slow,
        )
        for into in ("rule_list", "rules")
        for forest in FORESTS
        for load in forest[:1]
    ],
)  # fmt: skip
def test_rules_are_close_to_a_forest(into, load, kind, least):
    X, y = load(return_X_y=True, as_frame=True)
    forest = kind(12, random_state=0).fit(X[::2], y[::2])
    result = limbeck.distill(forest, X[1::2], y[1::2], into=into, queries=500, max_rules=6)
    student = result.student
    assert student.size <= 6
    assert result.queries <= 500
    assert student.score(X[1::2], forest.predict(X[1::2])) > least
    sizes = [point["size"] for point in result.frontier]
    assert sizes == sorted(set(sizes))
    assert str(result)


def test_a_list_of_rules_is_found_again():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 4))

    def teacher(Z):
        Z = np.asarray(Z)
        return np.where(Z[:, 0] > 1, 2, np.where((Z[:, 1] > 0) & (Z[:, 2] <= 0.5), 1, 0))

    result = limbeck.distill(teacher, X, into="rule_list", classes=[0, 1, 2], queries=300)
    assert result.student.size <= 3
    fresh = rng.normal(size=(4000, 4))
    assert (result.student.predict(fresh) == teacher(fresh)).mean() > 0.97


def test_settings():
    X = np.random.default_rng(0).normal(size=(120, 3))
    rows, rng = Features.of(X).rows(X), np.random.default_rng(0)
    teacher = as_teacher(lambda Z: (np.asarray(Z).prod(axis=1) > 0).astype(int), classes=[0, 1])
    limited = DistillRuleList(rules=3, max_conditions=2, queries=0)
    three = limited.distill(teacher, rows, rng, quiet).student
    assert three.size <= 3
    assert max(c.numbers for c in three.clauses_) <= 2
    found = DistillRules(rules=3, positive=0, queries=0).distill(teacher, rows, rng, quiet).student
    assert "ELSE 1" in found.text()
    with pytest.raises(InvalidInput, match="rules is 20"):
        DistillRules(rules=20, max_rules=12)
    for name in ("max_rules", "max_conditions", "max_numbers", "rules"):
        with pytest.raises(InvalidInput, match=f"{name} is 0"):
            DistillRuleList(**{name: 0})
    with pytest.raises(InvalidInput, match="sampler"):
        DistillRuleList(sampler="mung")


def test_a_constant_teacher_needs_no_rule():
    X = np.random.default_rng(0).normal(size=(100, 2))
    for into in ("rule_list", "rules"):
        student = limbeck.distill(lambda Z: np.zeros(len(Z), dtype=int), X, into=into,
                                  classes=[0, 1], queries=100).student  # fmt: skip
        assert student.text().startswith("ALWAYS 0 (1)")


def test_class_weights_bring_rare_classes_back():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    teacher = lambda Z: ((np.asarray(Z)[:, 0] > 1.3) & (np.asarray(Z)[:, 1] > 0)).astype(int)  # noqa: E731
    result = limbeck.distill(teacher, X, into="rules", classes=[0, 1], queries=500, positive=1,
                             class_weight="balanced", sample_weight=np.ones(400))  # fmt: skip
    rare = teacher(X) == 1
    assert (result.student.predict(X[rare]) == 1).mean() > 0.9


def test_the_same_seed_gives_the_same_rules():
    X = np.random.default_rng(0).normal(size=(80, 3))
    teacher = as_teacher(lambda Z: (Z[:, 0] * Z[:, 1] > 0).astype(int), classes=[0, 1])
    rows, method = Features.of(X).rows(X), DistillRules(queries=100)
    made = [method.distill(teacher, rows, np.random.default_rng(3), quiet).student
            for _ in range(2)]  # fmt: skip
    assert made[0].fingerprint() == made[1].fingerprint()


@pytest.mark.parametrize("method", [DistillRuleList, DistillRules])
def test_numbers_are_a_limit_and_rules_are_as_many_as_they_allow(method):
    rng = np.random.default_rng(0)
    rows = Features.of(X := rng.uniform(-2, 2, size=(100, 2))).rows(X)
    teacher = as_teacher(lambda Z: np.sin(3 * np.asarray(Z)[:, 0]) + np.floor(np.asarray(Z)[:, 1]))
    for settings, size in (({"max_numbers": 9}, range(1, 5)), ({"max_numbers": 24}, range(8, 12)),
                           ({"max_numbers": 9, "rules": 7}, [7])):  # fmt: skip
        found = method(queries=0, **settings).distill(teacher, rows, rng, quiet)
        largest = found.frontier[-1]
        assert largest.numbers <= settings["max_numbers"] or "rules" in settings
        assert largest.size in size


@pytest.mark.parametrize(
    ("method", "task"),
    [(DistillRuleList, "classes"), (DistillRules, "value"), (DistillRules, "classes"),
     pytest.param(DistillRuleList, "value", marks=pytest.mark.slow)],
)  # fmt: skip
def test_costly_columns_are_read_only_where_they_pay(method, task):
    """Of two columns that say the same the free one is read; a dear one that alone says it, too."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 3))
    X[:, 1] = X[:, 0] + 0.02 * rng.normal(size=300)

    def teacher(Z):
        Z = np.asarray(Z)
        said = 2.0 * (Z[:, 1] > 0.3) + 1.0 * (Z[:, 2] > 0)
        return said if task == "value" else (said >= 2).astype(int)

    rows = Features.of(X).rows(X)
    seen = as_teacher(teacher, **({"classes": [0, 1]} if task == "classes" else {}))

    def read(costs) -> set[int]:
        found = method(queries=0, max_rules=4, feature_costs=costs)
        student = found.distill(seen, rows, np.random.default_rng(0), quiet).frontier[-1]
        return {j for clause in student.clauses_ for j in clause.columns}

    assert 1 in read({})
    assert 1 not in read({"x1": 0.1})
    assert 1 in read({"x1": 0.1, "x0": 0.5})
    with pytest.raises(InvalidInput, match="none saves what it costs"):
        read({"x0": 2, "x1": 2, "x2": 2})
