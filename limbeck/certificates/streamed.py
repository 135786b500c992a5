"""Certificates of tables that do not fit into memory."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import wording
from limbeck.certificates.binomial import smallest_n, upper_bound
from limbeck.certificates.bounds import Betting, MeanBound
from limbeck.certificates.evidence import Predictor
from limbeck.certificates.issue import issue
from limbeck.certificates.loss_file import LossFile
from limbeck.certificates.losses import BoundedLoss
from limbeck.certificates.planning import RowsNeeded, plan_counts, plan_means
from limbeck.certificates.streamed_evidence import StreamedEvidence
from limbeck.certificates.streamed_means import bound_on_disk, plan_on_disk
from limbeck.core.certificate import Certificate, GroupBound
from limbeck.core.errors import InvalidInput
from limbeck.core.registry import BOUNDS
from limbeck.data.duplicates import Rule
from limbeck.data.row_batches import RowBatches, row_batches

__all__ = ["certify_batches"]

_Draws = tuple[
    str, int, Callable[[], float], Callable[[float], float], Callable[[float, float], RowsNeeded]
]


def certify_batches(
    student: Predictor,
    rows: Any,
    answers: str | Callable[[Any], Any],
    loss: BoundedLoss,
    delta: float,
    *,
    epsilon: float | None = None,
    candidates: int = 1,
    seen: NDArray[np.uint64] | None = None,
    duplicates: Rule = "auto",
    bound: str = "betting",
    least: int = 10,
    groups: str | None = None,
    cases: str | None = None,
) -> Certificate:
    """Certify a student on a table that is read once, in batches, in constant memory.

    The certificate is the one that `certify` gives for the same rows in memory, field by field:
    the exact binomial bound (Clopper and Pearson 1934) of a count, or a bound for the mean of a
    loss in a range. What is kept of each row, 49 bytes, or 112 and up to 40 more where the loss is
    no count, lies in the folder for temporary files meanwhile.

    Parameters
    ----------
    student : Predictor
        The student.
    rows : str, Path, pyarrow Dataset, Dask data frame or RowBatches
        The table; see `limbeck.data.row_batches.row_batches`.
    answers : str or callable
        The column with the teacher's answers, or the teacher's own function of a batch of rows:
        a data frame (b, d) of the student's columns in, answers (b,) out.
    loss : BoundedLoss
        The loss; a tolerance must be fixed.
    delta : float
        Probability that the certificate is wrong; in (0, 1).
    epsilon, candidates, seen, duplicates, bound
        As for `certify`. Identical rows are refused unless ``duplicates`` says what they are.
    least : int
        The fewest rows.
    groups : str, optional
        The column with the group of each row.
    cases : str, optional
        The column with the case of each row; memory grows with the cases, by about 200 bytes each.

    Returns
    -------
    Certificate
        The certificate.

    Raises
    ------
    InvalidInput
        If a tolerance is to be found, rows are identical and ``duplicates`` does not say why,
        training saw a row, or rows, answers and student do not fit together.
    """
    if loss.finds_tolerance:
        raise InvalidInput(
            "Of a table that is read in batches no tolerance is found.",
            "Give tolerance=..., or loss='absolute' with loss_range=(low, high), or a sample of the"
            " rows that fits into memory.",
        )
    if not isinstance(answers, str) and not callable(answers):
        raise InvalidInput(
            f"The answers to rows that are read in batches are a {type(answers).__name__}.",
            "Give the name of their column, or the teacher's function of a batch: model.predict.",
        )
    for what, given in (("groups", groups), ("cases", cases)):
        if given is not None and not isinstance(given, str):
            raise InvalidInput(
                f"The {what} of rows that are read in batches are a {type(given).__name__}.",
                "Give the name of their column.",
            )
    level = delta / candidates
    with tempfile.TemporaryDirectory(prefix="limbeck-") as folder:
        evidence = StreamedEvidence(
            student,
            loss,
            Path(folder),
            seen,
            duplicates,
            grouped=groups is not None,
            cases=cases is not None,
        )
        for batch in _answered(student, rows, answers, groups, cases):
            evidence.record(*batch)
        name, n, mean, upper, plan = _draws(evidence, bound)
        if n < least:
            goal = epsilon if epsilon is not None and loss.counts else 0.05
            raise InvalidInput(
                f"There are {n} {'different rows' if cases is None else 'cases'}, and fewer than"
                f" {least} certify next to nothing.",
                f"For an error of at most {goal:.6g} give {smallest_n(goal, level):,} fresh"
                f" {'rows' if cases is None else 'cases'} or more.",
            )
        value = upper(level)
        missed = epsilon is not None and value > epsilon
        return issue(
            evidence, epsilon=value, delta=delta, n=n, mean=mean(), bound=name, asked=epsilon,
            tolerance=loss.tolerance, candidates=candidates,
            groups=_group_bounds(evidence, level, bound) if groups else (),
            plan=plan(epsilon, level) if missed and epsilon else None,
            settings={"bound": bound},
        )  # fmt: skip


def _draws(evidence: StreamedEvidence, bound: str) -> _Draws:
    """Of the draws: the bound's name, their number, and what gives mean, bound and plan."""
    loss, title = evidence.loss, BOUNDS.get(bound).title
    n, errors = evidence.draws if evidence.count else (0, 0)
    if loss.counts and not evidence.has_cases:
        return (
            wording.CLOPPER_PEARSON,
            n,
            lambda: errors / n,
            lambda level: upper_bound(errors, n, level),
            lambda asked, level: plan_counts(errors, n, asked, level),
        )
    if evidence.has_cases:
        means = evidence.losses_of_cases() if n else np.empty(0)
        return (
            title,
            len(means),
            lambda: float(means.mean()),
            lambda level: _bound(means, bound, level, loss),
            lambda asked, level: plan_means(
                means, asked, level, loss.low, loss.high, _kind(means, bound).upper
            ),
        )
    own = evidence.losses()
    return (
        title,
        n,
        own.mean,
        lambda level: _bound(own, bound, level, loss),
        lambda asked, level: plan_on_disk(own, asked, bound, level, loss.low, loss.high),
    )


