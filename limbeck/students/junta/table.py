"""A table over k variables as read-only arrays: levels, cells, and what unseen cells take over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.tree.conditions import Condition, quoted
from limbeck.students.tree.thresholds import (
    decimal,
    distinct_in_float32,
    midway,
    midways,
    printed_all,
    surrounds,
)

__all__ = ["MAX_CELLS", "CellTable", "cut", "spread"]

MAX_CELLS = 200_000


@dataclass(frozen=True, eq=False)
class CellTable:
    """A value for each combination of the levels of k variables.

    A number falls between edges (level j holds ``edges[j-1] < x <= edges[j]``), a boolean or a
    category has its own levels, and the last level of every variable is "missing". Cells are in
    C order: the last variable changes fastest.

    Parameters
    ----------
    variables : tuple of int
        The columns, k of them.
    edges : tuple of ndarray
        For each variable its increasing edges; empty for booleans and categories.
    levels : tuple of int
        For each variable its number of levels, with "missing".
    value : ndarray of shape (cells, outputs), float64
        Class fractions, or the mean in one column.
    weight : ndarray of shape (cells,), float64
        Weight of the training rows in each cell; 0 where none was seen.
    between : tuple of ndarray of shape (edges, 2), optional
        For each variable the values seen next to each edge; None where they are not known.
    """

    variables: tuple[int, ...]
    edges: tuple[NDArray[np.float64], ...]
    levels: tuple[int, ...]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]
    between: tuple[NDArray[np.float64], ...] | None = None

    def __post_init__(self) -> None:
        for name in ("value", "weight"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        object.__setattr__(self, "edges", tuple(_frozen(e) for e in self.edges))
        if self.between is not None:
            pairs = tuple(_frozen(b).reshape(-1, 2) for b in self.between)
            object.__setattr__(self, "between", pairs)

    def __reduce__(self) -> tuple[Any, ...]:
        return CellTable, tuple(getattr(self, f.name) for f in fields(self))

    def cell(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        """The cell of each row, shape (n,), for encoded rows (n, d)."""
        found = np.zeros(len(values), dtype=np.intp)
        for j, edges, count in zip(self.variables, self.edges, self.levels, strict=True):
            found = found * count + level(values[:, j], edges, count)
        return found

    def seen(self) -> list[tuple[int, tuple[int, ...]]]:
        """The cells that training rows reached: their positions and the levels they are at."""
        cells = np.flatnonzero(self.weight)
        at = np.unravel_index(cells, self.levels) if self.levels else ()
        rows = zip(*(a.tolist() for a in at), strict=True) if self.levels else [()] * len(cells)
        return list(zip(cells.tolist(), rows, strict=True))

    def problem(self, features: Features, outputs: int) -> str:
        """What is wrong with this table as one sentence; empty for a sound one.

        Parameters
        ----------
        features : Features
            The columns.
        outputs : int
            Number of values in a cell.
        """
        d, k = len(features), len(self.variables)
        if len(self.edges) != k or len(self.levels) != k or len(set(self.variables)) != k:
            return "Variables must differ, with one list of edges and one count of levels each"
        if any(not 0 <= j < d for j in self.variables):
            return f"The variables {list(self.variables)} are not all among {d} columns"
        for j, edges, count in zip(self.variables, self.edges, self.levels, strict=True):
            if not np.isfinite(edges).all() or (np.diff(edges) <= 0).any():
                return f"The edges of {features.names[j]!r} are not increasing numbers"
            if len(edges) and features.columns[j].kind != "numeric":
                return f"{features.names[j]!r} is no number, and has no edges"
            if count != levels_of(features.columns[j], edges):
                return f"{features.names[j]!r} cannot have {count} levels"
        if self.between is not None and (
            len(self.between) != k or not all(map(surrounds, self.between, self.edges))
        ):
            return "An edge lies outside of the values seen on both sides of it"
        cells = int(np.prod(self.levels, dtype=np.int64))
        if self.value.shape != (cells, outputs) or self.weight.shape != (cells,):
            return f"The table needs values of shape ({cells}, {outputs}) and as many weights"
        sound = np.isfinite(self.value).all() and np.isfinite(self.weight).all()
        return "" if sound else "The table holds a number that is not finite"

    def conditions(
        self, features: Features, digits: int | None = None, exact: bool = False
    ) -> list[list[Condition]]:
        """For each variable what its levels let through; parameters as in :meth:`words`.

        Parameters
        ----------
        features : Features
            The columns.
        digits, exact
            As in :meth:`words`.
        """
        return [
            _level_conditions(features.columns[j], ends, count)
            for j, ends, count in zip(
                self.variables, self.printed_edges(digits, exact), self.levels, strict=True
            )
        ]

    def printed_edges(self, digits: int | None = None, exact: bool = False) -> list[list[float]]:
        """The edges of each variable as they are printed; parameters as in :meth:`words`.

        Parameters
        ----------
        digits, exact
            As in :meth:`words`.
        """
        between = self.between or (None,) * len(self.edges)
        return [
            printed_all(edges, seen, digits, exact)
            for edges, seen in zip(self.edges, between, strict=True)
        ]

    def words(
        self, features: Features, digits: int | None = None, exact: bool = False
    ) -> list[list[str]]:
        """For each variable the words for its levels, such as ``<= 3 mm`` and ``missing``.

        Parameters
        ----------
        features : Features
            The d columns.
        digits, exact
            How edges are printed; see :func:`limbeck.students.tree.thresholds.printed`.
        """
        pairs = zip(self.variables, self.printed_edges(digits, exact), strict=True)
        return [_level_words(features.columns[j], ends) for j, ends in pairs]


def levels_of(feature: Feature, edges: NDArray[np.float64]) -> int:
    """The number of levels of a column, with "missing"."""
    own = {"categorical": len(feature.levels), "boolean": 2, "numeric": len(edges) + 1}
    return own[feature.kind] + 1


def level(x: NDArray[np.float64], edges: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """The level of each entry of a column (n,); see :class:`CellTable`."""
    missing = np.isnan(x)
    if len(edges) or count == 2:
        codes = np.searchsorted(edges, x, side="left")
    else:
        codes = np.clip(np.where(missing, 0, x), 0, count - 2).astype(np.intp)
    return np.where(missing, count - 1, codes)


def cut(
    feature: Feature, x: NDArray[np.float64], weight: NDArray[np.float64], bins: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges for a column (n,): between distinct numbers if few, else at weighted quantiles.

    Parameters
    ----------
    feature : Feature
        The column.
    x : ndarray of shape (n,)
        Its values; NaN where missing.
    weight : ndarray of shape (n,)
        How much each row counts.
    bins : int
        Most bins.

    Returns
    -------
    edges : ndarray of shape (m,), float64
        At most ``bins - 1`` increasing edges, see :func:`limbeck.students.tree.thresholds.midway`;
        none for booleans and categories.
    between : ndarray of shape (m, 2), float64
        The values next to each edge.
    """
    if feature.kind != "numeric":
        return np.empty(0), np.empty((0, 2))
    counts = ~np.isnan(x) & (weight > 0)
    distinct, place = np.unique(x[counts], return_inverse=True)
    if len(distinct) <= bins:
        return midways(distinct)
    below = np.cumsum(np.bincount(place, weight[counts]))
    at = np.unique(np.searchsorted(below, np.linspace(0, below[-1], bins + 1)[1:-1]))
    at = at[at < len(distinct) - 1]
    pairs = np.column_stack([distinct[at], distinct[at + 1]])
    pairs = pairs[distinct_in_float32(pairs[:, 0], pairs[:, 1])]
    return midway(pairs[:, 0], pairs[:, 1]), pairs


