"""A bound that may be looked at after every row: stop as soon as it suffices."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import logsumexp

from limbeck.certificates.binomial import check_share
from limbeck.certificates.bounded import to_unit
from limbeck.core.errors import InvalidInput

__all__ = ["AnytimeBound"]

# Fractions of the largest safe bet, and how the starting capital is shared among them. A full
# bet is the best one while no error is seen and is ruined by the first; 0.85 is right where the
# mean is a quarter of epsilon and survives errors; the small ones make the bound sharp where
# the mean is not small. Tuned on exact medians of Bernoulli losses; benchmarks/certificates.py.
_FRACTIONS = np.array([1.0, 0.85, 0.7, 0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01])
_SHARES = np.array([0.33, 0.525, 0.1, 0.025, 0.008, 0.004, 0.002, 0.002, 0.002, 0.002])
_BLOCK = 4096
_JOIN = 65_536
_TOP = 1 - 1e-12
_FAR = 1e3  # log wealth beyond which it does not matter how far


class AnytimeBound:
    """Upper bound for the mean of losses in [0, 1], valid at every row at once.

    For each m a mixture of bets that the losses fall below m,
    ``K_t(m) = sum_j w_j prod_i (1 + c_j (m - x_i) / (1 - m))``, is a nonnegative martingale
    where the mean is m; by Ville's inequality (1939) it ever exceeds 1/delta with probability
    at most delta. So "mean <= epsilon" may be certified at the first row at which
    ``K_t(epsilon) >= 1/delta``, whatever rule decides to go on or to stop. Waudby-Smith and
    Ramdas (2023), section 4; the mixture over fixed bets is Robbins's (1970).

    Parameters
    ----------
    epsilon : float
        The mean to certify; in (0, 1).
    delta : float
        Probability that the bound is ever below the mean; in (0, 1).

    Attributes
    ----------
    n : int
        Losses seen.
    rows : int or None
        The number of losses at which the mean was certified; None before.

    Raises
    ------
    InvalidInput
        If epsilon or delta is outside (0, 1).

    Examples
    --------
    >>> bound = AnytimeBound(epsilon=0.01, delta=0.05)
    >>> bound.update([0.0] * 200)
    False
    >>> bound.update([0.0] * 200)
    True
    """

    def __init__(self, epsilon: float, delta: float) -> None:
        check_share("epsilon", epsilon)
        check_share("delta", delta)
        self.epsilon = epsilon
        self.delta = delta
        self.n = 0
        self.rows: int | None = None
        self._log_wealth = np.log(_SHARES)
        # the bound depends on the values, not their order; blocks, joined when they are many
        self._values: list[NDArray[np.float64]] = []
        self._counts: list[NDArray[np.int64]] = []
        self._kept, self._join_at = 0, _JOIN
        self._lowest = 1.0

    @property
    def certified(self) -> bool:
        """Whether "mean <= epsilon" was certified at some row; it stays so."""
        return self.rows is not None

    def update(self, losses: NDArray[np.float64] | list[float]) -> bool:
        """Take the next losses, in the order in which their rows were drawn.

        Once certified, later losses are not taken: the bound is that of the stopping row.

        Parameters
        ----------
        losses : array-like of shape (b,)
            Losses in [0, 1].

        Returns
        -------
        bool
            Whether the mean is certified now.

        Raises
        ------
        InvalidInput
            If a loss is outside [0, 1].
        """
        x = np.asarray(losses, dtype=np.float64)
        if x.size:
            x = to_unit(x, 0.0, 1.0)
        for start in range(0, len(x), _BLOCK):
            if self.certified:
                break
            self._take(x[start : start + _BLOCK])
        return self.certified

    @property
    def bound(self) -> float:
        """The upper bound after the losses so far, the lowest at any look; 1 before the first."""
        if self.n:
            values, counts = self._joined()
            self._lowest = min(self._lowest, _bound(values, counts.astype(np.float64), self.delta))
        return min(self._lowest, self.epsilon) if self.certified else self._lowest

    @property
    def mean(self) -> float:
        """Mean of the losses so far.

        Raises
        ------
        InvalidInput
            If there is none.
        """
        if not self.n:
            raise InvalidInput("No loss was given yet.", "Call update first.")
        values, counts = self._joined()
        return math.fsum((values * counts).tolist()) / self.n

    def _take(self, x: NDArray[np.float64]) -> None:
        paths = self._log_wealth + np.cumsum(log_factors(x, self.epsilon), axis=0)  # (b, bets)
        goal = -math.log(self.delta)
        reached = np.empty(0, dtype=np.int64)
        if paths.max() >= goal - math.log(len(_SHARES)) - 1e-9:  # else no sum of bets gets there
            reached = np.flatnonzero(logsumexp(paths, axis=1) >= goal)
        taken = int(reached[0]) + 1 if len(reached) else len(x)
        self._log_wealth = paths[taken - 1]
        values, counts = np.unique(x[:taken], return_counts=True)
        self._values.append(values)
        self._counts.append(counts)
        self._kept += len(values)
        if self._kept > self._join_at:
            self._join_at = max(_JOIN, 2 * len(self._joined()[0]))
        self.n += taken
        if len(reached):
            self.rows = self.n

    def _joined(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """The different losses so far, in order, and how often each occurred."""
        if len(self._values) > 1:
            values, at = np.unique(np.concatenate(self._values), return_inverse=True)
            counts = np.zeros(len(values), dtype=np.int64)
            np.add.at(counts, at, np.concatenate(self._counts))
            self._values, self._counts, self._kept = [values], [counts], len(values)
        return self._values[0], self._counts[0]


def log_factors(x: NDArray[np.float64], m: float) -> NDArray[np.float64]:
    """Log of what each bet returns for each loss, shape (n, bets); a full bet may be ruined."""
    with np.errstate(divide="ignore"):
        out: NDArray[np.float64] = np.log1p(_FRACTIONS * ((m - x) / (1 - m))[:, None])
    return out


def _bound(values: NDArray[np.float64], counts: NDArray[np.float64], delta: float) -> float:
    """The largest m that the mixture has not driven above 1/delta, but for 1e-12."""
    low, goal = float(values @ counts / counts.sum()), -math.log(delta)

    def above(m: float) -> float:
        with np.errstate(under="ignore"):
            wealth = np.log(_SHARES) + counts @ log_factors(values, m)
            return min(float(logsumexp(wealth)) - goal, _FAR)

    # wealth grows with m: away from the mean, where it is at most 1, in growing steps
    high, step = low, max(1e-3 / math.sqrt(counts.sum()), 1e-9)
    while True:
        high, before = high + step, high
        if high >= _TOP:
            high = _TOP
        if above(high) >= 0:
            break
        if high == _TOP:
            return 1.0
        step *= 4
    root = float(brentq(above, before, high, xtol=1e-13, rtol=1e-13))
    excluded = min(root + 1e-12, high)  # the root may lie just below where 1/delta is reached
    return excluded if above(excluded) >= 0 else high
