"""Every way to a readable student, cross-fitted on the same rows, within a budget of time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Rows
from limbeck.core.contract import Progress, Student, Task, Teacher, answers
from limbeck.core.errors import LimbeckError
from limbeck.core.progress import quiet
from limbeck.data.labels import positions
from limbeck.methods.base import BaseMethod

__all__ = ["FOLDS", "Route", "Run", "Stopped", "budgets_up_to", "folds_of", "run_route"]

FOLDS = 3
"""As many as in the tournament of prototypes that this one was measured against."""

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
        By budget: the loss of each row for the student that did not see the row's fold.
    refits : mapping from int to list of Student
        By budget: the students that left out a fold each.
    queries : int
        Rows beyond the user's own for which the teacher was asked, at all folds together.
    seconds : float
        What it took.
    """

    route: Route
    students: dict[int, Student]
    losses: dict[int, NDArray[np.float64]]
    refits: dict[int, list[Student]]
    queries: int
    seconds: float


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
    teacher: Teacher,
    rows: Rows,
    fold: NDArray[np.int64],
    budgets: Sequence[int],
    seed: int,
    seconds: float,
    tell: Progress = quiet,
    clock: Clock = time.monotonic,
) -> Run | Stopped:
    """Distil by one way from all rows and from all but each fold.

    The time is watched through the method's own reports of progress: a method that never reports
    ends by itself.

    Parameters
    ----------
    route : Route
        The way.
    teacher : Teacher
        Answers.
    rows : Rows
        Rows to learn from.
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
        Stopped where time ran out, or the method refused.
    """
    started = clock()
    name = f"{route.into} by {route.name}"

    def watch(stage: str, done: float, total: float) -> None:
        tell(f"{name}: {stage}", done, total)
        if clock() - started > seconds:
            raise KeyboardInterrupt

    task = teacher.task
    told = answers(teacher.scores(rows.native()), task)
    spread = float(np.var(told)) if not task.classifies else 1.0
    losses = {b: np.full(len(rows), np.nan) for b in budgets}
    students: dict[int, Student] = {}
    refits: dict[int, list[Student]] = {b: [] for b in budgets}
    queries, parts = 0, int(fold.max()) + 1
    try:
        for part in range(-1, parts):  # -1: all rows
            inside = np.flatnonzero(fold != part)
            rng = np.random.default_rng([seed, part + 1])
            found = route.method.distill(teacher, rows[inside], rng, watch)
            queries += found.queries
            by_size = sorted(found.frontier or (found.student,), key=lambda s: s.numbers)
            out = np.flatnonzero(fold == part)
            for b in budgets:
                within = [s for s in by_size if s.numbers <= b]
                if not within:
                    losses.pop(b, None)
                elif part < 0:
                    students[b] = within[-1].measured(rows.values)
                elif b in losses:
                    losses[b][out] = _loss(within[-1], rows[out], told[out], task, spread)
                    refits[b].append(within[-1].measured(rows.values[inside]))
            if clock() - started > seconds and part < parts - 1:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        if clock() - started <= seconds:
            raise  # somebody else stopped it
        return Stopped(route.into, route.name, f"not done in {seconds:.0f} s", clock() - started)
    except LimbeckError as error:
        return Stopped(route.into, route.name, str(error), clock() - started)
    both = [b for b in budgets if b in students and b in losses]
    if not both:
        least = min(s.numbers for s in (found.frontier or (found.student,)))
        reason = f"needs {least} numbers at least, and {budgets[-1]} are allowed"
        return Stopped(route.into, route.name, reason, clock() - started)
    return Run(
        route, {b: students[b] for b in both}, {b: losses[b] for b in both},
        {b: refits[b] for b in both}, queries, clock() - started,
    )  # fmt: skip


def _loss(
    student: Student, rows: Rows, told: NDArray[Any], task: Task, spread: float
) -> NDArray[np.float64]:
    """0 or 1 by row where classes are predicted; else the squared error as a share of variance."""
    found = positions(np.asarray(student.predict(rows)), task)
    assert found is not None  # noqa: S101  (rows were given)
    if task.classifies:
        return np.asarray(found != told, dtype=np.float64)
    return np.asarray((found - told) ** 2 / (spread or 1.0), dtype=np.float64)
