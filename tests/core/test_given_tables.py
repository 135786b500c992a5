from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.core.given_tables import as_matrix, check_names, is_frame

pd = pytest.importorskip("pandas")


def test_signals_become_rows_and_keep_their_shape() -> None:
    X = np.arange(24.0).reshape(2, 3, 4)
    A, shape = as_matrix(X)
    np.testing.assert_array_equal(A, X.reshape(2, 12))
    assert shape == (3, 4)
    assert as_matrix(np.array([[1, 2]], dtype=object))[0].dtype == np.float64
    assert is_frame(pd.DataFrame({"a": [1]}))
    assert not is_frame(X)


@pytest.mark.parametrize(
    ("X", "said"),
    [
        (np.zeros(3), "a single row as"),
        (np.zeros((0, 3)), "0 sample"),
        (np.zeros((3, 0)), "0 feature"),
        (np.array([["a"]]), "numbers or booleans"),
        (np.array([[object()]]), "objects that are not numbers"),
    ],
)
def test_what_is_no_table_is_refused(X: Any, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        as_matrix(X)


def test_two_columns_of_one_name_are_refused() -> None:
    check_names(["a", "b"])
    with pytest.raises(InvalidInput, match="Two columns are called 'a'"):
        check_names(["a", "b", "a"])
