"""From weights that match logits to those whose probabilities match best.

Least squares on logits takes a class in the middle of two others for neither, and weighs certain
rows like doubtful ones. A few steps towards the least cross-entropy mend both; each solves with the
Gram matrix of all rows, which bounds the Hessian from above (Böhning 1992), so nothing is factored
twice. The terms stay the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit, log_softmax, softmax

from limbeck.students.additive.steps import StepTerms

__all__ = ["refit"]

Vector = NDArray[np.float64]
_STEPS, _ROWS = 12, 4000
_RIDGE = 0.1  # times the penalty of squared errors: a probability moves less than its logit
_ENOUGH = 1e-4  # of the cross-entropy that is gained in a step


def refit(
    steps: StepTerms,
    cells: list[NDArray[np.int64]],
    weight: Vector,
    shares: Vector,
    start: tuple[Vector, Vector],
    ridge: float,
    signs: Vector,
) -> tuple[Vector, Vector]:
    """Weights nearer to the least cross-entropy, of the same terms.

    Parameters
    ----------
    steps : StepTerms
        The terms.
    cells : list of ndarray
        Where the n rows lie; of more than 4,000 every so manyth is used.
    weight : ndarray of shape (n,)
        Weights of the rows.
    shares : ndarray of shape (n, k)
        Probabilities of the classes, one-hot where they are hard.
    start : (ndarray of shape (p, outputs), ndarray of shape (outputs,))
        Weights and intercepts that match logits.
    ridge : float
        The penalty with which they were made.
    signs : ndarray of shape (p,)
        1 where weights must not be negative, -1 where not positive, else 0.

    Returns
    -------
    tuple of ndarray
        Weights and intercepts; those of the start where no step gains anything.
    """
    theta, intercept = start
    every = max(1, len(weight) // _ROWS)
    cells, weight = [c[::every] for c in cells], weight[::every] / weight[::every].sum()
    goal = shares[::every, -1:] if theta.shape[1] == 1 else shares[::every]
    sums = steps.moments(cells, goal, weight)
    mean, penalty = sums.sums / sums.weight, ridge * _RIDGE
    gram = sums.centred()[0] + penalty * np.eye(len(mean))
    curvature = 4.0 if goal.shape[1] == 1 else 2.0
    factors = [
        (c, at, cho_factor(gram[np.ix_(at, at)], check_finite=False))
        for c in range(goal.shape[1])
        if len(at := np.flatnonzero(theta[:, c]))
    ]

    def value(theta: Vector, intercept: Vector) -> tuple[float, Vector]:
        p, loss = _loss(steps.add_up(theta, intercept, cells), goal)
        return float(weight @ loss) + penalty / 2 * float((theta**2).sum()), p

    best, p = value(theta, intercept)
    step = 1.0
    for _ in range(_STEPS):
        rest = (goal - p) * weight[:, None]
        total = rest.sum(axis=0)
        slope = steps.pull(cells, rest) - np.outer(mean, total) - penalty * theta
        move = np.zeros_like(theta)
        for c, at, factor in factors:
            move[at, c] = curvature * cho_solve(factor, slope[at, c], check_finite=False)
        before = best
        while step > 0.05:
            nearer = theta + step * move
            nearer[signs[:, None] * nearer < 0] = 0.0
            first = intercept + step * curvature * total - mean @ (nearer - theta)
            found, near = value(nearer, first)
            if found < best:
                theta, intercept, best, p = nearer, first, found, near
                break
            step /= 2
        if before - best < _ENOUGH * before:
            break
        step *= 1.5
    return theta, intercept


def _loss(scores: Vector, goal: Vector) -> tuple[Vector, Vector]:
    """Probabilities, and the cross-entropy of each row."""
    if scores.shape[1] == 1:
        loss = np.logaddexp(0.0, scores) - goal * scores
        return expit(scores), loss[:, 0]
    return softmax(scores, axis=1), -(goal * log_softmax(scores, axis=1)).sum(axis=1)
