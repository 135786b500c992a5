"""How well a classifier tells the rows that a teacher was queried about from real ones.

A classifier two-sample test (Lopez-Paz and Oquab 2017): at an area under the ROC curve of 0.5 the
drawn rows look like the data, at 1 each of them is told at sight, and what a teacher says of them
may be of no use. A few trees are trained on half of the rows and judged on the other, both ways; a
drawn row is always in the half of the row that it was made from.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri
from scipy.stats import rankdata

from limbeck.core.columns import Rows
from limbeck.core.contract import MethodResult, Sampler
from limbeck.core.measured import Measured
from limbeck.core.registry import SAMPLERS
from limbeck.samplers.named import TRIED, sampler_named

__all__ = ["queries_told_apart", "told_apart"]

_ROWS = 500  # of each kind are compared
_BASE = 2000  # rows from which new ones are drawn
_CELLS = 100_000  # numbers at most that the trees read of each kind
_FEWEST = 20
_TREES = 25


def queries_told_apart(
    finding: MethodResult, method: Any, rows: Rows, seed: int
) -> Mapping[str, Any] | None:
    """For the sampler that a method ended with: how its rows are told from real ones.

    Parameters
    ----------
    finding : MethodResult
        Its trace names the ``sampler``.
    method : Method
        Its ``sampler`` may be the object itself.
    rows : Rows
        The rows that it learned from; of more than 2,000 a random part.
    seed : int
        Seed of all that is drawn here.

    Returns
    -------
    dict or None
        ``sampler``, ``auc``, ``low`` and ``high`` (95%), ``told`` (the share), and how many
        ``rows`` of each kind were compared; None without queries, or for fewer than 20 rows.
    """
    given = getattr(method, "sampler", None)
    name = finding.trace.get("sampler", given)
    sampler = given if hasattr(given, "draw") else None
    if sampler is None and isinstance(name, str):
        name = TRIED[0] if name == "auto" else name
        sampler = sampler_named(name) if name in SAMPLERS.names() else None
    if sampler is None or not finding.queries or len(rows) < _FEWEST:
        return None
    rng = np.random.default_rng([seed, 2])
    base = rows if len(rows) <= _BASE else rows[np.sort(rng.choice(len(rows), _BASE, False))]
    n = min(_ROWS, len(base), max(_FEWEST, _CELLS // len(rows.features)))
    drawn, sources = _drawn(base, sampler, n, rng)
    real = np.sort(rng.choice(len(base), n, replace=False))
    auc, told = told_apart(base.values[real], drawn.values, real, sources, rng)
    said = name if isinstance(name, str) else type(sampler).__name__
    return {"sampler": said, "auc": auc.value, "low": auc.low, "high": auc.high, "told": told,
            "rows": n}  # fmt: skip


def told_apart(
    real: NDArray[np.float64],
    drawn: NDArray[np.float64],
    position: NDArray[np.int64],
    sources: NDArray[np.int64],
    rng: np.random.Generator,
) -> tuple[Measured, float]:
    """The area under the ROC curve of trees that were trained without the rows judged.

    Parameters
    ----------
    real : ndarray of shape (n, d)
        Encoded rows of the data.
    drawn : ndarray of shape (m, d)
        Encoded rows that were drawn.
    position : ndarray of int, shape (n,)
        The number of each real row.
    sources : ndarray of int, shape (m, s)
        The numbers of those that each drawn row was made from; the first says in which half it is.
    rng : numpy Generator
        Deals out the halves.

    Returns
    -------
    Measured
        The mean over both halves, with a 95% interval (Hanley and McNeil 1982).
    float
        The share of rows told apart at even odds; 0.5 is chance.
    """
    X, y = np.vstack([real, drawn]), np.repeat([0, 1], [len(real), len(drawn)])
    X = np.where(np.isnan(X), np.nanmin(X, initial=0.0) - 1.0, X)  # a value of its own
    largest = np.finfo(np.float32).max
    X = np.clip(X, -largest, largest).astype(np.float32)
    own = sources[:, 0] if sources.shape[1] else -1 - np.arange(len(drawn))
    numbers = np.concatenate([position, own])
    which, at = np.unique(numbers, return_inverse=True)
    half = (rng.permutation(len(which)) % 2)[at.reshape(-1)]
    areas, right = [], 0.0
    for h in (0, 1):
        learn, judge = half != h, half == h
        if min(len(set(y[learn])), len(set(y[judge]))) < 2:
            continue
        odds = _odds(X[learn], y[learn], X[judge], rng)
        areas.append(_area(odds, y[judge]))
        right += sum(float(((odds > 0.5) == y[judge])[y[judge] == c].mean()) for c in (0, 1)) / 2
    area = float(np.mean(areas)) if areas else 0.5
    error = _error(area, len(real), len(drawn)) * float(ndtri(0.975))
    told = right / len(areas) if areas else 0.5
    return Measured(area, max(area - error, 0.0), min(area + error, 1.0)), told


def _odds(
    X: NDArray[np.float32],
    y: NDArray[np.int64],
    judged: NDArray[np.float32],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """How likely each judged row was drawn: the mean over extremely randomized trees.

    Both kinds weigh the same: a leaf's odds are divided by those of all rows. Least squares on 0
    and 1 find the splits of Gini's index, and a leaf's mean is its share; without weights, which
    scikit-learn checks for each tree, in a quarter of the time that a classifier needs for so few
    rows.
    """
    from sklearn import config_context
    from sklearn.tree import ExtraTreeRegressor

    real, drawn = np.bincount(y)
    answers, total = y[:, None].astype(np.float64), np.zeros(len(judged))
    chance = np.random.RandomState(0)  # seeded anew it gives what a new one gives, sooner
    with config_context(skip_parameter_validation=True):
        for seed in rng.integers(2**31, size=_TREES):
            chance.seed(int(seed))
            tree = ExtraTreeRegressor(
                min_samples_leaf=5, max_features=None if X.shape[1] <= 8 else "sqrt",
                random_state=chance,
            )  # fmt: skip
            tree.fit(X, answers, check_input=False)
            share = tree.tree_.predict(judged)[:, 0]
            total += share * real / (share * real + (1 - share) * drawn)
    return total / _TREES


def _drawn(
    base: Rows, sampler: Sampler, n: int, rng: np.random.Generator
) -> tuple[Rows, NDArray[np.int64]]:
    if hasattr(sampler, "draw_with_sources"):
        drawn, sources = sampler.draw_with_sources(base, n, rng)
        return drawn, sources
    return sampler.draw(base, n, rng), np.zeros((n, 0), dtype=np.int64)


def _area(odds: NDArray[np.float64], y: NDArray[np.int64]) -> float:
    """The share of pairs of a drawn and a real row in which the drawn one has higher odds."""
    drawn = y == 1
    m, n = int(drawn.sum()), int((~drawn).sum())
    return float((rankdata(odds)[drawn].sum() - m * (m + 1) / 2) / (m * n))


def _error(area: float, n: int, m: int) -> float:
    """Its standard error (Hanley and McNeil 1982)."""
    first, second = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (m - 1) * (first - area**2) + (n - 1) * (second - area**2)
    return math.sqrt(max(variance, 0.0) / (n * m))
