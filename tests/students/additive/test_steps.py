from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.columns import Features
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.steps import StepTerms


def problem(pairs=()):
    rng = np.random.default_rng(0)
    X = pd.DataFrame({
        "a": rng.normal(size=300), "b": rng.choice(["x", "y", "z"], 300), "c": rng.random(300) < 0.4
    })  # fmt: skip
    X.loc[::11, "a"] = np.nan
    features = Features.of(X)
    values, weight = features.encode(X), rng.random(300)
    bins = Bins.learn(features, values, weight, 6, 2)
    steps = StepTerms.of(bins, features, pairs)
    return steps, steps.cells(bins.codes(values)), weight, rng.normal(size=(300, 2))


@pytest.mark.parametrize("pairs", [(), ((0, 1), (0, 2))])
def test_moments_are_those_of_the_columns_of_ones(pairs) -> None:
    steps, cells, weight, target = problem(pairs)
    ones = np.hstack([g.table[at] for g, at in zip(steps.groups, cells, strict=True)])
    sums = steps.moments(cells, target, weight)
    assert np.allclose(sums.gram, ones.T @ (ones * weight[:, None]))
    assert np.allclose(sums.cross, ones.T @ (target * weight[:, None]))
    assert np.allclose(sums.sums, weight @ ones)
    gram, cross = sums.centred()
    mean = np.average(ones, axis=0, weights=weight)
    assert np.allclose(gram, np.cov(ones.T, aweights=weight, ddof=0))
    assert np.allclose(cross, ((ones - mean) * weight[:, None]).T @ target / weight.sum())


def test_parts_of_the_rows_add_up() -> None:
    steps, cells, weight, target = problem()
    first = np.arange(300) < 100
    parts = [steps.moments([c[at] for c in cells], target[at], weight[at])
             for at in (first, ~first)]  # fmt: skip
    whole = steps.moments(cells, target, weight)
    assert np.allclose((parts[0] + parts[1]).gram, whole.gram)
    assert np.allclose((whole - parts[0]).cross, parts[1].cross)
    assert whole.plus(parts[0], 2.0).weight == pytest.approx(weight.sum() + 2 * weight[first].sum())


def test_a_number_has_steps_and_a_missing_value_a_level() -> None:
    steps, *_ = problem()
    number, category, flag = steps.groups
    assert number.table.shape == (7, 6)  # six bins and missing values
    assert number.table[3].tolist() == [1, 1, 1, 0, 0, 0]
    assert number.table[-1].tolist() == [0, 0, 0, 0, 0, 1]
    assert number.prices.tolist() == [1, 1, 1, 1, 1, 0]
    assert number.rises.tolist() == [True] * 5 + [False]
    assert (category.table == np.eye(4)).all()
    assert flag.prices.tolist() == [0, 0]


def test_a_pair_has_products_on_few_bins() -> None:
    steps, cells, *_ = problem([(0, 1)])
    pair = steps.groups[-1]
    assert pair.columns == (0, 1)
    assert (pair.prices == 2).all()
    table = pair.over_bins(np.arange(float(len(pair.table)))[:, None])
    assert table.shape == (7, 4, 1)
    assert cells[-1].max() < len(pair.table)
