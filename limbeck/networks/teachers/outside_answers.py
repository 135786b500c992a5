"""What a model that is no network answers, as the outputs that losses read: logits or numbers.

The logarithm of probabilities is a logit of each class, since softmax(log p) = p; that of
p / (1 - p) for multi-label targets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import InvalidInput, TeacherFailed
from limbeck.core.task import Task
from limbeck.data.labels import UNLABELLED, class_codes, classes_of
from limbeck.data.scores import KnownOutputs, OutputReading, read_scores, sums_to_one, within_one

__all__ = ["Reader", "per_label", "reading_of_answers", "said_of"]

_SURE = 30.0
"""The logit of a label: exp(-30) is less than what float32 adds to 1."""
_TINY = 1e-30


@dataclass(frozen=True, eq=False)
class Reader:
    """Answers as outputs (n, k), logits or numbers, in the order of the student's classes.

    Parameters
    ----------
    reading : OutputReading
        What the answers are.
    outputs : int
        Of the student, k.
    classes : tuple of labels
        What the student's outputs are, in their order; two for one output.
    per_label : bool
        Whether answers are probabilities of multi-label targets.
    """

    reading: OutputReading
    outputs: int
    classes: tuple[Any, ...]
    per_label: bool

    def __call__(self, raw: NDArray[Any]) -> NDArray[Any]:
        """Outputs of shape (n, k), from answers (n,) or (n, k); others are left as they are.

        Raises
        ------
        InvalidInput
            If the classes are not those of the student.
        TeacherFailed
            If an answer is none of the classes.
        """
        kind, own = self.reading.kind, self.reading.task.classes
        if raw.ndim > 2 or kind is ScoreKind.VALUE:
            return raw[:, None] if raw.ndim == 1 else raw
        if kind is ScoreKind.LABEL and raw.ndim == 1:
            codes = class_codes(raw, own)
            if (codes < 0).any():
                raise TeacherFailed(
                    f"The teacher answered {raw[codes < 0].tolist()[0]!r}, which is none of its"
                    f" classes {list(own)[:8]}.",
                    "Give classes=[...] of all that it answers.",
                )
            return self._ordered(_SURE * np.eye(len(own))[codes], -_SURE)
        table = raw.astype(np.float64)
        if self.per_label:
            p = table.clip(_TINY, 1 - 1e-7)
            return np.asarray(np.log(p) - np.log1p(-p))
        if kind is ScoreKind.PROBABILITY:
            table = np.column_stack([1 - table, table]) if table.ndim == 1 else table
            return self._ordered(np.log(table.clip(_TINY)), float(np.log(_TINY)))
        if kind is ScoreKind.LABEL:
            return self._ordered(_SURE * table, -_SURE)
        table = np.column_stack([np.zeros(len(table)), table]) if table.ndim == 1 else table
        return self._ordered(table, float(np.log(_TINY)))

    def _ordered(self, table: NDArray[Any], absent: float) -> NDArray[Any]:
        """Columns of the teacher's classes in the order of the student's; (n, 1) for one output."""
        own, k = list(self.reading.task.classes), self.outputs
        wanted = list(self.classes)
        if own == list(range(len(wanted))):  # numbered as the outputs are, which have names
            own = wanted
        if not set(own) <= set(wanted) or table.shape[1] != len(own):
            raise InvalidInput(
                f"The teacher's classes are {own[:8]}, those of the student's outputs"
                f" {wanted[:8]}.",
                "Name the classes in the order of the student's outputs: classes=[...].",
            )
        out = np.full((len(table), len(wanted)), absent)
        out[:, [wanted.index(c) for c in own]] = table
        return out[:, 1:] - out[:, :1] if k == 1 else out


def reading_of_answers(
    some: NDArray[Any],
    name: str,
    labels: Any,
    classes: Sequence[Any] | None,
    regression: bool,
    outputs: int,
) -> OutputReading:
    """What answers are.

    Parameters
    ----------
    some : ndarray of shape (n,) or (n, k)
        Answers to some rows.
    name : str
        The model's, for messages.
    labels : ndarray of shape (n,) or None
        The true labels of these rows.
    classes : sequence or None
        Names of the classes in the order of the student's outputs.
    regression : bool
        Whether it was said that numbers are predicted.
    outputs : int
        Of the student.
    """
    if some.ndim > 2:
        return OutputReading(Task(), ScoreKind.VALUE if regression else ScoreKind.LOGIT)
    own: Any = () if labels is None else classes_of(labels, unlabelled=UNLABELLED)
    numbers = regression or (outputs == 1 and own is None)
    given = None if numbers or classes is None else classes
    if given is None and not numbers and outputs > 1:
        given = range(outputs) if some.ndim == 2 or labels is None else None
        own = tuple(range(outputs))
    known = KnownOutputs(name, None if given is None else list(given), labels=own or (),
                         regression=numbers)  # fmt: skip
    return read_scores(some, known)


def per_label(some: NDArray[Any], reading: OutputReading, outputs: int) -> bool:
    """Whether answers (n, k) are probabilities of multi-label targets.

    Parameters
    ----------
    some : ndarray of shape (n, k)
        Outputs for a few rows.
    reading : OutputReading
        How the outputs are understood.
    outputs : int
        Number of outputs.
    """
    table = some.ndim == 2 and some.shape[1] == outputs > 1 and some.dtype.kind == "f"
    return table and reading.kind is ScoreKind.LOGIT and within_one(some) and not sums_to_one(some)


def said_of(name: str, reading: OutputReading, per_label: bool) -> str:
    """What the answers were taken for, in a sentence.

    Parameters
    ----------
    name : str
        What the teacher is called.
    reading : OutputReading
        How its outputs are understood.
    per_label : bool
        Whether they are probabilities of multi-label targets.
    """
    what = {
        ScoreKind.PROBABILITY: "probabilities: losses read their logarithm as logits",
        ScoreKind.LOGIT: "logits",
        ScoreKind.LABEL: "labels, which are hard targets: it says nothing of how sure it is",
        ScoreKind.VALUE: "numbers to be predicted",
    }[reading.kind]
    if per_label:
        what = "probabilities of multi-label targets: losses read log(p / (1 - p))"
    return f"The answers of the teacher {name} were taken for {what}."
