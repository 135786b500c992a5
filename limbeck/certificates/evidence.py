"""Rows, answers and a student turned into losses and fingerprints, a block at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates.fingerprint import Fingerprint, refuse_seen, row_hashes
from limbeck.certificates.losses import Loss, encode_answers, encode_predictions
from limbeck.contract import Task
from limbeck.features import Features, Rows

__all__ = ["Evidence", "Predictor"]

_BLOCK = 65_536


class Predictor(Protocol):
    """What a certificate needs of a student."""

    @property
    def features_(self) -> Features:
        """The columns it reads."""
        ...

    @property
    def task_(self) -> Task:
        """What it predicts."""
        ...

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values, shape (n,)."""
        ...

    def fingerprint(self) -> str:
        """SHA-256 of its canonical form."""
        ...


@dataclass
class Evidence:
    """Rows and answers read in order, and the losses of a student on them.

    Parameters
    ----------
    student : Predictor
        The student.
    loss : Loss
        What is counted.
    seen : ndarray of uint64, optional
        Hashes of the rows that training saw. Of a student with a method ``bare`` they are of what
        it makes of rows (n, d): without answers that lie beside the inputs, and without padding.
    """

    student: Predictor
    loss: Loss
    seen: NDArray[np.uint64] | None = None
    _answers: list[NDArray[np.float64]] = field(default_factory=list)
    _hashes: list[NDArray[np.uint64]] = field(default_factory=list)
    _rows: Fingerprint = field(default_factory=Fingerprint)

    @property
    def rows(self) -> str:
        """SHA-256 of the rows with their answers."""
        answers = np.concatenate(self._answers)
        return self._rows.hexdigest(answers, self.student.task_.classes)

    def record(self, rows: Any, answers: Any, n: int) -> None:
        """Fingerprint the first n rows and their answers.

        Raises
        ------
        InvalidInput
            If rows or answers do not fit the student.
        """
        features = self.student.features_
        _, encoded = encode_answers(answers, count(rows), self.student.task_)
        self._answers.append(encoded[:n])
        for part, _ in _blocks(rows, features, n):
            values = features.encode(part)
            self._rows.add(values)
            if self.seen is not None:
                bare = getattr(self.student, "bare", None)
                self._hashes.append(row_hashes(values if bare is None else bare(values)))

    def measure(self, rows: Any, answers: Any) -> NDArray[np.float64]:
        """Losses of the student, shape (n,); absolute errors where a tolerance is to be found.

        Parameters
        ----------
        rows : DataFrame, array or Rows of shape (n, d)
            As the student takes them.
        answers : array-like of shape (n,)
            The teacher's answers.

        Raises
        ------
        InvalidInput
            If rows, answers or predictions do not fit.
        """
        n, task = count(rows), self.student.task_
        raw, encoded = encode_answers(answers, n, task)
        out = np.empty(n, dtype=np.float64)
        for part, where in _blocks(rows, self.student.features_, n):
            size = where.stop - where.start
            predicted, p = encode_predictions(self.student.predict(part), size, task)
            out[where] = self.loss.each(predicted, raw[where], p, encoded[where])
        return out

    def freshness(self) -> str:
        """Refuse rows that training saw, or say what was compared.

        Raises
        ------
        InvalidInput
            If training saw them; see `fingerprint.overlap`.
        """
        if self.seen is None:
            return (
                "No list of the rows that training saw was given: that these rows are fresh is"
                " the word of whoever gave them."
            )
        found = refuse_seen(np.concatenate(self._hashes), self.seen)
        return (
            f"The rows were compared with the {len(self.seen):,} rows that training saw:"
            f" {found.hits:,} of {found.n:,} coincide"
            + (", no more than repeats in the data explain." if found.hits else ".")
        )


def count(rows: Any) -> int:
    """The number of rows of a DataFrame, array, list or Rows."""
    return int(rows.shape[0]) if hasattr(rows, "shape") else len(rows)


def _blocks(rows: Any, features: Features, n: int) -> Iterator[tuple[Any, slice]]:
    """Slices of the first n rows, in the form in which they were given."""
    if isinstance(rows, Rows) and rows.features != features:
        rows = rows.native()  # codes of another encoding would mean other categories
    if not hasattr(rows, "shape") and not isinstance(rows, Rows):
        rows = np.asarray(rows)
    frame = getattr(rows, "iloc", rows)
    for start in range(0, n, _BLOCK):
        where = slice(start, min(start + _BLOCK, n))
        yield frame[where], where


def first(rows: Any, n: int) -> Any:
    """The first n rows, in the form in which they were given."""
    return getattr(rows, "iloc", rows)[:n]
