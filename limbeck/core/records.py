"""Rows that are given as dictionaries, records or pairs of texts, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput, plural

__all__ = ["PAIR", "are_records", "as_table"]

PAIR = ("text", "text_pair")
"""The columns of pairs of texts, called as tokenizers call them."""
_LOOKED_AT = 100


def are_records(X: Any) -> bool:
    """Whether rows are a dictionary of columns, a list of dictionaries, or tuples of two texts.

    Parameters
    ----------
    X : object
        Rows in the user's form.

    Examples
    --------
    >>> are_records({"age": [31, 45]}), are_records([("a", "b")]), are_records([[1.0, 2.0]])
    (True, True, False)
    """
    if hasattr(X, "toarray"):  # sparse, some of which are mappings, too
        return False
    if isinstance(X, Mapping):
        return True
    if getattr(X, "ndim", 0) == 2 and getattr(X, "dtype", None) is not None:
        if getattr(X.dtype, "kind", "f") not in "OUT" or X.shape[1] != len(PAIR) or not len(X):
            return False
        return all(isinstance(value, str) for value in X[:_LOOKED_AT].ravel().tolist())
    if not isinstance(X, list) or not X:
        return False
    return all(isinstance(row, Mapping) or _is_pair(row) for row in X[:_LOOKED_AT])


def as_table(X: Any) -> Any:
    """Rows as a DataFrame where `are_records`; all others as they are.

    Parameters
    ----------
    X : mapping of name to column, list of mappings, list of pairs of texts, or other rows
        A column of shape (n, m), as for an input of several numbers, becomes the columns
        ``name[0]`` to ``name[m - 1]``. Pairs of texts become the columns ``text``, ``text_pair``.

    Returns
    -------
    DataFrame, or X

    Raises
    ------
    InvalidInput
        If columns have different lengths, or records different names.

    Examples
    --------
    >>> list(as_table({"place": ["a", "b"], "size": [[1, 2], [3, 4]]}).columns)
    ['place', 'size[0]', 'size[1]']
    """
    if not are_records(X):
        return X
    import pandas as pd

    if isinstance(X, Mapping):
        return pd.DataFrame(_columns(X))
    if not isinstance(X, list) or _is_pair(X[0]):
        odd = [i for i, row in enumerate(X) if len(row) != len(PAIR)]
        if odd:
            raise InvalidInput(
                f"Row {odd[0]} is {X[odd[0]]!r}, and the others are pairs of texts.",
                "Give two texts in each row.",
            )
        return pd.DataFrame([tuple(row) for row in X], columns=list(PAIR))
    names = list(X[0])
    for i, row in enumerate(X):
        if not isinstance(row, Mapping) or set(row) != set(names):
            raise InvalidInput(
                f"Row {i} is {row!r}, and the first has the names {names}.",
                "Give all rows the same names, with None where a value is missing.",
            )
    return pd.DataFrame.from_records([dict(row) for row in X], columns=names)


def _is_pair(row: Any) -> bool:
    return (
        isinstance(row, tuple)
        and len(row) == len(PAIR)
        and all(isinstance(text, str) for text in row)
    )


def _columns(held: Mapping[Any, Any]) -> dict[str, Any]:
    """One column for each name, or several where a column has a second dimension."""
    out: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    for name, given in held.items():
        values = given if hasattr(given, "dtype") or hasattr(given, "detach") else list(given)
        values = values.detach().cpu().numpy() if hasattr(values, "detach") else values
        array = values if hasattr(values, "dtype") else np.asarray(values)
        if getattr(array, "ndim", 1) > 1:
            flat = np.asarray(array).reshape(len(array), -1)
            out |= {f"{name}[{j}]": flat[:, j] for j in range(flat.shape[1])}
        else:
            out[str(name)] = values
        lengths[str(name)] = len(values)
    if not out:
        raise InvalidInput("There are no columns.", "Give a dictionary of name and column.")
    first, n = next(iter(lengths.items()))
    for name, m in lengths.items():
        if m != n:
            raise InvalidInput(
                f"{first!r} has {plural(n, 'row')}, and {name!r} has {m:,}.",
                "Give columns of the same length.",
            )
    return out
