"""Several teachers as one, of whatever kinds, for every student."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from inspect import signature
from operator import and_
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from limbeck.core.answers import ScoreKind, answers, probabilities
from limbeck.core.contract import Access, Teacher
from limbeck.core.errors import AccessDenied, InvalidInput
from limbeck.core.registry import TEACHERS
from limbeck.core.task import Label, Task
from limbeck.data.ensemble_weights import ensemble_weights
from limbeck.teachers import as_teacher, teacher_class
from limbeck.teachers.entry import TeacherEntry

__all__ = ["Ensemble"]

Combine = Literal["mean", "logits", "vote"]
_TINY = 1e-30


@TEACHERS.register("ensemble")
class Ensemble:
    """Teachers that answer together, or each for the rows of its own domain.

    Parameters
    ----------
    teachers : sequence or mapping
        Models, files and teachers, as `limbeck.as_teacher` takes them, of the same classes. With
        ``column``, the teacher of each of its values: a mapping, or a sequence for 0, 1, ...
    weights : sequence of float, optional
        How much each counts; shares of their sum. Equal by default.
    combine : {"mean", "logits", "vote"}
        The mean of the probabilities, or of the predicted numbers; the mean of the logits, which
        gives the geometric mean of the probabilities; or the share of the teachers that answer
        with each class.
    column : str or int, optional
        The name of a column, or its position in an array, whose value says which teacher answers
        a row, by class or domain. The teachers do not get it.
    classes : sequence of labels, optional
        For members that do not say themselves what their outputs are.
    regression : bool
        Whether these members predict a number.
    name : str, optional
        By default the number of teachers.

    Raises
    ------
    InvalidInput
        If members have different classes, or what was asked for does not fit them.

    References
    ----------
    You et al. (2017), Learning from Multiple Teacher Networks. Hinton, Vinyals and Dean (2015),
    Distilling the Knowledge in a Neural Network, for the two means.

    Examples
    --------
    >>> import numpy as np
    >>> from limbeck.teachers import Ensemble
    >>> X = np.array([[1.0], [3.0]])
    >>> both = Ensemble([lambda X: X[:, 0], lambda X: 3 * X[:, 0]], regression=True)
    >>> both.scores(X).ravel().tolist()
    [2.0, 6.0]
    """

    entry = TeacherEntry(
        "several teachers as one: mean, logits, vote, or one per domain",
        'limbeck.distill(limbeck.teachers.Ensemble(["a.onnx", "b.cbm"]), X)',
        Access.SCORES | Access.QUERIES | Access.ACTIVATIONS | Access.GRADIENTS,
        order=1,
    )
    note = ""

    @classmethod
    def accepts(cls, model: Any) -> bool:
        """Never: an ensemble is made by name, so that how members count is said."""
        return False

    def __init__(
        self,
        teachers: Sequence[Any] | Mapping[Any, Any],
        weights: Sequence[float] | None = None,
        combine: Combine = "mean",
        *,
        column: str | int | None = None,
        classes: Sequence[Label] | None = None,
        regression: bool = False,
        name: str | None = None,
    ) -> None:
        if combine not in ("mean", "logits", "vote"):
            raise InvalidInput(f"combine is {combine!r}.", "Give 'mean', 'logits' or 'vote'.")
        if isinstance(teachers, Mapping) and column is None:
            raise InvalidInput(
                "Teachers were given by the value of a column, and which column is not said.",
                "Give column='name', or a list of teachers.",
            )
        if column is not None and (weights is not None or combine != "mean"):
            raise InvalidInput(
                f"The column {column!r} names one teacher per row, beside weights or combine.",
                "Give either of them.",
            )
        pairs = teachers.items() if isinstance(teachers, Mapping) else enumerate(teachers)
        self.members = {key: _member(one, classes, regression) for key, one in pairs}
        self.combine, self.column = combine, column
        self.weights = ensemble_weights(len(self.members), weights)
        self.name = name or f"{len(self.members)} teachers"
        self.task = self._common_task()
        self._orders = [self._order(member) for member in self.members.values()]

    @property
    def access(self) -> Access:
        """What all members grant; gradients of the mean of logits or numbers only."""
        met = reduce(and_, (m.access for m in self.members.values())) & ~Access.WEIGHTS
        if self.column is not None:
            return met & (Access.SCORES | Access.QUERIES)
        linear = self.score_kind is ScoreKind.VALUE or (
            self.combine == "logits"
            and all(m.score_kind is ScoreKind.LOGIT for m in self.members.values())
        )
        return met if linear else met & ~Access.GRADIENTS

    @property
    def score_kind(self) -> ScoreKind:
        """Logits of the mean of logits; else probabilities, or values."""
        if not self.task.classifies:
            return ScoreKind.VALUE
        return ScoreKind.LOGIT if self.combine == "logits" else ScoreKind.PROBABILITY

    def scores(self, X: Any) -> NDArray[np.float64]:
        """Scores of shape (n, k), in the order of the first member's classes.

        Raises
        ------
        InvalidInput
            If the column holds a value without a teacher.
        TeacherFailed
            If a member fails.
        """
        if self.column is not None:
            return self._by_domain(X)
        total = np.zeros((len(X), self.task.outputs))
        for i, weight in enumerate(self.weights):
            total += weight * self._of(i, X)
        return total

    def disagreement(self, X: Any) -> float:
        """How much members differ: the share of rows on which they name more than one class.

        Of numbers, the mean over rows of their standard deviation.

        Parameters
        ----------
        X : rows
            In the user's form.
        """
        each = [self._of(i, X, whole=True) for i in range(len(self.members))]
        told = np.stack([answers(scores, self.task) for scores in each])
        if not self.task.classifies:
            return float(told.std(axis=0).mean())
        return float((told != told[0]).any(axis=0).mean())

    def about_rows(self, X: Any) -> str:
        """A sentence for the result, on how far members agree on rows.

        Parameters
        ----------
        X : rows
            In the user's form.
        """
        many, n = len(self.members), len(X)
        if self.column is not None:
            return f"Each row is answered by the teacher, of {many}, that {self.column!r} names."
        how = self.disagreement(X)
        if self.task.classifies:
            return f"The {many} teachers name different classes on {how:.1%} of {n:,} rows."
        unit = f" {self.task.unit}" if self.task.unit else ""
        spread = f"a standard deviation of {how:.4g}{unit}"
        return f"The {many} teachers differ by {spread} on {n:,} rows."

    def layers(self) -> tuple[str, ...]:
        """Layers of all members, each after the place of its member: ``0.body``."""
        if Access.ACTIVATIONS not in self.access:
            return ()
        return tuple(f"{key}.{name}" for key, m in self.members.items() for name in m.layers())

    def activations(self, X: Any, layers: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Activations of layers of the members, each of shape (n, m).

        Parameters
        ----------
        X : rows
            In the user's form.
        layers : sequence of str
            As `layers` names them.
        """
        if Access.ACTIVATIONS not in self.access:
            raise self._denied("activations")
        found: dict[str, NDArray[np.float32]] = {}
        for key, member in self.members.items():
            own = [n for n in layers if n.startswith(f"{key}.")]
            if own:
                shown = member.activations(X, [n.removeprefix(f"{key}.") for n in own])
                found |= {f"{key}.{name}": values for name, values in shown.items()}
        return {name: found[name] for name in layers}

    def gradient(self, X: Any, output: int) -> NDArray[np.float64]:
        """Gradient of one score with respect to the inputs, of shape (n, d).

        Parameters
        ----------
        X : rows
            In the form the members take.
        output : int
            Position of the score.
        """
        if Access.GRADIENTS not in self.access:
            raise self._denied("gradients")
        parts = zip(self.weights, self.members.values(), self._orders, strict=True)
        return np.asarray(sum(w * m.gradient(X, order[output]) for w, m, order in parts))

    def _of(self, i: int, X: Any, whole: bool = False) -> NDArray[np.float64]:
        """What one member adds to the sum; ``whole``: its scores, in the common order."""
        member = list(self.members.values())[i]
        scores = member.scores(X)[:, self._orders[i]]
        if whole or not self.task.classifies:
            return scores
        if self.combine == "vote":
            return np.asarray(np.eye(scores.shape[1])[scores.argmax(axis=1)])
        if self.combine == "mean":
            return np.asarray(probabilities(scores, member.score_kind))
        if member.score_kind is ScoreKind.LOGIT:
            return scores
        return np.asarray(np.log(scores.clip(_TINY)))

    def _by_domain(self, X: Any) -> NDArray[np.float64]:
        named = hasattr(X, "columns")
        known = list(X.columns) if named else list(range(np.shape(X)[1]))
        if self.column not in known:
            raise InvalidInput(
                f"The rows have no column {self.column!r}, which names the teacher of each.",
                "Give column= as one of theirs.",
            )
        values = np.asarray(X[self.column] if named else np.asarray(X)[:, int(self.column or 0)])
        rest = X.drop(columns=[self.column]) if named else np.delete(X, int(self.column or 0), 1)
        out, done = np.empty((len(values), self.task.outputs)), np.zeros(len(values), bool)
        for i, key in enumerate(self.members):
            rows = np.flatnonzero(values == key)
            if len(rows):
                out[rows] = self._of(i, rest.iloc[rows] if named else rest[rows])
                done[rows] = True
        if not done.all():
            raise InvalidInput(
                f"The column {self.column!r} holds {values[~done].tolist()[0]!r}, and no teacher is"
                f" given for it: there are {list(self.members)}.",
                "Give a teacher for every value.",
            )
        return out

    def _common_task(self) -> Task:
        first, *others = self.members.values()
        for member in others:
            if set(member.task.classes) != set(first.task.classes):
                raise InvalidInput(
                    f"{first.name} answers {_said(first)}, and {member.name} {_said(member)}.",
                    "Let all teachers answer the same classes, or all a number.",
                )
        kinds = {m.score_kind for m in self.members.values()}
        if first.task.classifies and self.combine == "logits" and ScoreKind.LABEL in kinds:
            raise InvalidInput(
                "A teacher answers with labels only, which have no logits.",
                "Give combine='mean' or 'vote'.",
            )
        if not first.task.classifies and self.combine != "mean":
            raise InvalidInput(
                f"combine is {self.combine!r} for teachers that predict a number.",
                "Give combine='mean'.",
            )
        return first.task

    def _order(self, member: Teacher) -> list[int]:
        """Where the common classes stand among those of a member."""
        if not self.task.classifies:
            return [0]
        return [list(member.task.classes).index(label) for label in self.task.classes]

    def _denied(self, what: str) -> AccessDenied:
        return AccessDenied(
            f"The ensemble of {self.name} grants no {what}.",
            "Use a method that asks for scores only, or combine='logits' of networks.",
        )


def _member(one: Any, classes: Sequence[Label] | None, regression: bool) -> Teacher:
    if isinstance(one, Teacher):
        return one
    made = teacher_class(one)
    make = getattr(made, "from_object", made)
    options: dict[str, Any] = {}
    if classes is not None and "classes" in signature(make).parameters:
        options["classes"] = classes
    if regression:
        options["regression"] = True
    return as_teacher(one, **options)


def _said(member: Teacher) -> str:
    classes = member.task.classes
    return f"the classes {list(classes)[:8]}" if classes else "a number"
