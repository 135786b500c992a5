"""Literals: the tests of one feature that a tree may ask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.tree.nodes import EQ, LE, MISSING
from limbeck.students.tree.thresholds import distinct_in_float32

__all__ = ["Literal", "Literals", "grid", "sorted_columns"]


@dataclass(frozen=True, order=True)
class Literal:
    """One test; true means left. See :class:`limbeck.students.tree.nodes.Nodes` for its parts."""

    feature: int
    op: int
    threshold: float
    missing_left: bool


class Literals:
    """A list of different literals and their truth on rows."""

    def __init__(self, items: Iterable[Literal]) -> None:
        self.items: tuple[Literal, ...] = tuple(sorted(set(items), key=_order))
        self.position = {literal: i for i, literal in enumerate(self.items)}
        self.feature = np.array([literal.feature for literal in self.items], dtype=np.int64)

    def __len__(self) -> int:
        return len(self.items)

    def truth(self, values: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Truth of every literal on encoded rows (n, d), as (literals, n)."""
        out = np.empty((len(self), len(values)), dtype=np.bool_)
        for i, t in enumerate(self.items):
            column = values[:, t.feature]
            out[i] = _true(column, t)
        return out


def grid(
    features: Features,
    values: NDArray[np.float64],
    limit: int = 1200,
    most: int = 32,
    ordered: list[NDArray[np.float64]] | None = None,
) -> list[Literal]:
    """Candidate literals: midpoints at quantiles, every category, and missingness.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows from which the thresholds are read.
    limit : int
        About how many literals at most; thresholds a column are between 3 and ``most``.
    most : int
        Most thresholds of a column.
    ordered : list of ndarray, optional
        What `sorted_columns` says of the values.

    Returns
    -------
    list of Literal
        No literal is constant on ``values``.
    """
    per_column = int(np.clip(limit // len(features), 3, most))
    out: list[Literal] = []
    for j, present in enumerate(sorted_columns(values) if ordered is None else ordered):
        column = features.columns[j]
        holes = len(present) < len(values)
        if holes and len(present):
            out.append(Literal(j, MISSING, 0.0, False))
        if column.kind == "categorical":
            codes = np.unique(present)
            out += [Literal(j, EQ, float(c), False) for c in codes if len(codes) > 1 or holes]
            continue
        for t in _midpoints(present, per_column):
            out.append(Literal(j, LE, t, False))
            if holes:
                out.append(Literal(j, LE, t, True))
    return out


def sorted_columns(values: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """What is not missing of each column of (n, d), in order."""
    out = []
    for j in range(values.shape[1]):
        column = np.sort(values[:, j])  # NaN comes last
        out.append(column[: len(column) - int(np.isnan(column).sum())])
    return out


def _midpoints(ordered: NDArray[np.float64], most: int) -> list[float]:
    """Midpoints between neighbouring values in order, thinned to those nearest to even quantiles.

    Values that float32 cannot tell apart are not split. A finished tree moves its thresholds; see
    :meth:`limbeck.students.tree.nodes.Nodes.settled`.
    """
    distinct = ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered
    middles = distinct[1:] / 2 + distinct[:-1] / 2
    middles = middles[distinct_in_float32(distinct[:-1], distinct[1:])]
    if len(middles) > most:
        at = (np.arange(most) + 1) / (most + 1) * (len(ordered) - 1)
        low = at.astype(np.int64)
        wanted = ordered[low] + (at - low) * (ordered[low + 1] - ordered[low])
        middles = np.unique(middles[np.clip(np.searchsorted(middles, wanted), 0, len(middles) - 1)])
    return [float(t) for t in middles]


def _order(t: Literal) -> tuple[int, int, float, bool]:
    return t.feature, t.op, t.threshold, t.missing_left


def _true(x: NDArray[np.float64], t: Literal) -> NDArray[np.bool_]:
    if t.op == MISSING:
        return np.isnan(x)
    told = x <= t.threshold if t.op == LE else x == t.threshold
    return told | np.isnan(x) if t.missing_left else told
