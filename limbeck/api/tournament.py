"""Every kind of readable student within a budget of time: which are on the front, which to take."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.api.distill_table import TableSteps, Taught
from limbeck.api.prepare.table import Known, Request
from limbeck.certificates.binomial import check_share, interval
from limbeck.core.answers import answers
from limbeck.core.contract import Access, MethodResult, Teacher
from limbeck.core.errors import InvalidInput, did_you_mean, plural, whole_number
from limbeck.core.measured import Measured
from limbeck.core.progress import Progress, quiet, shown
from limbeck.core.status import Status, StatusCode
from limbeck.core.threads import one_thread
from limbeck.data.cases import units_of
from limbeck.data.duplicates import Rule, identical_rows
from limbeck.evaluation.holdout import Apart
from limbeck.results.distillation import Distillation
from limbeck.results.tournament import Tournament
from limbeck.results.tournament_record import Candidate, Unfinished, certified_bound
from limbeck.selection.finished import FinishedRuns, fingerprint_of
from limbeck.selection.front import (
    Entrant,
    entrants,
    pareto,
    recommended,
    steadiness,
    undominated,
)
from limbeck.selection.race import Route, Run, Stopped, budgets_up_to, folds_of
from limbeck.selection.routes import students
from limbeck.selection.schedule import Race, raced, several
from limbeck.selection.shared_rows import shared_rows
from limbeck.selection.stability import near_equal, refitted, statements

__all__ = ["recommended_student", "routes_for", "tournament"]

_LEAST_NUMBERS = 2
_AGAIN = 0.1  # of the time, for refits of the recommended student
_NEAR = 0.005  # a loss that does not matter beside a smaller student


def tournament(
    teacher: Any,
    X: Any = None,
    y: Any = None,
    *,
    into: Sequence[str] | None = None,
    seconds: float = 120.0,
    max_numbers: int = 64,
    epsilon: float = 0.05,
    delta: float = 0.05,
    holdout: float | tuple[Any, Any] = 0.3,
    groups: Any = None,
    cases: Any = None,
    duplicates: Rule = "auto",
    unlabelled: Any = None,
    classes: Any = None,
    regression: bool | None = None,
    unit: str = "",
    score_kind: str | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    names: Sequence[str] | None = None,
    output: Any = None,
    seed: int = 0,
    n_jobs: int | None = None,
    out: str | Path | None = None,
    progress: bool | None = None,
) -> Tournament:
    """Distil a teacher into every kind of readable student, and say which to take.

    All ways that the registry knows are cross-fitted on the same rows; the students that agree
    best for their size form the front. These are certified together, on rows that none of them
    saw, with delta shared.

    Parameters
    ----------
    teacher, X, y
        As in :func:`limbeck.distill`.
    into : sequence of str, optional
        Only these students; by default all that `limbeck students` lists and the teacher allows.
    seconds : float
        What all ways may take together, before certificates and controls. The lightest come first;
        each may take a third of what is left. A way that is not done by then is listed as such.
    unlabelled : None
        Refused: a tournament compares students on the same labelled rows; see the error.
    max_numbers : int
        The most numbers that a reader must hold: a threshold, a weight, a leaf, a condition each.
    epsilon, delta : float
        The certificate that is wanted.
    holdout, groups, cases, duplicates, classes, regression, unit, score_kind, preprocess, names,
    output
        As in :func:`limbeck.distill`.
    seed : int
        The same seed gives the same students, where time cuts none off.
    n_jobs : int, optional
        Processes, as in scikit-learn: None is 1 unless a ``joblib.parallel_config`` says otherwise
        (Dask and Ray are respected), -1 for all processors. The students are the same.
    out : str or Path, optional
        A folder where each way is kept once it is done, and the result at the end. A tournament
        that was stopped goes on there, with the same settings, rows and teacher.
    progress : bool, optional
        Show a progress bar; by default only on a terminal.

    Returns
    -------
    Tournament
        Prints as a table; ``best()`` gives the recommended student's
        :class:`limbeck.Distillation`, ``best(max_numbers=12)`` that of another size.

    Raises
    ------
    InvalidInput
        If an argument or the data cannot be used, or no way came to a student.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> y = y == 2  # virginica, or one of the other two
    >>> forest = RandomForestClassifier(10, random_state=0).fit(X[::2], y[::2])
    >>> found = tournament(forest, X[1::2], y[1::2], into=["linear", "junta"], max_numbers=20)
    >>> found.best(max_numbers=20).student.numbers <= 20
    True
    """
    if unlabelled is not None:
        raise InvalidInput(
            "unlabelled was given to a tournament.",
            "Choose without these rows, then teach the student that was recommended with them:"
            " limbeck.distill(teacher, X, y, into=name, unlabelled=...).",
        )
    _check_limits(epsilon, delta, seconds, n_jobs)
    seed = whole_number("seed", seed)
    max_numbers = whole_number("max_numbers", max_numbers, _LEAST_NUMBERS)
    outputs = {
        "classes": classes, "regression": regression, "unit": unit or None,
        "score_kind": score_kind, "preprocess": preprocess, "output": output,
    }  # fmt: skip
    routes = _routes(into, max_numbers, epsilon)
    least = min(routes, key=lambda route: route.method.needs.value)  # what asks for the least
    request = Request(
        teacher, X, y, least.method, least.into, epsilon, delta, seed, holdout, groups, cases,
        duplicates, names=names, outputs=outputs,
    )  # fmt: skip
    steps = TableSteps(request)
    table = steps.read()
    apart = steps.split(table)
    known = steps.understand(table, apart)
    signals = bool(table.features.shape) or into is not None
    allowed, lacking = _allowed(routes, known.teacher.access, signals)
    with shown(progress) as tell:
        jobs = n_jobs if _pickles(known.teacher) else 1
        race = _race(request, known, apart, time.time() + seconds, max_numbers, out, tell)
        parts, fold = race.parts, race.fold
        done, stopped = _runs(race, allowed, jobs, tell)
        found = entrants(done)
        front = pareto(found)
        own = table.features.in_order(apart.test.X)
        finalists = _finalists(request, known, front, own, jobs, tell)
        bounds = [certified_bound(f.certificate) for f in finalists]
        chosen = undominated(front, bounds, front.index(recommended(front, _NEAR)))
        until = time.time() + _AGAIN * seconds
        again = refitted(front[chosen], parts[0], seed, until, n_jobs=jobs, tell=tell)
        near = [e.student for e in near_equal(found, _NEAR)]
        said = statements(front[chosen].student, again, near, apart.fit_rows)
    took = {(run.route.into, run.route.name): run.seconds for run in done}
    result = Tournament(
        candidates=tuple(_candidate(e, e in front, took, apart.fit_rows.values) for e in found),
        finalists=finalists,
        recommended=chosen,
        unfinished=tuple(Unfinished(s.into, s.method, s.reason) for s in (*stopped, *lacking)),
        settings={
            "teacher": known.teacher.name, "seconds": seconds, "max_numbers": max_numbers,
            "epsilon": epsilon, "delta": delta, "seed": seed, "folds": int(fold.max()) + 1,
            "sampler": parts[0].sampler, "shared_queries": sum(len(p.queries) for p in parts),
            "judged_queries": 0 if parts[0].near is None else len(parts[0].near),
        },
        students=tuple(entrant.student for entrant in found),
        statements=said,
        refits=len(again),
        near=len(near),
    )  # fmt: skip
    if out is not None:
        result.save(out)
    return result


def _check_limits(epsilon: float, delta: float, seconds: Any, n_jobs: Any) -> None:
    check_share("epsilon", epsilon)
    check_share("delta", delta)
    number = isinstance(seconds, int | float | np.number) and not isinstance(seconds, bool)
    if not (number and seconds > 0):
        raise InvalidInput(f"seconds is {seconds!r}.", "Give a positive number.")
    if n_jobs is not None and (not isinstance(n_jobs, int | np.integer) or n_jobs == 0):
        raise InvalidInput(
            f"n_jobs is {n_jobs!r}.", "Give how many processes, or -1 for all processors."
        )


def _race(
    request: Request, known: Known, apart: Apart, ends: float, max_numbers: int,
    out: str | Path | None, tell: Progress,
) -> Race:  # fmt: skip
    """Rows, folds and answers that all ways share, and what an earlier race finished."""
    fold = folds_of(_units(apart), np.random.default_rng([request.seed, 0]))
    with one_thread():
        parts = shared_rows(known.teacher, apart.fit_rows, fold, request.seed, tell)
    finished = None
    if out is not None:
        finished = FinishedRuns(Path(out), {
            "max_numbers": max_numbers, "epsilon": request.epsilon, "seed": request.seed,
            "rows or answers": fingerprint_of(parts, fold),
        })  # fmt: skip
    return Race(parts, fold, budgets_up_to(max_numbers), request.seed, ends, finished)


def _runs(
    race: Race, allowed: Sequence[Route], jobs: int | None, tell: Progress
) -> tuple[list[Run], list[Stopped]]:
    """The ways that came to students, and those that did not; refused where none did."""
    runs = raced(race, allowed, jobs, tell)
    done = [run for run in runs if isinstance(run, Run)]
    stopped = [run for run in runs if isinstance(run, Stopped)]
    if not done:
        reasons = "; ".join(f"{s.into} by {s.method}: {s.reason}" for s in stopped)
        raise InvalidInput(f"No way came to a student. {reasons}.", "Give more seconds or rows.")
    return done, stopped


def recommended_student(
    teacher: Any, X: Any, y: Any, settings: Mapping[str, Any], **given: Any
) -> Distillation:
    """What ``distill(..., into="auto")`` returns: the student that a tournament recommends.

    Parameters
    ----------
    teacher, X, y
        As for `tournament`.
    settings : mapping
        ``seconds``, ``max_numbers``, and ``among`` for the students.
    **given
        The other arguments of `tournament`.

    Raises
    ------
    InvalidInput
        If something else was given.
    """
    known = {"seconds": "seconds", "max_numbers": "max_numbers", "among": "into"}
    for name, value in settings.items():
        if name not in known and value is not None:
            raise InvalidInput(
                f"Distilling into 'auto' has no setting {name!r}.", did_you_mean(name, known)
            )
    own = {known[name]: value for name, value in settings.items() if value is not None}
    return tournament(teacher, X, y, **own, **given).best()


def routes_for(max_numbers: int, epsilon: float, access: Access) -> list[Route]:
    """All ways to a student of a table that a teacher allows, the lightest first.

    Parameters
    ----------
    max_numbers : int
        The most numbers of a student.
    epsilon : float
        The disagreement aimed at.
    access : Access
        What the teacher grants.
    """
    return _allowed(_routes(None, max_numbers, epsilon), access, False)[0]


def _routes(into: Sequence[str] | None, max_numbers: int, epsilon: float) -> list[Route]:
    """All ways to the students that are wanted, the lightest first."""
    known = students()
    if isinstance(into, str):
        into = [into]
    for name in into or ():
        if name not in known:
            raise InvalidInput(f"There is no student {name!r}.", did_you_mean(str(name), known))
    ways = [
        Route(student, name, method.from_settings({}, epsilon=epsilon).limited(max_numbers))
        for student, methods in known.items()
        for name, method in methods.items()
        if (into is None and not method.texts) or student in (into or ())
    ]
    if not ways:
        raise InvalidInput("into is empty.", f"Name some of {', '.join(map(repr, known))}.")
    return sorted(ways, key=lambda route: route.method.effort)


def _allowed(
    routes: Sequence[Route], access: Access, signals: bool
) -> tuple[list[Route], list[Stopped]]:
    """The ways that the teacher's access is enough for, and the others with what they lack.

    What is made for signals is left out without a word where rows are a table.
    """
    routes = [r for r in routes if signals or not r.method.signals]
    lacking = [Access(r.method.needs & ~access) for r in routes]
    pairs = list(zip(routes, lacking, strict=True))
    reasons = [
        Stopped(r.into, r.name, f"needs {less} of the teacher", 0.0) for r, less in pairs if less
    ]
    return [r for r, less in pairs if not less], reasons


def _pickles(teacher: Teacher) -> bool:
    """Whether other processes can ask the teacher."""
    import cloudpickle

    try:
        cloudpickle.dumps(teacher)
    except Exception:  # whatever a model's own pickling raises
        return False
    return True


def _units(apart: Apart) -> NDArray[np.int64]:
    """What folds keep together: identical rows, and the rows of a case."""
    return units_of(_first_of(identical_rows(apart.fit_rows.values)), apart.fit.cases).of


def _first_of(label: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each row the place of the first row with its label."""
    _, first, back = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[back], dtype=np.int64)


