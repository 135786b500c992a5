"""From numbers to a certificate: the one place where the record is filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from limbeck.certificates import sentences, texts, wording
from limbeck.certificates.evidence import Evidence
from limbeck.certificates.planning import RowsNeeded
from limbeck.certificates.streamed_evidence import StreamedEvidence
from limbeck.core.certificate import Certificate, GroupBound

__all__ = ["in_words", "issue"]

_ORDERED = (wording.BETTING, wording.ANYTIME, wording.ACTIVE)


def issue(
    evidence: Evidence | StreamedEvidence,
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
    plan: RowsNeeded | None = None,
    settings: Mapping[str, Any],
) -> Certificate:
    """Fill in a certificate, with its sentence and its assumptions.

    Parameters
    ----------
    evidence : Evidence or StreamedEvidence
        The student, the rows that were recorded and the loss.
    epsilon, delta : float
        The bound and the probability that it is wrong.
    n : int
        Draws: different rows, or cases.
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
    plan : RowsNeeded, optional
        What more rows would do, where the epsilon that was asked for is not reached.
    settings : mapping
        What else is needed to recompute; ``until`` and ``drawn`` mark an anytime bound.

    Returns
    -------
    Certificate
        The record.

    Raises
    ------
    InvalidInput
        If training saw the rows; see `limbeck.certificates.fingerprint.seen_among`.
    """
    loss, ordered = evidence.loss, bound in _ORDERED
    return in_words(
        Certificate(
            epsilon=epsilon,
            delta=delta,
            n=n,
            mean_loss=mean,
            loss=loss.name,
            bound=bound,
            statement="",
            assumptions=(),
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
                "unit": loss.unit,
                "rows": evidence.count,
                "cases": evidence.has_cases,
                "merged": evidence.units.merged,
                "duplicates": evidence.rule,
                "copies": evidence.duplicates.copies,
                "coincidences": evidence.duplicates.coincidences,
                "seen": evidence.seen_facts,
                "ordered_rows": evidence.ordered_rows if ordered or evidence.has_cases else None,
                "plan": None if plan is None else asdict(plan),
                **settings,
                "versions": wording.versions(),
            },
        )
    )


def in_words(certificate: Certificate) -> Certificate:
    """The same certificate with the statement and the assumptions that its numbers make."""
    if certificate.loss in texts.TEXT_LOSSES:
        return replace(
            certificate,
            statement=texts.statement_of_texts(certificate),
            assumptions=texts.assumptions_of_texts(certificate),
        )
    return replace(
        certificate,
        statement=sentences.statement_of(certificate),
        assumptions=sentences.assumptions_of(certificate),
    )
