"""Candidate conditions at a node: thresholds between different answers, levels, missing values."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Feature, Features
from limbeck.students.m_of_n.count_tests import LiteralTable, uncertainty
from limbeck.students.rules.clause import Clause
from limbeck.students.tree.conditions import Condition
from limbeck.students.tree.thresholds import distinct_in_float32, midway

__all__ = ["literal_table"]

Matrix = NDArray[np.float64]
_MOST = 32  # thresholds or levels of one column


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
    column: list[int] = []
    truth: list[NDArray[np.float32]] = []
    clauses: list[Clause] = []

    def add(j: int, condition: Condition, holds: NDArray[np.bool_]) -> None:
        if holds.any() and not holds.all():
            column.append(j)
            truth.append(holds.astype(np.float32))
            clauses.append(Clause.of({j: condition}))

    for j, feature in enumerate(features.columns):
        x = values[:, j]
        there = ~np.isnan(x)
        plain = Condition(feature, missing=False)
        if feature.kind == "categorical":
            for code in _levels(x[there], stats[there], stats.sum(axis=0), classes):
                add(j, Condition(feature, codes=frozenset({code}), missing=False), x == code)
                other = Condition(feature, without=frozenset({code}), missing=False)
                add(j, other, there & (x != code))
        else:
            for t in _thresholds(x[there], stats[there], stats.sum(axis=0), classes, feature):
                add(j, Condition(feature, low=t, missing=False), x > t)
                add(j, Condition(feature, high=t, missing=False), x <= t)
        if not there.all():
            add(j, Condition(feature, present=False), ~there)
            add(j, plain, there)
    rows = np.column_stack(truth) if truth else np.zeros((len(values), 0), dtype=np.float32)
    return LiteralTable(np.array(column, dtype=np.int64), rows, clauses)


def _thresholds(
    x: Matrix, stats: Matrix, whole: Matrix, classes: int, feature: Feature
) -> list[float]:
    if feature.kind == "boolean":
        return [0.5]
    different, place = np.unique(x, return_inverse=True)
    if len(different) < 2:
        return []
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
        at = np.array(
            [part[after[np.isin(at, part)].argmin()] for part in np.array_split(at, _MOST)]
        )
    return [float(t) for t in midway(different[at], different[at + 1])]


def _levels(x: Matrix, stats: Matrix, whole: Matrix, classes: int) -> list[float]:
    different, place = np.unique(x, return_inverse=True)
    if len(different) > _MOST:
        sums = np.stack([np.bincount(place, s, len(different)) for s in stats.T])
        cost = uncertainty(classes)
        after = cost(sums) + cost(whole[:, None] - sums)
        different = different[np.sort(np.argsort(after, kind="stable")[:_MOST])]
    return [float(code) for code in different]
