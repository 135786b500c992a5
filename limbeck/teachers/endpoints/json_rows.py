"""Rows as JSON: what a service gets, and what the key of an answer is made of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from limbeck.core.errors import InvalidInput

__all__ = ["column_names", "json_value", "rows_as_lists", "rows_as_mappings", "whole_as_int"]


def column_names(X: Any) -> list[str]:
    """The names of the columns; ``text`` of a list of texts, else ``x0``, ``x1``, ...

    Parameters
    ----------
    X : DataFrame, array or list of n rows
        The rows.
    """
    if hasattr(X, "columns"):
        return [str(name) for name in X.columns]
    A = _array(X)
    return ["text"] if A.ndim == 1 else [f"x{i}" for i in range(A.shape[1])]


def rows_as_lists(X: Any) -> list[list[Any]]:
    """Each row as a list of JSON values.

    Parameters
    ----------
    X : DataFrame, array or list of n rows
        Texts (n,), or rows of d values; those of more axes are nested lists.
    """
    if hasattr(X, "columns"):
        columns = [[json_value(v) for v in X[name]] for name in X.columns]
        return [list(row) for row in zip(*columns, strict=True)] or []
    A = _array(X)
    if A.ndim == 1:
        return [[json_value(v)] for v in A]
    return [[json_value(v) for v in row] for row in A]


def rows_as_mappings(X: Any) -> list[dict[str, Any]]:
    """Each row as a mapping from column to JSON value.

    Parameters
    ----------
    X : DataFrame, array or list of n rows
        As for `rows_as_lists`.
    """
    names = column_names(X)
    return [dict(zip(names, row, strict=True)) for row in rows_as_lists(X)]


def json_value(value: Any) -> Any:
    """A value as JSON knows it; what is missing or no number is null.

    Parameters
    ----------
    value : object
        A cell of a table.

    Raises
    ------
    InvalidInput
        If JSON cannot hold it.
    """
    if isinstance(value, np.datetime64) and not np.isnat(value):
        value = _coarser(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        return [json_value(v) for v in value]
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return [json_value(v) for v in value]
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(value, "isoformat"):
        return str(value.isoformat())
    raise InvalidInput(
        f"A row holds a {type(value).__name__}, which JSON cannot hold.",
        "Give numbers, texts, booleans or dates.",
    )


def whole_as_int(value: Any) -> Any:
    """The same JSON with 3 for 3.0, so that both are one question.

    Parameters
    ----------
    value : JSON value
        A row.
    """
    if isinstance(value, list):
        return [whole_as_int(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _coarser(value: Any) -> Any:
    """A date without its nanoseconds, which Python's own dates have not."""
    fine = np.datetime_data(value.dtype)[0] in ("ns", "ps", "fs", "as")
    return value.astype("datetime64[us]") if fine else value


def _array(X: Any) -> Any:
    A = X if isinstance(X, np.ndarray) else np.asarray(X)
    if A is not X and A.ndim > 1 and A.dtype.kind == "U":  # numbers beside texts stay numbers
        A = np.asarray(X, dtype=object)
    if A.ndim == 0:
        raise InvalidInput("One value was given as rows.", "Give n rows.")
    return A
