"""What a certificate counts on each row: a loss, from a prediction and the teacher's answer."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, did_you_mean
from limbeck.core.task import Task
from limbeck.data.labels import class_codes, is_missing, label_array

__all__ = ["BoundedLoss", "LossFunction", "choose_loss", "encode_answers", "encode_predictions"]

LossFunction = Callable[[NDArray[Any], NDArray[Any]], Any]
"""``loss(predicted, answers) -> (n,)`` losses within the range that was declared."""

_NAMES = ("disagreement", "tolerance", "absolute", "squared")


@dataclass(frozen=True)
class BoundedLoss:
    """A loss and its range.

    Parameters
    ----------
    name : str
        As in the certificate: disagreement, exceeds, absolute, squared, or the callable's name.
    low, high : float
        The range of the loss.
    unit : str
        The unit of the answers, for the statement.
    tolerance : float or None
        For ``exceeds``: the error allowed, where it was fixed in advance.
    function : callable, optional
        The user's own loss, called with predictions and answers as they came.
    """

    name: str
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    tolerance: float | None = None
    function: LossFunction | None = None

    @property
    def counts(self) -> bool:
        """Whether the loss is 0 or 1 on each row, so that the exact binomial bound applies."""
        return self.name in ("disagreement", "exceeds") and self.function is None

    @property
    def finds_tolerance(self) -> bool:
        """Whether the tolerance is to be found from the rows."""
        return self.name == "exceeds" and self.tolerance is None and self.function is None

    def check_goal(self, until: float, while_rows: str) -> None:
        """Refuse a mean loss that cannot be certified while rows come in.

        Parameters
        ----------
        until : float
            The mean loss that is asked for.
        while_rows : str
            How they come, for the sentence: "are drawn".

        Raises
        ------
        InvalidInput
            If a tolerance would have to be found, or the goal is outside the range of the loss.
        """
        if self.finds_tolerance:
            raise InvalidInput(
                f"A tolerance cannot be found while rows {while_rows}.",
                "Fix it with tolerance=..., or give loss='absolute' with loss_range.",
            )
        if not self.low < until < self.high:
            raise InvalidInput(
                f"until is {until}, and it must lie strictly between {self.low:.6g} and"
                f" {self.high:.6g}.",
                "Ask for a mean loss within that range.",
            )

    def each(
        self,
        predicted: NDArray[Any],
        answers: NDArray[Any],
        p: NDArray[np.float64],
        a: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Losses of shape (n,); absolute errors where the tolerance is still to be found.

        Parameters
        ----------
        predicted, answers : ndarray of shape (n,)
            As they came, for the user's own loss.
        p, a : ndarray of shape (n,), float64
            The same, encoded.
        """
        if self.function is not None:
            own = np.asarray(self.function(predicted, answers), dtype=np.float64)
            if own.shape != (len(a),):
                raise InvalidInput(
                    f"The loss {self.name!r} returned shape {own.shape} for {len(a)} rows.",
                    "Return one loss per row, shape (n,).",
                )
            return own
        if self.name == "disagreement":
            return np.asarray(p != a, dtype=np.float64)
        error = np.asarray(np.abs(p - a))
        if self.name == "squared":
            return np.asarray(error**2)
        if self.tolerance is not None:
            return np.asarray(error > self.tolerance, dtype=np.float64)
        return error


