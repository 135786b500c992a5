"""The fields of a distillation: the student, its certificate, the control, how it was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.composed import ComposedBound
from limbeck.core.certificate import Certificate
from limbeck.core.columns import Rows
from limbeck.core.contract import Student
from limbeck.core.status import Status
from limbeck.evaluation.comparison import Comparison

__all__ = ["DistillationRecord", "Holdout"]


@dataclass(frozen=True, eq=False)
class Holdout:
    """The rows of the certificate, the teacher's answers on them, and the labels if given.

    ``answers`` and ``y`` hold labels or values, ``seen`` the hashes of rows the method saw, with
    those of their cases where rows have cases.
    """

    rows: Rows
    answers: NDArray[Any]
    y: NDArray[Any] | None
    groups: NDArray[Any] | None
    seen: NDArray[np.uint64]
    cases: NDArray[Any] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class DistillationRecord:
    """What one distillation was and came to: the fields that its table and its page are made of.

    Parameters
    ----------
    student : Student
        The student; it holds no teacher.
    status : Status
        How the search ended, and what to do about it.
    certificate : Certificate
        How far the student is from the teacher, on rows the method never saw.
    comparison : Comparison
        Teacher, student, control and baselines on those rows.
    frontier : tuple of dict
        By size: the cost on rows and queries, and the agreement on the holdout rows (a point
        estimate; only the chosen student is certified).
    queries, rows_seen : int
        Teacher answers beyond the user's rows; rows of the user that the method saw.
    trace : mapping
        Numbers of the search: probes, seconds, layers, LRH score.
    settings : mapping
        Everything needed to run it again, versions included.
    notes : tuple of str
        What was guessed about the teacher, and what a reader should know.
    holdout : Holdout or None
        What :meth:`save` writes so that a third party can verify; None where it was read from a
        folder without these rows.
    steps : tuple of Student
        Of a way of several steps (``via``): all students, the last being ``student``; else empty.
    chain : ComposedBound or None
        Their certificates, step by step, beside the direct one.
    """

    student: Student
    status: Status
    certificate: Certificate
    comparison: Comparison
    frontier: tuple[Mapping[str, float], ...]
    queries: int
    rows_seen: int
    trace: Mapping[str, Any]
    settings: Mapping[str, Any]
    holdout: Holdout | None = field(repr=False)
    notes: tuple[str, ...] = ()
    steps: tuple[Student, ...] = field(default=(), repr=False)
    chain: ComposedBound | None = None

    @property
    def verdict(self) -> str:
        """What came out, in two or three sentences."""
        both = f" {self.chain.sentence}" if self.chain else ""
        return f"{self.certificate.statement}{both} {self.comparison.sentence}"
