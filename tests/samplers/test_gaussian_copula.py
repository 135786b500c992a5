from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.samplers.gaussian_copula import GaussianCopula


def rows_of(X):
    return Features.of(X).rows(X)


def draw(X, n=20_000, seed=0):
    return GaussianCopula().draw(rows_of(X), n, np.random.default_rng(seed))


def test_columns_and_rank_correlations_are_those_of_the_data():
    rng = np.random.default_rng(0)
    z = rng.multivariate_normal([0, 0, 0], [[1, 0.8, 0], [0.8, 1, -0.4], [0, -0.4, 1]], 4000)
    X = np.column_stack([np.exp(z[:, 0]), z[:, 1] ** 3, np.round(2 * z[:, 2])])
    drawn = draw(X).values
    for j in range(3):
        assert set(drawn[:, j]) <= set(X[:, j])
        np.testing.assert_allclose(
            np.quantile(drawn[:, j], [0.1, 0.5, 0.9]), np.quantile(X[:, j], [0.1, 0.5, 0.9]),
            atol=0.12,
        )  # fmt: skip
    np.testing.assert_allclose(spearmanr(drawn).statistic, spearmanr(X).statistic, atol=0.03)


def test_missing_values_and_categories_keep_their_rates_and_go_with_the_numbers():
    rng = np.random.default_rng(0)
    x = rng.normal(size=3000)
    level = np.array(["c", "a", "b"])[np.digitize(x + 0.3 * rng.normal(size=3000), [-0.5, 0.5])]
    X = pd.DataFrame({"x": x, "y": x + rng.normal(size=3000), "kind": pd.Categorical(level)})
    X.loc[rng.random(3000) < 0.2, "y"] = np.nan
    drawn = draw(X).native()
    assert drawn["y"].isna().mean() == pytest.approx(0.2, abs=0.02)
    shares = drawn["kind"].value_counts(normalize=True)
    for name, share in X["kind"].value_counts(normalize=True).items():
        assert shares[name] == pytest.approx(share, abs=0.02)
    means, expected = (t.groupby("kind", observed=True)["x"].mean() for t in (drawn, X))
    np.testing.assert_allclose(means, expected[means.index], atol=0.3)


def test_odd_tables():
    one = draw(np.ones((1, 3)), 4)
    np.testing.assert_array_equal(one.values, 1.0)
    flags = np.random.default_rng(0).choice([-1.0, 1.0], size=(500, 6))
    assert set(np.unique(draw(flags).values)) == {-1.0, 1.0}
    only = pd.DataFrame({"k": pd.Categorical(["a", "b", "a", None] * 20)})
    assert draw(only, 50).native()["k"].isna().any()
    holes = np.full((5, 2), np.nan)
    holes[:, 0] = np.arange(5)
    assert np.isnan(draw(holes, 30).values[:, 1]).all()


def test_the_same_seed_draws_the_same():
    X = np.random.default_rng(0).normal(size=(100, 3))
    np.testing.assert_array_equal(draw(X, 50).values, draw(X.copy(), 50).values)
    with pytest.raises(InvalidInput, match="n is -2"):
        draw(X, -2)
    assert "copula" in GaussianCopula().describe()
