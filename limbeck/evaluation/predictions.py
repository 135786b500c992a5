"""Students of tables compared: one answer per row, with exact and bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import interval, paired_interval
from limbeck.certificates.bounded import betting_interval
from limbeck.core.measured import Measured
from limbeck.core.task import Task
from limbeck.data.cases import units_of
from limbeck.evaluation.by_class import by_class
from limbeck.evaluation.comparison import (
    Comparison,
    Difference,
    ModelPredictions,
    Yardstick,
    compare,
)

__all__ = ["compare_predictions", "score"]

_RESAMPLES = 1000
_AT_ONCE = 1 << 15  # positions


def compare_predictions(
    models: Sequence[ModelPredictions],
    teacher: NDArray[Any],
    y: NDArray[Any] | None,
    task: Task,
    delta: float,
    cases: NDArray[Any] | None = None,
) -> Comparison:
    """Measure models against the teacher's answers and the labels.

    Parameters
    ----------
    models : sequence of ModelPredictions
        With class indices (n,) or values (n,).
    teacher : ndarray of shape (n,)
        The teacher's class indices or values.
    y : ndarray of shape (n,) or None
        Labels, as class indices or values; -1 where a row has no label of a class. Such rows
        count for agreement only.
    task : Task
        Classes, or regression.
    delta : float
        One less the level of the intervals.
    cases : ndarray of shape (n,), optional
        The case of each row. Shares are then means over cases of the share of their rows.

    Notes
    -----
    For classes the intervals are exact (Clopper and Pearson 1934; McNemar 1947), with cases those
    of `limbeck.certificates.bounded.betting_interval`. For R^2 they are percentile bootstrap
    intervals over rows, or over cases, 1,000 resamples from a fixed seed.
    """
    agreement = _yardstick("agreement with the teacher", teacher, task, cases)
    labels = None
    if y is not None:
        known = np.flatnonzero(y >= 0) if task.classifies else np.arange(len(y))
        name = "accuracy on the labels" if task.classifies else "R² on the labels"
        labels = _yardstick(name, y, task, cases, known)
    others = [(m.model if m.role == "baseline" else m.role, m.predicted)
              for m in models if m.role != "teacher"]  # fmt: skip
    classes = by_class(others, teacher, task, delta)
    return compare(models, agreement, labels, delta, classes=classes)


def _yardstick(
    name: str,
    truth: NDArray[Any],
    task: Task,
    cases: NDArray[Any] | None,
    rows: NDArray[np.int64] | slice = slice(None),
) -> Yardstick:
    """Answers against a truth, on some rows."""
    of, truth = _numbers(None if cases is None else cases[rows]), truth[rows]
    mean, gain = (_shares, _paired_shares) if task.classifies else (_explained, _paired_explained)
    return Yardstick(
        name,
        lambda predicted, delta: mean(predicted[rows], truth, delta, of),
        lambda what, a, b, delta: gain(what, a[rows], b[rows], truth, delta, of),
    )


def score(predicted: NDArray[Any], truth: NDArray[Any], task: Task) -> float:
    """Share of equal class indices, or R^2.

    Parameters
    ----------
    predicted, truth : ndarray of shape (n,)
        Class indices, or values.
    task : Task
        Whether they are classes.
    """
    return (
        float((predicted == truth).mean())
        if task.classifies
        else float(_r2((truth - predicted) ** 2, truth))
    )


Cases = NDArray[np.int64] | None
"""The number of the case of each row, from 0; None where rows are what was drawn."""


def _numbers(cases: NDArray[Any] | None) -> Cases:
    return None if cases is None else units_of(np.arange(len(cases)), cases).of


def _by_case(values: NDArray[Any], of: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over the rows of each case."""
    return np.asarray(np.bincount(of, values.astype(np.float64)) / np.bincount(of))


def _shares(predicted: NDArray[Any], truth: NDArray[Any], delta: float, of: Cases) -> Measured:
    if of is not None:
        shares = _by_case(predicted == truth, of)
        return Measured(float(shares.mean()), *betting_interval(shares, delta))
    right, n = int((predicted == truth).sum()), len(truth)
    return Measured(right / n, *interval(right, n, delta))


def _paired_shares(
    what: str, a: NDArray[Any], b: NDArray[Any], truth: NDArray[Any], delta: float, of: Cases
) -> Difference:
    if of is not None:
        gains = _by_case((a == truth).astype(int) - (b == truth), of)
        return Difference(what, float(gains.mean()), *betting_interval(gains, delta, -1.0, 1.0))
    only_a = int(((a != truth) & (b == truth)).sum())
    only_b = int(((a == truth) & (b != truth)).sum())
    low, high = paired_interval(only_b, only_a, len(truth), delta)
    return Difference(what, (only_b - only_a) / len(truth), low, high)


def _explained(predicted: NDArray[Any], truth: NDArray[Any], delta: float, of: Cases) -> Measured:
    missed = (truth - predicted) ** 2
    return Measured(*_bootstrap(lambda i: _r2(missed[i], truth[i]), len(truth), delta, of))


def _paired_explained(
    what: str, a: NDArray[Any], b: NDArray[Any], truth: NDArray[Any], delta: float, of: Cases
) -> Difference:
    first, second = (truth - a) ** 2, (truth - b) ** 2

    def gain(i: Any) -> NDArray[np.float64]:
        return _r2(first[i], truth[i]) - _r2(second[i], truth[i])

    return Difference(what, *_bootstrap(gain, len(truth), delta, of))


def _r2(missed: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.float64]:
    """R^2 from squared errors and truths of shape (..., n), over their last axis."""
    spread = ((truth - truth.mean(axis=-1, keepdims=True)) ** 2).sum(axis=-1)
    total = missed.sum(axis=-1)
    share = total / np.where(spread > 0, spread, 1.0)
    return np.asarray(np.where(spread > 0, 1.0 - share, total == 0), dtype=np.float64)


def _bootstrap(
    statistic: Callable[[Any], NDArray[np.float64]], n: int, delta: float, of: Cases
) -> tuple[float, float, float]:
    """The statistic of all rows, and its interval; it takes positions of shape (..., m)."""
    rng = np.random.default_rng(0)
    drawn = _rows_drawn(n, rng) if of is None else _cases_drawn(of, rng)
    draws = np.concatenate([statistic(rows) for rows in drawn])
    low, high = np.quantile(draws, [delta / 2, 1 - delta / 2])
    return float(statistic(np.arange(n))), float(low), float(high)


def _rows_drawn(n: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Positions of resampled rows, as many draws at once as stay in the cache."""
    many = max(1, _AT_ONCE // n)
    for at in range(0, _RESAMPLES, many):
        yield rng.integers(0, n, (min(many, _RESAMPLES - at), n))


def _cases_drawn(of: NDArray[np.int64], rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Positions of the rows of resampled cases, those of all draws with as many rows at once."""
    order, counts = np.argsort(of, kind="stable"), np.bincount(of)
    starts, many = np.cumsum(counts) - counts, max(1, _AT_ONCE // len(of))
    for at in range(0, _RESAMPLES, many):
        cases = rng.integers(0, len(counts), (min(many, _RESAMPLES - at), len(counts)))
        lengths = counts[cases].sum(axis=1)
        for length in np.unique(lengths):
            some = cases[lengths == length].ravel()
            sizes = counts[some]
            first = starts[some] - (np.cumsum(sizes) - sizes)
            yield order[np.repeat(first, sizes) + np.arange(sizes.sum())].reshape(-1, length)
