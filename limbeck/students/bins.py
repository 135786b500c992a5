"""Bins of columns: one small whole number for each entry, shared by models that are compared."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.features import Feature, Features

__all__ = ["Bins"]

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


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
    """

    edges: tuple[Vector, ...]
    groups: tuple[Codes, ...]

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
        edges, groups = [], []
        rare = least if rare is None else rare
        for j, c in enumerate(features.columns):
            there = ~np.isnan(values[:, j])
            v, w = values[there, j], weight[there]
            category = c.kind == "categorical"
            edges.append(np.empty(0) if category else _cut(v, w, most, least))
            groups.append(_pool(v, w, len(c.levels), rare) if category else np.empty(0, np.int64))
        return cls(tuple(edges), tuple(groups))

    @property
    def counts(self) -> tuple[int, ...]:
        """The number of bins of each column, that of missing values included."""
        return tuple(
            (int(g.max()) + 1 if len(g) else len(e) + 1) + 1
            for e, g in zip(self.edges, self.groups, strict=True)
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

    def words(self, j: int, column: Feature) -> tuple[str, ...]:
        """What each bin of column j holds, in a few characters; ``missing`` comes last."""
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
        inner = [f"{a:g} to {b:g}" for a, b in pairwise(edges)]
        return (f"up to {edges[0]:g}", *inner, f"above {edges[-1]:g}", "missing")

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
        return ""

    def to_lists(self) -> list[dict[str, Any]]:
        """Ready for JSON, one entry a column."""
        pairs = zip(self.edges, self.groups, strict=True)
        return [{"edges": e.tolist(), "groups": g.tolist()} for e, g in pairs]

    @classmethod
    def from_lists(cls, data: list[dict[str, Any]]) -> Self:
        """Read what :meth:`to_lists` gave."""
        groups = [c["groups"] for c in data]
        if not all(isinstance(g, int) for group in groups for g in group):
            raise ValueError("groups must be whole numbers")
        edges = tuple(np.array(c["edges"], dtype=np.float64).reshape(-1) for c in data)
        return cls(edges, tuple(np.array(g, dtype=np.int64).reshape(-1) for g in groups))


def _cut(v: Vector, w: Vector, most: int, least: float) -> Vector:
    """Edges midway between neighbouring values, so that bins weigh about the same."""
    seen, at = np.unique(v, return_inverse=True)
    if len(seen) < 2:
        return np.empty(0)
    mass = np.bincount(at, w, len(seen))
    left, room, held, edges = float(mass.sum()), most, 0.0, []
    for i in range(len(seen) - 1):
        held += mass[i]
        if held >= max(left / room, least) and left - held >= least and room > 1:
            edges.append(seen[i] + (seen[i + 1] - seen[i]) / 2)
            left, room, held = left - held, room - 1, 0.0
        elif i + 1 < len(seen) and mass[i + 1] >= max(left / room, least) and held >= least:
            edges.append(seen[i] + (seen[i + 1] - seen[i]) / 2)  # a heavy value stands alone
            left, room, held = left - held, max(room - 1, 2), 0.0
    cuts = np.unique(np.array(edges, dtype=np.float64))
    return cuts[np.isfinite(cuts)]


def _pool(v: Vector, w: Vector, levels: int, least: float) -> Codes:
    """The bin of each level: its own where it weighs enough, else a shared last one."""
    mass = np.bincount(v.astype(np.int64), w, levels)
    own = mass >= least
    if (~own).sum() == 1:  # one rare level has nobody to share with
        own = np.ones(levels, dtype=bool)
    out = np.full(levels, int(own.sum()), dtype=np.int64)
    out[own] = np.arange(int(own.sum()))
    return out