def spread(
    levels: Sequence[int], value: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give each unseen cell the value of the nearest seen one.

    Near means few variables that differ (Hamming distance); among equals the heaviest counts,
    then the first. Found in k rounds, since a cell at distance r has a neighbour at distance
    r - 1 with the same nearest cell.

    Parameters
    ----------
    levels : sequence of int
        The number of levels of each variable.
    value : ndarray of shape (cells, outputs), float64
        Values, of which those of unseen cells are ignored.
    weight : ndarray of shape (cells,), float64
        0 for unseen cells.
    """
    cells = len(weight)
    order = np.argsort(-weight, kind="stable")
    rank = np.empty(cells, dtype=np.intp)
    rank[order] = np.arange(cells)
    nobody = cells
    source = np.where(weight > 0, rank, nobody).reshape(tuple(levels) or (1,))
    for _ in levels:
        nearest = source
        for axis in range(source.ndim):
            nearest = np.minimum(nearest, source.min(axis=axis, keepdims=True))
        source = np.where(source == nobody, nearest, source)
    return np.asarray(value[order[source.ravel()]])


def _frozen(array: Any) -> NDArray[np.float64]:
    out = np.array(array, dtype=np.float64)
    out.flags.writeable = False
    return out


def _level_conditions(feature: Feature, ends: Sequence[float], count: int) -> list[Condition]:
    missing = Condition(feature, present=False)
    if feature.kind == "categorical":
        codes = (frozenset({float(c)}) for c in range(count - 1))
        return [*(Condition(feature, codes=c, missing=False) for c in codes), missing]
    inner = [0.5] if feature.kind == "boolean" else ends
    bounds = pairwise([-np.inf, *inner, np.inf])
    return [*(Condition(feature, a, b, missing=False) for a, b in bounds), missing]


def _level_words(feature: Feature, edges: Sequence[float]) -> list[str]:
    if feature.kind == "categorical":
        return [*map(quoted, feature.levels), "missing"]
    if feature.kind == "boolean":
        return ["false", "true", "missing"]
    unit = f" {feature.unit}" if feature.unit else ""
    if not len(edges):
        return ["any", "missing"]
    ends = [decimal(e) for e in edges]
    between = [f"({a}, {b}]{unit}" for a, b in pairwise(ends)]
    return [f"<= {ends[0]}{unit}", *between, f"> {ends[-1]}{unit}", "missing"]
