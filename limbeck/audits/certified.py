"""The student of an audit that is handed on, and a certificate from rows that it never saw."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.audits.audited_rows import AuditTable
from limbeck.audits.results import Caveat
from limbeck.certificates.binomial import smallest_n
from limbeck.certificates.certify import MIN_ROWS, certify
from limbeck.certificates.fingerprint import seen_among
from limbeck.core.certificate import Certificate
from limbeck.core.columns import Rows
from limbeck.core.errors import InvalidInput
from limbeck.data.duplicates import kinds_of, row_hashes
from limbeck.students.additive.additive import Additive

__all__ = ["certified_student"]

_SHARE = 0.05
"""The share of inputs on which the student may stray further than its certificate says."""


def certified_student(
    table: AuditTable, aside: NDArray[np.bool_], pairs: int, level: float, seed: int
) -> tuple[Additive, Certificate | None, list[Caveat]]:
    """A student of the rows that are not set aside, and a certificate from those that are.

    Rows set aside whose features mark them as those of a row that the student saw (one person
    twice, with two scores) are no fresh draws, and are left out of the certificate.

    Parameters
    ----------
    table : AuditTable
        The n audited rows.
    aside : ndarray of bool, shape (n,)
        The rows of the certificate.
    pairs : int
        The most pairs of features in the student.
    level : float
        One minus the probability that the certificate is wrong.
    seed : int
        Of the student.

    Returns
    -------
    Additive, Certificate or None, list of Caveat
        Without a certificate a caveat says why.
    """
    rows = Rows(table.features, table.values)
    student = Additive(pairs=pairs, task="value", random_state=seed)
    student.fit(rows[~aside], table.score[~aside], table.mass[~aside])
    delta = round(1 - level, 12)
    if table.weighted:
        return student, None, _none(
            "rows are weighted, and a certificate needs rows that are drawn alike.",
            "Give a row a case, without weights.",
        )  # fmt: skip
    if table.case is not None:
        return student, None, _none(
            "several rows may be of one case, and a certificate needs independent rows.",
            "Give a row a case.",
        )  # fmt: skip
    seen = row_hashes(table.values[~aside])
    copied = seen_among(table.values[aside], seen, kinds_of(table.features)).copied
    fresh = np.flatnonzero(aside)[~copied]
    least = smallest_n(_SHARE, delta)
    if len(fresh) < max(least, MIN_ROWS):
        return student, None, _none(
            f"the {len(fresh)} rows set aside are too few.", f"Give {5 * least} rows or more."
        )  # fmt: skip
    try:
        certificate = certify(
            student, rows[fresh], table.score[fresh], delta=delta, epsilon=_SHARE,
            loss="tolerance", seen=seen,
        )  # fmt: skip
    except InvalidInput as refused:
        return student, None, _none(refused.problem, refused.remedy)
    return student, certificate, []


def _none(reason: str, remedy: str) -> list[Caveat]:
    return [Caveat("certificate", f"No certificate was made: {reason}", remedy)]
