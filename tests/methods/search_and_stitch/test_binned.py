from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.binned import BinnedRows
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.literals import Literals, grid

FEATURES = Features((Feature("a"), Feature("b")))


def made(kind, weight, n=50):
    rng = np.random.default_rng(0)
    values = rng.normal(size=(n, 2))
    if kind == "soft":
        stats = rng.dirichlet(np.ones(3), n).T.astype(np.float32) * weight
    elif kind == "values":
        stats = row_statistics(rng.normal(size=n), Task(), weight)
    else:
        stats = row_statistics(rng.integers(0, 3, n), Task(("a", "b", "c")), weight)
    literals = Literals(grid(FEATURES, values))
    return literals, values, stats.astype(np.float32)


@pytest.mark.parametrize("weights", ["one", "two", "many"])
@pytest.mark.parametrize("kind", ["hard", "soft", "values"])
def test_statistics_by_brute_force(kind, weights):
    rng = np.random.default_rng(1)
    weight = {"one": np.ones(50), "two": np.repeat([0.5, 3.0], 25), "many": rng.random(50)}[weights]
    literals, values, stats = made(kind, weight)
    data, rows = BinnedRows(literals, values, stats), np.arange(3, 40)
    truth = literals.truth(values)[:, rows]
    left, whole, splits = data.inside(rows)
    np.testing.assert_allclose(left, stats[:, rows].astype(float) @ truth.T, atol=1e-5)
    np.testing.assert_allclose(whole, stats[:, rows].sum(axis=1), atol=1e-5)
    np.testing.assert_allclose(data.total(rows), stats[:, rows].sum(axis=1), atol=1e-5)
    np.testing.assert_array_equal(splits, truth.any(1) & ~truth.all(1))


def test_parts_and_more_rows_have_statistics_of_their_own():
    literals, values, stats = made("hard", np.ones(50))
    data, cost = BinnedRows(literals, values, stats), COSTS["gini"]
    rows = np.arange(10, 30)
    part = data.part_of(rows, stats[:, rows])
    np.testing.assert_allclose(
        part.after_one(np.arange(20), cost), data.after_one(rows, cost), atol=1e-9
    )
    more = BinnedRows(literals, values[:30], stats[:, :30]).with_rows(values[30:], stats)
    np.testing.assert_allclose(
        more.after_one(np.arange(50), cost), data.after_one(np.arange(50), cost)
    )


def test_no_literals_split_nothing():
    stats = row_statistics(np.zeros(4, int), Task((0, 1)), np.ones(4))
    assert BinnedRows(Literals([]), np.zeros((4, 2)), stats).after_one(
        np.arange(4), COSTS["gini"]
    ).shape == (0,)
