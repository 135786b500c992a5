"""A table over k variables as read-only arrays: levels, cells, and what unseen cells take over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.features import Feature, Features
from limbeck.students.words import number

__all__ = ["MAX_CELLS", "Table", "cut", "spread"]

MAX_CELLS = 200_000


@dataclass(frozen=True, eq=False)
class Table:
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
    """

    variables: tuple[int, ...]
    edges: tuple[NDArray[np.float64], ...]
    levels: tuple[int, ...]
    value: NDArray[np.float64]
    weight: NDArray[np.float64]

    def __post_init__(self) -> None:
        for name in ("value", "weight"):
            object.__setattr__(self, name, _frozen(getattr(self, name)))
        object.__setattr__(self, "edges", tuple(_frozen(e) for e in self.edges))

    def __reduce__(self) -> tuple[Any, ...]:
        return Table, (self.variables, self.edges, self.levels, self.value, self.weight)

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
        """What is wrong with this table as one sentence; empty for a sound one."""
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
        cells = int(np.prod(self.levels, dtype=np.int64))
        if self.value.shape != (cells, outputs) or self.weight.shape != (cells,):
            return f"The table needs values of shape ({cells}, {outputs}) and as many weights"
        sound = np.isfinite(self.value).all() and np.isfinite(self.weight).all()
        return "" if sound else "The table holds a number that is not finite"

    def words(self, features: Features) -> list[list[str]]:
        """For each variable the words for its levels, such as ``<= 3 mm`` and ``missing``."""
        pairs = zip(self.variables, self.edges, strict=True)
        return [_level_words(features.columns[j], edges) for j, edges in pairs]


def levels_of(feature: Feature, edges: NDArray[np.float64]) -> int:
    """The number of levels of a column, with "missing"."""
    own = {"categorical": len(feature.levels), "boolean": 2, "numeric": len(edges) + 1}
    return own[feature.kind] + 1


def level(x: NDArray[np.float64], edges: NDArray[np.float64], count: int) -> NDArray[np.intp]:
    """The level of each entry of a column (n,); see :class:`Table`."""
    missing = np.isnan(x)
    if len(edges) or count == 2:
        codes = np.searchsorted(edges, x, side="left")
    else:
        codes = np.clip(np.where(missing, 0, x), 0, count - 2).astype(np.intp)
    return np.where(missing, count - 1, codes)


def cut(
    feature: Feature, x: NDArray[np.float64], weight: NDArray[np.float64], bins: int
) -> NDArray[np.float64]:
    """Edges for a column (n,): between distinct numbers if few, else at weighted quantiles.

    Returns
    -------
    ndarray of float64
        At most ``bins - 1`` increasing edges; none for booleans and categories.
    """
    if feature.kind != "numeric":
        return np.empty(0)
    counts = ~np.isnan(x) & (weight > 0)
    distinct, place = np.unique(x[counts], return_inverse=True)
    if len(distinct) <= bins:
        low, high = distinct[:-1], distinct[1:]
        middle = low / 2 + high / 2
        return np.where(middle < high, middle, low)  # neighbours in float64 have no middle
    below = np.cumsum(np.bincount(place, weight[counts]))
    at = np.searchsorted(below, np.linspace(0, below[-1], bins + 1)[1:-1])
    edges = np.unique(distinct[at])  # a level ends with a number that occurs
    return np.asarray(edges[edges < distinct[-1]])


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


def _level_words(feature: Feature, edges: NDArray[np.float64]) -> list[str]:
    if feature.kind == "categorical":
        return [*feature.levels, "missing"]
    if feature.kind == "boolean":
        return ["false", "true", "missing"]
    unit = f" {feature.unit}" if feature.unit else ""
    if not len(edges):
        return ["any", "missing"]
    ends = [number(float(e)) for e in edges]
    between = [f"{a} to {b}{unit}" for a, b in pairwise(ends)]
    return [f"<= {ends[0]}{unit}", *between, f"> {ends[-1]}{unit}", "missing"]
