"""A table of rows and their scores as a teacher: it answers these rows and no others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.contract import Access, Label, ScoreKind, Task
from limbeck.data.labels import classes_of, encode_labels, label_array
from limbeck.errors import AccessDenied, InvalidInput
from limbeck.features import Features
from limbeck.teachers.closed import Closed

__all__ = ["StoredScores"]


class StoredScores(Closed):
    """What a model once answered, without the model.

    A row is looked up by its values. Of a row that is stored several times the mean of the scores
    counts; of labels the most frequent, the first class of equally frequent ones.

    Parameters
    ----------
    X : array-like or DataFrame of shape (n, d)
        The rows.
    scores : array-like of shape (n,) or (n, k)
        Labels, values, or one column a class. One column of numbers is read as values if a unit is
        given, or there are fractions or more than 100 different whole numbers; as labels
        otherwise.
    classes : sequence of labels, optional
        The classes in the order of the columns; by default the sorted labels, or 0 to k - 1.
    unit : str
        The unit of the values.
    score_kind : {"logit", "probability", "label", "value"}, optional
        What the scores are. Otherwise k columns are probabilities where rows are non-negative and
        sum to 1, and logits elsewhere. One column of logits or of probabilities belongs to the
        second of two classes.
    name : str
        The name for reports.

    Raises
    ------
    InvalidInput
        If rows and scores do not go together, or scores are missing or not finite.
    """

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
        raw = np.asarray(scores.detach().cpu() if hasattr(scores, "detach") else scores)
        if raw.ndim < 2 or raw.shape[1:] == (1,):
            raw = label_array(scores, "scores")
        if raw.ndim not in (1, 2) or len(raw) != len(values):
            raise InvalidInput(
                f"There are {len(values)} rows, and the scores have shape {raw.shape}.",
                "Give one score, or one line of scores, for each row.",
            )
        if classes is not None:
            classes = [c.item() if isinstance(c, np.generic) else c for c in classes]
        elif raw.ndim == 1 and score_kind in (None, "label") and not unit:
            classes = classes_of(scores, what="scores")
        self.score_kind = _kind_of(raw, classes, unit, score_kind)
        self.task, table = _table(raw, classes, unit, self.score_kind)
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


def _kind_of(
    raw: NDArray[Any], classes: Any, unit: str, given: ScoreKind | str | None
) -> ScoreKind:
    if given is not None:
        if given not in set(ScoreKind):
            raise InvalidInput(
                f"score_kind is {str(given)!r}.", f"Give one of {', '.join(ScoreKind)}."
            )
        return ScoreKind(given)
    if raw.ndim == 2:
        if raw.dtype.kind not in "fiub":
            return ScoreKind.LOGIT  # refused later: no numbers
        whole = (raw >= 0).all() and np.allclose(raw.sum(axis=1), 1.0, atol=1e-4)
        return ScoreKind.PROBABILITY if whole else ScoreKind.LOGIT
    return ScoreKind.VALUE if classes is None else ScoreKind.LABEL


def _table(
    raw: NDArray[Any], classes: Sequence[Label] | None, unit: str, kind: ScoreKind
) -> tuple[Task, NDArray[np.float64]]:
    """The task, and scores of shape (n, k)."""
    if raw.ndim == 1 and kind is ScoreKind.LABEL:
        return _one_hot(raw, classes)
    try:
        table = raw.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"The scores are {raw.dtype} that are not numbers.", "Give numbers, or labels (n,)."
        ) from None
    if not np.isfinite(table).all():
        bad = int(np.flatnonzero(~np.isfinite(table).reshape(len(table), -1).all(axis=1))[0])
        raise InvalidInput(f"The score of row {bad} is not finite.", "Drop such rows.")
    if kind is ScoreKind.VALUE:
        if table.ndim == 2 or classes is not None:
            raise InvalidInput(
                f"Values were given with shape {table.shape}"
                + (" and classes." if classes is not None else "."),
                "Give values as shape (n,) without classes.",
            )
        return Task(unit=unit), table[:, None]
    if table.ndim == 1:
        other = 1 - table if kind is ScoreKind.PROBABILITY else np.zeros(len(table))
        table = np.column_stack([other, table])
    labels = tuple(range(table.shape[1])) if classes is None else tuple(classes)
    if len(labels) != table.shape[1]:
        raise InvalidInput(
            f"There are {len(labels)} classes for {table.shape[1]} columns of scores.",
            "Give one class a column, in the order of the columns.",
        )
    return Task(labels), table


def _one_hot(
    raw: NDArray[Any], classes: Sequence[Label] | None
) -> tuple[Task, NDArray[np.float64]]:
    labels = tuple(np.unique(raw).tolist() if classes is None else classes)
    codes = encode_labels(raw, labels, what="scores", owner="the classes; name all of them")
    return Task(labels), np.eye(len(labels))[codes]
