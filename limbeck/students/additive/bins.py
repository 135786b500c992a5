"""Bins of columns: one small whole number for each entry, shared by models that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.students.tree.thresholds import (
    decimal,
    distinct_in_float32,
    midway,
    printed_all,
    surrounds,
)

__all__ = ["Bins"]

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]

_WINDOW = 8192


@dataclass(frozen=True, eq=False)
class Bins:
    """How each of d columns is cut; the last bin of every column holds its missing values.

    Parameters
    ----------
    edges : tuple of ndarray
        For a number or a boolean the increasing edges (a value equal to an edge goes below);
        empty for a category.
    groups : tuple of ndarray of int64
        For a category the bin of each level; rare levels share one. Empty for a number.
    between : tuple of ndarray of shape (edges, 2), optional
        The values seen next to each edge; None where they are not known.
    """

    edges: tuple[Vector, ...]
    groups: tuple[Codes, ...]
    between: tuple[Vector, ...] | None = None

    @classmethod
    def learn(
        cls,
        features: Features,
        values: Vector,
        weight: Vector,
        most: int,
        least: float,
        rare: float | None = None,
    ) -> Self:
        """Cut numbers into bins of about equal weight, and pool rare categories.

        Parameters
        ----------
        features : Features
            The d columns.
        values : ndarray of shape (n, d)
            Encoded rows; NaN is missing.
        weight : ndarray of shape (n,)
            Weights of the rows.
        most : int
            The most bins of a number.
        least : float
            The least weight of a bin of a number, where there is as much.
        rare : float, optional
            Categories of less weight share a bin; ``least`` by default.
        """
        edges, groups, between = [], [], []
        rare = least if rare is None else rare
        for j, c in enumerate(features.columns):
            there = ~np.isnan(values[:, j])
            v, w = values[there, j], weight[there]
            category = c.kind == "categorical"
            pairs = np.empty((0, 2)) if category else _cut(v, w, most, least)
            edges.append(midway(pairs[:, 0], pairs[:, 1]))
            between.append(pairs)
            groups.append(_pool(v, w, len(c.levels), rare) if category else np.empty(0, np.int64))
        return cls(tuple(edges), tuple(groups), tuple(between))

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of bins of each column, that of missing values included."""
        return tuple(
            (int(g.max()) + 1 if len(g) else len(e) + 1) + 1
            for e, g in zip(self.edges, self.groups, strict=True)
        )

    def of(self, columns: Codes) -> Bins:
        """The bins of some columns, in this order."""
        between = None if self.between is None else tuple(self.between[j] for j in columns)
        return Bins(
            tuple(self.edges[j] for j in columns), tuple(self.groups[j] for j in columns), between
        )

    def codes(self, values: Vector) -> Codes:
        """The bins of encoded rows, int64 of shape (n, d)."""
        out = np.empty(values.shape, dtype=np.int64)
        for j, (edges, group, count) in enumerate(
            zip(self.edges, self.groups, self.counts, strict=True)
        ):
            column = values[:, j]
            missing = np.isnan(column)
            filled = np.where(missing, 0.0, column)
            if len(group):
                level = np.clip(filled, 0, len(group) - 1).astype(np.int64)
                out[:, j] = group[level]
            else:
                out[:, j] = np.searchsorted(edges, filled, side="left")
            out[missing, j] = count - 1
        return out

    def words(
        self, j: int, column: Feature, digits: int | None = None, exact: bool = False
    ) -> tuple[str, ...]:
        """What each bin of a column holds, in a few characters; ``missing`` comes last.

        Parameters
        ----------
        j : int
            The position of the column.
        column : Feature
            The column.
        digits, exact
            How edges are printed; see :func:`limbeck.students.tree.thresholds.printed`.
        """
        edges, group = self.edges[j], self.groups[j]
        if len(group) or (column.kind == "categorical"):
            count = self.counts[j] - 1
            names: list[str] = []
            for b in range(count):
                held = [column.levels[i] for i in np.flatnonzero(group == b)]
                names.append(held[0] if len(held) == 1 else f"other ({len(held)} levels)")
            return (*names, "missing")
        if column.kind == "boolean" and len(edges) == 1:
            return ("no", "yes", "missing")
        if not len(edges):
            return ("any", "missing")
        seen = None if self.between is None else self.between[j]
        ends = [decimal(e) for e in printed_all(edges, seen, digits, exact)]
        inner = [f"{a} to {b}" for a, b in pairwise(ends)]
        return (f"up to {ends[0]}", *inner, f"above {ends[-1]}", "missing")

    def problem(self, features: Features) -> str:
        """What keeps these from being the bins of the columns, as a sentence; else empty."""
        if len(self.edges) != len(features) or len(self.groups) != len(features):
            return "There are not as many bins as columns"
        for c, edges, group in zip(features.columns, self.edges, self.groups, strict=True):
            if c.kind == "categorical":
                used = np.unique(group)
                fits = len(group) == len(c.levels) and (used == np.arange(len(used))).all()
                if len(edges) or not fits:
                    return f"The bins of {c.name!r} do not fit its levels"
            elif len(group) or not (np.isfinite(edges).all() and (np.diff(edges) > 0).all()):
                return f"The edges of {c.name!r} do not increase"
        if self.between is not None and (
            len(self.between) != len(self.edges)
            or not all(map(surrounds, self.between, self.edges))
        ):
            return "An edge lies outside of the values seen on both sides of it"
        return ""

    def to_lists(self) -> list[dict[str, Any]]:
        """Ready for JSON, one entry per column."""
        pairs = zip(self.edges, self.groups, strict=True)
        out = [{"edges": e.tolist(), "groups": g.tolist()} for e, g in pairs]
        if self.between is not None:
            for column, seen in zip(out, self.between, strict=True):
                column["between"] = seen.tolist()
        return out

    @classmethod
    def from_lists(cls, data: list[dict[str, Any]]) -> Self:
        """Read what :meth:`to_lists` gave."""
        groups = [c["groups"] for c in data]
        if not all(isinstance(g, int) for group in groups for g in group):
            raise ValueError("groups must be whole numbers")
        edges = tuple(np.array(c["edges"], dtype=np.float64).reshape(-1) for c in data)
        between = None
        if all("between" in c for c in data):  # older files have none
            between = tuple(np.array(c["between"], np.float64).reshape(-1, 2) for c in data)
        shaped = tuple(np.array(g, dtype=np.int64).reshape(-1) for g in groups)
        return cls(edges, shaped, between)


