"""Which way runs when, and where: one after the other, or in several processes by joblib."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import joblib
import numpy as np
from numpy.typing import NDArray

from limbeck.core.progress import Progress, quiet
from limbeck.core.threads import one_thread
from limbeck.methods.answered_rows import AnsweredRows
from limbeck.selection.finished import FinishedRuns
from limbeck.selection.race import Route, Run, Stopped, run_route

__all__ = ["Race", "raced", "several"]

T = TypeVar("T")
_SHARES = 3  # of the time that is left: what is heavy may take no more than one


@dataclass(frozen=True, eq=False)
class Race:
    """What all ways have in common.

    Parameters
    ----------
    parts : sequence of AnsweredRows
        All rows, and those without each fold.
    fold : ndarray of shape (n,)
        The fold of each row.
    budgets : tuple of int
        Numbers that a student may hold.
    seed : int
        See `limbeck.selection.race.run_route`.
    ends : float
        When all ways must be done, in seconds since the epoch.
    finished : FinishedRuns, optional
        Where ways that are done are kept.
    """

    parts: Sequence[AnsweredRows]
    fold: NDArray[np.int64]
    budgets: tuple[int, ...]
    seed: int
    ends: float
    finished: FinishedRuns | None = None

    def run(self, route: Route, left: int, tell: Progress = quiet) -> Run | Stopped:
        """One way, in its share of the time that is left.

        Parameters
        ----------
        route : Route
            The way.
        left : int
            How many ways are still to come in this process, this one included.
        tell : Progress
            Told of the stages.
        """
        share = (self.ends - time.time()) / max(min(_SHARES, left), 1)
        if share <= 0:
            return Stopped(route.into, route.name, "no time was left", 0.0)
        with one_thread():
            found = run_route(route, self.parts, self.fold, self.budgets, self.seed, share, tell)
        if self.finished is not None and isinstance(found, Run):
            self.finished.write(found)
        return found


def raced(
    race: Race, routes: Sequence[Route], n_jobs: int | None, tell: Progress = quiet
) -> list[Run | Stopped]:
    """All ways, the first ones first; each may take a third of the time that is left.

    Ways that are on disk are read. Others run by joblib: by default in this process, or where a
    ``joblib.parallel_config`` of the caller says (loky, Dask, Ray).

    Parameters
    ----------
    race : Race
        What they have in common.
    routes : sequence of Route
        The lightest first.
    n_jobs : int, optional
        As in scikit-learn: None is 1, unless a ``parallel_config`` says otherwise; -1 for all
        processors.
    tell : Progress
        Told of the stages, in one process, or of the ways that are done.
    """
    found: dict[int, Run | Stopped] = {}
    if race.finished is not None:
        for i, route in enumerate(routes):
            known = race.finished.read(route)
            if known is not None:
                found[i] = known
    open_ = [i for i in range(len(routes)) if i not in found]
    jobs = min(joblib.effective_n_jobs(n_jobs), max(len(open_), 1))
    left = {i: math.ceil((len(open_) - place) / jobs) for place, i in enumerate(open_)}
    if jobs == 1:
        for i in open_:
            found[i] = race.run(routes[i], left[i], tell)
        return [found[i] for i in range(len(routes))]
    tell("running all ways", len(found), len(routes))
    parallel = joblib.Parallel(n_jobs=n_jobs, batch_size=1, pre_dispatch="2*n_jobs")
    done = parallel(joblib.delayed(race.run)(routes[i], left[i]) for i in open_)
    found.update(zip(open_, done, strict=True))
    return [found[i] for i in range(len(routes))]


def several(
    task: Callable[..., T],
    calls: Sequence[tuple[Any, ...]],
    n_jobs: int | None,
    tell: Progress = quiet,
    stage: str = "",
) -> list[T]:
    """What a function returns for each of some arguments, in the processes that ran the ways.

    Parameters
    ----------
    task : callable
        A function of a module.
    calls : sequence of tuple
        The arguments of each call.
    n_jobs : int, optional
        As for `raced`.
    tell : Progress
        Told of each call, in one process; of all of them at once in several.
    stage : str
        What it is told.
    """
    if min(joblib.effective_n_jobs(n_jobs), len(calls)) <= 1:
        found = []
        for i, call in enumerate(calls):
            tell(stage, i, len(calls))
            found.append(_alone(task, call))
        return found
    tell(stage, 0, len(calls))
    parallel = joblib.Parallel(n_jobs=n_jobs, batch_size=1)
    return list(parallel(joblib.delayed(_alone)(task, call) for call in calls))


def _alone(task: Callable[..., T], call: tuple[Any, ...]) -> T:
    """One call, on one thread."""
    with one_thread():
        return task(*call)