def choose_loss(
    loss: str | LossFunction | None,
    loss_range: tuple[float, float] | None,
    tolerance: float | None,
    task: Task,
) -> BoundedLoss:
    """The loss that was asked for, checked against the task; see `certify`.

    Parameters
    ----------
    loss : str, callable or None
        Name or function of the loss; None takes the default of the task.
    loss_range : tuple of float, or None
        Least and largest value of the loss, where it has no range of its own.
    tolerance : float or None
        Largest distance that counts as agreement, in the unit of the answers.
    task : Task
        What the student predicts.

    Raises
    ------
    InvalidInput
        If the name is unknown, does not fit the task, or a range is lacking or superfluous.
    """
    if loss is None:
        loss = "disagreement" if task.classifies else "tolerance"
    if not callable(loss) and loss not in _NAMES:
        raise InvalidInput(f"There is no loss {loss!r}.", did_you_mean(str(loss), _NAMES))
    if loss != "disagreement" and not callable(loss) and task.classifies:
        raise InvalidInput(
            f"The loss {loss!r} needs numbers, and the student answers with classes.",
            "Use loss='disagreement', or a callable with loss_range.",
        )
    if loss == "disagreement" and not task.classifies:
        raise InvalidInput(
            "The loss 'disagreement' needs classes, and the student answers with numbers.",
            "Use loss='tolerance', or 'absolute' with loss_range.",
        )
    if loss in ("disagreement", "tolerance"):
        if loss_range is not None:
            raise InvalidInput(
                f"loss_range was given for {loss!r}, which counts rows.", "Leave loss_range out."
            )
        if loss == "disagreement":
            _no_tolerance(tolerance)
            return BoundedLoss("disagreement")
        if tolerance is not None and not (math.isfinite(tolerance) and tolerance >= 0):
            raise InvalidInput(f"tolerance is {tolerance}.", "Give a number of at least 0.")
        return BoundedLoss("exceeds", unit=task.unit, tolerance=tolerance)
    _no_tolerance(tolerance)
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    if loss_range is None:
        raise InvalidInput(
            f"The loss {name!r} has no range.",
            "Give loss_range=(low, high): what the loss can never leave, known beforehand.",
        )
    low, high = map(float, loss_range)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise InvalidInput(
            f"loss_range is ({low}, {high}).", "Give two numbers, the lower one first."
        )
    unit = task.unit if loss == "absolute" else ""
    return BoundedLoss(str(name), low, high, unit, function=loss if callable(loss) else None)


def encode_answers(answers: Any, n: int, task: Task) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The teacher's answers as they came and as numbers: class indices or values, shape (n,).

    Parameters
    ----------
    answers : array-like of shape (n,)
        The teacher's answers.
    n : int
        Number of rows.
    task : Task
        Its classes give the indices.

    Raises
    ------
    InvalidInput
        If their number is not n, one is missing, or one is no class of the student.
    """
    raw = label_array(answers, "The list of answers")
    if len(raw) != n:
        raise InvalidInput(
            f"There are {len(raw)} answers for {n} rows.", "Give the teacher's answer to each row."
        )
    missing = is_missing(raw)
    if missing.any():
        raise InvalidInput(
            f"The answer to row {int(np.flatnonzero(missing)[0])} is missing.",
            "Drop the row before the answers are looked at, or ask the teacher again.",
        )
    if not task.classifies:
        return raw, _numbers(raw, "The answers")
    codes = class_codes(raw, task.classes)
    unknown = np.flatnonzero(codes < 0)
    if len(unknown):
        label = raw[unknown[0]]
        label = label.item() if isinstance(label, np.generic) else label
        raise InvalidInput(
            f"The answer to row {unknown[0]} is {label!r} ({type(label).__name__}), which is no"
            f" class of the student; its classes are {type(task.classes[0]).__name__}.",
            did_you_mean(str(label), map(str, task.classes)),
        )
    return raw, codes.astype(np.float64)


def encode_predictions(
    predicted: Any, n: int, task: Task
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """The student's predictions as they came and as numbers; -1 for an unknown class.

    Parameters
    ----------
    predicted : array-like of shape (n,)
        What ``predict`` returned.
    n : int
        Number of rows.
    task : Task
        Its classes give the indices.

    Raises
    ------
    InvalidInput
        If their number is not n, or a predicted number is missing.
    """
    raw = label_array(predicted, "The list of predictions")
    if len(raw) != n:
        raise InvalidInput(
            f"The student gave {len(raw)} predictions for {n} rows.",
            "Its predict must return one answer per row.",
        )
    if task.classifies:
        return raw, class_codes(raw, task.classes).astype(np.float64)
    return raw, _numbers(raw, "The student's predictions")


def _no_tolerance(tolerance: float | None) -> None:
    if tolerance is not None:
        raise InvalidInput(
            f"tolerance={tolerance} has no meaning for this loss.",
            "Use loss='tolerance', or leave tolerance out.",
        )


def _numbers(raw: NDArray[Any], what: str) -> NDArray[np.float64]:
    try:
        out = raw.astype(np.float64)
    except (TypeError, ValueError):
        raise InvalidInput(
            f"{what} have dtype {raw.dtype} and are not numbers.", "Give numbers for regression."
        ) from None
    bad = np.flatnonzero(~np.isfinite(out))
    if len(bad):
        raise InvalidInput(
            f"{what} hold {out[bad[0]]} in row {bad[0]}.", "Give a finite number for each row."
        )
    return out
