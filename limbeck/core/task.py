"""What is predicted: classes, labels, numbers or tokens. Shapes: n rows, t tokens, k outputs."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import InvalidInput, did_you_mean

__all__ = ["Label", "Task", "TaskKind"]

Label = str | int | float | bool


class TaskKind(StrEnum):
    """What is predicted; k outputs answer a row, or each of the t tokens of a sequence."""

    CLASSIFICATION = "classification"
    """Scores (n, k), labels (n,), or (n, k) where they are distributions over classes."""
    MULTILABEL = "multilabel"
    """Scores (n, k), labels (n, k) of 0 and 1."""
    REGRESSION = "regression"
    """Values (n, k), labels (n, k); (n,) where k is 1."""
    TOKENS = "tokens"
    """Scores (n, t, k), labels (n, t)."""
    LANGUAGE = "language"
    """The same, where the output at a place predicts the next token."""


@dataclass(frozen=True)
class Task:
    """What is predicted, by how many outputs, and the names of the classes or the unit.

    Parameters
    ----------
    classes : tuple of labels
        The classes in the order of the score columns; empty for numbers, and where they have no
        names.
    unit : str
        The unit of the number, for regression.
    kind : TaskKind, optional
        By default classification where classes are named, and regression where not.
    outputs : int, optional
        k: classes, labels, numbers, or the vocabulary; by default the classes that are named, and
        one number.

    Raises
    ------
    InvalidInput
        If there is no such kind, or classes are named for numbers, or kind and outputs do not fit.

    Examples
    --------
    >>> from limbeck import Task
    >>> Task(("no", "yes")).classifies, Task(unit="kg").classifies
    (True, False)
    >>> Task.of("tokens", 9).sequential
    True
    """

    classes: tuple[Label, ...] = ()
    unit: str = ""
    kind: TaskKind = None  # type: ignore[assignment]  # found from the classes
    outputs: int = 0

    @classmethod
    def of(cls, kind: str, outputs: int) -> Self:
        """What networks answer: a kind and the number of outputs, without names of classes.

        Parameters
        ----------
        kind : {"classification", "multilabel", "regression", "tokens", "language"}
            What is predicted.
        outputs : int
            k: classes, labels, numbers, or the vocabulary.
        """
        return cls(kind=kind, outputs=outputs)  # type: ignore[arg-type]  # read by __post_init__

    def __post_init__(self) -> None:
        known = [str(kind) for kind in TaskKind]
        kind = self.kind or ("classification" if self.classes else "regression")
        if kind not in known:
            raise InvalidInput(f"The task is {kind!r}.", did_you_mean(str(kind), known))
        outputs = self.outputs or len(self.classes) or int(kind == "regression")
        if not outputs:
            raise InvalidInput(f"A task of {kind} has no outputs.", "Give classes, or outputs.")
        if self.classes and (kind == "regression" or len(self.classes) != outputs):
            raise InvalidInput(
                f"{len(self.classes)} classes were given for {kind} with {outputs} outputs.",
                "Name every output, or leave classes out.",
            )
        object.__setattr__(self, "kind", TaskKind(kind))
        object.__setattr__(self, "outputs", outputs)

    @property
    def classifies(self) -> bool:
        """Whether one of k classes is the answer, for every row or at every place that counts."""
        return self.kind not in (TaskKind.REGRESSION, TaskKind.MULTILABEL)

    @property
    def sequential(self) -> bool:
        """Whether there is an answer per token."""
        return self.kind in (TaskKind.TOKENS, TaskKind.LANGUAGE)

    @property
    def labels(self) -> NDArray[Any]:
        """The classes as an array of shape (k,), of their own dtype where they share one."""
        one_type = len({type(c) for c in self.classes}) == 1
        return np.array(list(self.classes), dtype=None if one_type else object)
