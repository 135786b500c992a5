"""A linear model of sparse columns, fitted to soft answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import expit, log_expit, logsumexp

__all__ = ["LinearFit", "fit_path", "loss_and_slope", "losses_of"]

Vector = NDArray[np.float64]
_STEPS, _INNER = 50, 200
_SMALL, _FALL = 1e-4, 1e-6
"""A fit ends where the slope, or the fall of the loss by a step, is so small beside the first."""


@dataclass(frozen=True, eq=False)
class LinearFit:
    """Weights of p columns and the level, for one number or log-odds, or for each of k classes.

    Parameters
    ----------
    weights : ndarray of shape (p, 1) or (p, k)
        One column for values and for two classes, of which it is the log-odds of the second.
    intercept : ndarray of shape (1,) or (k,)
        The levels.
    """

    weights: Vector
    intercept: Vector

    def scores(self, design: csr_array) -> Vector:
        """The sums of rows, shape (n, 1) or (n, k).

        Parameters
        ----------
        design : sparse array of shape (n, p)
            The columns.
        """
        return np.asarray(design @ self.weights + self.intercept)

    @property
    def numbers(self) -> int:
        """Weights and levels."""
        return int(self.weights.size + self.intercept.size)


def fit_path(
    design: csr_array,
    soft: Vector,
    weight: Vector,
    classifies: bool,
    penalties: Sequence[float],
    ranks: Sequence[int] | None = None,
) -> Iterator[LinearFit]:
    """Ridge fits by Newton's method, made as they are asked for, each from the one before.

    Minimises the mean cross-entropy to the soft answers, or half the mean squared error, plus
    ``penalty / 2`` times the squared weights; the level is free.

    Parameters
    ----------
    design : sparse array of shape (n, p)
        The columns.
    soft : ndarray of shape (n, k) or (n, 1)
        Probabilities of classes, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    classifies : bool
        Whether these are classes.
    penalties : sequence of float
        Decreasing.
    ranks : sequence of k int, optional
        The place of each class, where they are in an order: then a column has one weight, which
        counts as often as the class has classes below it, so that it moves a row up or down by the
        same log-odds from each class to the next (adjacent-categories logits, Agresti 2010,
        chapter 4).
    """
    target = soft[:, 1:] if classifies and soft.shape[1] == 2 else soft
    share = weight / weight.sum()
    level = share @ target
    spread = 1.0 if classifies else float(np.sqrt(share @ (target - level) ** 2).max()) or 1.0
    if not classifies:
        target = (target - level) / spread
    beta = np.zeros((design.shape[1] + 1, target.shape[1]))
    turned = csr_array(design.T)
    along = None
    if ranks is not None and target.shape[1] > 2:
        steps = np.array(ranks) - (target.shape[1] - 1) / 2
        along = steps / np.linalg.norm(steps)
    for penalty in penalties:
        beta = _newton(design, turned, target, share, classifies, penalty, beta, along)
        yield LinearFit(beta[:-1] * spread, beta[-1] * spread + (0.0 if classifies else level))


def _newton(
    design: csr_array,
    turned: csr_array,
    target: Vector,
    share: Vector,
    classifies: bool,
    penalty: float,
    beta: Vector,
    along: Vector | None = None,
) -> Vector:
    """Newton steps by conjugate gradients, halved until the loss falls; the level is last.

    With ``along`` the weights of all classes are multiples of it: steps are taken in that plane.

    Nocedal and Wright (2006), algorithm 7.1.
    """

    def value(at: Vector, total: Vector) -> float:
        each = loss_and_slope(total, target, classifies)[0]
        return float(share @ each + penalty / 2 * np.vdot(at[:-1], at[:-1]))

    def sums(at: Vector) -> Vector:
        return np.asarray(design @ at[:-1] + at[-1])

    def back(each: Vector, at: Vector) -> Vector:
        each = each * share[:, None]
        slope = turned @ each + penalty * at[:-1]
        if along is not None:
            slope = np.outer(slope @ along, along)
        return np.vstack([slope, each.sum(axis=0)])

    total = sums(beta)
    now, first = value(beta, total), 0.0
    for _ in range(_STEPS):
        gradient = back(loss_and_slope(total, target, classifies)[1], beta)
        size = float(np.linalg.norm(gradient))
        first = first or size
        if size <= _SMALL * max(first, 1e-8):
            break
        curve = _curvature(total, classifies)

        def product(v: Vector, curve: Callable[[Vector], Vector] = curve) -> Vector:
            return back(curve(sums(v)), v)

        step = _solved(product, gradient, size, first)
        change, length = sums(step), 1.0
        slope = float(np.vdot(gradient, step))
        while length > 1e-6:
            then = value(beta + length * step, total + length * change)
            if then <= now + 1e-4 * length * slope:
                break
            length /= 2
        beta, total = beta + length * step, total + length * change
        done, now = now - then <= _FALL * abs(now), then
        if done:
            break
    return beta


def _curvature(total: Vector, classifies: bool) -> Callable[[Vector], Vector]:
    """What the second derivative of each row's loss in its sums makes of a change of these."""
    if not classifies:
        return lambda change: change
    if total.shape[1] == 1:
        p = expit(total)
        return lambda change: p * (1 - p) * change
    p = np.exp(total - logsumexp(total, axis=1, keepdims=True))
    return lambda change: p * (change - (p * change).sum(axis=1, keepdims=True))


def _solved(
    product: Callable[[Vector], Vector], gradient: Vector, size: float, first: float
) -> Vector:
    """A step that the second derivative turns into minus the gradient, by conjugate gradients."""
    step = np.zeros_like(gradient)
    rest = -gradient
    towards, square = rest, size**2
    enough = (size * min(0.1, np.sqrt(size / first))) ** 2
    for _ in range(_INNER):
        turned = product(towards)
        curve = float(np.vdot(towards, turned))
        if curve <= 1e-14 * square:  # flat, as for one number added to all classes
            break
        length = square / curve
        step = step + length * towards
        rest = rest - length * turned
        before, square = square, float(np.vdot(rest, rest))
        if square <= enough:
            break
        towards = rest + (square / before) * towards
    return step if step.any() else -gradient


def losses_of(fit: LinearFit, design: csr_array, soft: Vector, classifies: bool) -> Vector:
    """Cross-entropy to the soft answers of each row, or half its squared error, shape (n,).

    Parameters
    ----------
    fit : LinearFit
        The model.
    design : sparse array of shape (n, p)
        The columns.
    soft : ndarray of shape (n, k) or (n, 1)
        Probabilities of classes, or values.
    classifies : bool
        Whether these are classes.
    """
    target = soft[:, 1:] if classifies and soft.shape[1] == 2 else soft
    return loss_and_slope(fit.scores(design), target, classifies)[0]


def loss_and_slope(total: Vector, target: Vector, classifies: bool) -> tuple[Vector, Vector]:
    """Loss of each row, and its slope in each sum.

    Parameters
    ----------
    total : ndarray of shape (n, 1) or (n, k)
        The sums.
    target : ndarray of the same shape
        Probabilities (of the second class where there is one column), or values.
    classifies : bool
        Whether these are classes.
    """
    if not classifies:
        off = total - target
        return (off**2).sum(axis=1) / 2, off
    if total.shape[1] == 1:
        each = -(target * log_expit(total) + (1 - target) * log_expit(-total))
        return each[:, 0], expit(total) - target
    log_p = total - logsumexp(total, axis=1, keepdims=True)
    return -(target * log_p).sum(axis=1), np.exp(log_p) * target.sum(axis=1, keepdims=True) - target
