"""Cells of a column go into numbers and come back with their type."""

import pandas as pd
import pytest

from limbeck.core.column import (
    Feature,
    decode_column,
    dtype_name,
    encode_column,
    kind_of,
    typed_column,
)
from limbeck.core.errors import InvalidInput


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1, 2, 3], dtype="int32"),
        pd.Series([1.5, None], dtype="float32"),
        pd.Series([True, None, False], dtype=object),
        pd.Series(["b", "a", None]).astype("category"),
        pd.Series(pd.Categorical([3, 1, 3], [3, 1], ordered=True)),
    ],
)
def test_cells_return_with_their_type(column):
    kind, levels = kind_of(column, "c")
    feature, dtype = Feature("c", kind, levels=levels), dtype_name(column.dtype)
    back = decode_column(feature, encode_column(feature, column), dtype)
    pd.testing.assert_series_equal(pd.Series(back), column, check_names=False)
    again = typed_column(feature, column.astype(object).to_numpy(), dtype)
    pd.testing.assert_series_equal(pd.Series(again), column, check_names=False)


def test_a_level_that_was_not_there_is_missing_and_dates_are_refused():
    codes = encode_column(Feature("c", "categorical", levels=("a",)), pd.Series(["a", "z"]))
    assert str(codes.tolist()) == "[0.0, nan]"
    with pytest.raises(InvalidInput, match="was numeric"):
        encode_column(Feature("c"), pd.Series(["z"]))
    with pytest.raises(InvalidInput, match="is no number, boolean or category"):
        kind_of(pd.Series(pd.to_datetime(["2020-01-01"])), "day")


def test_a_unit_stands_beside_the_label():
    assert Feature("weight [kg]", unit="kg").label == "weight"
    assert Feature("weight [kg]").label == "weight [kg]"
