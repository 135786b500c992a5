"""The most influential variables of a teacher that depends on too many for a table.

O'Donnell, Analysis of Boolean Functions (2014), sections 2.2 and 3.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from limbeck.certificates.binomial import interval
from limbeck.core.columns import Rows
from limbeck.core.contract import Access, Teacher
from limbeck.core.progress import Progress
from limbeck.methods.junta.cells import cells_of
from limbeck.methods.junta.questions import Questions
from limbeck.students.junta.table import MAX_CELLS

__all__ = ["Influences", "measured"]


@dataclass
class Influences:
    """Single influences and that of all variables left out, by pairs of rows.

    The influence of a set of variables is P[f(x) != f(x')], where x is a row of the data and x'
    has the set's values of another row. Where the teacher grants gradients they order the
    variables, and only as many as the questions allow are tested; the joint influence covers
    the untested as well.

    Parameters
    ----------
    questions : Questions
        The teacher and the rows.
    k : int
        The most variables to keep.
    epsilon : float
        What is worth finding.
    delta : float
        Probability that any interval misses its influence.
    limit : int
        Queries at most, half of them for single influences and a quarter for the joint one.
    rng : numpy.random.Generator
        Draws the pairs.
    held : sequence of int
        Columns that are not ranked, and belong to those that are left out.
    """

    questions: Questions
    k: int
    epsilon: float
    delta: float
    limit: int
    rng: np.random.Generator
    held: Sequence[int] = ()
    changed: dict[int, int] = field(default_factory=dict)
    joint: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        d, half = len(self.questions.rows.features), self.limit // (2 * self.questions.repeats)
        self.order = [j for j in range(d) if j not in self.held]
        teacher = self.questions.teacher
        if Access.GRADIENTS in teacher.access:
            ranked = _by_gradient(teacher, self.questions.rows, self.rng)
            promising = [j for j in ranked if j not in self.held]
            self.order = promising[: max(self.k, half // self._enough(d))]
        self.pairs = min(self._enough(d), half // len(self.order))

    def run(self, bins: int, progress: Progress) -> None:
        """Ask; what was asked before an interruption stays.

        Parameters
        ----------
        bins : int
            Most bins of a column in the table.
        progress : Progress
            Called with the stage, what is done, and the total.
        """
        for done, j in enumerate(self.order):
            progress("influences", done, len(self.order))
            self.changed[j] = self._changes([j], self.pairs)
        progress("left-out variables", 0, 1)
        self.joint = self.without(self.keep(bins))

    def without(self, kept: list[int]) -> tuple[int, int]:
        """Pairs whose answers differ when all but some columns are redrawn, and all such pairs.

        Parameters
        ----------
        kept : list of int
            The columns that stay.
        """
        d = len(self.questions.rows.features)
        left_out = np.setdiff1d(np.arange(d), kept)
        if not left_out.size:
            return 0, 0
        n = min(self.limit // (4 * self.questions.repeats), 10 * self._enough(d))
        return self._changes(left_out, n), n

    def keep(self, bins: int) -> list[int]:
        """The most influential variables that fit into a table, in the order of the columns."""
        proven = sorted((j for j, n in self.changed.items() if n), key=lambda j: -self.changed[j])
        kept: list[int] = []
        for j in proven[: self.k]:
            if cells_of(self.questions.rows, [*kept, j], bins) > MAX_CELLS:
                break
            kept.append(j)
        return sorted(kept) or self.order[:1]

    @property
    def level(self) -> float:
        """The share of delta of each interval."""
        return self.delta / (len(self.order) + 1)

    def trace(self) -> dict[str, dict[str, float]]:
        """Influences with their intervals by name, the largest first."""
        names = self.questions.rows.features.names
        return {
            names[j]: measured(self.changed[j], self.pairs, self.level)
            for j in sorted(self.changed, key=lambda j: -self.changed[j])
        }

    def _enough(self, d: int) -> int:
        """Pairs that miss no influence of epsilon / 2, but with probability delta / 2 in all."""
        return math.ceil(2 / self.epsilon * math.log(2 * d / self.delta))

    def _changes(self, columns: Any, n: int) -> int:
        """Of n pairs, those whose answer changes when ``columns`` come from another row."""
        rows = self.questions.rows
        at, other = self.rng.integers(len(rows), size=(2, n))
        values = rows.values[at]
        values[:, columns] = rows.values[np.ix_(other, columns)]
        told = self.questions.new(values)
        return int(self.questions.differ(self.questions.own(at), told).sum())


def measured(changed: int, pairs: int, delta: float) -> dict[str, float]:
    """An influence with its interval (Clopper and Pearson 1934), ready for JSON.

    Parameters
    ----------
    changed : int
        Pairs of queries with different answers.
    pairs : int
        All pairs.
    delta : float
        One less the level of the interval.
    """
    if not pairs:
        return {"influence": 0.0, "low": 0.0, "high": 1.0, "pairs": 0}
    low, high = interval(changed, pairs, delta)
    return {"influence": changed / pairs, "low": low, "high": high, "pairs": pairs}


def _by_gradient(teacher: Teacher, rows: Rows, rng: np.random.Generator) -> list[int]:
    """Columns by the mean size of the gradient times their standard deviation."""
    some = rows[rng.choice(len(rows), size=min(len(rows), 256), replace=False)]
    X, outputs = some.native(), len(teacher.task.classes) or 1
    slope = sum(np.abs(teacher.gradient(X, o)).mean(axis=0) for o in range(outputs))
    spread = np.ma.masked_invalid(rows.values).std(axis=0).filled(0.0)
    order: list[int] = np.argsort(-slope * spread, kind="stable").tolist()
    return order
