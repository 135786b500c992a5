"""A model that answers rows in batches and says nothing of its inside: scores and their checks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.contract import Access
from limbeck.core.errors import InvalidInput, LimbeckError, TeacherFailed
from limbeck.core.task import Label, Task
from limbeck.data.labels import as_classes, class_codes
from limbeck.data.scores import KnownOutputs, read_scores
from limbeck.teachers.closed import Closed

__all__ = ["BatchedTeacher"]


class BatchedTeacher(Closed):
    """Scores of a model that is asked batch by batch; a kind of model adds ``_ask``.

    Parameters
    ----------
    name : str
        The name for tables and reports.
    classes : sequence of labels, optional
        The classes in the order of the scores; without them the model predicts a number.
    unit : str
        The unit of a predicted number.
    score_kind : {"logit", "probability", "label"}, optional
        What a classifier's answers are. Otherwise found at the first query (``label`` until
        then), as `limbeck.data.scores.read_scores` does.
    preprocess : callable, optional
        From the user's rows to what the model takes, applied to one batch at a time.
    batch_size : int
        Rows in one call of the model; nothing larger is kept beside the scores.

    Raises
    ------
    InvalidInput
        If there are fewer than two different classes, or the kind does not fit the task.
    """

    _by_hand = "Call the model on these rows by itself."

    def __init__(
        self,
        name: str,
        *,
        classes: Sequence[Label] | None = None,
        unit: str = "",
        score_kind: ScoreKind | str | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        batch_size: int = 65_536,
    ) -> None:
        if batch_size < 1:
            raise InvalidInput(f"batch_size is {batch_size}.", "Give at least 1.")
        self.name = name
        self.preprocess = preprocess
        self.batch_size = batch_size
        labels = () if classes is None else as_classes(classes)
        self.task = Task(labels, unit="" if labels else unit)
        kinds = set(ScoreKind) - {ScoreKind.VALUE} if classes is not None else {ScoreKind.VALUE}
        if score_kind is not None and score_kind not in kinds:
            raise InvalidInput(
                f"score_kind is {str(score_kind)!r}.",
                f"Give one of {', '.join(sorted(kinds))} here, or classes=[...].",
            )
        self.access = Access.SCORES | Access.QUERIES
        self._kind = None if score_kind is None else ScoreKind(score_kind)
        if classes is None:
            self._kind = ScoreKind.VALUE

    @property
    def score_kind(self) -> ScoreKind:
        """What the scores are; label until the first query where it was not given."""
        return self._kind or ScoreKind.LABEL

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k); labels one-hot, one logit z as (0, z).

        Raises
        ------
        TeacherFailed
            If the model raises, or does not answer each row with what its task needs.
        """
        X = X if hasattr(X, "shape") else np.asarray(X)
        out = np.empty((len(X), self.task.outputs))
        for rows, raw in self._answers(X):
            out[rows] = self._columns(raw, rows)
        return out

    def look(self, X: Any) -> NDArray[Any]:
        """The model's answers to rows as they are, of shape (n,) or (n, k).

        Parameters
        ----------
        X : rows
            In the user's form.
        """
        return np.concatenate([raw for _, raw in self._answers(X)])

    def _answers(self, X: Any) -> Iterator[tuple[slice, NDArray[Any]]]:
        for start in range(0, len(X), self.batch_size):
            rows = slice(start, min(start + self.batch_size, len(X)))
            batch = X.iloc[rows] if hasattr(X, "iloc") else X[rows]
            yield rows, self._call(batch, rows)

    @abstractmethod
    def _ask(self, batch: Any) -> Any:
        """What the model answers to some rows, after ``preprocess``: (n,) or (n, k)."""

    def _call(self, batch: Any, rows: slice) -> NDArray[Any]:
        try:
            raw = self._ask(self.preprocess(batch) if self.preprocess else batch)
        except LimbeckError:
            raise
        except Exception as error:
            raise TeacherFailed(
                f"{self.name} raised {type(error).__name__} on rows {rows.start} to"
                f" {rows.stop - 1}: {str(error).split(chr(10) + 'Stack trace')[0]}",
                self._by_hand,
            ) from error
        raw = np.asarray(raw.detach().cpu() if hasattr(raw, "detach") else raw)
        if raw.ndim == 2 and raw.shape[1] == 1:
            raw = raw[:, 0]
        if raw.ndim not in (1, 2) or len(raw) != rows.stop - rows.start:
            raise self._failed(f"returned shape {raw.shape}", rows)
        return raw

    def _columns(self, raw: NDArray[Any], rows: slice) -> NDArray[Any]:
        """Scores (n, k) of one batch, checked against the task."""
        classes = self.task.classes
        numbers = np.issubdtype(raw.dtype, np.number) or raw.dtype == np.bool_
        if (
            self._kind is None
            and (numbers or raw.ndim == 1)
            and raw.shape[1:] in ((), (len(classes),))
        ):
            self._kind = read_scores(raw, KnownOutputs(self.name, classes)).kind
        if self._kind is ScoreKind.LABEL and raw.ndim == 1:
            codes = class_codes(raw, classes)
            if (codes < 0).any():
                label = raw[codes < 0].tolist()[0]
                raise self._failed(f"returned {label!r}, which is none of its classes,", rows)
            return np.eye(len(classes))[codes]
        if not numbers:
            raise self._failed(f"returned {raw.dtype} that are not numbers", rows)
        wide = raw.ndim == 2 and raw.dtype in (np.float32, np.float64)
        table: NDArray[Any] = raw if wide else raw.astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):  # one pass that all checks read
            sums = table @ np.ones(table.shape[1], table.dtype) if table.ndim == 2 else table
        finite = bool(np.isfinite(sums).all())
        slack = 1e-2 if raw.dtype.itemsize < 4 else 1e-4
        if self._kind is ScoreKind.PROBABILITY and finite and not _shares(table, sums, slack):
            raise TeacherFailed(
                f"The answers of {self.name} were taken for probabilities, and rows {rows.start} to"
                f" {rows.stop - 1} hold others.",
                "Give score_kind='logit', or regression=True.",
            )
        if raw.ndim == 1 and len(classes) == 2:
            first = 1 - table if self._kind is ScoreKind.PROBABILITY else np.zeros(len(table))
            table = np.column_stack([first, table])
        table = table[:, None] if table.ndim == 1 else table
        if table.shape[1] != (len(classes) or 1):
            raise self._failed(f"returned {table.shape[1]} column(s)", rows)
        if not finite and not np.isfinite(table).all():
            bad = int(np.flatnonzero(~np.isfinite(table).all(axis=1))[0]) + rows.start
            raise self._failed(f"gave a score that is not a finite number for row {bad}", rows)
        return table

    def _failed(self, what: str, rows: slice) -> TeacherFailed:
        k = len(self.task.classes)
        wanted = f"labels or scores of shape (n, {k})" if k else "one number per row"
        return TeacherFailed(
            f"{self.name} {what} for rows {rows.start} to {rows.stop - 1}.",
            f"Let it return {wanted}"
            + (", or set score_kind='logit' for one logit." if k == 2 else "."),
        )


def _shares(table: NDArray[Any], sums: NDArray[Any], slack: float) -> bool:
    """Whether all are between 0 and 1, and those of a row have the sum 1."""
    if float(table.min(initial=0.0)) < -1e-9:
        return False
    if table.ndim == 1:
        return float(table.max(initial=0.0)) <= 1 + slack
    return float(np.abs(sums - 1).max(initial=0.0)) <= slack