def _finalists(
    request: Request, known: Known, front: Sequence[Entrant], held_out: Any, jobs: int | None,
    tell: Progress,
) -> tuple[Distillation, ...]:  # fmt: skip
    """The students of the front with their certificates, which hold together, and controls."""
    told = answers(known.teacher.scores(held_out), known.task)
    asked = replace(request, candidates=len(front))
    calls = [(asked, known, entrant, told) for entrant in front]
    return tuple(several(_finalist, calls, jobs, tell, "certificates and controls"))


def _finalist(request: Request, known: Known, entrant: Entrant, told: NDArray[Any]) -> Distillation:
    """A student of the front with its certificate, at its share of delta, and its control."""
    started = time.perf_counter()
    route, student = entrant.route, entrant.student
    status = Status(
        StatusCode.COMPLETE,
        f"One of {plural(request.candidates, 'student')} on the front of a tournament; cross-fitted"
        f" loss {entrant.loss:.3f}.",
    )
    found = Taught(MethodResult(student, status, frontier=(student,)), told)
    own = replace(request, method=route.method.limited(student.numbers), into=route.into)
    steps = TableSteps(own)
    certificate = steps.certify(known, found, quiet)
    compared = steps.compare(known, found, quiet)
    seconds = round(time.perf_counter() - started, 3)
    return steps.result(known, found, certificate, compared, seconds)


