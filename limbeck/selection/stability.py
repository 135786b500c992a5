"""What returns when the recommended student is fitted again, and what near-equal students share.

Refits: on bootstrap bags of the rows and queries (Efron 1979), each with a seed of its own.
Near-equal students: all of the tournament whose loss is within the margin of the best, which is
what is seen here of the Rashomon set (Breiman 2001a; Fisher, Rudin and Dominici 2019).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.binomial import interval
from limbeck.core.columns import Rows
from limbeck.core.contract import Student
from limbeck.core.measured import Measured
from limbeck.core.progress import Progress, quiet
from limbeck.methods.answered_rows import AnsweredRows
from limbeck.results.tournament_record import StudentStatement
from limbeck.selection.front import Entrant
from limbeck.selection.race import within
from limbeck.selection.schedule import several
from limbeck.selection.whole_rules import rules_of

__all__ = ["REFITS", "near_equal", "refitted", "said_of", "statements", "thresholds_of"]

REFITS = 20
_MOST_NEAR = 40
_ROWS, _GRID = 100, 9  # by which the direction of a column is found
_FLAT = 1e-6  # a change of a score that is none
_NEAR_SHARE = 0.1  # of a column's 5% to 95% range: thresholds that are the same


def refitted(
    entrant: Entrant,
    every: AnsweredRows,
    seed: int,
    ends: float,
    refits: int = REFITS,
    n_jobs: int | None = None,
    tell: Progress = quiet,
) -> list[Student]:
    """The student fitted again, on bags of rows and queries; fewer where time is over.

    Parameters
    ----------
    entrant : Entrant
        The student, its way, its variant.
    every : AnsweredRows
        Rows and queries with the teacher's answers.
    seed : int
        Each refit has a generator of its own.
    ends : float
        When all must be done, in seconds since the epoch.
    refits : int
        How many.
    n_jobs : int, optional
        Processes, as in `limbeck.selection.schedule.raced`.
    tell : Progress
        Told of each.
    """
    calls = [(entrant, every, seed, ends, b) for b in range(refits)]
    found = several(_refit, calls, n_jobs, tell, "fitting again")
    return [student for student in found if student is not None]


def _refit(entrant: Entrant, every: AnsweredRows, seed: int, ends: float, b: int) -> Student | None:
    """One of them; None where time is over, or there is none of this size."""

    def watch(stage: str, done: float, total: float) -> None:
        if time.time() > ends:
            raise TimeoutError

    rng = np.random.default_rng([seed, 3_000 + b])
    numbers = entrant.student.numbers
    method = entrant.route.method.limited(numbers)  # larger students would not be looked at
    try:
        watch("", 0, 1)
        made = method.variant_sizes(_bag(every, rng), rng, watch, entrant.variant).students
    except TimeoutError:
        return None
    return within(made.get(entrant.variant, ()), numbers)


def _bag(every: AnsweredRows, rng: np.random.Generator) -> AnsweredRows:
    rows = np.sort(rng.integers(len(every.rows), size=len(every.rows)))
    queries = np.sort(rng.integers(max(len(every.queries), 1), size=len(every.queries)))
    return AnsweredRows(
        every.teacher, every.rows[rows], every.scores[rows], every.queries[queries],
        every.query_scores[queries], every.sampler,
    )  # fmt: skip


def near_equal(found: Sequence[Entrant], margin: float) -> list[Entrant]:
    """Students whose loss is within a margin, or one standard error, of that of the best.

    Parameters
    ----------
    found : sequence of Entrant
        All students.
    margin : float
        A loss that does not matter.
    """
    best = min(found, key=lambda e: e.loss)
    near: dict[str, Entrant] = {}
    for e in sorted(found, key=lambda e: e.loss):
        gap = e.losses - best.losses
        error = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
        if gap.mean() <= max(margin, error):
            near.setdefault(e.student.fingerprint(), e)
    return list(near.values())[:_MOST_NEAR]


def said_of(student: Any, rows: Rows) -> set[str]:
    """What a student says of each column: that it is used, and where it leads.

    Parameters
    ----------
    student : Student
        Of two classes, of values, or of more classes, of which only use is told.
    rows : Rows
        Rows on which columns are moved.
    """
    student.measured(rows.values)
    used = np.flatnonzero(np.asarray(student.feature_importances_) > 0)
    names, task = rows.features.names, student.task_
    out = {f"{names[j]} is used" for j in used}
    if task.classifies and len(task.classes) != 2:
        return out
    goal = str(task.classes[1]) if task.classifies else "the value"
    at = np.linspace(0, len(rows) - 1, min(_ROWS, len(rows))).astype(np.int64)
    for j in used:
        if rows.features.columns[j].kind != "numeric":
            continue
        steps = _steps(student, rows[at], int(j), rows.values[:, j])
        if (steps >= -_FLAT).all():
            out.add(f"more {names[j]} never speaks against {goal}" if task.classifies
                    else f"more {names[j]} never lowers {goal}")  # fmt: skip
        elif (steps <= _FLAT).all():
            out.add(f"more {names[j]} never speaks for {goal}" if task.classifies
                    else f"more {names[j]} never raises {goal}")  # fmt: skip
    return out


def _steps(student: Any, rows: Rows, j: int, column: NDArray[np.float64]) -> NDArray[np.float64]:
    """How scores move from one quantile of a column to the next, shape (n, grid - 1)."""
    cuts = np.unique(np.nanquantile(column, np.linspace(0.02, 0.98, _GRID)))
    moved = np.repeat(rows.values, len(cuts), axis=0)
    moved[:, j] = np.tile(cuts, len(rows))
    asked = Rows(rows.features, moved)
    score = student.predict_proba(asked)[:, 1] if student.task_.classifies else (
        student.predict(asked) / max(float(np.ptp(student.predict(rows))), 1e-300)
    )  # fmt: skip
    return np.diff(np.asarray(score).reshape(len(rows), len(cuts)), axis=1)


def thresholds_of(student: Any) -> list[tuple[int, float]]:
    """Columns and thresholds of trees, rules and sums; none of other students."""
    nodes = getattr(student, "nodes_", None)
    if nodes is not None and hasattr(nodes, "threshold") and not hasattr(student, "tests_"):
        inner = np.flatnonzero(nodes.feature >= 0)
        return [(int(nodes.feature[i]), float(nodes.threshold[i])) for i in inner]
    found = []
    for clause in getattr(student, "clauses_", ()):
        for j, c in zip(clause.columns, clause.conditions, strict=True):
            found += [(j, float(t)) for t in (c.low, c.high) if np.isfinite(t)]
    for term in getattr(getattr(student, "sum_", None), "terms", ()):
        found += [(t.column, float(t.value)) for t in term.tests if t.op in ("<=", ">")]
    return found


def statements(
    student: Student, refits: Sequence[Student], near: Sequence[Student], rows: Rows
) -> tuple[StudentStatement, ...]:
    """What the student says, with how many refits and near-equal students say the same.

    Parameters
    ----------
    student : Student
        The recommended one.
    refits : sequence of Student
        As `refitted` gave them.
    near : sequence of Student
        Near-equal ones.
    rows : Rows
        The rows it was fitted to.
    """
    again, others = [said_of(s, rows) for s in refits], [said_of(s, rows) for s in near]
    out = []
    for text in sorted(said_of(student, rows)):
        k = sum(text in said for said in again)
        out.append(StudentStatement(text, _share(k, len(again)), sum(text in s for s in others)))
    cuts = [thresholds_of(s) for s in refits]
    apart = [thresholds_of(s) for s in near]
    reach = _reach(rows)
    for j, t in sorted(set(thresholds_of(student))):
        if j not in reach:
            continue
        again_has, near_has = map(_with(j, t, reach[j]), cuts), map(_with(j, t, reach[j]), apart)
        text = f"{rows.features.names[j]} has a threshold within {reach[j]:.3g} of {t:.4g}"
        out.append(StudentStatement(text, _share(sum(again_has), len(cuts)), sum(near_has)))
    known, others_known = [rules_of(s) for s in refits], [rules_of(s) for s in near]
    for rule in rules_of(student):
        k = sum(any(rule.same_as(r, reach) for r in rules) for rules in known)
        beside = sum(any(rule.same_as(r, reach) for r in rules) for rules in others_known)
        out.append(StudentStatement(rule.words(), _share(k, len(known)), beside))
    return tuple(sorted(out, key=lambda s: (-s.refits.value, -s.near, s.text)))


def _reach(rows: Rows) -> dict[int, float]:
    """For each column of numbers how far apart thresholds may lie that are the same."""
    found = {}
    for j, column in enumerate(rows.features.columns):
        if column.kind == "numeric" and not np.isnan(rows.values[:, j]).all():
            low, high = np.nanquantile(rows.values[:, j], [0.05, 0.95])
            found[j] = _NEAR_SHARE * float(high - low)
    return found


def _with(j: int, t: float, by: float) -> Callable[[list[tuple[int, float]]], bool]:
    """Whether a student has a threshold of a column so near to another."""
    return lambda known: any(i == j and abs(u - t) <= by for i, u in known)


def _share(k: int, n: int) -> Measured:
    """K of n with its interval at 95% (Clopper and Pearson 1934)."""
    if not n:
        return Measured(0.0, 0.0, 1.0)
    low, high = interval(k, n, 0.05)
    return Measured(k / n, low, high)
