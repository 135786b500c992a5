from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

import limbeck
from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.methods.answered_rows import answer_rows
from limbeck.methods.sparse_sum import SelectTerms
from limbeck.teachers import as_teacher

FAMILIES = ("columns", "steps", "hinges", "rules", "all")

RNG = np.random.default_rng(0)
X = RNG.standard_normal((600, 5))
Y = (X[:, 0] + (X[:, 1] > 0.5) + 0.3 * RNG.standard_normal(600) > 0.5).astype(int)
FOREST = RandomForestClassifier(8, random_state=0).fit(X[:200], Y[:200])


def distilled(**settings):
    return limbeck.distill(FOREST, X[200:], Y[200:], progress=False, **settings)


def test_a_size_is_chosen_reported_and_beside_a_tree_of_as_many_numbers() -> None:
    result = distilled(into="sparse_sum", queries=400)
    student = result.student
    assert student.numbers <= 32
    assert result.status.message.startswith(f"A sum of {student.numbers} numbers was chosen among")
    sizes = [entry["size"] for entry in result.frontier]
    assert sizes == sorted(set(sizes))
    assert student.numbers in sizes
    assert max(sizes) <= 32
    models = {m.model: m for m in result.comparison.entries}
    tree = int(models["greedy tree"].size.split()[0])
    assert 2 * tree - 1 <= max(student.numbers, 3)
    assert "linear model" in models
    assert result.queries == 400


def test_so_many_numbers_can_be_asked_for() -> None:
    student = distilled(into="sparse_sum", numbers=6, queries=0).student
    assert 4 <= student.numbers <= 6


def test_values_and_weights() -> None:
    y = np.maximum(X[:, 0], 0) * 4 + X[:, 2]
    forest = RandomForestRegressor(8, random_state=0).fit(X[:200], y[:200])
    weight = np.where(X[200:, 4] > 0, 1.0, 0.0)
    result = limbeck.distill(
        forest, X[200:], y[200:], into="sparse_sum", sample_weight=weight, progress=False
    )
    assert result.queries == 0
    told = forest.predict(X[200:])
    assert np.corrcoef(result.student.predict(X[200:]), told)[0, 1] > 0.9
    assert "of the teacher's variance on rows left out" in result.status.message


def test_sums_of_the_rows_alone_stand_beside_those_of_queries_that_mislead() -> None:
    teacher = as_teacher(FOREST, Y[:200])
    features = Features.of(X)
    rows = Rows(features, features.encode(X[200:]))
    asked = answer_rows(teacher, rows, "jitter", 2000, np.random.default_rng(0))
    misled = replace(asked, query_scores=asked.query_scores[:, ::-1])
    found = SelectTerms(max_numbers=8).all_sizes(misled, np.random.default_rng(0), quiet).students
    told = FOREST.predict(X[200:])
    agreement = {name: (sums[-1].predict(X[200:]) == told).mean() for name, sums in found.items()}
    assert agreement["all, rows alone"] > 0.85 > agreement["all"]
    assert set(found) == {n + more for n in FAMILIES for more in ("", ", rows alone")}
    plain = SelectTerms(max_numbers=8).all_sizes(asked.limited(0), np.random.default_rng(0), quiet)
    assert set(plain.students) == set(FAMILIES)
    assert [s.fingerprint() for s in plain.students["all"]] == [
        s.fingerprint() for s in found["all, rows alone"]
    ]


def test_class_weights_move_the_answers() -> None:
    plain = distilled(into="sparse_sum", numbers=6, queries=300)
    heavy = distilled(into="sparse_sum", numbers=6, queries=300, class_weight={0: 1.0, 1: 20.0})
    shares = [(r.student.predict(X) == 1).mean() for r in (plain, heavy)]
    assert shares[1] > shares[0] + 0.02


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_numbers": 0}, "max_numbers is 0"),
        ({"numbers": 0}, "numbers is 0"),
        ({"queries": -1}, "queries is -1"),
        ({"sampler": "mung"}, "no sampler 'mung'"),
        ({"query_weight": 1.0}, "query_weight is 1.0"),
        ({"max_leaves": 4}, "no setting 'max_leaves'"),
    ],
)
def test_a_setting_out_of_range_is_refused(settings, message) -> None:
    with pytest.raises(InvalidInput, match=message):
        distilled(into="sparse_sum", **settings)


@pytest.mark.parametrize("variant", ["all", "columns, rows alone"])
def test_one_variant_alone_is_the_same_as_among_all(variant: str) -> None:
    teacher = as_teacher(FOREST, Y[:200])
    features = Features.of(X)
    rows = Rows(features, features.encode(X[200:]))
    asked = answer_rows(teacher, rows, "jitter", 500, np.random.default_rng(0))
    method = SelectTerms(max_numbers=8)
    every = method.all_sizes(asked, np.random.default_rng(0), quiet).students[variant]
    alone = method.variant_sizes(asked, np.random.default_rng(0), quiet, variant).students
    assert [s.fingerprint() for s in alone[variant]] == [s.fingerprint() for s in every]
    assert set(alone) <= {"columns, rows alone", *FAMILIES}
