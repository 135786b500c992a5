"""Certificates that ask the teacher only as often as they must."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import wording
from limbeck.certificates.bounded import to_unit
from limbeck.certificates.evidence import Evidence, Predictor, count, take
from limbeck.certificates.issue import issue
from limbeck.certificates.losses import BoundedLoss
from limbeck.certificates.reducing import losses_by_draw
from limbeck.certificates.sequential import AnytimeBound
from limbeck.core.certificate import Certificate
from limbeck.core.errors import InvalidInput
from limbeck.data.cases import read_column, units_of
from limbeck.data.duplicates import Rule

__all__ = ["Batches", "certify_until"]

Batches = Iterator[tuple[Any, ...]]
"""Fresh rows and the teacher's answers (and the cases of the rows), drawn one batch at a time."""


def certify_until(
    student: Predictor,
    draws: Batches,
    loss: BoundedLoss,
    until: float,
    delta: float,
    *,
    candidates: int = 1,
    seen: NDArray[np.uint64] | None = None,
    limit: int = 1_000_000,
    cases: str | None = None,
    duplicates: Rule = "auto",
) -> Certificate:
    """Draw batches until the mean loss is certified, the draws end, or the limit is reached.

    The bound holds at every row at once (`AnytimeBound`), so that stopping early costs nothing.
    The certificate covers the rows up to the stopping row; what was drawn beyond it, to fill
    the last batch, is counted in ``settings["drawn"]`` and used for nothing.

    Parameters
    ----------
    student : Predictor
        The student.
    draws : iterator of (rows, answers) or (rows, answers, cases)
        Batches of fresh rows with the teacher's answers, independent of one another; all rows of
        a case in one batch.
    loss : BoundedLoss
        What is counted; a tolerance must be fixed.
    until : float
        The mean loss to certify, in units of the loss.
    delta : float
        Probability that the certificate is wrong; in (0, 1).
    candidates, seen
        As for `certify`.
    limit : int
        The most rows to use.
    cases : str, optional
        The column of the rows that holds their cases.
    duplicates : {"auto", "drop", "keep"}
        As for `certify`; copies are refused.

    Returns
    -------
    Certificate
        ``reached`` says whether ``until`` was certified.

    Raises
    ------
    InvalidInput
        If until is outside the range of the loss, a tolerance would have to be found, the limit
        is below 1, no row was drawn, a row was drawn twice that cannot coincide by chance, or a
        case goes on in another batch; and as for `certify`.
    """
    loss.check_goal(until, "are drawn")
    if limit < 1:
        raise InvalidInput(f"max_rows is {limit}.", "Give 1 or more.")
    width, level = loss.high - loss.low, delta / candidates
    anytime = AnytimeBound((until - loss.low) / width, level)
    evidence = Evidence(student, loss, seen, duplicates)
    drawn = _draw(draws, evidence, anytime, loss, limit, cases)
    if not anytime.n:
        raise InvalidInput("No row was drawn.", "Give an iterator of (rows, answers) batches.")
    if evidence.duplicates.copies:
        raise InvalidInput(
            f"{evidence.duplicates.copies:,} of the {evidence.count:,} rows that were drawn copy"
            " others: these draws are not independent.",
            "Draw fresh rows; or give rows and answers without until, where copies count once; or"
            ' duplicates="keep", if they are what the student will meet.',
        )
    epsilon, mean = loss.low + width * anytime.bound, loss.low + width * anytime.mean
    if anytime.certified:
        epsilon = min(epsilon, until)  # the way to [0, 1] and back costs a last bit
    return issue(
        evidence,
        epsilon=epsilon,
        delta=delta,
        n=anytime.n,
        mean=mean,
        bound=wording.ANYTIME,
        asked=until,
        tolerance=loss.tolerance,
        candidates=candidates,
        settings={"until": until, "drawn": drawn, "max_rows": limit},
    )


def _draw(
    draws: Batches,
    evidence: Evidence,
    anytime: AnytimeBound,
    loss: BoundedLoss,
    limit: int,
    cases: str | None,
) -> int:
    """Feed batches to the bound until it is certified; the number of rows drawn."""
    drawn, known = 0, set[Any]()
    for batch, answers, *more in draws:
        drawn += count(batch)
        case_of = read_column(more[0] if more else cases, batch, "cases")
        losses = evidence.measure(batch, answers)
        units = (
            np.arange(len(losses))
            if case_of is None
            else units_of(np.arange(len(losses)), case_of).of
        )
        if case_of is not None:
            _check_torn(known, case_of)
            losses = losses_by_draw(losses, np.arange(len(units)), case_of)
        ends = np.cumsum(np.bincount(units))  # rows up to each draw
        losses = losses[: int(np.searchsorted(ends, limit - evidence.count, side="right"))]
        before = anytime.n
        anytime.update(to_unit(losses, loss.low, loss.high) if len(losses) else losses)
        used = np.flatnonzero(units < anytime.n - before)
        own = None if case_of is None else case_of[used]
        evidence.record(take(batch, used), np.asarray(answers)[used], len(used), own)
        if anytime.certified or evidence.count >= limit or len(losses) < len(ends):
            break
    return drawn


def _check_torn(known: set[Any], cases: NDArray[Any]) -> None:
    """Refuse a case of an earlier batch, whose mean loss has been counted; remember the others."""
    here = set(cases.tolist())
    torn = known & here
    if torn:
        raise InvalidInput(
            f"The case {next(iter(torn))!r} goes on in another batch.",
            "Give all rows of a case in one batch.",
        )
    known |= here
