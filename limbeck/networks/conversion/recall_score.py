"""What a model recalls at one distance; needs no torch, so that results can be read without it."""

from __future__ import annotations

from dataclasses import dataclass

from limbeck.core.measured import Measured

__all__ = ["RecallScore"]


@dataclass(frozen=True)
class RecallScore:
    """Recall at one distance.

    Parameters
    ----------
    task : str
        ``copying``, ``associative recall`` or ``needle``.
    distance : int
        Tokens between what is to be recalled and where.
    right : Measured
        Share of sequences whose token is right, with its exact 95% interval.
    likelihood : float
        Mean probability of the right token.
    """

    task: str
    distance: int
    right: Measured
    likelihood: float
