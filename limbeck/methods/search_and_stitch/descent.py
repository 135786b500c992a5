"""Search: a limited discrepancy descent through clauses, guided by probes and answers.

At every clause the features are put in order of promise, by two signs that are standardised and
added: how linear the two children are in the activations (leave-one-out R^2 of both siblings
together), and how well the best tree of depth two below each literal sorts the teacher's answers.
Trying the i-th feature in that order costs i of a budget shared along the path (Harvey and
Ginsberg 1995); the budget is raised until the tree is pure or the limit is reached. Every split
that is tried is kept in the pool, so that the best tree so far is always at hand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal as OneOf

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.costs import Cost
from limbeck.methods.search_and_stitch.pool import Pool
from limbeck.methods.search_and_stitch.probes import Probes
from limbeck.methods.search_and_stitch.sample import Index

__all__ = ["Descent", "Guide"]

Guide = OneOf["both", "probes", "answers"]
_PURE = 1e-9


@dataclass
class Descent:
    """The search; see the module's first lines.

    Parameters
    ----------
    pool : Pool
        Where splits are kept.
    probes : Probes or None
        Without probes the order is by the answers alone.
    probe_rows : ndarray of int
        Sample rows on which the probes were made, in the probes' order.
    impurity : Cost
        Ranks splits by the answers (Gini, squared error).
    guide : {"both", "probes", "answers"}
        Which signs order the features.
    max_probes : int
        The search starts no clause beyond this many probes.
    max_clauses : int
        The search puts in order at most this many clauses.

    Attributes
    ----------
    ordered, looked : int
        Clauses put in order so far; these and those finished by the answers.
    """

    pool: Pool
    probes: Probes | None
    probe_rows: Index
    impurity: Cost
    guide: Guide
    max_probes: int
    max_clauses: int
    rng: np.random.Generator
    ordered: int = 0
    looked: int = 0
    _order: dict[bytes, list[int]] = field(default_factory=dict)
    _solved: dict[tuple[bytes, int, int], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._probe_at = np.full(len(self.pool.sample), -1, dtype=np.int64)
        self._probe_at[self.probe_rows] = np.arange(len(self.probe_rows))
        if self.probes is None:
            self.guide = "answers"

    @property
    def spent(self) -> bool:
        """Whether a limit was reached."""
        made = self.probes.count if self.probes else 0
        return made >= self.max_probes or self.ordered >= self.max_clauses

    def solve(self, clause: bytes, depth: int, budget: int) -> float:
        """Lowest cost found below a clause with so much depth and budget; pure ones are left.

        Parameters
        ----------
        clause : bytes
            The rows that reach the node.
        depth : int
            Levels that may follow.
        budget : int
            Leaves that may be used.
        """
        best = self.pool.leaf_cost(clause)
        if depth == 0 or best <= _PURE:
            return best
        last = depth == 1 or (depth == 2 and self.guide != "probes")
        key = (clause, depth, 0 if last else budget)
        if key in self._solved:
            return self._solved[key]
        if last:
            best = min(best, self._finish(clause, depth))
        else:
            for i, literal in enumerate(self._ordered(clause)[: budget + 1]):
                children = self.pool.split(clause, literal)
                if children is None:
                    continue
                below = sum(self.solve(c, depth - 1, budget - i) for c in children)
                best = min(best, below)
                if best <= _PURE or self.spent:
                    break
        self._solved[key] = best
        return best

    def _finish(self, clause: bytes, depth: int) -> float:
        """The last one or two splits, exactly, from the answers: no probe is needed."""
        self.looked += 1
        rows, sample, cost = self.pool.rows(clause), self.pool.sample, self.pool.cost
        if len(rows) < 2:
            return self.pool.leaf_cost(clause)
        if depth == 1:
            after = sample.after_one(rows, cost)
            self.pool.split(clause, int(after.argmin()))
            return float(after.min())
        [ahead] = sample.after_two(rows, (cost,), self.rng)
        self.pool.split_two(clause, ahead, int(ahead.total.argmin()))
        return float(ahead.total.min())

    def _ordered(self, clause: bytes) -> list[int]:
        """The best literal of every feature, most promising first."""
        if clause in self._order:
            return self._order[clause]
        if self.spent:
            return []
        self.ordered += 1
        self.looked += 1
        rows, sample = self.pool.rows(clause), self.pool.sample
        score = np.zeros(len(sample.literals))
        if self.guide != "probes":
            [ahead] = sample.after_two(rows, (self.impurity,), self.rng)
            score += _standardised(-ahead.total)
        if self.probes is not None and self.guide != "answers":
            inside = rows[self._probe_at[rows] >= 0]
            if len(inside) >= 2:
                at = sample.coarse
                linear = np.full(len(score), -np.inf)
                truth = sample.truth[np.ix_(at, inside)]
                linear[at] = self.probes.siblings(self._probe_at[inside], truth)
                score += _standardised(linear)
        order: list[int] = []
        taken: set[int] = set()
        for literal in np.argsort(-score, kind="stable"):
            feature = int(sample.literals.feature[literal])
            if np.isfinite(score[literal]) and feature not in taken:
                taken.add(feature)
                order.append(int(literal))
        self._order[clause] = order
        return order


def _standardised(score: NDArray[np.float64]) -> NDArray[np.float64]:
    """Score less its mean over its deviation; impossible literals stay at -inf."""
    finite = np.isfinite(score)
    if not finite.any():
        return score
    spread = float(score[finite].std())
    shifted = np.where(finite, score, 0.0) - float(score[finite].mean())
    return np.where(finite, shifted / spread if spread > 0 else 0.0, -np.inf)
