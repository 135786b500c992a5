"""A converted model as certificates ask it: how far it is from its teacher on a text."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.task import Task, TaskKind
from limbeck.networks.conversion.judge import TextScores
from limbeck.networks.conversion.texts import TokenTexts

__all__ = ["TextDistance", "total_variation"]


@dataclass(eq=False)
class TextDistance:
    """Answers a text with 1 less its mean overlap with the teacher.

    Parameters
    ----------
    texts : TokenTexts
        The texts that were scored.
    scores : TextScores
        Of the student.
    print_of_student : str
        SHA-256 of the student.
    """

    texts: TokenTexts
    scores: TextScores
    print_of_student: str

    @property
    def features_(self) -> Features:
        """One column of texts."""
        return Features.of(list(self.texts.texts))

    @property
    def task_(self) -> Task:
        """A number."""
        return Task(unit="", kind=TaskKind.REGRESSION)

    def predict(self, X: Any) -> NDArray[np.float64]:
        """The distances of texts that were scored, shape (n,)."""
        place = {text: i for i, text in enumerate(self.texts.texts)}
        return np.array([1.0 - self.scores.overlap[place[str(text)]] for text in X])

    def fingerprint(self) -> str:
        """SHA-256 of the student."""
        return hashlib.sha256(self.print_of_student.encode()).hexdigest()


def total_variation(predicted: NDArray[Any], answers: NDArray[Any]) -> NDArray[np.float64]:
    """The loss of the certificate: mean total variation over the tokens of a text, in [0, 1].

    Parameters
    ----------
    predicted : ndarray of shape (n,)
        What `TextDistance.predict` returned.
    answers : ndarray of shape (n,)
        What stands for the teacher's answers; not read.
    """
    return np.asarray(predicted, dtype=np.float64)
