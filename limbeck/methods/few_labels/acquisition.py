"""Which texts to ask about next: those that the student is unsure of, and that differ."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

__all__ = ["next_batch", "uncertainty"]

_CANDIDATES = 10  # for each text that is chosen


def uncertainty(soft: NDArray[np.float64]) -> NDArray[np.float64]:
    """One less the margin between the two most probable classes, shape (n,).

    Margin sampling, of Scheffer, Decomain and Wrobel (2001).

    Parameters
    ----------
    soft : ndarray of shape (n, k)
        Probabilities.

    Examples
    --------
    >>> uncertainty(np.array([[0.5, 0.5], [0.9, 0.1]])).round(2).tolist()
    [1.0, 0.2]
    """
    top = np.sort(soft, axis=1)[:, -2:]
    return np.asarray(1 - (top[:, 1] - top[:, 0]))


def next_batch(
    design: csr_array,
    doubt: NDArray[np.float64],
    free: NDArray[np.int64],
    size: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    """Texts with much doubt that are unlike one another, one after the other.

    The ten times as many texts of most doubt are candidates; then the one with the largest doubt
    times distance from those chosen is taken, again and again. The distance is one less the
    cosine of the n-grams.

    Parameters
    ----------
    design : sparse array of shape (n, p)
        N-grams of all texts, rows of length 1 at most.
    doubt : ndarray of shape (n,)
        How unsure the student is; equal where it cannot say.
    free : ndarray of int
        The texts that may be chosen.
    size : int
        How many are chosen, at most.
    rng : numpy.random.Generator
        Decides between equal doubts.

    Returns
    -------
    ndarray of int
        Positions, in the order of choice.
    """
    mixed = rng.permutation(free)
    best = mixed[np.argsort(-doubt[mixed], kind="stable")[: _CANDIDATES * size]]
    part, left = design[best], doubt[best] + 1e-9
    nearest = np.zeros(len(best))
    chosen: list[int] = []
    for _ in range(min(size, len(best))):
        value = left * (1 - nearest)
        value[chosen] = -1.0
        at = int(value.argmax())
        chosen.append(at)
        alike = np.asarray((part @ part[[at]].T).todense()).ravel()
        nearest = np.maximum(nearest, np.clip(alike, 0, 1))
    return np.asarray(best[chosen])
