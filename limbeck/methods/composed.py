"""Several methods one after another: each student is the teacher of the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Access, MethodResult, Student, Teacher
from limbeck.core.errors import InvalidInput, LimbeckError
from limbeck.core.progress import Progress, quiet
from limbeck.core.registry import STUDENTS
from limbeck.core.status import Status
from limbeck.core.task import Task
from limbeck.data.class_weights import ClassWeight
from limbeck.methods.base import BaseMethod
from limbeck.methods.given import Given
from limbeck.teachers import as_teacher

__all__ = ["Composed"]


@dataclass(frozen=True)
class Composed:
    """Distil the teacher into a student, that student into the next, and so on.

    All steps see the same rows. The last method has the control and the baselines; beside these
    stands the student that it makes of the teacher itself.

    Parameters
    ----------
    steps : tuple of BaseMethod
        Two or more, in order.

    Raises
    ------
    InvalidInput
        If there are fewer than two.
    """

    steps: tuple[BaseMethod, ...]

    def __post_init__(self) -> None:
        if len(self.steps) < 2:
            raise InvalidInput("A way of several steps has two at least.", "Leave via out.")

    @property
    def needs(self) -> Access:
        """What the first step needs of the teacher."""
        return self.steps[0].needs

    @property
    def seen(self) -> NDArray[np.uint64] | None:
        """Hashes of the rows that a student which was made before has seen; None without one."""
        first = self.steps[0]
        return first.seen if isinstance(first, Given) else None

    @property
    def name(self) -> str:
        """The names of the methods."""
        return ", then ".join(step.name for step in self.steps)

    def distill(
        self,
        teacher: Teacher,
        rows: Rows,
        rng: np.random.Generator,
        progress: Progress,
        sample_weight: NDArray[np.float64] | None = None,
        class_weight: ClassWeight = None,
    ) -> MethodResult:
        """Run the steps; see :class:`limbeck.core.contract.Method`.

        Parameters
        ----------
        teacher, rows, rng, progress
            As there.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts, in every step.
        class_weight : "balanced", mapping or None
            How much rows count by the class of each step's teacher.

        Raises
        ------
        InvalidInput
            If a step counts all rows alike, and weights were given.
        """
        given = {"sample_weight": sample_weight, "class_weight": class_weight}
        given = {name: value for name, value in given.items() if value is not None}
        for step in self.steps:
            for name in given:
                if name not in signature(step.distill).parameters:
                    raise InvalidInput(
                        f"{name} was given, and the method {step.name!r} counts all rows alike.",
                        f"Leave {name} out, or take another way.",
                    )
        found: list[MethodResult] = []
        asked = teacher
        for step, chance in zip(self.steps, rng.spawn(len(self.steps)), strict=True):
            result = step.distill(asked, rows, chance, _named(step, progress), **given)
            found.append(result)
            unit = {} if teacher.task.classifies else {"unit": teacher.task.unit}
            asked = as_teacher(result.student, **unit)
        last = found[-1]
        trace = {
            **last.trace,
            "steps": [_told(s, r) for s, r in zip(self.steps, found, strict=True)],
        }
        return replace(
            last,
            status=_status(self.steps, found),
            queries=found[0].queries,
            trace=trace,
            rivals={},
            steps=tuple(result.student for result in found),
        )

    def learn(
        self,
        rows: Rows,
        y: NDArray[Any],
        task: Task,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Student:
        """The control of the last method: from labels, with no teacher and no step between.

        Parameters
        ----------
        rows, y, task, rng
            As in `limbeck.core.contract.Method.learn`.
        sample_weight : ndarray of shape (n,), optional
            How much each row counts.
        """
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.steps[-1].learn(rows, y, task, rng, **weights)

    def baselines(
        self,
        teacher: Teacher,
        rows: Rows,
        answers: NDArray[Any],
        finding: MethodResult,
        rng: np.random.Generator,
        sample_weight: NDArray[np.float64] | None = None,
    ) -> Mapping[str, Student]:
        """Those of the last method, and what it makes of the teacher itself, where it can.

        Parameters
        ----------
        teacher, rows, answers, finding, rng, sample_weight
            As in `limbeck.core.contract.Method.baselines`.
        """
        last = self.steps[-1]
        found = dict(last.baselines(teacher, rows, answers, finding, rng, sample_weight))
        if last.needs in teacher.access:
            try:
                direct = last.distill(teacher, rows, rng, quiet)
            except LimbeckError:  # a baseline that cannot be made is none
                return found
            found["without steps"] = direct.student
        return found


def _named(step: BaseMethod, progress: Progress) -> Progress:
    """Progress of a step, with its name."""

    def tell(stage: str, done: float, total: float) -> None:
        progress(f"{step.name}: {stage}", done, total)

    return tell


def _told(step: BaseMethod, found: MethodResult) -> dict[str, Any]:
    """What the result says of a step."""
    student = found.student
    return {
        "into": _into(step, found), "method": step.name, "size": student.size,
        "unit": student.size_unit,
        "numbers": student.numbers, "queries": found.queries, "status": str(found.status),
    }  # fmt: skip


def _into(step: BaseMethod, found: MethodResult) -> str:
    """The student of a step, by its name."""
    return step.into or str(STUDENTS.name_of(type(found.student)))


def _status(steps: tuple[BaseMethod, ...], found: list[MethodResult]) -> Status:
    """The status of the step that ended worst, with what all say."""
    worst = max((result.status for result in found), key=lambda s: _ORDER.index(s.code.name))
    names = [f"{step.name[:1].upper()}{step.name[1:]}" for step in steps]
    names[1:] = [
        f"{n} (its teacher is the {_into(s, r)})"
        for n, s, r in zip(names[1:], steps, found, strict=False)
    ]
    words = " ".join(f"{n}: {r.status.message}" for n, r in zip(names, found, strict=True))
    return Status(worst.code, words, worst.remedy)


_ORDER = ("EXACT", "COMPLETE", "LIMIT", "HYPOTHESIS_FAILED", "INTERRUPTED")
