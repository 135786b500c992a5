"""Unordered rules: any of them decides for one of two classes, or the surest of those that hold."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.students.rules.candidates import CandidateClauses, CandidateTrees
from limbeck.students.rules.search import ListSearch, RulePath

__all__ = ["AnyOfSearch", "SurestSearch"]

Matrix = NDArray[np.float64]


class AnyOfSearch(ListSearch):
    """A disjunction: rows that satisfy any rule are of one class, the others of the other.

    Parameters
    ----------
    trees, candidates, max_rules, rng
        As in :class:`limbeck.students.rules.search.ListSearch`.
    positive : int
        The class, 0 or 1, that the rules find.
    """

    def __init__(
        self,
        trees: CandidateTrees,
        candidates: CandidateClauses,
        max_rules: int,
        rng: np.random.Generator,
        positive: int,
    ) -> None:
        super().__init__(trees, candidates, max_rules, rng)
        self.positive = positive

    def total(self) -> float:
        """The cost of both pieces, and the weight of the rows that are wrong."""
        pieces = self.pieces()
        found, rest = pieces[:, :-1].sum(axis=1), pieces[:, -1]
        return float(self._cost(found[:, None], rest[:, None])[0])

    def _cost(self, found: Matrix, rest: Matrix) -> Matrix:
        wrong = found[1 - self.positive] + rest[self.positive]
        return np.asarray(self.cost(found) + self.cost(rest) + wrong)

    def _best(self, most: float = np.inf) -> tuple[int, int, float]:
        """The last place, and the candidate that gains most there per number."""
        pieces, new = self.pieces(), self.taken[:, -1]
        found, rest = pieces[:, :-1].sum(axis=1)[:, None], pieces[:, -1][:, None]
        gain = self._cost(found, rest) - self._cost(found + new, rest - new)
        numbers = self.candidates.numbers
        gain[numbers > most] = -np.inf
        c = int((gain / numbers).argmax())
        return len(self.rules), c, float(gain[c])


class SurestSearch(ListSearch):
    """Rules whose order is given: the larger the share of one class among its rows, the earlier."""

    def path(self) -> RulePath:
        """Sets of 0, 1, 2, ... rules."""
        self._sure = np.zeros(0)
        self._class = np.zeros(0, dtype=np.int64)
        return super().path()

    def total(self) -> float:
        """The weight of the rows that rules put into a wrong class, and the cost of the rest."""
        return float(self._costs(self.pieces()[:, :, None]).sum())

    def _costs(self, pieces: Matrix) -> Matrix:
        """By rule, and last of the rows that none decides, for statistics (q, r + 1, ...)."""
        rules, rest = pieces[:, :-1], pieces[:, -1:]
        right = pieces[self._class[self.rules], np.arange(len(self.rules))]
        return np.concatenate([rules.sum(axis=0) - right, self.cost(rest)])

    def _best(self, most: float = np.inf) -> tuple[int, int, float]:
        """The candidate that gains most per number in its place."""
        self._judge()
        pieces = self.pieces()[:, :, None]
        saved = np.cumsum((self._costs(pieces) - self._costs(pieces - self.taken))[::-1], axis=0)
        place = np.searchsorted(-self._sure[self.rules], -self._sure, side="right")
        every, numbers = np.arange(len(place)), self.candidates.numbers
        own = np.cumsum(self.taken[:, ::-1], axis=1)[:, ::-1][:, place, every]
        gain = saved[::-1][place, every] - (own.sum(axis=0) - own[self._class, every])
        gain[numbers > most] = -np.inf
        c = int((gain / numbers).argmax())
        return int(place[c]), c, float(gain[c])

    def _judge(self) -> None:
        """How sure each new candidate is, and of which class.

        A rule of few rows is not so sure: one row of average weight is added to them.
        """
        known = len(self._sure)
        if known < len(self.candidates):
            sums = self._sums(np.arange(len(self.stats)), known)
            weight = float(self.trees.weight.mean())
            sure = sums.max(axis=0) / (sums.sum(axis=0) + weight)
            self._sure = np.concatenate([self._sure, sure])
            self._class = np.concatenate([self._class, sums.argmax(axis=0)])
