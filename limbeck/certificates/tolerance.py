"""How far a regression student strays on nearly all inputs, whatever their distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

from limbeck.certificates.binomial import check_share, smallest_n
from limbeck.core.errors import InvalidInput

__all__ = ["tolerance_bound"]


def tolerance_bound(errors: NDArray[np.float64], epsilon: float, delta: float) -> tuple[float, int]:
    """The error that at least 1 - epsilon of inputs stay within, with confidence 1 - delta.

    An order statistic: the (k + 1)-th largest error, with k the largest count for which
    ``P(Bin(n, epsilon) <= k) <= delta``. No assumption on the distribution; Wilks (1941),
    Annals of Mathematical Statistics 12, p. 91. Ties can only make the statement safer.

    Parameters
    ----------
    errors : ndarray of shape (n,)
        Absolute errors on n independent rows, in units of the answer.
    epsilon : float
        The share of inputs that may exceed the tolerance; in (0, 1).
    delta : float
        Probability, over the draw of the rows, that more inputs exceed it; in (0, 1).

    Returns
    -------
    tuple of (float, int)
        The tolerance, in units of the answer, and k, the number of rows set aside above it.

    Raises
    ------
    InvalidInput
        If epsilon or delta is outside (0, 1), an error is negative or not a number, or n is
        too small for any tolerance; the message names the n that is needed.
    """
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    e = np.asarray(errors, dtype=np.float64)
    if e.ndim != 1 or not (e >= 0).all():
        raise InvalidInput(
            "The errors are not a list of numbers of at least 0.",
            "Give absolute errors, one per row, none missing.",
        )
    n = len(e)
    needed = smallest_n(epsilon, delta)
    if n < needed:
        raise InvalidInput(
            f"With {n} rows no error can be certified for {1 - epsilon:.6g} of inputs at"
            f" confidence {1 - delta:.6g}.",
            f"Give at least {needed} fresh rows, or ask for a larger epsilon.",
        )
    below = bdtr(np.arange(n), n, epsilon) <= delta  # monotone in the count
    k = int(below.sum()) - 1
    return float(np.partition(e, n - 1 - k)[n - 1 - k]), k
