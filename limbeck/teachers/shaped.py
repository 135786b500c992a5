"""A teacher of signals or images, asked in rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.contract import Access, ScoreKind, Task, Teacher

__all__ = ["Shaped"]


class Shaped:
    """A teacher that gets rows (n, d) back in the shape of its signals.

    Parameters
    ----------
    teacher : Teacher
        The teacher of signals.
    shape : tuple of int
        The shape of one signal, such as (channels, height, width); d numbers in all.
    """

    def __init__(self, teacher: Teacher, shape: tuple[int, ...]) -> None:
        self.teacher, self.shape = teacher, shape

    @property
    def access(self) -> Access:
        """What the teacher grants."""
        return self.teacher.access

    @property
    def task(self) -> Task:
        """What the teacher predicts."""
        return self.teacher.task

    @property
    def score_kind(self) -> ScoreKind:
        """What the teacher's scores are."""
        return self.teacher.score_kind

    @property
    def name(self) -> str:
        """The teacher's name."""
        return self.teacher.name

    @property
    def size(self) -> str:
        """The teacher's size for tables; empty where it says none."""
        return str(getattr(self.teacher, "size", ""))

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k) for rows (n, d)."""
        return self.teacher.scores(self._signals(X))

    def layers(self) -> tuple[str, ...]:
        """Names of the teacher's layers."""
        return self.teacher.layers()

    def activations(self, X: Any, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Activations by layer for rows (n, d)."""
        return self.teacher.activations(self._signals(X), layers)

    def gradient(self, X: Any, output: int) -> NDArray[np.float64]:
        """Gradient of one score with respect to the rows, (n, d)."""
        return self.teacher.gradient(self._signals(X), output).reshape(len(X), -1)

    def _signals(self, X: Any) -> NDArray[Any]:
        return np.asarray(X).reshape(-1, *self.shape)
