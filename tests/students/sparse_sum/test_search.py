from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.data.splits import split_folds
from limbeck.students.sparse_sum.search import search, search_families
from limbeck.students.sparse_sum.sizes import sizes_up_to
from limbeck.students.sparse_sum.sum_data import SumData, cross_entropy
from limbeck.students.sparse_sum.terms import FilledColumns

RNG = np.random.default_rng(0)
X = RNG.standard_normal((500, 6))


def data_of(soft: np.ndarray, classifies: bool = True, weight=None) -> SumData:
    n = len(soft)
    weight = np.ones(n) if weight is None else weight
    return SumData(Features.of(X[:n]), X[:n], soft, weight, split_folds(X[:n], RNG),
                   np.ones(n, dtype=bool), classifies)  # fmt: skip


def logistic(z: np.ndarray) -> np.ndarray:
    p = 1 / (1 + np.exp(-z))
    return np.column_stack([1 - p, p])


def test_sums_grow_with_their_budget_and_never_exceed_it() -> None:
    soft = logistic(3 * X[:, 0] + 2 * (X[:, 1] > 0) * (X[:, 2] > 0) - 1)
    found = search(data_of(soft), (2, 4, 8, 16, 32), np.random.default_rng(0))
    assert all(s.numbers <= size for s, size in zip(found.sums, found.sizes, strict=True))
    columns = FilledColumns(X, found.fill)
    seen = [cross_entropy(s.totals(columns), soft).mean() for s in found.sums]
    assert seen[-1] < seen[0] - 0.03
    assert all(b < a * 1.01 for a, b in pairwise(seen))
    assert 4 <= found.sizes[found.chosen] <= 32


def test_of_a_teacher_of_one_column_one_column_is_kept() -> None:
    found = search(
        data_of(logistic(4 * X[:, 3])), sizes_up_to(32), np.random.default_rng(0), epsilon=0.05
    )
    kept = found.sums[found.chosen]
    assert [t.columns for t in kept.terms] == [(3,)]
    assert kept.weights[0, 0] == pytest.approx(4, rel=0.2)  # a ridge penalty of 1


def test_queries_help_to_choose_but_are_not_judged() -> None:
    data = data_of(logistic(2 * X[:, 0]))
    half = SumData(*(getattr(data, n) for n in
                     ("features", "values", "soft", "weight", "fold")),
                   np.arange(500) < 250, True)  # fmt: skip
    found = search(half, (2, 4), np.random.default_rng(0))
    assert found.losses.shape == (2, 250)


def test_more_than_two_classes_and_regression_are_fitted() -> None:
    z = np.column_stack([X[:, 0], X[:, 1], -X[:, 0]]) * 3
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    found = search(data_of(p), (8,), np.random.default_rng(0), fixed=True)
    total = found.sums[0].totals(FilledColumns(X, found.fill))
    assert (total.argmax(axis=1) == p.argmax(axis=1)).mean() > 0.9
    y = np.maximum(X[:, :1] - 0.5, 0) * 3 + 100
    found = search(data_of(y, classifies=False), (3,), np.random.default_rng(0), fixed=True)
    error = found.sums[0].totals(FilledColumns(X, found.fill)) - y
    assert (error**2).mean() < 0.02 * y.var()


def six_classes() -> tuple[SumData, np.ndarray]:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 12))
    scores = 2.0 * X[:, :6] + 1.6 * X[:, 6:]  # two columns for each of six classes
    soft = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    data = SumData(
        Features.of(X), X, soft, np.ones(600), split_folds(X, rng), np.ones(600, bool), True
    )
    return data, scores.argmax(axis=1)


def test_few_numbers_speak_for_as_many_classes_as_agree_best():
    data, told = six_classes()
    _, found = search_families(data, (6,), np.random.default_rng(0))
    made = found["columns"][0]
    assert (made.weights != 0).any(axis=0).sum() == 3  # a weight and an intercept for each
    columns = FilledColumns(data.values, np.zeros(12))
    assert (made.totals(columns).argmax(axis=1) == told).mean() > 0.35


def test_grown_sums_name_more_classes_and_are_taken_where_they_are_better() -> None:
    data, told = six_classes()
    columns = FilledColumns(data.values, np.zeros(12))
    _, found = search_families(data, (6,), np.random.default_rng(0))
    plain, grown = found["columns"][0], found["columns, by likelihood"][0]
    agrees = [(s.totals(columns).argmax(axis=1) == told).mean() for s in (plain, grown)]
    assert grown.numbers == plain.numbers == 6
    assert agrees[1] > agrees[0] + 0.1
    taken = search(data, (6,), np.random.default_rng(0), fixed=True)
    assert taken.families == ("columns, by likelihood",)
    assert (taken.sums[0].totals(columns).argmax(axis=1) == told).mean() > agrees[0] + 0.1
    bought = replace(data, costs=np.full(12, 0.001))
    assert "by likelihood" not in str(list(search_families(bought, (6,), RNG)[1]))
