"""Any student of tables from few answers: rows that teach most, and a forest for all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Access, Method, MethodResult, Student, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput, plural
from limbeck.core.progress import Progress, quiet
from limbeck.core.task import Task
from limbeck.data.labels import positions
from limbeck.methods.few_labels.committee import Committee, CommitteeTeacher
from limbeck.methods.few_labels.labelling import (
    AskedRows,
    Labelling,
    compared,
)
from limbeck.methods.soft_answers import soft_of
from limbeck.teachers.stored import StoredScores

__all__ = ["FewRows"]


@dataclass(frozen=True)
class FewRows(Labelling):
    """Ask about few rows of a table, those that teach most, and make any student of the answers.

    A random sample is asked about first, a part of which is held out. Then batches follow of rows
    on which a forest of the answers so far is unsure, and that are unlike one another, until more
    answers no longer move the forest's agreement on the part held out beyond chance, or the budget
    ends. The student is made twice: of the answered rows alone, and of all rows and the method's
    queries, where the forest answers what the teacher was not asked. The one that agrees more with
    the teacher on the part held out is made again with all answers.

    Parameters
    ----------
    student : Method
        The method that makes the student.
    budget, batch, patience, labelling, compare_random
        As in `limbeck.methods.few_labels.labelling.Labelling`.

    Raises
    ------
    InvalidInput
        If a setting is out of range.
    AccessDenied
        If the method needs more than scores and queries.
    """

    student: Method

    def __post_init__(self) -> None:
        super().__post_init__()
        lacking = Access(self.student.needs & ~(Access.SCORES | Access.QUERIES))
        if lacking:
            raise AccessDenied(
                f"{self.student.name.capitalize()} needs {lacking} of the teacher, and few answers"
                " are scores alone.",
                "Leave budget out, or choose another student.",
            )
        if getattr(self.student, "signals", False):
            raise InvalidInput(
                f"budget was given, and {self.student.name!r} learns from whole signals.",
                "Leave budget out.",
            )

    @property
    def needs(self) -> Access:
        """Scores of the rows."""
        return Access.SCORES

    @property
    def name(self) -> str:
        """That of the method, with few answers."""
        return f"{self.student.name} from few answers"

    def _quick(self, rows: Rows, pool: NDArray[np.int64], seed: int) -> Committee:
        return Committee(rows[pool], seed)

    def _taught(
        self, teacher: Teacher, rows: Rows, found: AskedRows, seed: int, told: str,
        progress: Progress,
    ) -> MethodResult:  # fmt: skip
        ways = self._ways(teacher, rows, found, seed)
        best = ways[0]
        result = self._made(best, teacher, rows, found, 0, seed, progress)
        message = f"{told} {_WAYS[best]}{ways[1] or '.'} {_WORDS[best]}{result.status.message}"
        trace = {
            **result.trace,
            **found.trace,
            "held_out_agreement": ways[2],
            "learned_from": best,
        }
        status = replace(result.status, message=message)
        return replace(result, status=status, queries=0, trace=trace, rivals={}, frontier=())

    def _again(
        self, teacher: Teacher, rows: Rows, found: AskedRows, seed: int, trace: Mapping[str, Any]
    ) -> Student:
        way = str(trace["learned_from"])
        return self._made(way, teacher, rows, found, 0, seed, quiet).student

    def learn(self, rows: Rows, y: NDArray[Any], task: Task, rng: np.random.Generator) -> Student:
        """The control: the same student from the labels of as many rows.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.
        """
        return self.student.learn(rows, y, task, rng)

    def baselines(
        self,
        teacher: Teacher,
        rows: Rows,
        answers: NDArray[Any],
        finding: MethodResult,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Mapping[str, Student]:
        """Those of the method, of the answered rows alone.

        Parameters
        ----------
        teacher, rows, answers, finding, rng, sample_weight
            As in `limbeck.core.contract.Method.baselines`.
        """
        stored = _stored(teacher, rows, teacher.scores(rows.native()))
        return self.student.baselines(stored, rows, answers, finding, rng, sample_weight)

    def _ways(
        self, teacher: Teacher, rows: Rows, found: AskedRows, seed: int
    ) -> tuple[str, str, float | None]:
        """What the student learns from, why, and its agreement on the rows held out."""
        alone = Access.QUERIES not in self.student.needs
        known = ["answers", "forest"] if alone else ["forest"]
        held = found.held
        if held < 2 or len(found.rows) - held < 2:
            return known[0], "", None
        test = rows[found.rows[:held]]
        soft = soft_of(found.scores[:held], teacher)
        seen = {}
        for way in known:
            made = self._made(way, teacher, rows, found, held, seed, quiet).student
            seen[way] = compared(_guessed(made, test, teacher.task), soft)[1]
        best = max(known, key=lambda way: seen[way])
        if len(known) == 1:
            return best, "", seen[best]
        other = next(way for way in known if way != best)
        told = (
            f" ({seen[best]:.3f} on {plural(held, 'row')} held out, against {seen[other]:.3f} by"
            " the other way)."
        )
        return best, told, seen[best]

    def _made(
        self, way: str, teacher: Teacher, rows: Rows, found: AskedRows, held: int, seed: int,
        progress: Progress,
    ) -> MethodResult:  # fmt: skip
        """The student by one of the two ways, without the answers that are held out."""
        few, scores = rows[found.rows[held:]], found.scores[held:]
        rng = np.random.default_rng(seed)
        if way == "answers":
            return self.student.distill(_stored(teacher, few, scores), few, rng, progress)
        committee, soft = Committee(rows, seed), soft_of(scores, teacher)
        committee.guesses(found.rows[held:], soft, teacher)
        asked = CommitteeTeacher(teacher, rows.features, committee, few.values, soft)
        return self.student.distill(asked, rows, rng, progress)


_WAYS = {
    "answers": "The student learned from the answered rows alone",
    "forest": "The student learned from all rows; what the teacher was not asked, a forest of its"
    " answers said",
}


_WORDS = {"answers": "", "forest": "With that forest in the teacher's place: "}


def _stored(teacher: Teacher, rows: Rows, scores: NDArray[np.float64]) -> StoredScores:
    """The answers as a teacher that knows no more."""
    task = teacher.task
    if not task.classifies:
        return StoredScores(rows.native(), scores[:, 0], unit=task.unit, name=teacher.name)
    return StoredScores(
        rows.native(), scores, classes=task.classes, score_kind=teacher.score_kind,
        name=teacher.name,
    )  # fmt: skip


def _guessed(student: Student, rows: Rows, task: Task) -> NDArray[np.float64]:
    """Answers as one-hot probabilities or values, (n, k)."""
    told = positions(np.asarray(student.predict(rows)), task)
    assert told is not None  # noqa: S101  (predictions are labels)
    return np.eye(task.outputs)[told] if task.classifies else np.asarray(told)[:, None]
