"""Fresh rows with the data's columns and rank correlations: a Gaussian copula."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import SAMPLERS

__all__ = ["GaussianCopula"]

Matrix = NDArray[np.float64]


@SAMPLERS.register("gaussian_copula")
@dataclass(frozen=True)
class GaussianCopula:
    """Every column distributed as observed, and all held together by one Gaussian correlation.

    Ranks become normal scores, whose correlation is estimated; scores drawn with it become values
    again by each column's quantiles (Nelsen 2006, sections 2.3 and 2.9). So every value that is
    drawn was observed in its column, and columns rise and fall together as in the data; what more
    they do together is lost. Values that are equal share their ranks at random, missing ones form
    the lowest rank, and the levels of a category are put in the order of their mean position
    along the first principal component of the numbers.
    """

    def draw(self, rows: Rows, n: int, rng: np.random.Generator) -> Rows:
        """Draw n new rows with the columns of ``rows``.

        Parameters
        ----------
        rows : Rows
            The data, of N rows and d columns.
        n : int
            Rows to draw.
        rng : numpy.random.Generator
            The source of chance.

        Returns
        -------
        Rows
            Of shape (n, d).

        Raises
        ------
        InvalidInput
            If n is negative.
        """
        from scipy.special import ndtr

        if n < 0:
            raise InvalidInput(f"n is {n}.", "Ask for a number of rows.")
        order, root = _fitted(rows)
        at = (ndtr(rng.standard_normal((n, len(root))) @ root.T) * len(rows)).astype(np.int64)
        at = np.minimum(at, len(rows) - 1)
        return Rows(rows.features, np.take_along_axis(order, at, axis=0))

    def describe(self) -> str:
        """The distribution in words."""
        return (
            "every column as observed, held together by the correlation of their normal scores"
            " (a Gaussian copula)"
        )


# As for profiles: methods draw from the same rows many times.
_FITTED: WeakKeyDictionary[Rows, tuple[Matrix, Matrix]] = WeakKeyDictionary()


def _fitted(rows: Rows) -> tuple[Matrix, Matrix]:
    """The values of every column in order, (N, d), and a root R of the correlation R R^t."""
    if rows not in _FITTED:
        _FITTED[rows] = _fit(rows)
    return _FITTED[rows]


def _fit(rows: Rows) -> tuple[Matrix, Matrix]:
    from scipy.special import ndtri

    n, values = len(rows), rows.values
    rng = np.random.default_rng(0)  # only breaks ties, so that the fit is of the rows alone
    tie = rng.random(values.shape)
    key = np.where(np.isnan(values), -np.inf, values)
    named = [j for j, c in enumerate(rows.features.columns) if c.kind == "categorical"]
    numbers = np.setdiff1d(np.arange(values.shape[1]), named)
    scores = ndtri((_ranks(key, tie) + 0.5) / n)
    if named and len(numbers):
        along = scores[:, numbers] @ _first_direction(scores[:, numbers])
        for j in named:
            levels, group = np.unique(key[:, j], return_inverse=True)
            mean = np.bincount(group, along) / np.bincount(group)
            mean[np.isneginf(levels)] = -np.inf  # missing values stay first
            key[:, j] = mean[group]
        scores[:, named] = ndtri((_ranks(key[:, named], tie[:, named]) + 0.5) / n)
    order = np.stack(
        [values[_in_order(key[:, j], tie[:, j]), j] for j in range(values.shape[1])], axis=1
    )
    spread, directions = np.linalg.eigh(scores.T @ scores / n)
    root = directions * np.sqrt(np.maximum(spread, 0.0))
    size = np.sqrt((root**2).sum(axis=1, keepdims=True))
    return order, root / np.where(size > 0, size, 1.0)


def _ranks(key: Matrix, tie: Matrix) -> NDArray[np.int64]:
    """Ranks from 0 within every column; equal values in the order of ``tie``."""
    out = np.empty(key.shape, dtype=np.int64)
    for j in range(key.shape[1]):
        out[_in_order(key[:, j], tie[:, j]), j] = np.arange(len(key))
    return out


def _in_order(key: NDArray[np.float64], tie: NDArray[np.float64]) -> NDArray[np.int64]:
    """Positions by key, equal ones by tie: one sort instead of two where none are equal."""
    at = np.argsort(key)
    ordered = key[at]
    return at if (ordered[1:] > ordered[:-1]).all() else np.lexsort((tie, key))


def _first_direction(scores: Matrix) -> NDArray[np.float64]:
    return np.asarray(np.linalg.eigh(scores.T @ scores)[1][:, -1])