def _bound(
    own: LossFile | NDArray[np.float64], bound: str, level: float, loss: BoundedLoss
) -> float:
    if isinstance(own, LossFile):
        return bound_on_disk(own, bound, level, loss.low, loss.high)
    return float(_kind(own, bound).upper(own, level, loss.low, loss.high))


def _kind(own: NDArray[np.float64], bound: str) -> type[MeanBound]:
    found: type[MeanBound] = BOUNDS.get(bound) if len(own) > 1 else Betting
    return found


def _group_bounds(evidence: StreamedEvidence, level: float, bound: str) -> tuple[GroupBound, ...]:
    share = level / len(evidence.group_names)
    if evidence.loss.counts and not evidence.has_cases:
        return tuple(
            GroupBound(name, upper_bound(errors, n, share), share, n, errors / n)
            for name, (n, errors) in evidence.by_group().items()
        )
    found: Mapping[str, LossFile | NDArray[np.float64]] = (
        evidence.losses_of_cases_by_group() if evidence.has_cases else evidence.losses_by_group()
    )
    return tuple(
        GroupBound(
            name, _bound(own, bound, share, evidence.loss), share, len(own), float(own.mean())
        )
        for name, own in found.items()
    )


def _answered(
    student: Predictor, rows: Any, answers: str | Callable[[Any], Any], *labels: str | None
) -> Iterator[tuple[Any, ...]]:
    """Batches of the student's columns with their answers, groups and cases."""
    names = list(student.features_.names)
    more = [c for c in (answers, *labels) if isinstance(c, str) and c not in names]
    needed = list(dict.fromkeys([*names, *more]))
    given = rows if isinstance(rows, RowBatches) else row_batches(rows, needed)
    for frame in given:
        absent = [c for c in needed if c not in frame.columns]
        if absent:
            raise InvalidInput(
                f"There is no column {absent[0]!r} in a batch of rows.",
                "Give batches with the columns of the student"
                + (f", and {' and '.join(map(repr, more))}." if more else "."),
            )
        batch = frame[names]
        told = frame[answers].to_numpy() if isinstance(answers, str) else answers(batch)
        yield batch, told, *(None if c is None else frame[c].to_numpy() for c in labels)
