"""Find the few variables on which a teacher depends, and write down its answers as a table.

A k-junta depends on k of its d variables. They are found one by one by pairs of rows and binary
search (after Blais, Testing juntas nearly optimally, STOC 2009), with questions in number like
k log d; the pairs also bound what the table leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import check_share, upper_bound
from limbeck.core.columns import Rows
from limbeck.core.contract import Access, MethodResult, Teacher
from limbeck.core.errors import InvalidInput, list_of_names
from limbeck.core.progress import Progress
from limbeck.core.registry import METHODS
from limbeck.core.status import Status, StatusCode
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight, class_weights
from limbeck.methods.base import BaseMethod
from limbeck.methods.forbidden import forbidden_columns, hide
from limbeck.methods.junta.cells import cells_of, fill
from limbeck.methods.junta.influences import Influences, measured
from limbeck.methods.junta.pairs import FOR_RANKING, Relevant, relevant
from limbeck.methods.junta.questions import Questions
from limbeck.methods.weights import check_query_weight, weights
from limbeck.students.junta.junta import Junta
from limbeck.students.junta.table import MAX_CELLS

__all__ = ["FindJunta"]


@METHODS.register("junta")
@dataclass(frozen=True)
class FindJunta(BaseMethod):
    """Learn a table over the variables that matter, at most k of them, by few questions.

    Pairs of rows are drawn that agree on the variables found so far. Where their answers differ,
    binary search finds another variable; m = ln((k + 1) / delta) / epsilon equal pairs in a row
    end the search. That takes at most 2 m (k + 1) + (k + 1) (ceil(log2 d) + 2) questions, and
    with probability 1 - delta the variables left out, all redrawn together, change at most a
    share epsilon of the answers. Then the table is filled: one question for each cell that was
    not reached, where its variables have few values; 20 and the rows where they are numbers.

    Where more than k variables matter the teacher is no k-junta. The status says so, and the
    table is over the k most influential variables, by as many queries as are left.

    Parameters
    ----------
    k : int
        The most variables of the table; fewer where its cells would become too many.
    epsilon : float
        The joint influence of the left-out variables above which the teacher is no k-junta:
        P[f(x) != f(x')], where x is a row of the data and x' has their values of another row.
    delta : float
        Probability that the bound for it is wrong on the distribution of the given rows; or,
        where variables are ranked, that any of the intervals (Clopper and Pearson 1934,
        simultaneous by a union bound) misses its influence.
    max_queries : int
        New rows at most, repeated questions included.
    bins : int
        Intervals into which the table divides a number.
    query_weight : float
        Share of the whole weight that the queries which fill the cells carry together.
    tolerance : float
        For regression: answers differ when farther apart than this many standard deviations of
        the teacher's answers on the rows.
    forbidden : sequence of str
        Columns that the table may not be over. Pairs agree on them, and all rows are asked about;
        that the answers depend on them is measured with what else is left out, and said.

    Raises
    ------
    InvalidInput
        If a setting is out of range.

    Notes
    -----
    Pairs are rows of the data and mixtures of two of them. A variable is believed when the two
    rows that differ in it alone are asked about once more and get their answers again. Where they
    do not, the teacher is noisy: its rate of wrong answers is measured, the search begins again,
    and each question is asked so often that no majority is wrong, but with a share of delta.
    """

    into: ClassVar[str] = "junta"
    effort: ClassVar[float] = 0.5
    guarantee: ClassVar[str] = "reads all columns that matter, if at most k do"
    default: ClassVar[bool] = True
    name: ClassVar[str] = "junta"
    needs: ClassVar[Access] = Access.QUERIES

    k: int = 3
    epsilon: float = 0.05
    delta: float = 0.05
    max_queries: int = 100_000
    bins: int = 8
    tolerance: float = 0.05
    query_weight: float = 0.5
    forbidden: Sequence[str] = ()

    def __post_init__(self) -> None:
        check_share("epsilon", self.epsilon)
        check_share("delta", self.delta)
        for name, least in (("k", 1), ("max_queries", 4), ("bins", 2), ("tolerance", 0)):
            if not getattr(self, name) >= least:
                raise InvalidInput(f"{name} is {getattr(self, name)}.", f"Give at least {least}.")
        check_query_weight(self.query_weight)
        list_of_names("forbidden", self.forbidden)

    def distill(
        self,
        teacher: Teacher,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        sample_weight: NDArray[np.float64] | None = None,
        class_weight: ClassWeight = None,
    ) -> MethodResult:
        """Find the variables and fill the table; see the class.

        Parameters
        ----------
        teacher, rows, rng, progress
            As in :class:`limbeck.core.contract.Method`.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts in the table; the pairs are of the rows as they come.
        class_weight : "balanced", mapping or None
            How much rows and queries count by the teacher's class.

        Raises
        ------
        InvalidInput
            If the teacher's answers to the same row are hardly better than chance.
        """
        held = np.flatnonzero(forbidden_columns(rows.features, self.forbidden)).tolist()
        asked = Questions(teacher, rows, self.tolerance)
        found = Relevant([], 0, self.delta, False)
        ranked: Influences | None = None
        joint: tuple[int, int] | None = None
        interrupted = False
        try:
            found = relevant(
                asked, self.k, self.epsilon, self.delta, self.max_queries, rng, progress, held
            )
            kept = self._fitting(found, rows)
            if found.interrupted:
                raise KeyboardInterrupt
            left = max(self.max_queries - asked.queries, 0)
            ranks = self._is_no_table(found, kept)
            ranks &= left // asked.repeats >= 2 * len(rows.features)
            if ranks or held:
                delta = self.delta * FOR_RANKING
                influences = Influences(asked, self.k, self.epsilon, delta, left, rng, held)
            if ranks:
                ranked = influences
                ranked.run(self.bins, progress)
                kept = ranked.keep(self.bins)
            elif held:
                joint = influences.without(kept)
            if ranks or held:
                left = max(self.max_queries - asked.queries, 0)
            if held:  # which one answer to a cell would not average over
                asked.own(np.arange(len(rows)))
            progress("cells", 0, 1)
            told = fill(asked, kept, self.bins, left // (4 * asked.repeats), rng)
        except KeyboardInterrupt:
            interrupted = True
            kept = self._fitting(found, rows) if ranked is None else ranked.keep(self.bins)
            told = fill(asked, kept, self.bins, 0, rng)
        student = self._student(asked, rows, kept, told, sample_weight, class_weight)
        trace = self._trace(asked, student, found, ranked, joint, rng)
        if interrupted:
            status = Status(StatusCode.INTERRUPTED, "The search for variables was interrupted.")
        else:
            status = self._status(trace, found)
        return MethodResult(student, status, asked.queries, (student,), trace)

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
        seen = Rows(rows.features, hide(rows.features, rows.values, self.forbidden))
        return Junta(k=self.k, bins=self.bins, task=task).fit(seen, labels, sample_weight)

    def _fitting(self, found: Relevant, rows: Rows) -> list[int]:
        """The columns found, as many as fit into a table, in their order."""
        kept: list[int] = []
        for j in found.columns[: self.k]:
            if cells_of(rows, [*kept, j], self.bins) <= MAX_CELLS:
                kept.append(j)
        return sorted(kept)

    def _is_no_table(self, found: Relevant, kept: list[int]) -> bool:
        """Whether more columns matter than a table can hold."""
        return len(found.columns) > len(kept)

    def _student(
        self,
        asked: Questions,
        rows: Rows,
        kept: list[int],
        told: NDArray[Any],
        sample_weight: NDArray[np.float64] | None,
        class_weight: ClassWeight,
    ) -> Junta:
        """The table, from the rows and the new rows that were kept."""
        task, n = asked.teacher.task, len(rows)
        fresh, theirs = asked.kept
        seen, told = np.concatenate([rows.values, fresh]), np.concatenate([told, theirs])
        of_queries = None
        if class_weight is not None:
            by_class = class_weights(class_weight, task, told[:n], sample_weight)
            sample_weight = by_class[told[:n]] * (1.0 if sample_weight is None else sample_weight)
            of_queries = by_class[told[n:]]
        counts = weights(n, len(fresh), self.query_weight, sample_weight, of_queries)
        names = tuple(rows.features.names[j] for j in kept)
        labels = task.labels[told] if task.classifies else told
        student = Junta(variables=names, k=len(names), bins=self.bins, task=task)
        return student.fit(Rows(rows.features, seen), labels, counts)

    def _trace(
        self,
        asked: Questions,
        student: Junta,
        found: Relevant,
        ranked: Influences | None,
        joint: tuple[int, int] | None,
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        """What was found, in numbers."""
        names, known = asked.rows.features.names, np.flatnonzero(asked.known)
        fresh, theirs = asked.kept
        seen = np.concatenate([asked.rows.values[known], fresh])
        told = np.concatenate([asked.own(known), theirs])
        said, task = student.predict(Rows(asked.rows.features, seen)), asked.teacher.task
        labels = task.labels[told] if task.classifies else told
        wrong = said != labels if task.classifies else asked.differ(said, labels)
        kept = list(student.variables_)
        if ranked is not None:
            influences = ranked.trace()
            rest = measured(*ranked.joint, ranked.level)
            untested = [name for name in names if name not in influences]
        else:
            influences = {name: _influence(student, asked, name, rng) for name in kept}
            untested = []
            high = upper_bound(0, found.pairs, found.level) if found.pairs else 1.0
            rest = {"influence": 0.0, "low": 0.0, "high": high, "pairs": found.pairs}
            if joint is not None:
                rest = measured(*joint, self.delta * FOR_RANKING)
        return {
            "influences": influences,
            "kept": kept,
            "proven": [names[j] for j in found.columns],
            "left_out": rest if len(kept) < len(names) else _NOTHING,
            "untested": untested,
            "agreement": 1 - float(np.mean(wrong)),
            "questions": asked.count,
            "noise": found.noise,
            "delta": self.delta,
        }

    def _status(self, trace: dict[str, Any], found: Relevant) -> Status:
        rest, agreement, names = trace["left_out"], trace["agreement"], trace["kept"]
        but = f" but {', '.join(names)}" if names else ""
        share = (
            f"Redrawing all variables{but} changes {rest['influence']:.1%} of the teacher's answers"
            f" (between {rest['low']:.1%} and {rest['high']:.1%})"
        )
        asked = f"{trace['questions']:,} questions were asked"
        if trace["noise"] is not None:
            asked += (
                f"; the teacher gave two answers to one row (wrong answers at most"
                f" {trace['noise']['rate']:.1%}), so that each was asked"
                f" {trace['noise']['repeats']} times"
            )
        more = len(found.columns) > self.k
        if self.forbidden and not more:
            larger = "Forbid fewer columns, or distil"
        else:
            larger = f"Give a k above {self.k}, or distil" if len(names) == self.k else "Distil"
        if rest["low"] > self.epsilon or (more and not rest["pairs"]):
            proof = (
                f" Each of {', '.join(trace['proven'])} alone changes an answer." if more else ""
            )
            return Status(
                StatusCode.HYPOTHESIS_FAILED,
                f"{share}, above {self.epsilon:.1%}: the teacher is no {len(names)}-junta"
                f"{' of the columns that are not forbidden' if self.forbidden else ''}."
                f"{proof} {asked}."
                if rest["low"] > self.epsilon
                else f"The teacher is no {self.k}-junta.{proof} {asked}.",
                f"{larger} into a tree with into='tree'.",
            )
        if agreement == 1.0 and rest["influence"] == 0 and rest["high"] <= self.epsilon:
            return Status(
                StatusCode.EXACT, f"{share}; the table agrees with every answer, and {asked}."
            )
        if rest["high"] > self.epsilon:
            return Status(
                StatusCode.LIMIT,
                f"{share}, which does not decide whether it is above {self.epsilon:.1%}; {asked}.",
                f"Give max_queries above {self.max_queries}, or a k above {self.k}.",
            )
        return Status(
            StatusCode.COMPLETE,
            f"{share}; the table agrees with {agreement:.1%} of the answers, and {asked}.",
            "" if agreement >= 1 - self.epsilon else "Give more bins, or use into='tree'.",
        )


_NOTHING = {"influence": 0.0, "low": 0.0, "high": 0.0, "pairs": 0}
_REDRAWN = 4000


def _influence(
    student: Junta, asked: Questions, name: str, rng: np.random.Generator
) -> dict[str, float]:
    """How often the table's answer changes when one variable comes from another row."""
    rows = asked.rows
    at, other = rng.integers(len(rows), size=(2, _REDRAWN))
    values = rows.values[at]
    j = rows.features.index(name)
    values[:, j] = rows.values[other, j]
    both = [student.predict(Rows(rows.features, v)) for v in (rows.values[at], values)]
    changed = both[0] != both[1] if student.task_.classifies else asked.differ(*both)
    return {"influence": float(np.mean(changed))}