def _candidate(
    entrant: Entrant, front: bool, took: dict[tuple[str, str], float], values: NDArray[np.float64]
) -> Candidate:
    student, route = entrant.student, entrant.route
    one = "leaf" if student.size_unit == "leaves" else student.size_unit.removesuffix("s")
    return Candidate(
        into=route.into,
        method=route.name,
        numbers=student.numbers,
        size=plural(student.size, one, student.size_unit),
        left_out=_agreement(entrant.losses, student.task_.classifies),
        seconds=round(took[route.into, route.name], 3),
        front=front,
        columns=steadiness(entrant, values) if front else {},
    )


def _agreement(losses: NDArray[np.float64], classifies: bool) -> Measured:
    """One less the mean loss, with a 95% interval.

    Losses between 0 and 1 vary less than errors of the same rate: theirs is the exact interval of
    errors (Clopper and Pearson 1934), which has a width where no loss was seen. For R²:
    the normal one.
    """
    n, value = len(losses), 1 - float(losses.mean())
    if classifies:
        total = float(losses.sum().round(9))
        least, most = interval(int(total), n, 0.05)[0], interval(int(np.ceil(total)), n, 0.05)[1]
        return Measured(value, 1 - most, 1 - least)
    error = 1.96 * float(losses.std(ddof=1)) / np.sqrt(n) if n > 1 else 0.0
    return Measured(value, value - error, min(value + error, 1.0))
