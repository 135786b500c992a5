"""Rows as they are given: arrays, tables and tensors, alone or in a pair with their labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput
from limbeck.core.images import are_image_paths
from limbeck.core.records import as_table
from limbeck.core.texts import are_texts, as_texts

__all__ = ["read_pair", "some_rows"]


def read_pair(X: Any, y: Any = None) -> tuple[Any, Any]:
    """Rows and labels from two arguments, or from a pair in the first.

    Parameters
    ----------
    X : array-like, DataFrame, dictionary of columns, tensor, or pair (X, y)
        The rows; a pair holds rows and labels (None for none).
    y : array-like, optional
        The labels, where X is no pair.

    Returns
    -------
    X, y
        Tensors, lists and texts as arrays, dictionaries and pairs of texts as tables, all else as
        it was given.

    Raises
    ------
    InvalidInput
        If labels are given twice, or X is a data set of items.
    """
    if isinstance(X, tuple) and len(X) == 2:
        if y is not None:
            raise InvalidInput(
                "X is a pair (X, y), and y was given as well.", "Give the labels once."
            )
        X, y = X
    X = as_table(X)
    if hasattr(X, "iloc") and X.ndim == 2 and X.shape[1] == 1 and are_image_paths(X.iloc[:, 0]):
        X = X.iloc[:, 0].to_numpy(dtype=object)
    if hasattr(X, "dataset") or (hasattr(X, "__getitem__") and not hasattr(X, "__array__")
                                 and not isinstance(X, list | tuple) and not hasattr(X, "iloc")
                                 and not hasattr(X, "toarray")):  # fmt: skip
        raise InvalidInput(
            f"X is a {type(X).__name__}, and this student is made from rows in memory.",
            "Give an array, a table or a tensor, or a pair (X, y) of them.",
        )
    if hasattr(X, "detach"):
        X = X.detach().cpu().numpy()
    if isinstance(X, list | tuple) and are_texts(X):
        return as_texts(X), y
    return (_as_array(X) if isinstance(X, list | tuple) else X), y


def _as_array(X: Any) -> Any:
    """Rows in a list, which share a shape."""
    try:
        return np.asarray(X)
    except ValueError:
        first = X[0]
        pairs = isinstance(first, list | tuple) and len(first) == 2 and not np.ndim(first[1])
        raise InvalidInput(
            f"X is a list of {len(X):,} pairs of a row and a label."
            if pairs
            else f"The {len(X):,} rows of X have different shapes.",
            "Give the pair (X, y) of all rows and all labels: X, y = map(np.array, zip(*pairs))."
            if pairs
            else "Give rows of one shape.",
        ) from None


def some_rows(X: Any, n: int) -> Any:
    """At most n rows, evenly spaced, in the form in which they are.

    Parameters
    ----------
    X : array or DataFrame
        The rows.
    n : int
        How many are wanted.
    """
    chosen = np.unique(np.linspace(0, len(X) - 1, min(n, len(X))).astype(np.int64))
    return X.iloc[chosen] if hasattr(X, "iloc") else X[chosen]
