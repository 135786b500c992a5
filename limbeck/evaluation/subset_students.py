"""Students of few rows with soft labels: ridge regression with an RBF kernel, or a linear model."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from limbeck.samplers.subsets.inducing_points import rbf, ridge_weights
from limbeck.students.text_classifier.fitting import LinearFit, fit_path, losses_of

__all__ = ["RIDGE", "kernel_student", "kernel_width", "linear_student"]

Vectors = NDArray[np.float64]
Predict = Callable[[Vectors], Vectors]
RIDGE = 1e-3
_PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001)
_PARTS = 4


def kernel_width(vectors: Vectors, rng: np.random.Generator) -> float:
    """One over the median of the squared distances of 500 rows: gamma of the RBF kernel.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        The rows.
    rng : Generator
        Draws them.
    """
    some = vectors[rng.permutation(len(vectors))[:500]]
    square = np.square(some).sum(axis=1)
    distance = square[:, None] + square[None, :] - 2 * some @ some.T
    middle = float(np.median(distance[np.triu_indices(len(some), 1)]))
    return 1.0 / max(middle, 1e-12)


def kernel_student(vectors: Vectors, targets: Vectors, gamma: float) -> Predict:
    """Ridge regression with an RBF kernel, as a function to one score a class.

    Parameters
    ----------
    vectors : ndarray of shape (m, d)
        The rows.
    targets : ndarray of shape (m, k)
        Probabilities less 1/k.
    gamma : float
        Of the kernel.
    """
    weights = ridge_weights(vectors, targets, gamma, RIDGE)
    return lambda rows: rbf(rows, vectors, gamma) @ weights


def linear_student(
    vectors: Vectors, soft: Vectors, weight: Vectors, rng: np.random.Generator
) -> Predict:
    """A softmax model, its penalty chosen on parts of the rows that are left out.

    Parameters
    ----------
    vectors : ndarray of shape (m, d)
        The rows.
    soft : ndarray of shape (m, k)
        Probabilities of classes.
    weight : ndarray of shape (m,)
        How much each row counts.
    rng : Generator
        Of the parts.
    """
    design, parts = csr_array(vectors), rng.permutation(len(vectors)) % _PARTS
    losses = np.zeros(len(_PENALTIES))
    for part in range(_PARTS):
        out, rest = parts == part, parts != part
        if not out.any() or not rest.any():
            continue
        path = fit_path(design[rest], soft[rest], weight[rest], True, _PENALTIES)
        for i, fit in enumerate(path):
            losses[i] += weight[out] @ losses_of(fit, design[out], soft[out], True)
    best = _PENALTIES[: int(losses.argmin()) + 1]
    fit = list(fit_path(design, soft, weight, True, best))[-1]
    return lambda rows: _scores(fit, rows)


def _scores(fit: LinearFit, rows: Vectors) -> Vectors:
    """One score a class, also where a fit of two classes holds that of the second alone."""
    total = fit.scores(csr_array(rows))
    return np.column_stack([np.zeros(len(total)), total]) if total.shape[1] == 1 else total
