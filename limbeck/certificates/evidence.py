"""Rows, answers and a student turned into losses and fingerprints, a block at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from limbeck.certificates import sentences
from limbeck.certificates.fingerprint import Fingerprint, among, read_seen_hashes, seen_among
from limbeck.certificates.losses import BoundedLoss, encode_answers, encode_predictions
from limbeck.core.columns import Features, Rows
from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task
from limbeck.core.texts import are_texts, as_texts
from limbeck.data.cases import Units, case_hashes, units_of
from limbeck.data.duplicates import ColumnKind, Duplicates, Rule, find_duplicates, kinds_of

__all__ = ["Evidence", "Predictor", "count", "first", "fresh_cases", "take"]

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
    loss : BoundedLoss
        What is counted.
    seen : ndarray of uint64, optional
        Hashes of the rows that training saw, (m,), or with those of their cases (m, 2). Of a
        student with a method ``bare`` they are of what it makes of rows (n, d): without answers
        that lie beside the inputs, and without padding.
    rule : {"auto", "drop", "keep"}
        What identical rows are; see `limbeck.data.duplicates.find_duplicates`.
    """

    student: Predictor
    loss: BoundedLoss
    seen: NDArray[np.uint64] | None = None
    rule: Rule = "auto"
    _answers: list[NDArray[np.float64]] = field(default_factory=list)
    _values: list[NDArray[np.float64]] = field(default_factory=list)
    _cases: list[NDArray[Any]] = field(default_factory=list)
    _rows: Fingerprint = field(default_factory=Fingerprint)

    def __post_init__(self) -> None:
        if self.seen is not None:
            self.seen = read_seen_hashes(self.seen)

    @property
    def rows(self) -> str:
        """SHA-256 of the rows with their answers, in any order."""
        return self._rows.hexdigest(np.concatenate(self._answers), self.student.task_.classes)

    @property
    def ordered_rows(self) -> str:
        """The same of the rows, and cases, in their order."""
        answers = np.concatenate(self._answers)
        out = self._rows.hexdigest(answers, self.student.task_.classes, ordered=True)
        if not self.has_cases:
            return out
        cases = units_of(np.arange(self.count), np.concatenate(self._cases)).of
        return hashlib.sha256(out.encode() + cases.astype("<i8").tobytes()).hexdigest()

    @property
    def count(self) -> int:
        """Rows recorded."""
        return sum(map(len, self._answers))

    @property
    def has_cases(self) -> bool:
        """Whether rows belong to cases."""
        return bool(self._cases)

    @property
    def kinds(self) -> Sequence[ColumnKind]:
        """What the columns hold by which rows are compared."""
        own: Sequence[ColumnKind] | None = getattr(self.student, "kinds", None)
        return kinds_of(self.student.features_) if own is None else own

    @cached_property
    def duplicates(self) -> Duplicates:
        """Which of the rows recorded are copies.

        Raises
        ------
        InvalidInput
            If the table was repeated; see `find_duplicates`.
        """
        return find_duplicates(np.concatenate(self._values), self.kinds, self.rule)

    @cached_property
    def units(self) -> Units:
        """The independent draws: different rows, or cases."""
        cases = np.concatenate(self._cases) if self._cases else None
        return units_of(self.duplicates.first, cases)

    def record(self, rows: Any, answers: Any, n: int, cases: NDArray[Any] | None = None) -> None:
        """Fingerprint the first n rows and their answers.

        Parameters
        ----------
        rows : DataFrame, array or Rows of shape (m, d)
            At least n rows.
        answers : array-like of shape (m,)
            The teacher's answers.
        n : int
            Rows to record.
        cases : ndarray of shape (m,), optional
            The case of each row.

        Raises
        ------
        InvalidInput
            If rows or answers do not fit the student.
        """
        for name in ("duplicates", "units"):
            self.__dict__.pop(name, None)  # they are of all rows
        features = self.student.features_
        _, encoded = encode_answers(answers, count(rows), self.student.task_)
        self._answers.append(encoded[:n])
        if cases is not None:
            self._cases.append(cases[:n])
        bare = getattr(self.student, "bare", None)
        for part, _ in _blocks(rows, features, n):
            values = features.encode(part)
            self._rows.add(values)
            self._values.append(values if bare is None else bare(values))

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
            If training saw them, or one of their cases; see `seen_among`.
        """
        return sentences.freshness(self.seen_facts)

    @property
    def seen_facts(self) -> dict[str, Any] | None:
        """The numbers of the comparison with rows that training saw; None without a list."""
        if self.seen is None:
            return None
        seen = self.seen
        own = seen if seen.ndim == 1 else seen[:, 0]
        values = np.concatenate(self._values)
        found = seen_among(values, own, self.kinds, self.rule)
        found.refuse()
        hits = int(found.hit.sum())
        facts = {"rows": len(own), "hits": hits, "of": len(values), "cases": None}
        if seen.ndim == 2 and self._cases:
            own_cases = np.unique(case_hashes(np.concatenate(self._cases)))
            facts["cases"] = fresh_cases(own_cases, np.unique(seen[:, 1]))
        digest = hashlib.sha256(np.sort(own).astype("<u8").tobytes()).hexdigest()
        return {**facts, "list": digest}


def fresh_cases(own: NDArray[np.uint64], seen: NDArray[np.uint64]) -> int:
    """The number of cases that training saw, none of which is here.

    Parameters
    ----------
    own, seen : ndarray of uint64
        Different hashes of the cases here, and of those that training saw.

    Raises
    ------
    InvalidInput
        If they share any.
    """
    shared = int(among(own, seen).sum())
    if shared:
        raise InvalidInput(
            f"Training saw {shared:,} of these {len(own):,} cases.",
            "Certify on cases of which training saw no row.",
        )
    return len(seen)


def count(rows: Any) -> int:
    """The number of rows of a DataFrame, array, list or Rows."""
    return int(rows.shape[0]) if hasattr(rows, "shape") else len(rows)


def _blocks(rows: Any, features: Features, n: int) -> Iterator[tuple[Any, slice]]:
    """Slices of the first n rows, in the form in which they were given."""
    if isinstance(rows, Rows) and rows.features != features:
        rows = rows.native()  # codes of another encoding would mean other categories
    if not hasattr(rows, "shape") and not isinstance(rows, Rows):
        rows = as_texts(rows) if are_texts(rows) else np.asarray(rows)
    frame = getattr(rows, "iloc", rows)
    for start in range(0, n, _BLOCK):
        where = slice(start, min(start + _BLOCK, n))
        yield frame[where], where


def first(rows: Any, n: int) -> Any:
    """The first n rows, in the form in which they were given.

    Parameters
    ----------
    rows : ndarray, DataFrame or sequence
        Rows in the user's form.
    n : int
        How many.
    """
    return getattr(rows, "iloc", rows)[:n]


def take(rows: Any, places: NDArray[Any]) -> Any:
    """Some of the rows, in the form in which they were given.

    Parameters
    ----------
    rows : ndarray, DataFrame, Rows or sequence
        Rows in the user's form.
    places : ndarray of int or bool
        Positions of the rows, or a mask.
    """
    if not hasattr(rows, "shape") and not isinstance(rows, Rows):
        rows = as_texts(rows) if are_texts(rows) else np.asarray(rows)
    return getattr(rows, "iloc", rows)[places]
