"""Candidate clauses: the nodes of many small trees, each once.

Trees of all depths, trees for each class, and trees of a random forest (Breiman 2001b) are grown on
the same rows; the way to each of their nodes is a clause, as in RuleFit (Friedman and Popescu
2008).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.students.rules.clause import Clause
from limbeck.students.tree.conditions import Condition
from limbeck.students.tree.greedy import expand, from_sklearn
from limbeck.students.tree.nodes import Nodes

__all__ = ["FOREST", "CandidateClauses", "CandidateTrees"]

Truth = NDArray[np.bool_]
FOREST = 60
"""Trees of the random forest."""


class CandidateClauses:
    """Clauses, each for a different set of the rows, and which rows satisfy them.

    Of two clauses for the same rows the one with fewer numbers is kept, or else the first.

    Parameters
    ----------
    n : int
        The number of rows.
    """

    def __init__(self, n: int) -> None:
        self.clauses: list[Clause] = []
        self._numbers: list[int] = []
        self._rows = np.zeros((n, 256), dtype=np.float32)
        self._known: dict[bytes, int] = {}

    def __len__(self) -> int:
        return len(self.clauses)

    def add(self, clause: Clause, rows: Truth) -> int:
        """Keep a clause, unless a shorter one says the same of the rows; its position.

        Parameters
        ----------
        clause : Clause
            The clause.
        rows : ndarray of shape (n,), bool
            Which rows satisfy it.
        """
        key, size, c = np.packbits(rows).tobytes(), clause.numbers, len(self.clauses)
        at = self._known.get(key)
        if at is not None:
            if size < self._numbers[at]:
                self.clauses[at], self._numbers[at] = clause, size
            return at
        if c == self._rows.shape[1]:
            self._rows = np.hstack([self._rows, np.zeros_like(self._rows)])
        self._known[key] = c
        self.clauses.append(clause)
        self._numbers.append(size)
        self._rows[:, c] = rows
        return c

    @property
    def rows(self) -> NDArray[np.float32]:
        """Which rows satisfy each, 1 or 0, shape (n, c)."""
        return self._rows[:, : len(self)]

    @property
    def numbers(self) -> NDArray[np.int64]:
        """How many numbers a rule with each clause holds, its value included, shape (c,)."""
        return np.array(self._numbers, dtype=np.int64) + 1


@dataclass(frozen=True, eq=False)
class CandidateTrees:
    """Grows trees on some rows and reads their nodes as clauses.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows.
    target : ndarray of shape (n,)
        Positions of classes, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    classes : int
        The number of classes; 0 for values.
    most : int
        The most numbers in a clause.
    """

    features: Features
    values: NDArray[np.float64]
    target: NDArray[Any]
    weight: NDArray[np.float64]
    classes: int
    most: int

    def __post_init__(self) -> None:
        matrix, columns = expand(self.features, self.values)
        largest = np.finfo(np.float32).max
        single = np.clip(matrix, -largest, largest).astype(np.float32)
        object.__setattr__(self, "_matrix", single)
        object.__setattr__(self, "_columns", columns)
        target = np.asarray(self.target, dtype=np.float64)
        if self.classes > 2:
            target = (target[:, None] == np.arange(self.classes)).astype(np.float64)
        object.__setattr__(self, "_target", target.reshape(len(target), -1))
        object.__setattr__(self, "_missing", bool(np.isnan(single).any()))
        object.__setattr__(self, "_holes", np.isnan(self.values).any(axis=0))
        object.__setattr__(self, "_seeded", np.random.RandomState(0))

    def first(self, forest: int, rng: np.random.Generator) -> CandidateClauses:
        """Clauses of trees on all rows, and of a random forest.

        Parameters
        ----------
        forest : int
            How many trees of the forest.
        rng : numpy.random.Generator
            Weighs the rows of each tree, and draws its columns.
        """
        found = CandidateClauses(len(self.values))
        everything = np.arange(len(self.values))
        for depth in range(1, self.most + 2):
            self.grow(found, everything, depth, rng)
        if self.classes > 2:
            for k in range(self.classes):
                self.grow(found, everything, self.most, rng, target=self.target == k)
        for i in range(forest):
            depth = 1 + i % self.most
            self.grow(found, everything, depth, rng, random=True)
        return found

    def grow(
        self,
        found: CandidateClauses,
        rows: NDArray[np.int64],
        depth: int,
        rng: np.random.Generator,
        *,
        target: NDArray[Any] | None = None,
        random: bool = False,
    ) -> None:
        """Add the clauses of one tree.

        Parameters
        ----------
        found : CandidateClauses
            Where they are added.
        rows : ndarray of int
            The rows on which the tree is grown.
        depth : int
            Its depth.
        rng : numpy.random.Generator
            The source of chance.
        target : ndarray of shape (n,), optional
            What it predicts instead of the target.
        random : bool
            Whether rows get random weights (as in the Bayesian bootstrap of Rubin 1981), and
            every split a third of the columns.
        """
        from sklearn import config_context
        from sklearn.tree import DecisionTreeRegressor

        # Least squares on 0 and 1 finds the splits of Gini's index, and starts in half the time.
        given = self._target if target is None else target[:, None].astype(np.float64)  # type: ignore[attr-defined]
        weight = self.weight[rows]
        if random:
            weight = weight * rng.exponential(size=len(rows))
        tree = DecisionTreeRegressor(
            max_depth=depth, min_samples_leaf=2, max_features=1 / 3 if random else None,
            random_state=self._seed(int(rng.integers(2**31))),
        )  # fmt: skip
        matrix: Any = self._matrix  # type: ignore[attr-defined]
        missing: bool = self._missing  # type: ignore[attr-defined]
        with config_context(skip_parameter_validation=True, assume_finite=not missing):
            tree.fit(matrix[rows], given[rows], weight, check_input=missing)
        nodes = from_sklearn(tree.tree_, self._columns)  # type: ignore[attr-defined]
        for path, inside in _paths(nodes, self.features, self.values):
            clause = self._clause(path)
            if clause.numbers <= self.most and inside.any() and not inside.all():
                found.add(clause, inside)

    def _seed(self, seed: int) -> np.random.RandomState:
        """What the seed itself gives: one generator, seeded anew, takes less time than many."""
        seeded: np.random.RandomState = self._seeded  # type: ignore[attr-defined]
        seeded.seed(seed)
        return seeded

    def _clause(self, path: dict[int, Condition]) -> Clause:
        """Missing values fail where there were none; a condition that is always met is left out."""
        holes: Any = self._holes  # type: ignore[attr-defined]
        return Clause.of(
            {
                j: c if holes[j] or not c.missing else replace(c, missing=False)
                for j, c in path.items()
                if not (holes[j] and c.always)
            }
        )


def _paths(
    nodes: Nodes, features: Features, values: NDArray[np.float64]
) -> Iterator[tuple[dict[int, Condition], Truth]]:
    """For every node but the root: its conditions by column, and which rows reach it."""
    stack: list[tuple[int, dict[int, Condition], Truth]] = [
        (0, {}, np.ones(len(values), dtype=np.bool_))
    ]
    while stack:
        i, path, inside = stack.pop()
        if i:
            yield path, inside
        f = int(nodes.feature[i])
        if f < 0:
            continue
        known, goes = path.get(f, Condition(features.columns[f])), nodes.left_of(i, values[:, f])
        for child, left in ((nodes.right[i], False), (nodes.left[i], True)):
            there = inside & (goes if left else ~goes)
            stack.append((int(child), {**path, f: known.ask(nodes, i, left)}, there))
