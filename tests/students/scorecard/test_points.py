from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.scorecard.points import round_to_points, steps_of
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.sum_data import SumData, cross_entropy
from limbeck.students.sparse_sum.terms import SumTerm, TermTest


def test_steps_are_round_and_within_a_standard_deviation() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal((1000, 5)) * [0.003, 1.0, 30.0, 7000.0, 1.0]
    names = [Feature(c) for c in "abcd"] + [Feature("e", "boolean")]
    assert steps_of(Features(tuple(names)), values).tolist() == [0.002, 1, 20, 5000, 1]
    assert steps_of(Features((Feature("n"),)), np.full((4, 1), np.nan)).tolist() == [1]


def test_a_sum_of_whole_multiples_is_rounded_to_them_and_keeps_its_probabilities() -> None:
    rng = np.random.default_rng(1)
    bits = (rng.random((800, 4)) < 0.5).astype(float)
    terms = tuple(SumTerm("all", tests=(TermTest(j, ">", 0.5),)) for j in range(4))
    weights = 0.4 * np.array([[3.0], [-2.0], [5.0], [1.0]])
    z = bits @ weights - 1.1
    p = 1 / (1 + np.exp(-z))
    data = SumData(Features.of(bits), bits, np.column_stack([1 - p, p]), np.ones(800),
                   np.zeros(800, dtype=int), np.ones(800, dtype=bool), True)  # fmt: skip
    found = TermWeights(terms, weights, np.array([-1.1]))
    points, scale = round_to_points(found, data, np.zeros(4), 9)
    assert points.weights[:, 0].tolist() == [3, -2, 5, 1]
    assert scale == pytest.approx(0.4, rel=0.05)
    assert points.intercept[0] * scale == pytest.approx(-1.1, abs=0.05)


def test_a_sum_without_terms_stays_as_it_is() -> None:
    X = np.zeros((5, 1))
    data = SumData(Features.of(X), X, np.full((5, 2), 0.5), np.ones(5), np.zeros(5, dtype=int),
                   np.ones(5, dtype=bool), True)  # fmt: skip
    found = TermWeights((), np.zeros((0, 1)), np.array([0.3]))
    assert round_to_points(found, data, np.zeros(1), 9) == (found, 1.0)


@pytest.mark.parametrize("classes", [2, 3])
def test_points_are_nearly_the_best_of_all_whole_numbers(classes) -> None:
    """Columns that say the same are rounded together: one by one they would add up wrongly."""
    rng = np.random.default_rng(2)
    X = rng.standard_normal((400, 4)) @ np.array(
        [[1, 1, 1, 1], [0, 0.4, 0, 0], [0, 0, 0.4, 0], [0, 0, 0, 0.4]]
    )  # all are alike
    weights = np.zeros((4, 1 if classes == 2 else 3))
    weights[:, 0] = [0.7, 0.68, 0.66, 0.72]
    if classes == 3:
        weights[:2, 2] = [-0.7, 0.3]
    found = TermWeights(tuple(SumTerm("column", j) for j in range(4)), weights,
                        np.full(weights.shape[1], 0.2))  # fmt: skip
    z = X @ weights + 0.2
    z = np.column_stack([np.zeros(400), z]) if classes == 2 else z
    soft = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    data = SumData(Features.of(X), X, soft, np.ones(400), np.zeros(400, dtype=int),
                   np.ones(400, dtype=bool), True)  # fmt: skip
    points, scale = round_to_points(found, data, np.zeros(4), 2)
    assert np.abs(points.weights).max() <= 2
    mine = cross_entropy((X @ points.weights + points.intercept) * scale, soft).mean()
    exact = cross_entropy(X @ weights + 0.2, soft).mean()
    assert mine - exact < (0.003 if classes == 2 else 0.02)
    if classes == 2:
        losses = []
        for one in product(range(-2, 3), repeat=4):
            slope = X @ np.array(one)[:, None]
            losses += [cross_entropy(slope * s + 0.2, soft).mean() for s in np.linspace(0.2, 1, 9)]
        assert mine <= min(losses) + 1e-3


def test_a_column_of_a_common_spread_is_counted_as_it_is() -> None:
    values = np.random.default_rng(0).standard_normal((500, 3)) * [0.3, 6.0, 20.0]
    assert steps_of(Features.of(values), values).tolist()[:2] == [1, 1]
