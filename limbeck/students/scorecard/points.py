"""Whole points in the place of weights: a scale is searched at which rounding costs least."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from limbeck.core.columns import Features
from limbeck.students.sparse_sum.model import TermWeights, design_of
from limbeck.students.sparse_sum.refit import refit
from limbeck.students.sparse_sum.sum_data import SumData, cross_entropy
from limbeck.students.sparse_sum.terms import FilledColumns

__all__ = ["round_to_points", "steps_of"]

Vector = NDArray[np.float64]
SCALES = 40
BEYOND = 4
"""Finer scales than that of the largest weight are tried, up to so many times; it is cut then."""
ROWS = 4000
"""Scales are compared on at most so many rows."""


def steps_of(features: Features, values: Vector) -> Vector:
    """The step in which a card counts each number, of shape (d,): 1, or 1, 2 or 5 times 10^k.

    A column that is spread by 0.5 to 5 is counted as it is; elsewhere the step is the largest
    round number within its standard deviation.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows.
    """
    out = np.ones(len(features))
    for j, feature in enumerate(features.columns):
        x = values[:, j]
        x = x[~np.isnan(x)]
        spread = float(x.std()) if feature.kind == "numeric" and len(x) else 1.0
        if spread > 0 and not 0.5 <= spread <= 5:
            power = math.floor(math.log10(spread))
            lead = max(v for v in (1, 2, 5) if v * 10.0**power <= spread * (1 + 1e-9))
            out[j] = float(f"{lead}e{power}")
    return out


def round_to_points(
    found: TermWeights, data: SumData, fill: Vector, max_points: int
) -> tuple[TermWeights, float]:
    """A sum whose weights are whole numbers of at most ``max_points``, and its scale.

    Parameters
    ----------
    found : TermWeights
        With real weights.
    data : SumData
        Rows with the teacher's probabilities.
    fill : ndarray of shape (d,)
        What a missing value counts as.
    max_points : int
        The most points of a term.

    Returns
    -------
    points : TermWeights
        Terms that round to 0 points are left out. Two classes keep a real intercept, which is
        where the answer turns; more have whole ones.
    scale : float
        How much log-odds one point is.
    """
    largest = float(np.abs(found.weights).max(initial=0.0))
    if largest == 0.0:
        return found, 1.0
    rows = np.flatnonzero(data.weight > 0)
    if len(rows) > ROWS:
        rows = rows[:: -(-len(rows) // ROWS)]
    part = data.take(rows)
    design = design_of(found.terms, FilledColumns(part.values, fill))
    best: tuple[float, Vector, Vector, float] | None = None
    for most in np.geomspace(1, BEYOND * max_points, SCALES):
        points = np.clip(np.round(found.weights * (most / largest)), -max_points, max_points)
        level, scale, loss = _levels(design @ points, found, part, largest / most)
        if best is None or loss < best[0] * (1 - 1e-6):
            best = loss, points, level, scale
    assert best is not None  # noqa: S101
    _, points, level, scale = best
    kept = np.flatnonzero(points.any(axis=1))
    terms = tuple(found.terms[i] for i in kept)
    return TermWeights(terms, points[kept] + 0.0, level + 0.0), scale


def _levels(
    total: Vector, found: TermWeights, data: SumData, scale: float
) -> tuple[Vector, float, float]:
    """Intercepts in points, the scale, and the cross-entropy that they lead to."""
    if total.shape[1] == 1 and np.ptp(total) > 0:
        one = np.ones((1, 1), dtype=np.bool_)
        slope, start = refit(total, one, one[0], data.soft, data.weight, True)
        if slope[0, 0] > 0:
            scale = float(f"{slope[0, 0]:.3g}")
            level = np.round(start / scale, 2)
            z = (total + level) * scale
            return level, scale, float(np.average(cross_entropy(z, data.soft), weights=data.weight))
    short = float(f"{scale:.3g}")
    level, kept = found.intercept / short, found.intercept != 0
    if total.shape[1] > 1:  # shares of classes as the teacher has them, by iterative scaling
        wanted = np.average(data.soft, axis=0, weights=data.weight)
        for _ in range(5):
            p = np.average(softmax((total + level) * short, axis=1), axis=0, weights=data.weight)
            step = np.log(np.maximum(wanted, 1e-9) / np.maximum(p, 1e-9)) / short
            level = level + np.where(kept, step, 0.0)
    level = np.round(level)
    level = np.where(kept & (level == 0) & (len(level) > 1), 1.0, level)
    loss = cross_entropy((total + level) * short, data.soft)
    return level, short, float(np.average(loss, weights=data.weight))