def _cut(v: Vector, w: Vector, most: int, least: float) -> Vector:
    """Neighbouring values (m, 2) between which to cut, so that bins weigh about the same."""
    seen, at = np.unique(v, return_inverse=True)
    mass = np.bincount(at, w, len(seen)).astype(np.float64)
    left, room, start, cuts = float(mass.sum()), most, 0, []
    while (found := _next_cut(mass, start, left, room, least)) is not None:
        end, held, alone = found
        cuts.append(end)
        left, room, start = left - held, max(room - 1, 2) if alone else room - 1, end + 1
    below = np.array(cuts, dtype=np.intp)
    below = below[distinct_in_float32(seen[below], seen[below + 1])]
    return np.column_stack([seen[below], seen[below + 1]])


def _next_cut(
    mass: Vector, start: int, left: float, room: int, least: float
) -> tuple[int, float, bool] | None:
    """After which value the bin from ``start`` on ends, what it weighs, and before a heavy value.

    Looks at windows of values, as columns may have as many values as rows.
    """
    enough, held = max(left / room, least), 0.0
    for low in range(start, len(mass) - 1, _WINDOW):
        high = min(low + _WINDOW, len(mass) - 1)
        # one after the other, from what was held before: sums have the same bits in any windows
        sums = np.cumsum(np.concatenate([[held], mass[low:high]]))[1:]
        full = (sums >= enough) & (left - sums >= least) & (room > 1)
        heavy = (mass[low + 1 : high + 1] >= enough) & (sums >= least)
        ends = full | heavy
        if ends.any():
            i = int(ends.argmax())
            return low + i, float(sums[i]), not full[i]
        held = float(sums[-1])
    return None


def _pool(v: Vector, w: Vector, levels: int, least: float) -> Codes:
    """The bin of each level: its own where it weighs enough, else a shared last one."""
    mass = np.bincount(v.astype(np.int64), w, levels)
    own = mass >= least
    if (~own).sum() == 1:  # one rare level has nobody to share with
        own = np.ones(levels, dtype=bool)
    out = np.full(levels, int(own.sum()), dtype=np.int64)
    out[own] = np.arange(int(own.sum()))
    return out
