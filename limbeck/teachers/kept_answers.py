"""A teacher whose answers are kept on disk, so that a run that was cut off asks nothing twice."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.contract import Access, Teacher
from limbeck.core.pieces import digest, piece

__all__ = ["KeptAnswers"]


class KeptAnswers:
    """Scores and gradients of a teacher as pieces of work; all else is the teacher's own.

    The teacher is asked once about the example whatever is kept: a teacher that answers otherwise
    than the one whose answers are kept has none of them.

    Parameters
    ----------
    teacher : Teacher
        Whom to ask.
    example : rows
        Some rows, in the form that the model takes.
    """

    def __init__(self, teacher: Teacher, example: Any) -> None:
        self._teacher = teacher
        self.identity = digest(
            [type(teacher).__qualname__, teacher.name, _content(teacher), teacher.scores(example)]
        )

    def scores(self, X: Any) -> NDArray[np.float64]:
        """As the teacher's own."""
        return piece("answers", lambda: [self.identity, X], lambda: self._teacher.scores(X))

    def gradient(self, X: Any, output: int) -> NDArray[np.float64]:
        """As the teacher's own.

        Parameters
        ----------
        X : rows
            In the form that the model takes.
        output : int
            Of which score.
        """
        return piece(
            "gradients",
            lambda: [self.identity, X, output],
            lambda: self._teacher.gradient(X, output),
        )

    @property
    def access(self) -> Access:
        """What the teacher grants."""
        return self._teacher.access

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._teacher, name)


def _content(teacher: Teacher) -> str:
    """A hash of weights and settings; empty where a model cannot be hashed, as functions."""
    try:
        return digest(vars(teacher))
    except Exception:  # whatever a model's own pickling raises
        return ""
