"""Boosted additive models on bins, by interpret-core; the only file that imports it.

Lou, Caruana, Gehrke and Hooker (2013), Accurate intelligible models with pairwise interactions;
Nori, Jenkins, Koch and Caruana (2019), InterpretML.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import MissingExtra

__all__ = ["Terms", "boost"]

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Terms:
    """An additive model on bins: an intercept, and a table of contributions a term.

    ``columns`` names the one or two columns of each term; ``tables`` has one axis for each,
    over all bins of the column. Contributions are values, or log-odds of the second class; for
    three and more classes ``intercept`` (k,) and a last axis of the tables hold the score of each.
    """

    intercept: float | Vector
    columns: tuple[tuple[int, ...], ...]
    tables: tuple[Vector, ...]

    def add_up(self, codes: Codes) -> Vector:
        """The sum of intercept and contributions for binned rows (n, d), shape (n,) or (n, k)."""
        total = np.zeros((len(codes), *np.shape(self.intercept))) + self.intercept
        for at, table in zip(self.columns, self.tables, strict=True):
            if table.any():
                total += table[tuple(codes[:, j] for j in at)]
        return total


def boost(
    codes: Codes,
    counts: tuple[int, ...],
    nominal: tuple[bool, ...],
    target: Vector,
    weight: Vector,
    *,
    classifies: bool,
    pairs: int = 0,
    rounds: int = 300,
    rate: float = 0.04,
    seed: int = 0,
) -> Terms:
    """Fit main effects, and optional pairs, by cyclic boosting of shallow trees.

    Parameters
    ----------
    codes : ndarray of int64, shape (n, d)
        Binned rows.
    counts : tuple of int
        Bins of each column.
    nominal : tuple of bool
        Whether the bins of a column have no order.
    target : ndarray of shape (n,)
        Values, or 0 and 1.
    weight : ndarray of shape (n,)
        Weights; rows of weight 0 are left out.
    classifies : bool
        Log loss rather than squared error.
    pairs : int
        The most pairs of columns to add.
    rounds, rate, seed
        Passes over the columns, learning rate, and the seed.

    Returns
    -------
    Terms
        Every table is centred: its mean over the rows, by weight, is 0.

    Raises
    ------
    MissingExtra
        If interpret-core is not installed.
    """
    used = weight > 0
    codes, target, weight = codes[used], target[used], weight[used]
    present = [np.flatnonzero(np.bincount(column)) for column in codes.T]
    varies = [j for j, p in enumerate(present) if len(p) > 1]
    mean = float(np.average(target, weights=weight))
    start = _log_odds(mean, float(weight.sum())) if classifies else mean
    if not varies or not rounds or (target == target[0]).all():
        return _centred(start, tuple((j,) for j in range(len(counts))),
                        [np.zeros(c) for c in counts], codes, weight)  # fmt: skip
    model = _model(classifies)(
        interactions=0 if len(varies) < 2 else pairs,
        outer_bags=1, inner_bags=0, n_jobs=1, validation_size=0, early_stopping_rounds=0,
        max_rounds=rounds, learning_rate=rate, smoothing_rounds=0, interaction_smoothing_rounds=0,
        min_samples_leaf=1, random_state=seed,
        feature_types=[_type(counts[j], nominal[j]) for j in varies],
        feature_names=[f"column {j}" for j in varies],
    )  # fmt: skip
    scale = 1.0 if classifies else float(np.sqrt(np.average((target - mean) ** 2, weights=weight)))
    given = target.astype(np.int64) if classifies else (target - mean) / scale
    rows = codes[:, varies].astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about columns with few values, which bins are
        model.fit(rows, given, sample_weight=weight * (len(weight) / weight.sum()))
        columns = [tuple(varies[i] for i in term) for term in model.term_features_]
        tables = _tables(model, columns, counts, present, varies)
    shift = float(np.ravel(model.intercept_)[0]) * scale + (0.0 if classifies else mean)
    for j in range(len(counts)):
        if (j,) not in columns:
            columns.append((j,))
            tables.append(np.zeros(counts[j]))
    order = sorted(range(len(columns)), key=lambda i: (len(columns[i]), columns[i]))
    return _centred(
        shift, tuple(columns[i] for i in order), [tables[i] * scale for i in order], codes, weight
    )


def _model(classifies: bool) -> Any:
    try:
        from interpret.glassbox import (  # type: ignore[import-untyped,unused-ignore]
            ExplainableBoostingClassifier,
            ExplainableBoostingRegressor,
        )
    except ImportError:
        raise MissingExtra(
            "Additive students are fitted by interpret-core, which is not installed.",
            "Install it with: pip install 'limbeck[audit]'.",
        ) from None
    return ExplainableBoostingClassifier if classifies else ExplainableBoostingRegressor


def _type(count: int, nominal: bool) -> list[Any]:
    """Cuts between all codes; nominal bins are named so that any of them may go together."""
    return [str(c) for c in range(count)] if nominal else [c + 0.5 for c in range(count - 1)]


def _tables(
    model: Any,
    columns: list[tuple[int, ...]],
    counts: tuple[int, ...],
    present: list[Codes],
    varies: list[int],
) -> list[Vector]:
    """Contributions read off by asking the model about every bin, or pair of bins.

    A term looks at its own columns alone, so that the same rows ask about the bins of all columns
    at once: a row for each bin and each pair of bins, not for each of every term.
    """
    grids = [np.indices(tuple(counts[j] for j in at)).reshape(len(at), -1) for at in columns]
    first = [float(present[j][0]) for j in varies]
    at_row, end = [], max(counts)  # single columns share the first rows
    for at, grid in zip(columns, grids, strict=True):
        at_row.append(0 if len(at) == 1 else end)
        end += 0 if len(at) == 1 else grid.shape[1]
    rows = np.tile(first, (end, 1))
    for at, grid, start in zip(columns, grids, at_row, strict=True):
        for axis, j in enumerate(at):
            rows[start : start + grid.shape[1], varies.index(j)] = grid[axis]
    found = np.asarray(model.eval_terms(rows))
    out = []
    for t, (at, grid) in enumerate(zip(columns, grids, strict=True)):
        unseen = np.zeros(grid.shape[1], dtype=bool)
        for axis, j in enumerate(at):
            unseen |= ~np.isin(grid[axis], present[j])
        said = found[at_row[t] : at_row[t] + grid.shape[1], t]
        out.append(np.where(unseen, 0.0, said).reshape([counts[j] for j in at]))
    return out


def _centred(
    intercept: float,
    columns: tuple[tuple[int, ...], ...],
    tables: list[Vector],
    codes: Codes,
    weight: Vector,
) -> Terms:
    moved = []
    for at, table in zip(columns, tables, strict=True):
        mean = float(np.average(table[tuple(codes[:, j] for j in at)], weights=weight))
        intercept += mean
        moved.append(table - mean)
    return Terms(intercept, columns, tuple(moved))


def _log_odds(share: float, n: float) -> float:
    return math.log((share * n + 0.5) / ((1 - share) * n + 0.5))
