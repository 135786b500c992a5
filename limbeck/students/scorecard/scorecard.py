"""The scorecard: a sparse sum whose weights are whole points, with a table to probabilities."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.errors import FileRefused, whole_number
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.students import files
from limbeck.students.scorecard.points import round_to_points, steps_of
from limbeck.students.sparse_sum.base import SumOfTerms
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.search import SearchedSums, search, search_families, spans_of
from limbeck.students.sparse_sum.sizes import sizes_up_to
from limbeck.students.sparse_sum.sparse_sum import label_data
from limbeck.students.sparse_sum.sum_data import SumData
from limbeck.students.sparse_sum.text import SumText, sum_text
from limbeck.students.targets import TaskLike

__all__ = ["Scorecard", "cards"]


@STUDENTS.register("scorecard")
class Scorecard(SumOfTerms):
    """A few columns, steps and AND rules with whole points; the total gives a probability.

    The terms are those of :class:`limbeck.students.sparse_sum.sparse_sum.SparseSum` without
    hinges; a number is counted in steps, such as points per 10 years. For values weights stay
    real, since rounding was measured to cost there.

    Parameters
    ----------
    max_numbers : int
        The largest card that is considered.
    max_points : int
        The most points of a term.
    exactly : bool
        Take the largest card within ``max_numbers`` instead of the smallest that is as good.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    random_state : int
        Deals rows to folds.

    Attributes
    ----------
    sum_ : TermWeights
        The terms and their points.
    scale_ : float
        How much log-odds one point is.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.random((400, 3)) < 0.5
    >>> y = np.where(X @ [2, 1, 1] + rng.random(400) > 2.5, "high", "low")
    >>> card = Scorecard(max_points=5, task=None).fit(X, y)
    >>> sorted(set(np.abs(card.sum_.weights).ravel()) - {1, 2, 3, 4, 5})
    []
    """

    kind_ = "scorecard"
    scale_: float = 1.0

    def __init__(
        self,
        max_numbers: int = 32,
        max_points: int = 10,
        exactly: bool = False,
        task: TaskLike = None,
        random_state: int = 0,
    ) -> None:
        self.max_numbers = max_numbers
        self.max_points = max_points
        self.exactly = exactly
        self.task = task
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose terms and fit their points to labels.

        Parameters
        ----------
        X : array-like, DataFrame or Rows of shape (n, d)
            The rows; NaN is missing.
        y : array-like of shape (n,)
            Labels or values.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Raises
        ------
        InvalidInput
            If the rows, targets, weights or settings cannot be used.
        """
        sizes = sizes_up_to(whole_number("max_numbers", self.max_numbers, 1))
        points = whole_number("max_points", self.max_points, 1)
        rng = np.random.default_rng(self.random_state)
        data, task = label_data(X, y, sample_weight, self.task, rng)
        found, made = cards(data, task, sizes, points, rng, fixed=bool(self.exactly))
        one = made[found.chosen]
        self.scale_ = one.scale_
        self._take(one.sum_, one.fill_, one.spans_, data.features, task)
        return self.measured(data.values[data.weight > 0])

    @property
    def _per_unit(self) -> float:
        return self.scale_

    @property
    def _unit_name(self) -> str:
        return "points" if self.task_.classifies else "weight"

    def _said(self, digits: int | None = None) -> SumText:
        said = sum_text(
            self.sum_, self.features_, self.task_, self.fill_, digits=digits,
            unit=self._unit_name, per_unit=self.scale_, card=len(self.task_.classes) == 2,
        )  # fmt: skip
        if not self.task_.classifies:
            said.notes.insert(
                1, "For values weights stay real: whole points were measured to cost."
            )
        return said

    def to_dict(self) -> dict[str, Any]:
        """All that the card is, ready for JSON."""
        return {**super().to_dict(), "scale": self.scale_}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, another student, or newer than this limbeck.
        """
        found = super().from_dict(data)
        found.scale_ = files.parsed(data, lambda d: float(d["scale"]))
        if not (np.isfinite(found.scale_) and found.scale_ > 0):
            raise FileRefused("The scale is no positive number.", "Save the student again.")
        return found


def cards(
    data: SumData,
    task: Task,
    sizes: tuple[int, ...],
    max_points: int,
    rng: np.random.Generator,
    *,
    epsilon: float = 0.0,
    fixed: bool = False,
) -> tuple[SearchedSums, list[Scorecard]]:
    """Sparse sums of all sizes, and the cards that they become.

    Parameters
    ----------
    data : SumData
        Rows and answers.
    task : Task
        What is predicted.
    sizes : tuple of int
        Budgets in numbers.
    max_points : int
        The most points of a term.
    rng : numpy.random.Generator
        Chooses the rows of the selection, where there are many.
    epsilon, fixed
        As in :func:`limbeck.students.sparse_sum.search.search`.
    """
    per = steps_of(data.features, data.values) if data.classifies else None
    digits = None if data.classifies else 3
    found = search(
        data, sizes, rng, epsilon=epsilon, fixed=fixed, hinges=not data.classifies, per=per,
        digits=digits,
    )  # fmt: skip
    made = []
    for real in found.sums:
        kept, scale = real, 1.0
        if data.classifies:
            kept, scale = round_to_points(real, data, found.fill, max_points)
        made.append(_card(kept, scale, found.fill, data, task))
    return found, made


def cards_by_family(
    data: SumData,
    task: Task,
    sizes: tuple[int, ...],
    max_points: int,
    rng: np.random.Generator,
) -> dict[str, list[Scorecard]]:
    """Cards of all sizes within each family of terms, without cross-fitting.

    Parameters
    ----------
    data, task, sizes, max_points, rng
        As for :func:`cards`.
    """
    per = steps_of(data.features, data.values) if data.classifies else None
    digits = None if data.classifies else 3
    fill, families = search_families(
        data, sizes, rng, hinges=not data.classifies, per=per, digits=digits
    )
    known: dict[int, Scorecard] = {}
    for sums in families.values():
        for real in sums:
            if id(real) not in known:
                kept, scale = real, 1.0
                if data.classifies:
                    kept, scale = round_to_points(real, data, fill, max_points)
                known[id(real)] = _card(kept, scale, fill, data, task)
    return {name: [known[id(real)] for real in sums] for name, sums in families.items()}


def _card(
    kept: TermWeights, scale: float, fill: NDArray[np.float64], data: SumData, task: Task
) -> Scorecard:
    spans = spans_of(kept, data, fill)
    card = Scorecard.from_sum(kept, fill, data.features, task, spans)
    card.scale_ = scale
    return card
