"""Kernel inducing points: rows and labels that are moved until ridge regression on them fits all.

Nguyen, Chen and Lee (2021, arXiv:2011.00050), with an RBF kernel and gradients written out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["InducingPoints", "condensed", "kernel_loss", "rbf", "ridge_weights"]

Vectors = NDArray[np.float64]
_BETAS, _TINY = (0.9, 0.999), 1e-8


@dataclass(frozen=True, eq=False)
class InducingPoints:
    """A condensed set.

    Parameters
    ----------
    points : ndarray of shape (m, d)
        Rows that nobody measured.
    targets : ndarray of shape (m, k)
        Their labels, less 1/k; no probabilities.
    losses : ndarray of shape (steps,)
        The loss of each step, on its rows.
    """

    points: Vectors
    targets: Vectors
    losses: Vectors


def rbf(a: Vectors, b: Vectors, gamma: float) -> Vectors:
    """The kernel exp(-gamma |a - b|^2), of shape (len(a), len(b)).

    Parameters
    ----------
    a, b : ndarray of shape (n, d), (m, d)
        The rows.
    gamma : float
        One over a squared length.
    """
    square = np.square(a).sum(axis=1)[:, None] + np.square(b).sum(axis=1)[None, :] - 2 * a @ b.T
    return np.asarray(np.exp(-gamma * np.maximum(square, 0.0)))


def ridge_weights(points: Vectors, targets: Vectors, gamma: float, ridge: float) -> Vectors:
    """Weights A = (K + ridge I)^-1 targets of kernel ridge regression, (m, k).

    Parameters
    ----------
    points : ndarray of shape (m, d)
        The rows.
    targets : ndarray of shape (m, k)
        Their labels.
    gamma, ridge : float
        Of the kernel, and of the ridge; the kernel is 1 on its diagonal.
    """
    kernel = rbf(points, points, gamma) + ridge * np.eye(len(points))
    return np.asarray(np.linalg.solve(kernel, targets))


def kernel_loss(
    points: Vectors, targets: Vectors, X: Vectors, y: Vectors, gamma: float, ridge: float
) -> tuple[float, Vectors, Vectors]:
    """Half the mean squared error of rows by ridge regression on the points, and its gradients.

    With E = K_xs A - y, G = (K_ss + ridge I)^-1 K_xs' E: the gradient in the targets is G, that in
    K_xs is E A', and that in K_ss is -G A'; all over the number of rows.

    Parameters
    ----------
    points : ndarray of shape (m, d)
        The inducing points.
    targets : ndarray of shape (m, k)
        Their labels.
    X : ndarray of shape (n, d)
        Rows.
    y : ndarray of shape (n, k)
        Labels of the rows.
    gamma, ridge : float
        As for `ridge_weights`.

    Returns
    -------
    loss : float
    in_points : ndarray of shape (m, d)
    in_targets : ndarray of shape (m, k)
    """
    own, cross = rbf(points, points, gamma), rbf(X, points, gamma)
    system = own + ridge * np.eye(len(points))
    weights = np.linalg.solve(system, targets)
    error = (cross @ weights - y) / len(X)
    back: Vectors = np.asarray(np.linalg.solve(system, cross.T @ error), dtype=np.float64)
    in_cross = (error @ weights.T) * cross
    in_own = -(back @ weights.T) * own
    in_own = in_own + in_own.T
    in_points: Vectors = in_cross.T @ X - in_cross.sum(axis=0)[:, None] * points
    in_points += in_own @ points - in_own.sum(axis=1)[:, None] * points
    loss = 0.5 * len(X) * float(np.square(error).sum())
    return loss, 2 * gamma * in_points, back


def condensed(
    X: Vectors,
    y: Vectors,
    start: NDArray[np.int64],
    gamma: float,
    rng: np.random.Generator,
    *,
    ridge: float = 1e-3,
    steps: int = 300,
    batch: int = 1000,
    rate: float = 0.02,
) -> InducingPoints:
    """Move rows and their labels by Adam, each step on other rows.

    Parameters
    ----------
    X : ndarray of shape (n, d)
        Rows, of about unit variance.
    y : ndarray of shape (n, k)
        Labels, less 1/k.
    start : ndarray of shape (m,)
        Positions of the rows to begin with.
    gamma : float
        Of the kernel.
    rng : Generator
        Draws the rows of each step.
    ridge : float
        Of the regression.
    steps, batch : int
        Steps, and rows in each.
    rate : float
        The step size, which falls to 0 linearly.
    """
    parts = [X[start].copy(), y[start].copy()]
    first = [np.zeros_like(part) for part in parts]
    second = [np.zeros_like(part) for part in parts]
    losses = np.empty(steps)
    for step in range(steps):
        rows = rng.choice(len(X), min(batch, len(X)), replace=False)
        losses[step], *slopes = kernel_loss(parts[0], parts[1], X[rows], y[rows], gamma, ridge)
        now = rate * (1 - step / steps)
        for i, slope in enumerate(slopes):
            first[i] = _BETAS[0] * first[i] + (1 - _BETAS[0]) * slope
            second[i] = _BETAS[1] * second[i] + (1 - _BETAS[1]) * np.square(slope)
            middle = first[i] / (1 - _BETAS[0] ** (step + 1))
            spread = second[i] / (1 - _BETAS[1] ** (step + 1))
            parts[i] = parts[i] - now * middle / (np.sqrt(spread) + _TINY)
    return InducingPoints(parts[0], parts[1], losses)
