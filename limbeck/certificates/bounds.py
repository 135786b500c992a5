"""Bounds for the mean of losses in a range, by the names that `certify` knows them by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import wording
from limbeck.certificates.bounded import betting_bound, empirical_bernstein
from limbeck.core.registry import BOUNDS

__all__ = ["Betting", "EmpiricalBernstein", "MeanBound"]


class MeanBound(ABC):
    """An upper confidence bound for a mean.

    One of another package must not depend on the order of the losses: those who verify its
    certificates may have the rows in another.
    """

    title: ClassVar[str]
    """The name of the bound in certificates, with its source."""

    @staticmethod
    @abstractmethod
    def upper(losses: NDArray[np.float64], delta: float, low: float, high: float) -> float:
        """The bound, which is below the mean with probability at most delta.

        Parameters
        ----------
        losses : ndarray of shape (n,)
            Losses of n >= 2 independent draws.
        delta : float
            Probability with which the bound may fail.
        low, high : float
            The range of the losses.
        """


@BOUNDS.register("betting")
class Betting(MeanBound):
    """Waudby-Smith and Ramdas 2023; see `limbeck.certificates.bounded.betting_bound`."""

    title = wording.BETTING
    upper = staticmethod(betting_bound)


@BOUNDS.register("empirical-bernstein")
class EmpiricalBernstein(MeanBound):
    """Maurer and Pontil 2009; see `limbeck.certificates.bounded.empirical_bernstein`."""

    title = wording.BERNSTEIN
    upper = staticmethod(empirical_bernstein)
