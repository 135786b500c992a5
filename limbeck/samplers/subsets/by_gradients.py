"""Rows whose gradients stand for those of all rows: CRAIG (Mirzasoleiman et al. 2020)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.samplers.subsets.by_vectors import _enough

__all__ = ["facility_location", "gradient_distances"]

Vectors = NDArray[np.float64]


def gradient_distances(vectors: Vectors, residuals: Vectors) -> Vectors:
    """Distances between the gradients of a linear layer's loss at each two rows, (n, n).

    The gradient of the cross-entropy of a row in the weights is the outer product of the residual
    (probabilities less targets) and the row with a 1 for the level. Its inner products are those
    of residuals times those of rows.

    Parameters
    ----------
    vectors : ndarray of shape (n, d)
        The rows.
    residuals : ndarray of shape (n, k)
        Probabilities of the student less those of the teacher.
    """
    inner = (residuals @ residuals.T) * (vectors @ vectors.T + 1.0)
    own = np.diag(inner)
    return np.sqrt(np.maximum(own[:, None] + own[None, :] - 2 * inner, 0.0))


def facility_location(distances: Vectors, m: int) -> tuple[NDArray[np.int64], Vectors]:
    """Rows with the smallest sum of distances of all rows to the nearest of them, greedily.

    The greedy choice reaches 1 - 1/e of the best fall of that sum (Nemhauser, Wolsey and Fisher
    1978).

    Parameters
    ----------
    distances : ndarray of shape (n, n)
        Between rows.
    m : int
        Rows to choose.

    Returns
    -------
    places : ndarray of shape (m,)
        The rows.
    weights : ndarray of shape (m,)
        For how many rows each of them is the nearest; they add up to n.

    Examples
    --------
    >>> x = np.array([0.0, 0.1, 0.2, 0.3, 9.0])
    >>> places, weights = facility_location(np.abs(x[:, None] - x[None, :]), 2)
    >>> places.tolist(), weights.tolist()
    ([2, 4], [4.0, 1.0])
    """
    _enough(distances, m)
    nearest = np.full(len(distances), distances.max() + 1.0)
    places: list[int] = []
    for _ in range(m):
        gain = np.maximum(nearest[:, None] - distances, 0.0).sum(axis=0)
        gain[places] = -1.0
        place = int(gain.argmax())
        places.append(place)
        nearest = np.minimum(nearest, distances[:, place])
    chosen = np.array(places, dtype=np.int64)
    owner = distances[:, chosen].argmin(axis=1)
    return chosen, np.bincount(owner, minlength=m).astype(np.float64)
