"""The steps of a way by other students, certified on the rows set aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.api.prepare.table import Request
from limbeck.certificates.certify import certify
from limbeck.certificates.composed import ComposedBound, step_delta
from limbeck.core.certificate import Certificate
from limbeck.core.contract import Student
from limbeck.core.registry import STUDENTS
from limbeck.evaluation.holdout import Apart

__all__ = ["can_be_chained", "chained", "kind_of"]


def chained(
    request: Request,
    apart: Apart,
    steps: Sequence[Student],
    told: NDArray[Any],
    direct: Certificate,
) -> ComposedBound | None:
    """The certificate of each step, on rows that none of them saw; None where there is none.

    Parameters
    ----------
    request : Request
        What was asked for; half of its delta is for all steps together.
    apart : Apart
        The rows set aside.
    steps : sequence of Student
        The students in order.
    told : ndarray of shape (n,)
        The teacher's labels or values on the rows set aside.
    direct : Certificate
        Of the last student against the teacher.
    """
    if not can_be_chained(request, apart, steps):
        return None
    certificates = []
    classifies = steps[-1].task_.classifies
    for student in steps:
        certificates.append(
            certify(
                student,
                apart.test_rows,
                told,
                delta=step_delta(request.delta, len(steps)),
                epsilon=None if classifies else request.epsilon / len(steps),
                seen=apart.seen,
                cases=apart.test.cases,
                duplicates=apart.duplicates,
                candidates=request.candidates,
            )
        )
        told = np.asarray(student.predict(apart.test_rows))
    return ComposedBound(tuple(map(kind_of, steps)), tuple(certificates), direct)


def can_be_chained(request: Request, apart: Apart, steps: Sequence[Student]) -> bool:
    """Whether there are several steps, and rows enough to certify each.

    A rate of disagreement is bounded by any number of rows; a tolerance needs n rows with
    (1 - epsilon)^n at most delta (Wilks 1941). This is known before any answer is compared.

    Parameters
    ----------
    request : Request
        What was asked for.
    apart : Apart
        The rows set aside.
    steps : sequence of Student
        The students in order; none for a way of one step.
    """
    if not steps or steps[-1].task_.classifies:
        return bool(steps)
    cases, once = apart.test.cases, apart.once
    n = len(once) if cases is None else len(set(np.asarray(cases)[once].tolist()))
    share, delta = request.epsilon / len(steps), step_delta(request.delta, len(steps))
    return n * math.log1p(-share) <= math.log(delta)


def kind_of(student: Any) -> str:
    """What a student is called: as it is registered."""
    return STUDENTS.name_of(type(student)) or type(student).__name__.lower()
