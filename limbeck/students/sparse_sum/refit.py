"""Weights of a sum whose terms are chosen: least squares, or a logistic fit of soft answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from limbeck.students.sparse_sum.signs import fitting_signs

__all__ = ["RIDGE", "VALUES_RIDGE", "curvature", "fit_centred", "refit"]

Vector = NDArray[np.float64]
RIDGE, VALUES_RIDGE = 1.0, 1e-3
_STEPS = 25


def refit(
    design: Vector,
    used: NDArray[np.bool_],
    intercepts: NDArray[np.bool_],
    soft: Vector,
    weight: Vector,
    classifies: bool,
    ridge: float | None = None,
    signs: Vector | None = None,
) -> tuple[Vector, Vector]:
    """Weights by least squares for values, by soft cross-entropy for classes (Newton's method).

    Parameters
    ----------
    design : ndarray of shape (n, t)
        The value of each term on each row.
    used : ndarray of shape (t, k), bool
        Which term has a weight for which output; k is 1 for values and two classes.
    intercepts : ndarray of shape (k,), bool
        Which output has an intercept; those without a weight of any kind stay at 0. Where one with
        weights has none, terms are scaled only, since to centre them would be to add one.
    soft : ndarray of shape (n, classes) or (n, 1)
        The teacher's probabilities, or its values.
    weight : ndarray of shape (n,)
        How much each row counts.
    classifies : bool
        Whether these are classes.
    ridge : float, optional
        Penalty on half the sum of squared weights of standardised terms, beside a summed loss
        whose weights average one; by default 1 for classes and 0.001 for values.
    signs : ndarray of shape (t,), optional
        1 or -1 for terms whose weight must not be of the other sign; k is 1.

    Returns
    -------
    weights : ndarray of shape (t, k)
        0 where not used.
    intercept : ndarray of shape (k,)
    """
    n, t = design.shape
    if ridge is None:
        ridge = RIDGE if classifies else VALUES_RIDGE
    share = weight * (n / weight.sum())
    mean = np.average(design, axis=0, weights=weight) if t else np.zeros(0)
    if not intercepts[used.any(axis=0)].all():
        mean = np.zeros(t)
    spread = np.sqrt(np.average((design - mean) ** 2, axis=0, weights=weight)) if t else mean
    spread = np.where(spread > 0, spread, 1.0)
    scaled = (design - mean) / spread
    weights, intercept = fit_centred(
        scaled, used, intercepts, soft, share, classifies, ridge, signs=signs
    )
    weights = weights / spread[:, None]
    return weights, np.where(intercepts, intercept - mean @ weights, 0.0)


def fit_centred(
    centred: Vector,
    used: NDArray[np.bool_],
    intercepts: NDArray[np.bool_],
    soft: Vector,
    share: Vector,
    classifies: bool,
    ridge: float,
    start: Vector | None = None,
    signs: Vector | None = None,
) -> tuple[Vector, Vector]:
    """Weights of terms whose weighted means are 0; see :func:`refit`.

    Parameters
    ----------
    centred : ndarray of shape (n, t)
        The terms.
    used, intercepts, soft, classifies, ridge, signs
        As in :func:`refit`.
    share : ndarray of shape (n,)
        How much each row counts, 1 on average.
    start : ndarray of shape (t + 1, k), optional
        Intercepts and weights to begin with; 0 where not used.
    """
    target = soft[:, 1:] if classifies and used.shape[1] == 1 else soft
    if classifies:
        weights, level = _newton(centred, used, intercepts, target, share, ridge, start)
    else:
        coef, middle = _least_squares(centred, soft[:, 0], share, ridge)
        weights, level = coef[:, None], np.array([middle])
    if fitting_signs(weights, signs).all():
        return weights, level
    assert signs is not None  # noqa: S101
    return _within_signs(centred, used[:, 0], target, share, classifies, ridge, signs)


def _within_signs(
    x: Vector,
    used: NDArray[np.bool_],
    target: Vector,
    w: Vector,
    classifies: bool,
    ridge: float,
    signs: Vector,
) -> tuple[Vector, Vector]:
    """The least loss among weights of the right signs, for one output: convex, in a box."""
    from scipy.optimize import minimize

    full = np.column_stack([np.ones(len(x)), x])
    high = np.r_[np.inf, np.where(used & (signs >= 0), np.inf, 0.0)]
    low = np.r_[-np.inf, np.where(used & (signs <= 0), -np.inf, 0.0)]
    middle = float(np.average(target[:, 0], weights=w))
    scale = 1.0 if classifies else float(np.average((target[:, 0] - middle) ** 2, weights=w)) or 1.0
    penalty = np.r_[1e-6 if classifies else 0.0, np.full(x.shape[1], ridge)]

    def loss(beta: Vector) -> tuple[float, Vector]:
        if classifies:
            value, p = _loss(full, beta[:, None], target, w, ridge)
            rest = w * (p - target)[:, 0]
        else:
            rest = w * (full @ beta - target[:, 0])
            value = 0.5 * float((rest**2 / np.maximum(w, 1e-300)).sum() + penalty @ beta**2)
        return value / scale / len(x), (full.T @ rest + penalty * beta) / scale / len(x)

    start = np.zeros(full.shape[1])
    start[0] = 0.0 if classifies else middle
    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=list(zip(low, high, strict=True)),
        options={"maxiter": 500, "ftol": 1e-12, "gtol": 1e-8},
    ).x  # fmt: skip
    return found[1:, None], found[:1]


def _least_squares(x: Vector, y: Vector, w: Vector, ridge: float) -> tuple[Vector, float]:
    level = float(np.average(y, weights=w))
    gram = x.T @ (x * w[:, None]) + ridge * np.eye(x.shape[1])
    coef = np.linalg.solve(gram, x.T @ (w * (y - level))) if x.shape[1] else np.zeros(0)
    return np.asarray(coef, dtype=np.float64), level


def _newton(
    x: Vector,
    used: NDArray[np.bool_],
    intercepts: NDArray[np.bool_],
    target: Vector,
    w: Vector,
    ridge: float,
    start: Vector | None,
) -> tuple[Vector, Vector]:
    """Damped Newton steps over the weights that are used and the intercepts, all at once."""
    k = used.shape[1]
    full = np.column_stack([np.ones(len(x)), x])  # (n, t + 1)
    free = np.vstack([intercepts, used])  # (t + 1, k)
    at, output = np.nonzero(free)
    penalty = np.where(at == 0, 1e-6, ridge)
    beta = np.zeros(free.shape) if start is None else start
    if k > 1:
        # Without intercept a term cannot be centred; the scaled ones are, so nothing is lost.
        target = target / np.maximum(target.sum(axis=1, keepdims=True), 1e-300)
    curves = _Curvature.of(full, at, output, k)
    loss, p = _loss(full, beta, target, w, ridge)
    for _ in range(_STEPS):
        slope = (full.T @ (w[:, None] * (p - target)))[at, output] + penalty * beta[at, output]
        curve = curves.by(p, w)
        curve[np.diag_indices(len(at))] += penalty
        step = np.linalg.solve(curve, slope)
        size, better = 1.0, False
        while size > 1e-4:
            trial = beta.copy()
            trial[at, output] -= size * step
            new, probability = _loss(full, trial, target, w, ridge)
            if new <= loss + 1e-12:
                better = True
                break
            size /= 2
        if not better:
            break
        gained = loss - new
        beta, loss, p = trial, new, probability
        if gained < 1e-6 * max(abs(loss), 1.0):
            break
    return beta[1:], beta[0]


def curvature(
    full: Vector, at: NDArray[np.int64], output: NDArray[np.int64], p: Vector, w: Vector
) -> Vector:
    """Second derivatives of the summed cross-entropy by some weights, of shape (f, f).

    Parameters
    ----------
    full : ndarray of shape (n, t)
        The terms.
    at, output : ndarray of shape (f,), int
        The term and the output of each weight.
    p : ndarray of shape (n, k)
        Probabilities where the weights are; k is 1 for two classes.
    w : ndarray of shape (n,)
        How much each row counts.
    """
    return _Curvature.of(full, at, output, p.shape[1]).by(p, w)


@dataclass(frozen=True, eq=False)
class _Curvature:
    """The terms of the weights, laid out once for all steps."""

    all: Vector  # (n, f): the term of each weight
    own: list[tuple[tuple[NDArray[np.int64], ...], Vector]]  # places and terms, by output
    output: NDArray[np.int64]  # (f,)

    @classmethod
    def of(
        cls, full: Vector, at: NDArray[np.int64], output: NDArray[np.int64], k: int
    ) -> _Curvature:
        if k == 1:
            return cls(full if len(at) == full.shape[1] else full[:, at], [], output)
        places = [np.flatnonzero(output == c) for c in range(k)]
        own = [(np.ix_(rows, rows), full[:, at[rows]]) for rows in places]
        return cls(full[:, at], own, output)

    def by(self, p: Vector, w: Vector) -> Vector:
        if p.shape[1] == 1:
            return np.asarray(self.all.T @ (self.all * (w[:, None] * p * (1 - p))))
        spread = self.all * p[:, self.output]
        curve = -spread.T @ (spread * w[:, None])
        for c, (places, mine) in enumerate(self.own):
            curve[places] += mine.T @ (mine * (w * p[:, c])[:, None])
        return np.asarray(curve)


def _loss(
    full: Vector, beta: Vector, target: Vector, w: Vector, ridge: float
) -> tuple[float, Vector]:
    """Penalised cross-entropy, and the probabilities (n, k)."""
    z = full @ beta
    penalty = ridge / 2 * float((beta[1:] ** 2).sum()) + 0.5e-6 * float((beta[0] ** 2).sum())
    if z.shape[1] == 1:
        e = np.exp(-np.abs(z))
        p = np.where(z >= 0, 1.0, e) / (1.0 + e)
        each = np.maximum(z, 0.0) + np.log1p(e) - target * z
        return float(w @ each[:, 0]) + penalty, p
    top = z.max(axis=1, keepdims=True)
    e = np.exp(z - top)
    total = e.sum(axis=1, keepdims=True)
    each = (top + np.log(total))[:, 0] * target.sum(axis=1) - (target * z).sum(axis=1)
    return float(w @ each) + penalty, e / total
