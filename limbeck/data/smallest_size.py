"""Which of several sizes is large enough, by losses on rows left out."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["smallest_within"]


def smallest_within(
    losses: NDArray[np.float64], weight: NDArray[np.float64], epsilon: float
) -> int:
    """The position of the smallest size within epsilon / 2, or one standard error of the best.

    The rule of one standard error is that of Breiman et al. 1984, section 3.4.3.

    Parameters
    ----------
    losses : ndarray of shape (sizes, n)
        Losses on each row left out, by growing size.
    weight : ndarray of shape (n,)
        How much each row counts.
    epsilon : float
        The loss aimed at; half of it is good enough.
    """
    means = np.average(losses, axis=1, weights=weight)
    best = int(means.argmin())
    allowed = means[best] + losses[best].std() / math.sqrt(losses.shape[1])
    return int(np.flatnonzero(means <= max(allowed, epsilon / 2) + 1e-12)[0])
