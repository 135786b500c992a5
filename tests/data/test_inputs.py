from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from limbeck.core.errors import InvalidInput
from limbeck.data.inputs import read_pair, some_rows


def test_pairs_and_two_arguments_are_the_same() -> None:
    X, y = np.zeros((4, 2)), [0, 1, 0, 1]
    for found in (read_pair((X, y)), read_pair(X, y)):
        assert found[0] is X
        assert found[1] is y
    assert read_pair((X, None))[1] is None
    assert isinstance(read_pair([[1, 2], [3, 4]])[0], np.ndarray)
    frame = pd.DataFrame(X)
    assert read_pair(frame)[0] is frame


def test_labels_given_twice_and_data_sets_are_refused() -> None:
    with pytest.raises(InvalidInput, match="pair"):
        read_pair((np.zeros((4, 2)), [0] * 4), [1] * 4)
    with pytest.raises(InvalidInput, match="X is a range, and this student"):
        read_pair(range(4))
    assert read_pair({"x": [1]})[0]["x"].tolist() == [1]  # a dictionary is a table


def test_lists_of_pairs_and_rows_of_different_shapes_are_refused() -> None:
    pairs = [(np.zeros(3), 0), (np.ones(3), 1)]
    with pytest.raises(InvalidInput, match=r"a list of 2 pairs .* X, y = map\(np.array"):
        read_pair(pairs)
    with pytest.raises(InvalidInput, match="The 2 rows of X have different shapes"):
        read_pair([[1, 2, 3], [3, 4]])


def test_some_rows_are_spread_over_all() -> None:
    X = np.arange(100)[:, None]
    assert some_rows(X, 3)[:, 0].tolist() == [0, 49, 99]
    assert len(some_rows(X, 1000)) == 100
    assert list(some_rows(pd.DataFrame(X, index=X[:, 0] + 5), 2).index) == [5, 104]
