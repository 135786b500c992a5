"""Candidate conditions at a node: thresholds between different answers, levels, missing values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.m_of_n.count_tests import LiteralTable, uncertainty
from limbeck.students.rules.clause import Clause
from limbeck.students.tree.conditions import Condition
from limbeck.students.tree.thresholds import distinct_in_float32, midway

__all__ = ["literal_table"]

Matrix = NDArray[np.float64]
_MOST = 32  # thresholds or levels of one column


class SingleConditions(Sequence[Clause]):
    """Clauses of one condition each, which are made when they are asked for.

    Parameters
    ----------
    features : Features
        The d columns.
    """

    def __init__(self, features: Features) -> None:
        self.features = features
        self._known: list[tuple[int, str, float]] = []

    def __len__(self) -> int:
        return len(self._known)

    @overload
    def __getitem__(self, at: int) -> Clause: ...
    @overload
    def __getitem__(self, at: slice) -> list[Clause]: ...
    def __getitem__(self, at: int | slice) -> Clause | list[Clause]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        j, kind, value = self._known[at]
        feature = self.features.columns[j]
        made = {
            "above": lambda: Condition(feature, low=value, missing=False),
            "up to": lambda: Condition(feature, high=value, missing=False),
            "is": lambda: Condition(feature, codes=frozenset({value}), missing=False),
            "is not": lambda: Condition(feature, without=frozenset({value}), missing=False),
            "missing": lambda: Condition(feature, present=False),
            "not missing": lambda: Condition(feature, missing=False),
        }[kind]()
        return Clause.of({j: made})

    def add(self, j: int, kind: str, value: float = 0.0) -> None:
        """One more.

        Parameters
        ----------
        j : int
            The column.
        kind : {"above", "up to", "is", "is not", "missing", "not missing"}
            What is asked of it.
        value : float
            The threshold, or the code of the level.
        """
        self._known.append((j, kind, value))


def literal_table(features: Features, values: Matrix, stats: Matrix, classes: int) -> LiteralTable:
    """All conditions among which tests are looked for.

    Thresholds lie midway between neighbouring values whose rows differ in class. Of more than 32
    in a column, the best of each of 32 neighbourhoods is kept; of more levels, the best 32. Both
    directions are conditions of their own, since a missing value satisfies neither.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows.
    stats : ndarray of shape (n, q)
        See :func:`limbeck.students.rules.search.statistics`.
    classes : int
        The number of classes; 0 for values.
    """
    column: list[NDArray[np.int64]] = []
    truth: list[NDArray[np.bool_]] = []  # (conditions, n) each
    clauses, whole = SingleConditions(features), stats.sum(axis=0)

    def add(j: int, kinds: list[tuple[str, float]], holds: NDArray[np.bool_]) -> None:
        splits = np.flatnonzero(holds.any(axis=1) & ~holds.all(axis=1))
        for at in splits:
            clauses.add(j, *kinds[at])
        truth.append(holds[splits])
        column.append(np.full(len(splits), j))

    cuts = _all_thresholds(features, values, stats, whole, classes)
    for j, feature in enumerate(features.columns):
        x = values[:, j]
        there = ~np.isnan(x)
        every = bool(there.all())
        if feature.kind == "categorical":
            inside, known = (x, stats) if every else (x[there], stats[there])
            codes = _levels(inside, known, whole, classes)
            is_ = x == np.array(codes)[:, None]
            kinds = [(kind, code) for code in codes for kind in ("is", "is not")]
            add(j, kinds, _alternating(is_, there & ~is_))
        else:
            above = x > np.array(cuts[j])[:, None]
            kinds = [(kind, t) for t in cuts[j] for kind in ("above", "up to")]
            add(j, kinds, _alternating(above, there & ~above))
        if not every:
            add(j, [("missing", 0.0), ("not missing", 0.0)], np.stack([~there, there]))
    rows = np.concatenate(truth) if truth else np.zeros((0, len(values)), dtype=np.bool_)
    return LiteralTable(
        np.concatenate([*column, np.zeros(0, dtype=np.int64)]),
        np.ascontiguousarray(rows.T, dtype=np.float32), clauses,
    )  # fmt: skip


def _alternating(first: NDArray[np.bool_], second: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The rows of two matrices by turns, shape (2 c, n)."""
    return np.stack([first, second], axis=1).reshape(2 * len(first), first.shape[1])


def _all_thresholds(
    features: Features, values: Matrix, stats: Matrix, whole: Matrix, classes: int
) -> dict[int, list[float]]:
    """The thresholds of each column that is no category; midways are found for all at once."""
    found: dict[int, list[float]] = {}
    low, high, numeric = [], [], []
    for j, feature in enumerate(features.columns):
        if feature.kind == "boolean":
            found[j] = [0.5]
        elif feature.kind == "numeric":
            x = values[:, j]
            there = ~np.isnan(x)
            inside, known = (x, stats) if there.all() else (x[there], stats[there])
            different, at = _parted(inside, known, whole, classes)
            low.append(different[at])
            high.append(different[at + 1])
            numeric.append(j)
    if not numeric:
        return found
    middle = midway(np.concatenate(low), np.concatenate(high)).tolist()
    for j, part in zip(numeric, low, strict=True):
        found[j], middle = middle[: len(part)], middle[len(part) :]
    return found


def _parted(
    x: Matrix, stats: Matrix, whole: Matrix, classes: int
) -> tuple[Matrix, NDArray[np.int64]]:
    """The different values of a column, and after which of them to part it."""
    different, place = np.unique(x, return_inverse=True)
    if len(different) < 2:
        return different, np.zeros(0, dtype=np.int64)
    sums = np.stack([np.bincount(place, s, len(different)) for s in stats.T])  # (q, u)
    apart = distinct_in_float32(different[:-1], different[1:])
    if classes:
        present = sums > 0
        mixed = present.sum(axis=0) > 1
        same = (present[:, :-1] == present[:, 1:]).all(axis=0) & ~mixed[:-1] & ~mixed[1:]
        apart &= ~same
    at = np.flatnonzero(apart)
    if len(at) > _MOST:
        left = np.cumsum(sums, axis=1)[:, at]
        cost = uncertainty(classes)
        after = cost(left) + cost(whole[:, None] - left)
        at = at[_least_of_each(after, _MOST)]
    return different, at


def _least_of_each(cost: Matrix, parts: int) -> NDArray[np.int64]:
    """The place of the first least cost in each of so many parts, as `numpy.array_split` cuts."""
    size, longer = divmod(len(cost), parts)
    lengths = np.full(parts, size)
    lengths[:longer] += 1
    starts = np.cumsum(lengths) - lengths
    place = starts[:, None] + np.arange(size + 1)
    there = np.arange(size + 1) < lengths[:, None]
    by_part = np.where(there, cost[np.minimum(place, len(cost) - 1)], np.inf)
    return np.asarray(starts + by_part.argmin(axis=1))


def _levels(x: Matrix, stats: Matrix, whole: Matrix, classes: int) -> list[float]:
    different, place = np.unique(x, return_inverse=True)
    if len(different) > _MOST:
        sums = np.stack([np.bincount(place, s, len(different)) for s in stats.T])
        cost = uncertainty(classes)
        after = cost(sums) + cost(whole[:, None] - sums)
        different = different[np.sort(np.argsort(after, kind="stable")[:_MOST])]
    return [float(code) for code in different]
