from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.samplers.marginals import Marginals


def rows_of(X):
    return Features.of(X).rows(X)


shapes = st.tuples(st.integers(1, 20), st.integers(1, 4))


@given(
    arrays.arrays(np.float64, shapes, elements=st.floats(-10, 10) | st.just(np.nan)),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=100, deadline=None)
def test_values_are_those_of_their_column(X, seed):
    drawn = Marginals().draw(rows_of(X), 30, np.random.default_rng(seed)).values
    assert drawn.shape == (30, X.shape[1])
    for j in range(X.shape[1]):
        assert (np.isin(drawn[:, j], X[:, j]) | np.isnan(drawn[:, j])).all()
        assert np.isnan(X[:, j]).any() or not np.isnan(drawn[:, j]).any()


def test_columns_become_independent():
    rng = np.random.default_rng(0)
    x = rng.normal(size=1000)
    drawn = Marginals().draw(rows_of(np.column_stack([x, x])), 5000, rng).values
    assert abs(np.corrcoef(drawn.T)[0, 1]) < 0.1


def test_frames_come_back_as_frames():
    frame = pd.DataFrame({"a": ["u", "v", None], "b": [1, 2, 3]})
    drawn = Marginals().draw(rows_of(frame), 10, np.random.default_rng(0))
    assert list(drawn.native().dtypes) == list(frame.dtypes)


def test_a_negative_number_of_rows_is_refused():
    with pytest.raises(InvalidInput, match="-1"):
        Marginals().draw(rows_of(np.zeros((2, 2))), -1, np.random.default_rng(0))


def test_it_says_what_it_draws():
    assert "independently" in Marginals().describe()
