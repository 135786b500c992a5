"""What a teacher"s scores are, and the answers and probabilities that they give."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput
from limbeck.core.task import Task

__all__ = ["ScoreKind", "answers", "probabilities"]


class ScoreKind(StrEnum):
    """What a teacher's numbers are, so that a temperature on labels is an error."""

    LOGIT = "logit"
    PROBABILITY = "probability"
    LABEL = "label"
    VALUE = "value"


def answers(scores: NDArray[np.float64], task: Task) -> NDArray[np.int64] | NDArray[np.float64]:
    """The teacher's hard answers, of shape (n,).

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        What ``Teacher.scores`` returned.
    task : Task
        The teacher's task.

    Returns
    -------
    ndarray of shape (n,)
        Class indices (int64; the first of equal scores) or values (float64).
    """
    return scores.argmax(axis=1).astype(np.int64) if task.classifies else scores[:, 0]


def probabilities(
    scores: NDArray[np.float64], kind: ScoreKind, temperature: float = 1.0
) -> NDArray[np.float64]:
    """Class probabilities softmax(z / T), of shape (n, k), from scores.

    Parameters
    ----------
    scores : ndarray of shape (n, k)
        What ``Teacher.scores`` returned; for probabilities p, z = log p.
    kind : ScoreKind
        What they are. Labels are returned as they are.
    temperature : float
        T (Hinton, Vinyals, Dean 2015, equation 1).

    Raises
    ------
    InvalidInput
        If T is not positive, or a temperature is asked of labels, or probabilities of values.
    """
    if not (np.isfinite(temperature) and temperature > 0):
        raise InvalidInput(f"The temperature is {temperature}.", "Give a positive number.")
    if kind is ScoreKind.VALUE:
        raise InvalidInput("The teacher predicts a number.", "Use its values themselves.")
    if kind is ScoreKind.LABEL and temperature != 1.0:
        raise InvalidInput(
            f"A temperature of {temperature:g} was asked of a teacher that gives labels only.",
            "Leave the temperature at 1, or use a teacher that gives logits or probabilities.",
        )
    if kind is ScoreKind.LABEL or (kind is ScoreKind.PROBABILITY and temperature == 1.0):
        return scores
    with np.errstate(divide="ignore"):  # log 0 = -inf, which the exponential takes back to 0
        z = (np.log(scores) if kind is ScoreKind.PROBABILITY else scores) / temperature
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(p / p.sum(axis=1, keepdims=True))
