"""Any function from rows to scores as a teacher: a black box."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from limbeck.core.answers import ScoreKind
from limbeck.core.errors import AccessDenied
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Label
from limbeck.teachers.batched import BatchedTeacher
from limbeck.teachers.entry import TeacherEntry
from limbeck.teachers.reading import FirstOutputs

__all__ = ["CallableTeacher"]


@TEACHERS.register("function")
class CallableTeacher(BatchedTeacher):
    """A function that answers any row, asked in batches.

    Parameters
    ----------
    function : callable
        From rows in the user's form to labels (n,), values (n,) or scores (n, k).
    classes : sequence of labels, optional
        The classes in the order of the scores; without them the function predicts a number.
    unit : str
        The unit of a predicted number.
    score_kind : {"logit", "probability", "label"}, optional
        What a classifier's answers are. Otherwise found at the first query (``label`` until
        then), as `limbeck.data.scores.read_scores` does. One column of probabilities or logits
        is that of the second of two classes; of logits it has to be said.
    preprocess : callable, optional
        From the user's rows to what the function takes, such as ``ColumnTransformer.transform``.
    batch_size : int
        Rows in one call of the function.
    name : str, optional
        By default the function's own name.

    Raises
    ------
    InvalidInput
        If there are fewer than two different classes, or the kind does not fit the task.
    """

    entry = TeacherEntry(
        "any function from rows to labels, numbers or scores",
        "limbeck.distill(lambda rows: rows[:, 0] > 0, X)",
        order=2,
    )

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Whether it can be called."""
        return callable(model)

    @classmethod
    def first_outputs(
        cls, function: Any, example: Any, options: dict[str, Any], k: int
    ) -> FirstOutputs | None:
        """Its answers to some rows; see `limbeck.teachers.reading.read_outputs`.

        Parameters
        ----------
        function : callable
            The model.
        example : rows or None
            The rows.
        options : dict
            Those of the constructor.
        k : int
            The number of classes, or 0.
        """
        if example is None:
            return None
        asked = {n: v for n, v in options.items() if n in ("preprocess", "batch_size")}
        looked = cls(function, **asked)
        return FirstOutputs(looked.look(example), options.get("name") or looked.name)

    _by_hand = "Call the function on these rows by itself."

    def __init__(
        self,
        function: Callable[[Any], Any],
        *,
        classes: Sequence[Label] | None = None,
        unit: str = "",
        score_kind: ScoreKind | str | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        batch_size: int = 65_536,
        name: str | None = None,
    ) -> None:
        own = str(getattr(function, "__name__", type(function).__name__))
        super().__init__(
            name or own, classes=classes, unit=unit, score_kind=score_kind,
            preprocess=preprocess, batch_size=batch_size,
        )  # fmt: skip
        self.function = function

    def _ask(self, batch: Any) -> Any:
        return self.function(batch)

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"{self.name} is a black box without {what}.",
            "Use a method that asks for scores only.",
        )
