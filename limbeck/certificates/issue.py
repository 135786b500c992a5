"""From numbers to a certificate: the one place where the record is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from limbeck.certificates import wording
from limbeck.certificates.evidence import Evidence
from limbeck.contract import Certificate, GroupBound

__all__ = ["issue"]


def issue(
    evidence: Evidence,
    *,
    epsilon: float,
    delta: float,
    n: int,
    mean: float,
    bound: str,
    asked: float | None,
    tolerance: float | None,
    candidates: int,
    groups: tuple[GroupBound, ...] = (),
    settings: Mapping[str, Any],
) -> Certificate:
    """Fill in a certificate, with its sentence and its assumptions.

    Parameters
    ----------
    evidence : Evidence
        The student, the rows that were recorded and the loss.
    epsilon, delta : float
        The bound and the probability that it is wrong.
    n : int
        Rows used.
    mean : float
        Mean loss on them.
    bound : str
        The bound and its source, one of the names in `wording`.
    asked, tolerance : float or None
        As in `Certificate`.
    candidates : int
        Students that share delta.
    groups : tuple of GroupBound
        Bounds by group.
    settings : mapping
        What else is needed to recompute; ``until`` and ``drawn`` mark an anytime bound.

    Returns
    -------
    Certificate
        The record.

    Raises
    ------
    InvalidInput
        If training saw the rows; see `fingerprint.overlap`.
    """
    loss, anytime = evidence.loss, bound == wording.ANYTIME
    sentence = wording.statement(
        loss,
        epsilon=epsilon,
        delta=delta,
        n=n,
        mean=mean,
        tolerance=tolerance,
        anytime=anytime,
        candidates=candidates,
    )
    if asked is not None:
        sentence += wording.against_asked(loss, epsilon, asked, delta / candidates, mean)
    return Certificate(
        epsilon=epsilon,
        delta=delta,
        n=n,
        mean_loss=mean,
        loss=loss.name,
        bound=bound,
        statement=sentence + wording.surplus(n, settings.get("drawn", n)),
        assumptions=wording.assumptions(
            loss,
            freshness=evidence.freshness(),
            anytime=anytime,
            candidates=candidates,
            groups=len(groups),
            order=bound in (wording.BETTING, wording.ANYTIME),
        ),
        student=evidence.student.fingerprint(),
        rows=evidence.rows,
        asked=asked,
        tolerance=tolerance,
        groups=groups,
        settings={
            "candidates": candidates,
            "level": delta / candidates,
            "loss_range": [loss.low, loss.high],
            "own_loss": loss.function is not None,
            "finds_tolerance": loss.finds_tolerance,
            **settings,
            "versions": wording.versions(),
        },
    )
