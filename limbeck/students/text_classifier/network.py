"""A network of one hidden layer on vectors of texts, fitted to soft answers; numpy and scipy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from limbeck.students.text_classifier.fitting import loss_and_slope

__all__ = ["SmallNetwork", "fit_network"]

Matrix = NDArray[np.float64]
_STEPS = 80


@dataclass(frozen=True, eq=False)
class SmallNetwork:
    """``relu(X @ hidden + level) @ weights + intercept``.

    Parameters
    ----------
    hidden : ndarray of shape (d, h)
        Weights of the hidden units.
    level : ndarray of shape (h,)
        Their levels.
    weights : ndarray of shape (h, 1) or (h, k)
        Weights of the outputs; one column for values and for two classes.
    intercept : ndarray of shape (1,) or (k,)
        Levels of the outputs.
    """

    hidden: Matrix
    level: Matrix
    weights: Matrix
    intercept: Matrix

    def scores(self, vectors: Matrix) -> Matrix:
        """The outputs of rows, shape (n, 1) or (n, k).

        Parameters
        ----------
        vectors : ndarray of shape (n, d)
            The rows.
        """
        inner = np.maximum(vectors @ self.hidden + self.level, 0.0)
        return np.asarray(inner @ self.weights + self.intercept)

    @property
    def numbers(self) -> int:
        """Weights and levels."""
        return sum(part.size for part in (self.hidden, self.level, self.weights, self.intercept))


def fit_network(
    vectors: Matrix,
    soft: Matrix,
    weight: NDArray[np.float64],
    classifies: bool,
    *,
    units: int,
    penalty: float,
    rng: np.random.Generator,
) -> SmallNetwork:
    """Minimise the mean loss plus ``penalty / 2`` times the squared weights, by L-BFGS.

    The loss is the cross-entropy to the soft answers, or half the squared error; L-BFGS is
    algorithm 7.5 of Nocedal and Wright (2006). It begins with random weights of
    variance 2/d.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        The rows.
    soft : ndarray of shape (n, k) or (n, 1)
        Probabilities of classes, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    classifies : bool
        Whether these are classes.
    units : int
        h, the hidden units.
    penalty : float
        Of the squared weights.
    rng : numpy.random.Generator
        Of the first weights.
    """
    target = soft[:, 1:] if classifies and soft.shape[1] == 2 else soft
    share = weight / weight.sum()
    level, spread = np.zeros(target.shape[1]), 1.0
    if not classifies:
        level = share @ target
        spread = float(np.sqrt(share @ (target - level) ** 2).max()) or 1.0
        target = (target - level) / spread
    d, k = vectors.shape[1], target.shape[1]
    shapes = [(d, units), (units,), (units, k), (k,)]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]

    def parts(flat: NDArray[np.float64]) -> list[Matrix]:
        return [p.reshape(s) for p, s in zip(np.split(flat, ends), shapes, strict=True)]

    def value(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        hidden, low, out, at = parts(flat)
        inner = np.maximum(vectors @ hidden + low, 0.0)
        each, slope = loss_and_slope(inner @ out + at, target, classifies)
        slope = slope * share[:, None]
        back = (slope @ out.T) * (inner > 0)
        total = share @ each + penalty / 2 * (np.vdot(hidden, hidden) + np.vdot(out, out))
        slopes = (
            vectors.T @ back + penalty * hidden, back.sum(axis=0),
            inner.T @ slope + penalty * out, slope.sum(axis=0),
        )  # fmt: skip
        return float(total), np.concatenate([np.ravel(s) for s in slopes])

    start = np.concatenate([
        rng.normal(0, np.sqrt(2 / d), d * units), np.zeros(units),
        rng.normal(0, np.sqrt(1 / units), units * k), np.zeros(k),
    ])  # fmt: skip
    found = minimize(value, start, jac=True, method="L-BFGS-B", options={"maxiter": _STEPS})
    hidden, low, out, at = parts(np.asarray(found.x))
    return SmallNetwork(hidden, low, out * spread, at * spread + level)
