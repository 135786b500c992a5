"""Tables as they are given: arrays, tensors and frames, and what of them cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput

__all__ = ["as_matrix", "check_names", "check_not_empty", "is_frame"]


def is_frame(X: Any) -> bool:
    """Whether it is a DataFrame, by what it can do."""
    return hasattr(X, "columns") and hasattr(X, "iloc")


def as_matrix(X: Any) -> tuple[NDArray[Any], tuple[int, ...]]:
    """Rows as a matrix (n, d), and the shape that they had; () for a table.

    Raises
    ------
    InvalidInput
        If they are no table of numbers or booleans, or have no row or column.
    """
    if hasattr(X, "detach"):  # a tensor, on any device
        X = X.detach().cpu().numpy()
    if hasattr(X, "toarray"):
        raise InvalidInput("X is sparse, which is not supported.", "Give X.toarray().")
    A = np.asarray(X)
    shape = A.shape[1:] if A.ndim > 2 else ()
    if shape and A.size:
        A = A.reshape(len(A), -1)
    if A.ndim != 2:
        raise InvalidInput(
            f"X has shape {A.shape}, and a table of rows and columns is needed.",
            "Reshape your data to (n, d); a single row as X.reshape(1, -1).",
        )
    check_not_empty(A.shape)
    if A.dtype == object:
        try:
            A = A.astype(np.float64)
        except (TypeError, ValueError):
            raise InvalidInput(
                "X is an array of objects that are not numbers.",
                "Give a pandas DataFrame with one dtype per column; text becomes categories.",
            ) from None
    if A.dtype.kind not in "fiub":
        raise InvalidInput(
            f"X has dtype {A.dtype}.", "Give numbers or booleans, or a pandas DataFrame."
        )
    return A, shape


def check_not_empty(shape: tuple[int, ...]) -> None:
    """Refuse a table without rows or columns."""
    for count, what in zip(shape, ("sample", "feature"), strict=True):
        if count == 0:
            raise InvalidInput(
                f"X holds 0 {what}(s) (shape={shape}) while a minimum of 1 is required.",
                "Give at least one row and one column.",
            )


def check_names(names: Sequence[str]) -> None:
    """Refuse two columns of one name."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InvalidInput(f"Two columns are called {name!r}.", "Rename or drop one of them.")
        seen.add(name)
