"""Unordered rules: any of them decides for one of two classes, or the surest of those that hold."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.rules.candidates import CandidateClauses, CandidateTrees
from limbeck.students.rules.search import ListSearch, RuleLimits, RulePath

__all__ = ["AnyOfSearch", "SurestSearch"]

Matrix = NDArray[np.float64]


class AnyOfSearch(ListSearch):
    """A disjunction: rows that satisfy any rule are of one class, the others of the other.

    Parameters
    ----------
    trees, candidates, limits, rng, thorough
        As in :class:`limbeck.students.rules.search.ListSearch`.
    positive : int
        The class, 0 or 1, that the rules find.
    """

    def __init__(
        self,
        trees: CandidateTrees,
        candidates: CandidateClauses,
        limits: RuleLimits,
        rng: np.random.Generator,
        thorough: bool = True,
        positive: int = 1,
    ) -> None:
        super().__init__(trees, candidates, limits, rng, thorough)
        self.positive = positive

    def _loss(self) -> float:
        """The cost of both pieces, and the weight of the rows that are wrong."""
        pieces = self.pieces()
        found, rest = pieces[:, :-1].sum(axis=1), pieces[:, -1]
        return float(self._cost(found[:, None], rest[:, None])[0])

    def _cost(self, found: Matrix, rest: Matrix) -> Matrix:
        wrong = found[1 - self.positive] + rest[self.positive]
        return np.asarray(self.cost(found) + self.cost(rest) + wrong)

    def _offers(self, taken: NDArray[Any]) -> tuple[NDArray[np.intp], Matrix]:
        """The last place, and what each candidate gains there."""
        pieces, new = self.pieces(), taken[:, -1]
        found, rest = pieces[:, :-1].sum(axis=1)[:, None], pieces[:, -1][:, None]
        gain = self._cost(found, rest) - self._cost(found + new, rest - new)
        return np.full(len(gain), len(self.rules)), gain

    def _costliest(self) -> list[int]:
        """The last piece: what other rules find is found."""
        return [len(self.rules)]


class SurestSearch(ListSearch):
    """Rules whose order is given: the larger the share of one class among its rows, the earlier."""

    def path(self) -> RulePath:
        """Sets of 0, 1, 2, ... rules."""
        self._sure, self._class = self._judged(self.taken)
        return super().path()

    def _count(self, known: int) -> None:
        super()._count(known)
        sure, chosen = self._judged(self.taken[:, :, known:])
        self._sure = np.concatenate([self._sure[:known], sure])
        self._class = np.concatenate([self._class[:known], chosen])

    def _loss(self) -> float:
        """The weight of the rows that rules put into a wrong class, and the cost of the rest."""
        return float(self._costs(self.pieces()[:, :, None]).sum())

    def _costs(self, pieces: Matrix) -> Matrix:
        """By rule, and last of the rows that none decides, for statistics (q, r + 1, ...)."""
        rules, rest = pieces[:, :-1], pieces[:, -1:]
        right = pieces[self._class[self.rules], np.arange(len(self.rules))]
        return np.concatenate([rules.sum(axis=0) - right, self.cost(rest)])

    def _offers(self, taken: NDArray[Any]) -> tuple[NDArray[np.intp], Matrix]:
        """The place that is each candidate's, and what it gains there."""
        pieces = self.pieces()[:, :, None]
        saved = np.cumsum((self._costs(pieces) - self._costs(pieces - taken))[::-1], axis=0)
        sure, chosen = self._judged(taken)
        place = np.searchsorted(-self._sure[self.rules], -sure, side="right")
        every = np.arange(len(place))
        own = np.cumsum(taken[:, ::-1], axis=1)[:, ::-1][:, place, every]
        return place, saved[::-1][place, every] - (own.sum(axis=0) - own[chosen, every])

    def _judged(self, taken: NDArray[Any]) -> tuple[Matrix, NDArray[np.intp]]:
        """How sure each candidate is (c,), and of which class.

        A rule of few rows is not so sure: one row of average weight is added to them.
        """
        sums = taken.sum(axis=1)
        weight = float(self.trees.weight.mean())
        return sums.max(axis=0) / (sums.sum(axis=0) + weight), sums.argmax(axis=0)
