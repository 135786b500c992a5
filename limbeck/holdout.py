"""Setting rows aside before anything is learned."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.data.labels import read_labels
from limbeck.errors import InvalidInput, did_you_mean

__all__ = ["Side", "split"]

_FEWEST = 10
# More rows than this teach a readable student nothing; the rest of a huge X is left unread.
_MOST_ROWS = 50_000


@dataclass(frozen=True)
class Side:
    """Rows in the user's own form, with labels and groups where there are any."""

    X: Any
    y: NDArray[Any] | None
    groups: NDArray[Any] | None

    def keep(self, rows: NDArray[np.int64]) -> Side:
        """Only these rows; refused where too few are left."""
        _enough(len(rows), "holdout rows that training did not see")
        return Side(_take(self.X, rows), _take(self.y, rows), _take(self.groups, rows))


def split(
    X: Any, y: NDArray[Any] | None, groups: Any, holdout: float | tuple[Any, Any], seed: int
) -> tuple[Side, Side]:
    """Rows for the method and rows for the certificate, apart from each other.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n, d)
        All rows.
    y : ndarray of shape (n,) or None
        Labels.
    groups : array-like of shape (n,), str or None
        Groups of the rows, or a column of X. They belong to X, or to the holdout rows where
        these are given.
    holdout : float or (X, y)
        A share, or the holdout rows themselves.
    seed : int
        Seed of the random split.

    Raises
    ------
    InvalidInput
        If either side would be too small.
    """
    if isinstance(holdout, tuple):
        if len(holdout) != 2:
            raise InvalidInput(
                f"holdout is a tuple of {len(holdout)}.", "Give (X, y), with y=None for no labels."
            )
        aside = holdout[0]
        labels = read_labels(holdout[1], len(aside))
        if (labels is None) != (y is None):
            raise InvalidInput(
                "Labels were given for only one of X and the holdout rows.",
                "Give y for both, or for none.",
            )
        _enough(len(aside), "holdout rows")
        chosen = _order(len(X), seed)[:_MOST_ROWS]
        return Side(_take(X, chosen), _take(y, chosen), None), Side(
            aside, labels, _groups(groups, aside)
        )
    if isinstance(holdout, bool) or not isinstance(holdout, Real) or not 0 < holdout < 1:
        raise InvalidInput(f"holdout is {holdout!r}.", "Give a share between 0 and 1, or (X, y).")
    n = len(X)
    aside_n = round(n * float(holdout))
    _enough(aside_n, f"of {n} rows to set aside")
    _enough(n - aside_n, f"of {n} rows left for the method")
    of = _groups(groups, X)
    order = _order(n, seed)
    test, fit = np.sort(order[:aside_n]), np.sort(order[aside_n:][:_MOST_ROWS])
    return (
        Side(_take(X, fit), _take(y, fit), None),
        Side(_take(X, test), _take(y, test), _take(of, test)),
    )


def _enough(n: int, what: str) -> None:
    if n < _FEWEST:
        raise InvalidInput(
            f"There are {n} {what}.", f"At least {_FEWEST} are needed: give more rows."
        )


def _order(n: int, seed: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).permutation(n)


def _take(values: Any, rows: NDArray[np.int64]) -> Any:
    if values is None:
        return None
    if isinstance(values, list | tuple):
        values = np.asarray(values)
    return values.iloc[rows] if hasattr(values, "iloc") else values[rows]


def _groups(groups: Any, X: Any) -> NDArray[Any] | None:
    if groups is None:
        return None
    if isinstance(groups, str):
        names = list(getattr(X, "columns", ()))
        if groups not in names:
            raise InvalidInput(f"There is no column {groups!r}.", did_you_mean(groups, names))
        groups = X[groups]
    array = np.asarray(groups)
    if array.shape != (len(X),):
        raise InvalidInput(
            f"groups has shape {array.shape}, and there are {len(X)} rows.", "Give one a row."
        )
    return array
