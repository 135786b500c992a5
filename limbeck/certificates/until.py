"""Certificates that ask the teacher only as often as they must."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import wording
from limbeck.certificates.bounded import to_unit
from limbeck.certificates.evidence import Evidence, Predictor, count
from limbeck.certificates.issue import issue
from limbeck.certificates.losses import Loss
from limbeck.certificates.sequential import AnytimeBound
from limbeck.contract import Batches, Certificate
from limbeck.errors import InvalidInput

__all__ = ["certify_until"]


def certify_until(
    student: Predictor,
    draws: Batches,
    loss: Loss,
    until: float,
    delta: float,
    *,
    candidates: int = 1,
    seen: NDArray[np.uint64] | None = None,
    limit: int = 1_000_000,
) -> Certificate:
    """Draw batches until the mean loss is certified, the draws end, or the limit is reached.

    The bound holds at every row at once (`AnytimeBound`), so that stopping early costs nothing.
    The certificate covers the rows up to the stopping row; what was drawn beyond it, to fill
    the last batch, is counted in ``settings["drawn"]`` and used for nothing.

    Parameters
    ----------
    student : Predictor
        The student.
    draws : iterator of (rows, answers)
        Batches of fresh rows with the teacher's answers, independent of one another.
    loss : Loss
        What is counted; a tolerance must be fixed.
    until : float
        The mean loss to certify, in units of the loss.
    delta : float
        Probability that the certificate is wrong; in (0, 1).
    candidates, seen
        As for `certify`.
    limit : int
        The most rows to use.

    Returns
    -------
    Certificate
        ``reached`` says whether ``until`` was certified.

    Raises
    ------
    InvalidInput
        If until is outside the range of the loss, a tolerance would have to be found, the limit
        is below 1, or no row was drawn; and as for `certify`.
    """
    if loss.finds_tolerance:
        raise InvalidInput(
            "A tolerance cannot be found while rows are drawn.",
            "Fix it with tolerance=..., or give loss='absolute' with loss_range.",
        )
    if not loss.low < until < loss.high:
        raise InvalidInput(
            f"until is {until}, and it must lie strictly between {loss.low:.6g} and"
            f" {loss.high:.6g}.",
            "Ask for a mean loss within that range.",
        )
    if limit < 1:
        raise InvalidInput(f"max_rows is {limit}.", "Give 1 or more.")
    width, level = loss.high - loss.low, delta / candidates
    anytime = AnytimeBound((until - loss.low) / width, level)
    evidence = Evidence(student, loss, seen)
    drawn = _draw(draws, evidence, anytime, loss, limit)
    if not anytime.n:
        raise InvalidInput("No row was drawn.", "Give an iterator of (rows, answers) batches.")
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


def _draw(draws: Batches, evidence: Evidence, anytime: AnytimeBound, loss: Loss, limit: int) -> int:
    """Feed batches to the bound until it is certified; the number of rows drawn."""
    drawn = 0
    for batch, answers in draws:
        drawn += count(batch)
        before = anytime.n
        losses: NDArray[Any] = evidence.measure(batch, answers)[: limit - before]
        anytime.update(to_unit(losses, loss.low, loss.high) if len(losses) else losses)
        evidence.record(batch, answers, anytime.n - before)
        if anytime.certified or anytime.n >= limit:
            break
    return drawn
