"""Bounds from the losses of independent draws, overall and by group."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import upper_bound
from limbeck.certificates.bounds import Betting, MeanBound
from limbeck.certificates.evidence import Evidence
from limbeck.certificates.losses import BoundedLoss
from limbeck.certificates.planning import RowsNeeded, plan_counts, plan_means
from limbeck.certificates.reducing import losses_by_draw
from limbeck.core.certificate import GroupBound
from limbeck.core.registry import BOUNDS

__all__ = ["DrawBounds"]


@dataclass(frozen=True)
class DrawBounds:
    """Losses of rows, and the bounds that the independent draws among them give.

    Parameters
    ----------
    evidence : Evidence
        Which rows are copies, and which belong to one case.
    losses_of_rows : ndarray of shape (n,)
        Losses; absolute errors where a tolerance is to be found.
    loss : BoundedLoss
        What was counted.
    bound : str
        One of `limbeck.core.registry.BOUNDS`, where losses of draws are no counts.
    exact : bool
        Whether they are.
    """

    evidence: Evidence
    losses_of_rows: NDArray[np.float64]
    loss: BoundedLoss
    bound: str
    exact: bool

    def losses(self, places: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """One loss for each draw, or for each that has a row among some."""
        first, units = self.evidence.duplicates.first, self.evidence.units.of
        losses = self.losses_of_rows
        if places is not None:
            losses, units = losses[places], units[places]
            _, start, where = np.unique(first[places], return_index=True, return_inverse=True)
            first = start[where]
        cases = units if self.evidence.has_cases else None
        return losses_by_draw(losses, first, cases, one=self.loss.finds_tolerance)

    def mean(self, own: NDArray[np.float64], level: float) -> float:
        """A bound for the mean of the losses of draws.

        Parameters
        ----------
        own : ndarray of shape (n,)
            Losses of the draws.
        level : float
            Probability with which the bound may fail.
        """
        if self.exact:
            return upper_bound(int(own.sum()), len(own), level)
        return float(self._kind(own).upper(own, level, self.loss.low, self.loss.high))

    def plan(self, own: NDArray[np.float64], asked: float, level: float) -> RowsNeeded:
        """What more draws would do.

        Parameters
        ----------
        own : ndarray of shape (n,)
            Losses of the draws.
        asked : float
            The epsilon to be reached.
        level : float
            Probability with which the bound may fail.
        """
        if self.exact:
            return plan_counts(int(own.sum()), len(own), asked, level)
        upper = self._kind(own).upper
        return plan_means(own, asked, level, self.loss.low, self.loss.high, upper)

    def _kind(self, own: NDArray[np.float64]) -> type[MeanBound]:
        found: type[MeanBound] = BOUNDS.get(self.bound) if len(own) > 1 else Betting
        return found

    def groups(self, labels: NDArray[Any], level: float) -> tuple[GroupBound, ...]:
        """A bound for each group; all hold at once.

        Parameters
        ----------
        labels : ndarray of shape (n,)
            The group of each row.
        level : float
            Probability with which any of the bounds may fail; it is split evenly.
        """
        names = np.unique(labels)
        share = level / len(names)
        out = []
        for name in names:
            own = self.losses(np.flatnonzero(labels == name))
            if (
                self.loss.finds_tolerance
            ):  # the tolerance came from these rows: it must hold for all
                slack = math.sqrt(math.log(1 / min(share, 0.5)) / (2 * len(own)))
                value = min(1.0, float(own.mean()) + slack)
            else:
                value = self.mean(own, share)
            out.append(GroupBound(str(name), value, share, len(own), float(own.mean())))
        return tuple(out)
