"""Every way to a readable student, cross-fitted on the same rows, within a budget of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import answers
from limbeck.core.columns import Rows
from limbeck.core.contract import Student
from limbeck.core.errors import LimbeckError
from limbeck.core.progress import Progress, quiet
from limbeck.core.task import Task
from limbeck.data.labels import positions
from limbeck.methods.answered_rows import ROWS_ALONE, AllSizes, AnsweredRows
from limbeck.methods.base import BaseMethod

__all__ = ["FOLDS", "Route", "Run", "Stopped", "budgets_up_to", "folds_of", "run_route", "within"]

FOLDS = 3
"""As many as in the tournament of prototypes that this one was measured against."""

_NEAR_WORTH = 200
"""As how many rows the queries count on which students are judged beside few rows: many rows have
little noise, and queries have little at any number of rows, but do not lie quite where rows do."""

Clock = Callable[[], float]


@dataclass(frozen=True)
class Route:
    """A way to a student: its name, that of the method, and the method with its settings."""

    into: str
    name: str
    method: BaseMethod


@dataclass(frozen=True)
class Stopped:
    """A way that came to nothing, and why."""

    into: str
    method: str
    reason: str
    seconds: float


@dataclass(frozen=True, eq=False)
class Run:
    """What a way came to.

    Parameters
    ----------
    route : Route
        The way.
    students : mapping from int to Student
        By budget of numbers: the largest student within it, from all rows.
    losses : mapping from int to ndarray of shape (n,)
        By budget: the loss of each row for the student that did not see the row's fold; where rows
        are few, weighed with the mean loss on queries made from the fold, which count as 200 rows.
        Where the student of all rows loses more on them, all are raised by the difference.
    refits : mapping from int to list of Student
        By budget: the students that left out a fold each.
    queries : int
        Rows beyond those that all ways share for which the teacher was asked, at all folds
        together.
    seconds : float
        What it took.
    variants : mapping from int to str
        By budget: the variant of the method that was taken; see
        `limbeck.methods.answered_rows.AllSizes`.
    """

    route: Route
    students: dict[int, Student]
    losses: dict[int, NDArray[np.float64]]
    refits: dict[int, list[Student]]
    queries: int
    seconds: float
    variants: Mapping[int, str] = field(default_factory=dict)


def budgets_up_to(most: int) -> tuple[int, ...]:
    """The budgets of numbers that are compared: 4, 8, 16, ... and the most itself."""
    sizes = [2**k for k in range(2, 30) if 2**k < most]
    return (*sizes, most)


def folds_of(
    units: NDArray[np.int64], rng: np.random.Generator, folds: int = FOLDS
) -> NDArray[np.int64]:
    """The fold of each row, shape (n,); rows of one unit, such as copies or a case, share it.

    Parameters
    ----------
    units : ndarray of shape (n,)
        The unit of each row, from 0.
    rng : numpy Generator
        Deals the units.
    folds : int
        How many.
    """
    count = int(units.max()) + 1
    return np.asarray((rng.permutation(count) % folds)[units], dtype=np.int64)


def run_route(
    route: Route,
    parts: Sequence[AnsweredRows],
    fold: NDArray[np.int64],
    budgets: Sequence[int],
    seed: int,
    seconds: float,
    tell: Progress = quiet,
    clock: Clock = time.monotonic,
) -> Run | Stopped:
    """Distil by one way from all rows and from all but each fold.

    The time is watched through the method's own reports of progress: a method that never reports
    ends by itself. A method that fails is stopped with its error as the reason.

    Parameters
    ----------
    route : Route
        The way.
    parts : sequence of AnsweredRows
        All rows with the teacher's answers; then those without the first fold, the second, ...
    fold : ndarray of shape (n,)
        The fold of each row, from 0.
    budgets : sequence of int
        Numbers that a student may hold, in rising order.
    seed : int
        Each distillation has a generator of its own, made of the seed and its fold.
    seconds : float
        What all distillations may take together.
    tell : Progress
        Called with the stage.
    clock : callable
        Seconds.

    Returns
    -------
    Run or Stopped
        Stopped where time ran out, or the method refused or failed.
    """
    started = clock()
    name = f"{route.into} by {route.name}"

    def watch(stage: str, done: float, total: float) -> None:
        tell(f"{name}: {stage}", done, total)
        if clock() - started > seconds:
            raise KeyboardInterrupt

    def stopped(reason: str) -> Stopped:
        return Stopped(route.into, route.name, reason, clock() - started)

    judged = _Judged(parts[0], fold, tuple(budgets))
    queries = 0
    try:
        for part, rows in enumerate(parts):  # 0: all rows
            rng = np.random.default_rng([seed, part])
            found = route.method.all_sizes(rows, rng, watch)
            queries += found.queries
            if part == 0:
                if not any(len(students) for students in found.students.values()):
                    return stopped("would give the students of another way")
                if not judged.take(found):
                    least = min(s.numbers for v in found.students.values() for s in v)
                    return stopped(f"needs {least} numbers at least, and {budgets[-1]} are allowed")
            else:
                judged.judge(found, part - 1)
            if clock() - started > seconds and part < len(parts) - 1:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        if clock() - started <= seconds:
            raise  # somebody else stopped it
        return stopped(f"not done in {seconds:{'.0f' if seconds >= 1 else '.1g'}} s")
    except LimbeckError as error:
        return stopped(str(error))
    except Exception as error:  # of one way, while the others go on
        return stopped(f"failed: {type(error).__name__}: {error}")
    return judged.run(route, queries, clock() - started) or stopped("no size in all folds")


def within(students: Sequence[Student], numbers: int) -> Student | None:
    """The largest student of at most so many numbers.

    Parameters
    ----------
    students : sequence of Student
        In any order.
    numbers : int
        The limit.
    """
    fitting = [s for s in students if s.numbers <= numbers]
    return max(fitting, key=lambda s: s.numbers) if fitting else None


@dataclass
class _Judged:
    """Students of each variant and budget, and their losses on rows that they did not see."""

    every: AnsweredRows
    fold: NDArray[np.int64]
    budgets: tuple[int, ...]
    students: dict[tuple[str, int], Student] = field(default_factory=dict)
    losses: dict[tuple[str, int], NDArray[np.float64]] = field(default_factory=dict)
    refits: dict[tuple[str, int], list[Student]] = field(default_factory=dict)
    on_rows: dict[tuple[str, int], float] = field(default_factory=dict)  # summed, without queries

    def take(self, found: AllSizes) -> bool:
        """Keep the students of all rows; whether any fits a budget."""
        for key, student in _by_budget(found.students, self.budgets).items():
            self.students[key] = student
            self.losses[key] = np.full(len(self.fold), np.nan)
            self.refits[key] = []
        return bool(self.students)

    def judge(self, found: AllSizes, part: int) -> None:
        """Losses on the rows of a fold, by the students that were made without it."""
        task, out = self.every.teacher.task, np.flatnonzero(self.fold == part)
        rows, told = self.every.rows[out], self.every.answers[out]
        spread = 1.0 if task.classifies else float(np.var(self.every.answers[: len(self.fold)]))
        made, near = _by_budget(found.students, self.budgets), self._near(out)
        for key in self.students:
            if key not in made:
                continue
            student: Any = made[key]
            self.refits[key].append(student)
            self.losses[key][out] = _loss(student, rows, told, task, spread)
            self.on_rows[key] = self.on_rows.get(key, 0.0) + float(self.losses[key][out].sum())
            if near is not None:
                theirs = _loss(student, near[0], near[1], task, spread).reshape(len(out), -1)
                own = self._share()
                self.losses[key][out] *= own
                self.losses[key][out] += (1 - own) * theirs.mean(axis=1)

    def _share(self) -> float:
        """What rows count, where queries are judged beside them."""
        n = len(self.fold)
        return 1.0 if self.every.near is None else n / (n + _NEAR_WORTH)

    def _near(self, out: NDArray[np.int64]) -> tuple[Rows, NDArray[Any]] | None:
        """Queries of some rows, one row after the other, and the answers there."""
        near, scores = self.every.near, self.every.near_scores
        if near is None or scores is None:
            return None
        each = len(near) // len(self.fold)
        at = (out[:, None] * each + np.arange(each)).ravel()
        return near[at], answers(scores[at], self.every.teacher.task)

    def run(self, route: Route, queries: int, seconds: float) -> Run | None:
        """For each budget the best variant that all folds have; None where there is none."""
        parts = int(self.fold.max()) + 1
        whole = [key for key in self.students if len(self.refits[key]) == parts]
        for key in whole:
            self._raise(key)
        best = {budget: self._best([k for k in whole if k[1] == budget]) for _, budget in whole}
        if not best:
            return None
        values = self.every.rows.values
        students: dict[int, Student] = {b: self.students[key] for b, key in best.items()}
        for student in {id(s): s for s in students.values()}.values():
            student.measured(values)
        return Run(
            route, students, {b: self.losses[k] for b, k in best.items()},
            {b: self.refits[k] for b, k in best.items()}, queries, seconds,
            {b: key[0] for b, key in best.items()},
        )  # fmt: skip

    def _raise(self, key: tuple[str, int]) -> None:
        """Raise losses by as much as the student of all rows loses more on its own rows.

        Fresh rows are no easier than those that a student learnt from: a search that came out worse
        from all rows than from parts of them is no better than it is there.
        """
        task, n = self.every.teacher.task, len(self.fold)
        told = self.every.answers[:n]
        spread = 1.0 if task.classifies else float(np.var(told))
        own = _loss(self.students[key], self.every.rows[np.arange(n)], told, task, spread)
        worse = max(float(own.sum()) - self.on_rows[key], 0.0)
        self.losses[key] += self._share() * worse / n
        self.on_rows[key] += worse

    def _best(self, keys: Sequence[tuple[str, int]]) -> tuple[str, int]:
        """Of variants of one budget the best; whether queries helped is judged on rows alone.

        Queries on which students are judged are drawn as those from which they learn, and would
        favour who learnt from them.
        """
        by_use: dict[bool, tuple[str, int]] = {}
        for key in keys:
            known = by_use.setdefault(key[0].endswith(ROWS_ALONE), key)
            if self.losses[key].mean() < self.losses[known].mean():
                by_use[key[0].endswith(ROWS_ALONE)] = key
        return min(by_use.values(), key=lambda key: self.on_rows[key])


def _by_budget(
    variants: Mapping[str, Sequence[Student]], budgets: Sequence[int]
) -> dict[tuple[str, int], Student]:
    """For each variant and budget the largest student that fits."""
    found: dict[tuple[str, int], Student] = {}
    for name, students in variants.items():
        numbers = [s.numbers for s in students]  # which some students count anew each time
        for budget in budgets:
            fits = [i for i, held in enumerate(numbers) if held <= budget]
            if fits:
                found[name, budget] = students[max(fits, key=lambda i: numbers[i])]
    return found


def _loss(
    student: Student, rows: Rows, told: NDArray[Any], task: Task, spread: float
) -> NDArray[np.float64]:
    """0 or 1 by row where classes are predicted; else the squared error as a share of variance."""
    said = positions(np.asarray(student.predict(rows)), task)
    assert said is not None  # noqa: S101  (rows were given)
    if task.classifies:
        return np.asarray(said != told, dtype=np.float64)
    return np.asarray((said - told) ** 2 / (spread or 1.0), dtype=np.float64)
