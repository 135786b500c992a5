"""A table of rows and their scores as a teacher: it answers these rows and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.columns import Features
from limbeck.core.contract import Access
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Label
from limbeck.data.labels import encode_labels
from limbeck.data.scores import KnownOutputs, OutputReading, read_scores, read_table
from limbeck.teachers.closed import Closed
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.reading import FirstOutputs

__all__ = ["StoredScores"]


@TEACHERS.register("stored")
class StoredScores(Closed):
    """What a model once answered, without the model.

    A row is looked up by its values. Of a row that is stored several times the mean of the scores
    counts; of labels the most frequent, the first class of equally frequent ones.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n, d)
        The rows.
    scores : array-like of shape (n,) or (n, k)
        Labels, values, or one column per class, read as `limbeck.data.scores.read_scores` does.
    classes : sequence of labels, optional
        The classes in the order of the columns; by default the sorted labels, or 0 to k - 1.
    unit : str
        The unit of the values.
    score_kind : {"logit", "probability", "label", "value"}, optional
        What the scores are. One column of logits or of probabilities belongs to the second of two
        classes.
    name : str
        The name for reports.

    Raises
    ------
    InvalidInput
        If rows and scores do not go together, or scores are missing or not finite.
    """

    entry = TeacherEntry(
        "rows with the scores that a model once gave them",
        "limbeck.distill((X, scores), X)",
        Access.SCORES,
        order=1,
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it is a pair (X, scores)."""
        return isinstance(model, tuple) and len(model) == 2

    @classmethod
    def from_object(
        cls,
        pair: Any,
        *,
        classes: Sequence[Label] | None = None,
        unit: str = "",
        score_kind: ScoreKind | str | None = None,
        name: str = "stored scores",
        regression: bool = False,
    ) -> Self:
        """The teacher of a pair (X, scores).

        Parameters
        ----------
        pair : tuple
            Rows and scores.
        classes, unit, score_kind, name
            As in the constructor.
        regression : bool
            Whether the scores are numbers that were predicted.
        """
        kind = ScoreKind.VALUE if regression else score_kind
        X, scores = pair
        return cls(X, scores, classes, unit, kind, name)

    @classmethod
    def first_outputs(
        cls, pair: Any, example: Any, options: dict[str, Any], k: int
    ) -> FirstOutputs:
        """The scores; see `limbeck.teachers.reading.read_outputs`.

        Parameters
        ----------
        pair : tuple
            Rows and scores.
        example : rows or None
            Not needed.
        options : dict
            Those of `from_object`.
        k : int
            The number of classes, or 0.
        """
        return FirstOutputs(read_table(pair[1]), str(options.get("name") or "stored scores"))

    def __init__(
        self,
        X: Any,
        scores: Any,
        classes: Sequence[Label] | None = None,
        unit: str = "",
        score_kind: ScoreKind | str | None = None,
        name: str = "stored scores",
    ) -> None:
        self.name = name
        self.access = Access.SCORES
        self._features = Features.of(X)
        values = self._features.encode(X)
        raw = read_table(scores)
        if raw.ndim not in (1, 2) or len(raw) != len(values):
            raise InvalidInput(
                f"There are {len(values)} rows, and the scores have shape {raw.shape}.",
                "Give one score, or one line of scores, for each row.",
            )
        if score_kind is not None and score_kind not in set(ScoreKind):
            raise InvalidInput(
                f"score_kind is {str(score_kind)!r}.", f"Give one of {', '.join(ScoreKind)}."
            )
        read = read_scores(raw, KnownOutputs(name, classes, kind=score_kind, unit=unit))
        self.task, self.score_kind, self.note = read.task, read.kind, read.note
        table = _table(raw, read)
        self._places: dict[bytes, int] = {}
        places = np.array([self._places.setdefault(k, len(self._places)) for k in _keys(values)])
        sums = np.zeros((len(self._places), table.shape[1]))
        np.add.at(sums, places, table)
        self._scores = sums / np.bincount(places)[:, None]
        if self.score_kind is ScoreKind.LABEL:
            self._scores = np.eye(table.shape[1])[self._scores.argmax(axis=1)]

    def __len__(self) -> int:
        """Number of different rows."""
        return len(self._scores)

    def scores(self, X: Any) -> NDArray[np.float64]:
        """The stored scores of these rows, of shape (n, k).

        Raises
        ------
        AccessDenied
            If a row is not stored.
        """
        places = [self._places.get(key, -1) for key in _keys(self._features.encode(X))]
        if -1 in places:
            raise AccessDenied(
                f"stored scores cannot answer new rows, and row {places.index(-1)} is not stored.",
                "Give the model itself as the teacher, or use a method that asks for no new rows.",
            )
        return self._scores[places]

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"stored scores have no {what}.", "Give the model itself as the teacher."
        )


def _keys(values: NDArray[np.float64]) -> Iterator[bytes]:
    """A digest of 128 bits for each row; -0 counts as 0, and all NaN are one."""
    same = np.ascontiguousarray(values + 0.0)
    same[np.isnan(same)] = np.nan
    return (blake2b(row.tobytes(), digest_size=16).digest() for row in same)


def _table(raw: NDArray[Any], read: OutputReading) -> NDArray[np.float64]:
    """Scores of shape (n, k)."""
    if raw.ndim == 1 and read.kind is ScoreKind.LABEL:
        owner = "the classes; name all of them"
        codes = encode_labels(raw, read.task.classes, what="scores", owner=owner)
        return np.eye(len(read.task.classes))[codes]
    try:
        table = raw.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"The scores are {raw.dtype} that are not numbers.", "Give numbers, or labels (n,)."
        ) from None
    if not np.isfinite(table).all():
        bad = int(np.flatnonzero(~np.isfinite(table).reshape(len(table), -1).all(axis=1))[0])
        raise InvalidInput(f"The score of row {bad} is not finite.", "Drop such rows.")
    if read.kind is ScoreKind.VALUE:
        if table.ndim == 2:
            raise InvalidInput(
                f"Values were given with shape {table.shape}.", "Give values as shape (n,)."
            )
        return table[:, None]
    if table.ndim == 1:
        other = 1 - table if read.kind is ScoreKind.PROBABILITY else np.zeros(len(table))
        table = np.column_stack([other, table])
    return table
