from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.samplers.munge import Munge, _neighbours


def rows_of(X):
    return Features.of(X).rows(X)


def mixed(n=300, seed=0):
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "count": rng.integers(0, 9, n),
            "flag": rng.random(n) < 0.4,
            "colour": pd.Categorical(rng.choice(["red", "green", "blue"], n)),
        }
    )
    X.loc[rng.random(n) < 0.2, "x"] = np.nan
    X.loc[rng.random(n) < 0.2, "colour"] = np.nan
    return X


def test_no_neighbour_of_a_row_with_a_hole_is_its_copy():
    X = np.random.default_rng(0).normal(size=(20, 3))
    X[:, 1] = np.nan
    found = _neighbours(rows_of(np.repeat(X, 2, axis=0)))
    assert (found // 2 != np.repeat(np.arange(20), 2)).all()


def test_a_category_or_a_hole_counts_as_one_spread():
    X = pd.DataFrame(
        {
            "x": [0.0, 0.9, 5.0, 5.9, 11.0, np.nan],
            "kind": pd.Categorical(["a", "b", "a", "a", "b", "b"]),
        }
    )
    rows = rows_of(X)
    # the third is nearer to the fourth, of its kind, than the first to the second of another
    assert _neighbours(rows)[2] == 3
    assert _neighbours(rows)[3] == 2


def test_numbers_are_normal_around_the_neighbour():
    X = np.array([[0.5, 0.0], [2.0, 4.25], [20.5, 30.25], [40.5, 90.0]])
    drawn, at = Munge(p=1.0, s=3.0).draw_with_sources(rows_of(X), 80_000, np.random.default_rng(0))
    assert (at[:, 0] != at[:, 1]).all()
    of_third = drawn.values[at[:, 0] == 2, 0]  # its neighbour is the second: 18.5 away
    inside = of_third[of_third > 0.5]  # cut at the least value, 0.24 deviations below 2
    z = (inside - 2.0) / (18.5 / 3.0)
    assert (of_third == 0.5).mean() == pytest.approx(norm.cdf(-1.5 / (18.5 / 3)), abs=0.01)
    assert np.median(z) == pytest.approx(norm.ppf(1 - norm.sf(-0.243) / 2), abs=0.03)


def test_p_is_the_share_of_values_replaced():
    X = np.random.default_rng(0).normal(size=(50, 4))
    for p in (0.0, 0.3, 1.0):
        drawn, at = Munge(p=p).draw_with_sources(rows_of(X), 20_000, np.random.default_rng(1))
        same = drawn.values == X[at[:, 0]]
        assert same.mean() == pytest.approx(1 - p, abs=0.01)


def test_categories_flags_and_holes_come_from_one_of_the_two():
    X = mixed()
    rows = rows_of(X)
    drawn, at = Munge().draw_with_sources(rows, 5000, np.random.default_rng(0))
    first, second = rows.values[at[:, 0]], rows.values[at[:, 1]]
    for j in (2, 3):
        one_of = (drawn.values[:, j] == first[:, j]) | (drawn.values[:, j] == second[:, j])
        holes = np.isnan(drawn.values[:, j]) & (np.isnan(first[:, j]) | np.isnan(second[:, j]))
        assert (one_of | holes).all()
    assert set(drawn.values[:, 1]) <= set(rows.values[:, 1])  # whole numbers stay so
    x = drawn.values[:, 0]
    assert np.nanmin(x) >= X["x"].min()
    assert np.nanmax(x) <= X["x"].max()
    assert np.isnan(x).mean() == pytest.approx(0.2, abs=0.06)
    assert drawn.native().dtypes.equals(X.dtypes)


def test_columns_keep_moving_together():
    x = np.random.default_rng(0).normal(size=500)
    X = np.column_stack([x, x + 0.05 * np.random.default_rng(1).normal(size=500)])
    drawn = Munge().draw(rows_of(X), 5000, np.random.default_rng(2)).values
    assert np.corrcoef(drawn.T)[0, 1] > 0.98


def test_the_same_seed_draws_the_same_and_equal_rows_do_no_harm():
    rows = rows_of(np.ones((6, 2)))
    np.testing.assert_array_equal(Munge().draw(rows, 5, np.random.default_rng(0)).values, 1.0)
    rows = rows_of(mixed())
    a, b = (Munge().draw(rows, 99, np.random.default_rng(4)).values for _ in range(2))
    np.testing.assert_array_equal(a, b)
    assert len(Munge().draw(rows, 0, np.random.default_rng(0))) == 0


@pytest.mark.parametrize(
    ("settings", "message"), [({"p": 1.5}, "p is 1.5"), ({"s": 0.0}, "s is 0.0")]
)
def test_refused(settings, message):
    with pytest.raises(InvalidInput, match=message):
        Munge(**settings)
    with pytest.raises(InvalidInput, match="n is -1"):
        Munge().draw(rows_of(np.eye(3)), -1, np.random.default_rng(0))


def test_it_says_what_it_draws():
    assert "probability 0.5" in Munge().describe()
    assert "distance over 2" in Munge(s=2).describe()
