"""Ordered rules by insertion and exchange: which clause lowers the cost most, and where.

For a list of r rules and c candidates the statistics (class weights, or moments of values) of the
rows that a rule decides and a candidate would take are kept, by rule and candidate. From them
follows the exact cost of every list that one insertion makes, the values of all later rules
refitted; so each step looks at all c (r + 1) of them. An exchange is a removal and an insertion,
and only the rows that change hands are counted again; a rule may be exchanged for itself with one
limit moved, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.rules.candidates import CandidateClauses, CandidateTrees
from limbeck.students.rules.clause import Clause
from limbeck.students.rules.limits import limits_moved

__all__ = ["ListSearch", "RuleLimits", "RulePath", "statistics"]

Matrix = NDArray[np.float64]
Cost = Callable[[Matrix], Matrix]


def statistics(target: NDArray[Any], weight: NDArray[np.float64], classes: int) -> Matrix:
    """What costs are computed from, by row, shape (n, q): weights by class, or three moments.

    Parameters
    ----------
    target : ndarray of shape (n,)
        Positions of classes, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    classes : int
        The number of classes; 0 for values.
    """
    if classes:
        out = np.zeros((len(target), classes))
        out[np.arange(len(target)), target] = weight
        return out
    centred = target - np.average(target, weights=weight)
    return np.column_stack([weight, weight * centred, weight * centred**2])


def piece_cost(classes: int, floor: float) -> Cost:
    """The cost of a piece with statistics (q, ...): Gini impurity and error, or squared error.

    Parameters
    ----------
    classes : int
        The number of classes; 0 for values.
    floor : float
        A weight so small that it may be a rounding error; divided by instead of less.
    """

    def impurity(s: Matrix) -> Matrix:
        s = np.maximum(s, 0)
        total = np.maximum(s.sum(axis=0), floor)
        return np.asarray(total - 0.5 * ((s * s).sum(axis=0) / total + s.max(axis=0)))

    def squared(s: Matrix) -> Matrix:
        return np.asarray(np.maximum(s[2] - s[1] ** 2 / np.maximum(s[0], floor), 0.0))

    return impurity if classes else squared


@dataclass(frozen=True)
class RulePath:
    """Lists of rules of growing size, as positions of candidates.

    Parameters
    ----------
    lists : tuple of tuples of int
        The first is empty.
    costs : tuple of float
        The cost of each.
    """

    lists: tuple[tuple[int, ...], ...]
    costs: tuple[float, ...]


@dataclass(frozen=True)
class RuleLimits:
    """How large a list or a set may be, and what it costs to read a column.

    Parameters
    ----------
    rules : int
        The most rules.
    numbers : float
        The most numbers that a reader must hold; infinite for no limit.
    costs : ndarray of shape (d,), optional
        What the loss of a row must fall by, once for all rules, before a column is read.
    """

    rules: int
    numbers: float = np.inf
    costs: Matrix | None = None

    def fees(self, clauses: Sequence[Clause]) -> Matrix:
        """The costs of the columns that clauses read, by clause and column, shape (c, d or 0)."""
        if self.costs is None:
            return np.zeros((len(clauses), 0))
        out = np.zeros((len(clauses), len(self.costs)))
        for row, clause in zip(out, clauses, strict=True):
            row[list(clause.columns)] = self.costs[list(clause.columns)]
        return out

    def room(self, held: NDArray[np.int64]) -> float:
        """How many numbers another rule may have; 0 where it may not be.

        Parameters
        ----------
        held : ndarray of shape (r,)
            The numbers of the rules that there are.
        """
        return self.numbers - 1 - float(held.sum()) if len(held) < self.rules else 0.0


class ListSearch:
    """Grows one list of rules; see the module's first lines.

    Parameters
    ----------
    trees : CandidateTrees
        The rows, and where candidates come from.
    candidates : CandidateClauses
        Those there are; more are added on the way.
    limits : RuleLimits
        How many rules and numbers at most.
    rng : numpy.random.Generator
        The source of chance.
    thorough : bool
        Whether rules are exchanged, and new candidates grown before costly rules, at every size;
        else at every third beyond 8 rules.
    """

    def __init__(
        self,
        trees: CandidateTrees,
        candidates: CandidateClauses,
        limits: RuleLimits,
        rng: np.random.Generator,
        thorough: bool = True,
    ) -> None:
        self.trees, self.candidates = trees, candidates
        self.limits, self.rng, self.thorough = limits, rng, thorough
        self.stats = statistics(trees.target, trees.weight, trees.classes).astype(np.float32)
        self.cost = piece_cost(trees.classes, 1e-6 * float(trees.weight.sum()))
        self.rules: list[int] = []
        self.first = np.zeros(len(self.stats), dtype=np.int64)  # the rule that decides each row
        self.taken = self._sums(np.arange(len(self.stats)))[:, None]  # (q, r + 1, candidates)
        weight = float(trees.weight.sum())
        self.unit = weight if trees.classes else self._loss()  # of the costs of columns
        self.fees = self.unit * limits.fees(candidates.clauses)

    def path(self) -> RulePath:
        """Lists of 0, 1, 2, ... rules, until none lowers the cost."""
        lists: list[tuple[int, ...]] = [()]
        costs = [self.total()]
        least = 1e-6 * max(costs[0], 1e-12)
        while room := self.limits.room(self.candidates.numbers[self.rules]):
            self._more()
            if not len(self.candidates):
                break
            at, best, gain = self._best(room)
            if gain <= least:
                break
            self._insert(at, best)
            if self._pauses():
                self._exchange(least)
            lists.append(tuple(self.rules))
            costs.append(self.total())
        return RulePath(tuple(lists), tuple(costs))

    def pieces(self) -> Matrix:
        """Statistics of the rows that each rule decides, and of the rest, shape (q, r + 1)."""
        return np.stack(
            [np.bincount(self.first, s, len(self.rules) + 1) for s in self.stats.T]
        )  # fmt: skip

    def total(self) -> float:
        """The cost of the list, with that of the columns that it reads."""
        return self._loss() + float(self.fees[self.rules].max(axis=0, initial=0.0).sum())

    def _loss(self) -> float:
        return float(self.cost(self.pieces()).sum())

    def _fees(self) -> Matrix:
        """What each candidate must pay for columns that no rule reads yet, shape (c,)."""
        return np.asarray(self.fees[:, ~(self.fees[self.rules] > 0).any(axis=0)].sum(axis=1))

    def _sums(self, rows: NDArray[np.int64]) -> Matrix:
        """Summed statistics of some rows, by candidate, shape (q, c)."""
        return np.asarray(self.stats[rows].T @ self.candidates.rows[rows], dtype=np.float32)

    def _offers(self, taken: NDArray[Any]) -> tuple[NDArray[np.intp], Matrix]:
        """The best place of each candidate (c,), and what it lowers the cost by there (c,).

        From the statistics (q, r + 1, c) of the rows that it would take from each rule.
        """
        pieces = self.pieces()[:, :, None]
        saved = self.cost(pieces) - self.cost(pieces - taken)  # without the new rule's cost
        own = self.cost(np.cumsum(taken[:, ::-1], axis=1)[:, ::-1])
        gain = np.cumsum(saved[::-1], axis=0)[::-1] - own
        place = gain.argmax(axis=0)
        return place, gain[place, np.arange(len(place))]

    def _best(self, most: float, *, per_number: bool = True) -> tuple[int, int, float]:
        """Place, candidate and gain of the best insertion of so many numbers at most."""
        numbers = self.candidates.numbers
        place, gain = self._offers(self.taken)
        gain = gain - self._fees()
        gain[numbers > most] = -np.inf
        c = int((gain / numbers if per_number else gain).argmax())
        return int(place[c]), c, float(gain[c])

    def _moved(self, old: int) -> tuple[int, int, float]:
        """The same for a rule that was taken out, with the best of its limits moved."""
        clause = self.candidates.clauses[old]
        ways, truth = limits_moved(clause, self.trees.values)
        if not ways:
            return 0, old, -np.inf
        place, gain = self._offers(self._sums_of(truth.astype(np.float32)))
        best = int(gain.argmax())
        known = len(self.candidates)
        c = self.candidates.add(ways[best].of(clause), truth[:, best])
        self._count(known)
        return int(place[best]), c, float(gain[best] - self._fees()[c])

    def _insert(self, at: int, c: int) -> None:
        """Put a candidate into a place: its rows leave the rules after it."""
        moved = np.flatnonzero((self.candidates.rows[:, c] > 0) & (self.first >= at))
        self.first[self.first >= at] += 1
        own = np.zeros((self.taken.shape[0], 1, self.taken.shape[2]), dtype=np.float32)
        self.taken = np.concatenate([self.taken[:, :at], own, self.taken[:, at:]], axis=1)
        for rule, rows in _grouped(self.first[moved], moved):
            sums = self._sums(rows)
            self.taken[:, rule] -= sums
            self.taken[:, at] += sums
        self.first[moved] = at
        self.rules.insert(at, c)

    def _remove(self, at: int) -> None:
        """Take a rule out: its rows go to the rules after it."""
        moved = np.flatnonzero(self.first == at)
        self.first[self.first > at] -= 1
        self.taken = np.delete(self.taken, at, axis=1)
        del self.rules[at]
        self.first[moved] = len(self.rules)
        for i in range(len(self.rules) - 1, at - 1, -1):
            self.first[moved[self.candidates.rows[moved, self.rules[i]] > 0]] = i
        for rule, rows in _grouped(self.first[moved], moved):
            self.taken[:, rule] += self._sums(rows)

    def _exchange(self, least: float) -> None:
        """Exchange rules for better ones of no more numbers, as long as that lowers the cost."""
        for _ in range(2):
            changed = False
            for i in range(len(self.rules) - 1, -1, -1):
                cost, old = self.total(), self.rules[i]
                self._remove(i)
                found = self._best(self.candidates.numbers[old], per_number=False)
                at, best, gain = max(found, self._moved(old), key=lambda offer: offer[2])
                better = self.total() - gain < cost - least
                self._insert(*((at, best) if better else (i, old)))
                changed = changed or better
            if not changed:
                return

    def _more(self) -> None:
        """Candidates of trees grown where the cost is: on what is left before some rules."""
        known, rules = len(self.candidates), len(self.rules)
        for i in self._costliest() if rules else ():
            rows = np.flatnonzero(self.first >= i)
            if len(rows) > 2 * self.trees.most and np.ptp(self.trees.target[rows]) > 0:
                self.trees.grow(self.candidates, rows, self.trees.most, self.rng)
        self._count(known)

    def _pauses(self) -> bool:
        """Whether this size is one at which more is done than a rule added."""
        return self.thorough or len(self.rules) <= 8 or len(self.rules) % 3 == 0

    def _costliest(self) -> list[int]:
        """The last piece, and the places of the two rules that cost most."""
        if not self._pauses():
            return [len(self.rules)]
        return [len(self.rules), *np.argsort(-self.cost(self.pieces())[:-1])[:2].tolist()]

    def _count(self, known: int) -> None:
        """Count what candidates that came after the first ones would take."""
        if len(self.candidates) > known:
            added = self._sums_of(self.candidates.rows[:, known:])
            self.taken = np.concatenate([self.taken, added], axis=2)
            more = self.limits.fees(self.candidates.clauses[known:])
            self.fees = np.vstack([self.fees, self.unit * more])

    def _sums_of(self, inside: NDArray[np.float32]) -> NDArray[np.float32]:
        """What candidates with these rows (n, c) would take from each rule, (q, r + 1, c)."""
        shape = self.taken.shape[0], len(self.rules) + 1, inside.shape[1]
        out = np.zeros(shape, dtype=np.float32)
        for rule, rows in _grouped(self.first, np.arange(len(self.first))):
            out[:, rule] = self.stats[rows].T @ inside[rows]
        return out


def _grouped(
    keys: NDArray[np.int64], rows: NDArray[np.int64]
) -> Iterator[tuple[int, NDArray[np.int64]]]:
    """The rows of each key."""
    if not len(keys):
        return
    order = np.argsort(keys, kind="stable")
    values, starts = np.unique(keys[order], return_index=True)
    for value, part in zip(values, np.split(rows[order], starts[1:]), strict=True):
        yield int(value), part
