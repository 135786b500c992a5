"""Whole points in the place of weights: a scale is searched at which rounding costs least.

Near the fitted weights the cross-entropy is a quadratic form, so points are the whole numbers that
are nearest in it: rounded, then moved one by one while that helps (coordinate descent). The best
few scales are compared by the loss itself.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from limbeck.core.columns import Features
from limbeck.students.sparse_sum.model import TermWeights, design_of
from limbeck.students.sparse_sum.refit import curvature, refit
from limbeck.students.sparse_sum.signs import signs_of
from limbeck.students.sparse_sum.sum_data import SumData, cross_entropy
from limbeck.students.sparse_sum.terms import FilledColumns

__all__ = ["round_to_points", "steps_of"]

Vector = NDArray[np.float64]
SCALES = 40
LOW, HIGH = 0.2, 12.0
"""A column with a standard deviation between them is counted as it is, which is one number less."""
BEYOND = 4
"""Finer scales than that of the largest weight are tried, up to so many times; it is cut then."""
COMPARED = 5
"""So many scales are compared by the loss itself."""
ROWS = 4000
"""Scales are compared on at most so many rows."""


def steps_of(features: Features, values: Vector) -> Vector:
    """The step in which a card counts each number, of shape (d,): 1, or 1, 2 or 5 times 10^k.

    A column with a standard deviation of 0.2 to 12 is counted as it is; elsewhere the step is the
    largest round number within it.

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
        if spread > 0 and not LOW <= spread <= HIGH:
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
    form = _Quadratic.around(found, design, part)
    signs = None if data.rises is None else signs_of(found.terms, data.rises)
    tried = []
    for most in np.geomspace(1, BEYOND * max_points, SCALES):
        points = form.nearest(largest / most, max_points, signs)
        tried.append((form.loss(points, largest / most), points, largest / most))
    cut = sorted(loss for loss, _, _ in tried)[:COMPARED][-1]
    best: tuple[float, Vector, Vector, float] | None = None
    for rough, points, unit in tried:
        if rough <= cut and points.any():
            level, scale, loss = _levels(design @ points, found, part, unit)
            if best is None or loss < best[0] * (1 - 1e-6):
                best = loss, points, level, scale
    if best is None:
        best = 0.0, np.sign(found.weights), found.intercept / largest, largest
    _, points, level, scale = best
    kept = np.flatnonzero(points.any(axis=1))
    terms = tuple(found.terms[i] for i in kept)
    return TermWeights(terms, points[kept] + 0.0, level + 0.0), scale


@dataclass(frozen=True)
class _Quadratic:
    """By how much the loss grows as weights move away from where it is least."""

    weights: Vector  # (t, k): where it is least
    at: NDArray[np.int64]  # (f,): the terms of the weights that are not 0
    output: NDArray[np.int64]  # (f,): their outputs
    curve: Vector  # (f, f): with intercepts that follow

    @classmethod
    def around(cls, found: TermWeights, design: Vector, data: SumData) -> _Quadratic:
        total = design @ found.weights + found.intercept
        z = np.column_stack([np.zeros(len(total)), total]) if total.shape[1] == 1 else total
        p = softmax(z, axis=1)[:, -total.shape[1] :]
        levels = np.flatnonzero(found.intercept != 0) if total.shape[1] > 1 else np.zeros(1, int)
        at, output = np.nonzero(found.weights)
        full = np.column_stack([np.ones(len(total)), design])
        m = len(levels)
        whole = curvature(full, np.concatenate([np.zeros(m, int), at + 1]),
                          np.concatenate([levels, output]), p, data.weight)  # fmt: skip
        whole[np.diag_indices(len(whole))] *= 1 + 1e-9
        inner = whole[:m, :m] + 1e-9 * np.trace(whole[:m, :m]) * np.eye(m)
        follow = np.linalg.solve(inner, whole[:m, m:]) if m else np.zeros((0, len(at)))
        curve = whole[m:, m:] - whole[m:, :m] @ follow
        return cls(found.weights, at, output, np.asarray(curve))

    def nearest(self, unit: float, most: int, signs: Vector | None = None) -> Vector:
        """Whole points of at most ``most`` each near ``weights / unit``, of shape (t, k)."""
        wanted = self.weights[self.at, self.output] / unit
        low, high = np.full(len(wanted), -most), np.full(len(wanted), most)
        if signs is not None:
            low[signs[self.at] > 0], high[signs[self.at] < 0] = 0, 0
        x = np.clip(np.round(wanted), low, high)
        slope = self.curve @ (x - wanted)
        bend = np.maximum(np.diag(self.curve), 1e-300)
        for _ in range(20 * len(x)):
            moved = np.clip(np.round(x - slope / bend), low, high) - x
            gain = -(moved * slope + 0.5 * bend * moved**2)
            i = int(gain.argmax())
            if gain[i] <= 1e-12 * bend[i]:
                break
            slope = slope + self.curve[:, i] * moved[i]
            x[i] += moved[i]
        points = np.zeros(self.weights.shape)
        points[self.at, self.output] = x
        return points

    def loss(self, points: Vector, unit: float) -> float:
        """What points lose beyond the weights, by the quadratic form."""
        away = points[self.at, self.output] * unit - self.weights[self.at, self.output]
        return float(away @ self.curve @ away)


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
