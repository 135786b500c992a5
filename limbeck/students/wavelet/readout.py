"""From features to answers: a linear or logistic readout, or an additive one."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from limbeck.core.task import Task

__all__ = ["LinearReadout", "answers", "logistic", "shares"]

Matrix = NDArray[np.float64]
Index = NDArray[np.int64]
_CERTAIN = 30.0  # log-odds against a class that no row has
_SEARCH_ROWS = 2_000
_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)


@dataclass(frozen=True, eq=False)
class LinearReadout:
    """Sums of weighted features: values, or log-odds.

    Parameters
    ----------
    weights, intercept : ndarray of shapes (p, k) and (k,)
        One column for a number, or for the log-odds of the second of two classes; else one a
        class.
    spread : ndarray of shape (p,)
        Standard deviations of the features, by which weights become comparable.
    """

    weights: Matrix
    intercept: Matrix
    spread: Matrix

    def add_up(self, Z: Matrix) -> Matrix:
        """The sums (n, k) for features (n, p)."""
        return Z @ self.weights + self.intercept


def answers(sums: Matrix, task: Task) -> NDArray[Any]:
    """Values (n,), or positions of classes (n,), for sums (n, k).

    Parameters
    ----------
    sums : ndarray of shape (n, k)
        Values, or log-odds.
    task : Task
        What is predicted.
    """
    if not task.classifies:
        return np.ascontiguousarray(sums[:, 0])
    if sums.shape[1] == 1:
        return np.where(sums[:, 0] > 0, len(task.classes) - 1, 0)
    return np.asarray(sums.argmax(axis=1))


def shares(sums: Matrix, task: Task) -> Matrix:
    """Probabilities (n, k) of the classes, for sums (n, k).

    Parameters
    ----------
    sums : ndarray of shape (n, k)
        Log-odds.
    task : Task
        Its classes.
    """
    if len(task.classes) == 1:
        return np.ones((len(sums), 1))
    if sums.shape[1] == 1:
        second = expit(sums[:, 0])
        return np.column_stack([1 - second, second])
    return np.asarray(softmax(sums, axis=1))


def logistic(
    Z: Matrix, target: Matrix, weight: Matrix, rng: np.random.Generator
) -> tuple[Matrix, Matrix]:
    """A logistic regression by scikit-learn on soft or hard targets.

    Parameters
    ----------
    Z : ndarray of shape (n, p)
        Features, scaled to variance 1.
    target : ndarray of shape (n, k)
        Probabilities of the classes, one-hot where they are hard.
    weight : ndarray of shape (n,)
        Weights of the rows.
    rng : Generator
        Draws the folds.

    Returns
    -------
    tuple of ndarray
        Weights and intercepts as :class:`LinearReadout` holds them. The strength of the penalty is
        chosen by cross-validated log loss.
    """
    k = target.shape[1]
    seen = np.flatnonzero(weight @ target > 0)
    weights, intercept = np.zeros((Z.shape[1], k)), np.full(k, -_CERTAIN)
    intercept[seen] = 0.0
    if len(seen) > 1:
        strength = _strength(Z, target, weight, rng)
        model = _fit(_model(strength), *_rows_of(Z, target, weight))
        if len(seen) == 2:  # scikit-learn gives the log-odds of the second
            weights[:, seen[1]], intercept[seen[1]] = model.coef_[0], model.intercept_[0]
        else:
            weights[:, seen], intercept[seen] = model.coef_.T, model.intercept_
    if k == 2:
        return weights[:, 1:] - weights[:, :1], intercept[1:] - intercept[:1]
    return weights, intercept


def _model(strength: float, **given: Any) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=strength, max_iter=300, **given)


def _rows_of(Z: Matrix, target: Matrix, weight: Matrix) -> tuple[Matrix, Index, Matrix]:
    """Each row once for every class: features, the class, and its probability as a weight."""
    share = target * weight[:, None]
    row, label = np.nonzero(share > 1e-3 * weight.mean())
    return Z[row], label, share[row, label]


def _fit(model: Any, Z: Matrix, label: Index, weight: Matrix) -> Any:
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(Z, label, sample_weight=weight)


def _strength(Z: Matrix, target: Matrix, weight: Matrix, rng: np.random.Generator) -> float:
    order = rng.permutation(len(Z))[:_SEARCH_ROWS]
    folds = np.array_split(order, 5)
    losses = np.zeros(len(_STRENGTHS))
    for f, held in enumerate(folds):
        rest = np.concatenate([own for g, own in enumerate(folds) if g != f])
        if not len(held) or (weight[rest] @ target[rest] > 0).sum() < 2:
            continue
        model = _model(_STRENGTHS[0], warm_start=True)  # each goes on from the one before
        rows = _rows_of(Z[rest], target[rest], weight[rest])
        for i, strength in enumerate(_STRENGTHS):
            _fit(model.set_params(C=strength), *rows)
            logs = np.full((len(held), target.shape[1]), -_CERTAIN)
            logs[:, model.classes_] = model.predict_log_proba(Z[held])
            losses[i] -= float((weight[held, None] * target[held] * logs).sum())
    return _STRENGTHS[int(losses.argmin())]
