"""Rows as users hold them, in batches of tensors that a module takes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from torch import Tensor, nn

from limbeck.core.errors import InvalidInput
from limbeck.modules.rows import as_table, row_batches, starts_with_embedding

X = np.arange(15).reshape(5, 3)
DOUBLE = nn.Linear(3, 2).double()


def batches(X: Any, module: nn.Module = DOUBLE, **options: Any) -> list[Tensor]:
    return [x for _, x in row_batches(module, as_table(X), 2, **options)]


@pytest.mark.parametrize("given", [X, X.tolist(), pd.DataFrame(X), torch.from_numpy(X), X > 7])
def test_rows_of_any_kind_come_in_order_in_the_dtype_of_the_module(given: Any) -> None:
    found = batches(given)
    assert [len(x) for x in found] == [2, 2, 1]
    assert {x.dtype for x in found} == {torch.float64}
    np.testing.assert_array_equal(torch.cat(found).numpy(), np.asarray(given, dtype=float))


def test_sparse_rows_are_filled_and_preprocessed_ones_counted() -> None:
    found = batches(X, preprocess=sparse.csr_matrix)
    np.testing.assert_array_equal(torch.cat(found).numpy(), X)
    with pytest.raises(InvalidInput, match="preprocess made 1 rows of 2"):
        batches(X, preprocess=lambda rows: rows[:1])


def test_an_embedding_gets_integers_and_numbers_stay_numbers() -> None:
    words = nn.Sequential(nn.Embedding(20, 2), nn.Flatten())
    assert starts_with_embedding(words)
    assert not starts_with_embedding(DOUBLE)
    assert {x.dtype for x in batches(X, words)} == {torch.int64}
    assert {x.dtype for x in batches(X.astype(np.float32), words)} == {torch.float32}


def test_the_users_rows_are_never_touched() -> None:
    given = torch.ones(4, 3, dtype=torch.float64)
    for x in batches(given):
        x.zero_()
    assert given.sum() == 12


def test_what_is_no_table_of_numbers_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"shape \(3,\)"):
        as_table([1, 2, 3])
    with pytest.raises(InvalidInput, match="Give preprocess"):
        batches(np.array([["a", "b", "c"]] * 2))
