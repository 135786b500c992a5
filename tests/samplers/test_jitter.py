from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.samplers import columns
from limbeck.samplers.jitter import Jitter


def rows_of(X):
    return Features.of(X).rows(X)


numbers = st.floats(-1e6, 1e6) | st.just(np.nan)
tables = arrays.arrays(
    np.float64, st.tuples(st.integers(1, 30), st.integers(1, 4)), elements=numbers
)


@given(tables, st.floats(0, 3), st.floats(0, 1), st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_values_stay_within_the_observed_range(X, scale, swap, seed):
    drawn = Jitter(scale, swap).draw(rows_of(X), 40, np.random.default_rng(seed)).values
    assert drawn.shape == (40, X.shape[1])
    for j in range(X.shape[1]):
        seen = X[~np.isnan(X[:, j]), j]
        new = drawn[~np.isnan(drawn[:, j]), j]
        if len(seen) in (0, len(X)):
            assert len(new) in ((0,) if len(seen) == 0 else (40,))
        if len(new):
            assert seen.min() <= new.min()
            assert new.max() <= seen.max()
        if len(np.unique(seen)) <= 2 or (seen == np.rint(seen)).all():
            assert np.isin(new, seen).all()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["u", "v", "w", None]),
            st.booleans(),
            st.integers(0, 255),
            st.floats(-100, 100, width=32),
            st.integers(-3, 3) | st.none(),
        ),
        min_size=1,
        max_size=25,
    ),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_frames_keep_levels_and_dtypes(cells, seed):
    frame = pd.DataFrame(cells, columns=["text", "flag", "byte", "single", "whole"])
    kinds = {"byte": "uint8", "single": "float32", "whole": "Int64"}
    frame = frame.astype({"text": "category"} | kinds)
    rows = rows_of(frame)
    drawn = Jitter(1.0, 0.5).draw(rows, 30, np.random.default_rng(seed))
    native = drawn.native()
    assert list(native.dtypes) == list(frame.dtypes)
    codes = drawn.values[:, 0]
    assert np.isin(codes[~np.isnan(codes)], np.arange(len(rows.features.columns[0].levels))).all()
    assert set(drawn.values[:, 1]) <= set(rows.values[:, 1])
    # What the teacher sees is what the student sees.
    np.testing.assert_array_equal(rows.features.encode(native), drawn.values)


def test_single_precision_survives_the_way_to_the_teacher():
    X = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    drawn = Jitter().draw(rows_of(X), 500, np.random.default_rng(1))
    np.testing.assert_array_equal(drawn.native().astype(np.float64), drawn.values)


def test_signs_and_flags_are_only_exchanged():
    rng = np.random.default_rng(0)
    X = rng.choice([-1.0, 1.0], size=(400, 6))
    drawn = Jitter(scale=5, swap=0.5).draw(rows_of(X), 3000, rng).values
    assert set(drawn.ravel()) == {-1.0, 1.0}
    np.testing.assert_allclose(drawn.mean(axis=0), X.mean(axis=0), atol=0.1)


def test_missing_values_keep_their_rate():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(2000, 2))
    X[rng.random(2000) < 0.3, 0] = np.nan
    drawn = Jitter().draw(rows_of(X), 20_000, rng).values
    assert np.isnan(drawn[:, 0]).mean() == pytest.approx(np.isnan(X[:, 0]).mean(), abs=0.02)
    assert not np.isnan(drawn[:, 1]).any()


def test_noise_is_in_units_of_the_columns_spread():
    rng = np.random.default_rng(0)
    X = np.linspace(-1, 1, 1001)[:, None] * [1.0, 1000.0]
    X[500] = 0.5  # the only row that is drawn below
    rows = rows_of(X)
    columns._PROFILES[rows] = columns._measure(rows)
    spread = columns._PROFILES[rows].spread
    np.testing.assert_allclose(spread[1] / spread[0], 1000, rtol=1e-2)
    drawn = Jitter(0.01, 0.0).draw(rows, 5000, rng).values
    nearest = np.abs(drawn[:, 0, None] - X[None, :, 0]).min(axis=1)
    assert nearest.max() < 0.05


def test_neither_noise_nor_exchange_repeats_the_rows():
    X = np.random.default_rng(0).normal(size=(20, 3))
    drawn = Jitter(0.0, 0.0).draw(rows_of(X), 50, np.random.default_rng(1)).values
    assert {r.tobytes() for r in drawn} <= {r.tobytes() for r in X}


def test_draws_follow_the_seed_and_leave_the_rows():
    X = np.random.default_rng(0).normal(size=(50, 3))
    rows = rows_of(X)
    before = rows.values.copy()
    a, b = (Jitter().draw(rows, 30, np.random.default_rng(5)).values for _ in range(2))
    np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(rows.values, before)
    assert Jitter().draw(rows, 0, np.random.default_rng(0)).values.shape == (0, 3)


@pytest.mark.parametrize("bad", [{"scale": -1}, {"scale": np.nan}, {"swap": 1.5}, {"swap": -0.1}])
def test_bad_settings_are_refused(bad):
    with pytest.raises(InvalidInput, match=next(iter(bad))):
        Jitter(**bad)


def test_a_negative_number_of_rows_is_refused():
    with pytest.raises(InvalidInput, match="-1"):
        Jitter().draw(rows_of(np.zeros((2, 2))), -1, np.random.default_rng(0))


def test_it_says_what_it_draws():
    assert "probability 0.25" in Jitter(swap=0.25).describe()
