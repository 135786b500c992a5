"""Find the few variables on which a teacher depends, and write down its answers as a table.

A k-junta depends on k of its d variables. Each variable's influence is measured by queries; the
strongest are kept; the influence of all others together says what the table leaves out.
O'Donnell, Analysis of Boolean Functions (2014), sections 2.2 and 3.4; Blais, Testing juntas nearly
optimally (STOC 2009), for the influence of a set of variables.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import check_share, interval
from limbeck.core.columns import Rows
from limbeck.core.contract import (
    Access,
    Finding,
    Progress,
    Status,
    StatusCode,
    Task,
    Teacher,
    answers,
)
from limbeck.core.errors import InvalidInput
from limbeck.data.class_weights import ClassWeight, class_weights
from limbeck.methods.weights import check_query_weight, weights
from limbeck.students.junta.junta import Junta
from limbeck.students.junta.table import MAX_CELLS

__all__ = ["FindJunta"]


@dataclass(frozen=True)
class FindJunta:
    """Learn a table over the k most influential variables, by queries.

    The influence of a set of variables is P[f(x) != f(x')], where x is a row of the data and x'
    has the set's values of another row. One difference proves that a teacher depends on a
    variable; those with one are kept, up to k, the most influential first. Then all left-out
    variables are redrawn together, and the table is filled from rows and queries.

    Parameters
    ----------
    k : int
        The most variables of the table; fewer where its cells would become too many.
    epsilon : float
        The joint influence of the left-out variables above which the teacher is no k-junta.
    delta : float
        Probability that any of the reported intervals (Clopper and Pearson 1934, simultaneous by
        a union bound) misses its influence on the distribution of the given rows.
    max_queries : int
        New rows at most: half for single influences, a quarter each for the joint influence and
        for filling cells.
    bins : int
        Intervals into which the table divides a number.
    query_weight : float
        Share of the whole weight that the queries which fill the cells carry together.
    tolerance : float
        For regression: answers differ when farther apart than this many standard deviations of
        the teacher's answers on the rows.

    Raises
    ------
    InvalidInput
        If a setting is out of range.

    Notes
    -----
    Where the teacher grants gradients they order the variables, and only as many as the queries
    allow are tested. They decide nothing: the joint influence covers the untested as well.
    """

    k: int = 3
    epsilon: float = 0.05
    delta: float = 0.05
    max_queries: int = 100_000
    bins: int = 8
    tolerance: float = 0.05
    query_weight: float = 0.5

    def __post_init__(self) -> None:
        check_share("epsilon", self.epsilon)
        check_share("delta", self.delta)
        for name, least in (("k", 1), ("max_queries", 4), ("bins", 2), ("tolerance", 0)):
            if not getattr(self, name) >= least:
                raise InvalidInput(f"{name} is {getattr(self, name)}.", f"Give at least {least}.")
        check_query_weight(self.query_weight)

    @property
    def needs(self) -> Access:
        """Queries."""
        return Access.QUERIES

    @property
    def name(self) -> str:
        """The method's name."""
        return "junta"

    def distill(
        self,
        teacher: Teacher,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        sample_weight: NDArray[np.float64] | None = None,
        class_weight: ClassWeight = None,
    ) -> Finding:
        """Find the variables and fill the table; see the class.

        Parameters
        ----------
        teacher, rows, rng, progress
            As in :class:`limbeck.core.contract.Method`.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts in the table; the influences are of the rows as they come.
        class_weight : "balanced", mapping or None
            How much rows and queries count by the teacher's class.

        Raises
        ------
        InvalidInput
            If ``max_queries`` does not allow one query a variable.
        """
        task = teacher.task
        probe = _Probe(teacher, rows, rng, self.tolerance, self.bins)
        order, pairs = self._plan(teacher, rows, rng)
        changed: dict[int, int] = {}
        joint = (0, 0)
        seen, told, interrupted = rows.values, probe.known, False
        try:
            for done, j in enumerate(order):
                progress("influences", done, len(order))
                changed[j] = probe.changes([j], pairs)
            kept = self._keep(changed, order, probe)
            left_out = np.setdiff1d(np.arange(len(rows.features)), kept)
            progress("left-out variables", 0, 1)
            if left_out.size:
                n = min(self.max_queries // 4, 10 * self._pairs(len(rows.features)))
                joint = probe.changes(left_out, n), n
            progress("cells", 0, 1)
            fresh = probe.spread(kept, self.max_queries // 4)
            told = np.concatenate([told, probe.ask(fresh)])
            seen = np.concatenate([seen, fresh])
        except KeyboardInterrupt:
            interrupted = True
        kept = self._keep(changed, order, probe)
        names = tuple(rows.features.names[j] for j in kept)
        labels = task.labels[told] if task.classifies else told
        student = Junta(variables=names, k=len(names), bins=self.bins, task=task)
        n, theirs = len(rows), None
        if class_weight is not None:
            by_class = class_weights(class_weight, task, told[:n], sample_weight)
            sample_weight = by_class[told[:n]] * (1.0 if sample_weight is None else sample_weight)
            theirs = by_class[told[n:]]
        counts = weights(n, len(seen) - n, self.query_weight, sample_weight, theirs)
        student.fit(Rows(rows.features, seen), labels, counts)
        said = student.predict(Rows(rows.features, seen))
        wrong = said != labels if task.classifies else probe.differ(said, labels)
        level = self.delta / (len(order) + 1)
        influences = {
            rows.features.names[j]: _measured(changed[j], pairs, level)
            for j in sorted(changed, key=lambda j: -changed[j])
        }
        agreement = 1 - float(np.mean(wrong))
        rest = _measured(*joint, level) if len(kept) < len(rows.features) else _NOTHING
        trace = {
            "influences": influences,
            "kept": list(names),
            "left_out": rest,
            "untested": [n for n in rows.features.names if n not in influences],
            "agreement": agreement,
            "delta": self.delta,
        }
        if interrupted:
            status = Status(StatusCode.INTERRUPTED, "The search for variables was interrupted.")
        else:
            status = self._status(rest, agreement, names)
        return Finding(student, status, probe.queries, (student,), trace)

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Junta:
        """The control: a table over k variables chosen from labels.

        Parameters
        ----------
        rows : Rows
            Of n rows.
        y : ndarray of shape (n,)
            Class indices or values.
        task : Task
            What they are.
        rng : numpy.random.Generator
            Not used: nothing is drawn.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        labels = task.labels[y] if task.classifies else y
        return Junta(k=self.k, bins=self.bins, task=task).fit(rows, labels, sample_weight)

    def _pairs(self, d: int) -> int:
        """Pairs that miss no influence of epsilon / 2, but with probability delta / 2 in all."""
        return math.ceil(2 / self.epsilon * math.log(2 * d / self.delta))

    def _plan(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator
    ) -> tuple[list[int], int]:
        """The variables to test, most promising first, and the pairs for each."""
        d, half = len(rows.features), self.max_queries // 2
        order = list(range(d))
        if Access.GRADIENTS in teacher.access:
            promising = _by_gradient(teacher, rows, rng)
            order = promising[: max(self.k, half // self._pairs(d))]
        pairs = min(self._pairs(d), half // len(order))
        if pairs < 1:
            raise InvalidInput(
                f"max_queries is {self.max_queries} for {d} variables.",
                f"Allow at least {2 * d}; {2 * d * self._pairs(d)} are enough.",
            )
        return order, pairs

    def _keep(self, changed: dict[int, int], order: list[int], probe: _Probe) -> list[int]:
        """The most influential variables that fit into a table, in the order of the columns."""
        proven = sorted((j for j in changed if changed[j] > 0), key=lambda j: -changed[j])
        kept: list[int] = []
        for j in proven[: self.k]:
            if probe.cells([*kept, j]) > MAX_CELLS:
                break
            kept.append(j)
        return sorted(kept) or order[:1]

    def _status(self, rest: dict[str, float], agreement: float, names: tuple[str, ...]) -> Status:
        share = (
            f"Redrawing all variables but {', '.join(names)} changes {rest['influence']:.1%} of the"
            f" teacher's answers (between {rest['low']:.1%} and {rest['high']:.1%})"
        )
        if rest["low"] > self.epsilon:
            return Status(
                StatusCode.HYPOTHESIS_FAILED,
                f"{share}, above {self.epsilon:.1%}: the teacher is no {len(names)}-junta.",
                (f"Give a k above {self.k}, or distil" if len(names) == self.k else "Distil")
                + " into a tree with into='tree'.",
            )
        if agreement == 1.0 and rest["influence"] == 0:
            return Status(
                StatusCode.EXACT, f"{share}; the table agrees on every row and every query."
            )
        if rest["high"] > self.epsilon:
            return Status(
                StatusCode.LIMIT,
                f"{share}, which does not decide whether it is above {self.epsilon:.1%}.",
                f"Give max_queries above {self.max_queries}, or a k above {self.k}.",
            )
        return Status(
            StatusCode.COMPLETE,
            f"{share}; the table agrees on {agreement:.1%} of rows and queries.",
            "" if agreement >= 1 - self.epsilon else "Give more bins, or use into='tree'.",
        )


_NOTHING = {"influence": 0.0, "low": 0.0, "high": 0.0, "pairs": 0}


class _Probe:
    """Asks the teacher about changed rows, and counts."""

    def __init__(
        self, teacher: Teacher, rows: Rows, rng: np.random.Generator, tolerance: float, bins: int
    ) -> None:
        self.teacher, self.rows, self.rng, self.bins = teacher, rows, rng, bins
        self.queries = 0
        self.known = answers(teacher.scores(rows.native()), teacher.task)
        self.apart = 0.0 if teacher.task.classifies else tolerance * float(self.known.std())

    def ask(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Answers to new rows (n, d)."""
        self.queries += len(values)
        scores = self.teacher.scores(Rows(self.rows.features, values).native())
        return answers(scores, self.teacher.task)

    def differ(self, a: NDArray[Any], b: NDArray[Any]) -> NDArray[np.bool_]:
        """Where answers are not the same."""
        return np.asarray(np.abs(a - b) > self.apart)

    def changes(self, columns: Any, n: int) -> int:
        """Of n pairs, those whose answer changes when ``columns`` come from another row."""
        at, other = self.rng.integers(len(self.rows), size=(2, n))
        values = self.rows.values[at]
        values[:, columns] = self.rows.values[np.ix_(other, columns)]
        return int(self.differ(self.known[at], self.ask(values)).sum())

    def cells(self, columns: list[int]) -> int:
        """Cells of a table over ``columns``, in which missing is a level of each."""
        return math.prod(
            min(len(np.unique(self.rows.values[:, j])), self.bins) + 1 for j in columns
        )

    def spread(self, columns: list[int], most: int) -> NDArray[np.float64]:
        """New rows that reach all cells: each of ``columns`` drawn by itself, 20 rows a cell."""
        known = self.rows.values
        n = min(most, 20 * self.cells(columns))
        values = known[self.rng.integers(len(known), size=n)]
        for j in columns:
            values[:, j] = known[self.rng.integers(len(known), size=n), j]
        return values


def _measured(changed: int, pairs: int, delta: float) -> dict[str, float]:
    """An influence with its interval, ready for JSON."""
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
