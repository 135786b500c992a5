"""The sparse sum: a few columns, steps, hinges and AND rules, each with a weight."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from limbeck.core.errors import InvalidInput, whole_number
from limbeck.core.registry import STUDENTS
from limbeck.data.splits import split_folds
from limbeck.students.sparse_sum.base import SumOfTerms
from limbeck.students.sparse_sum.search import search, spans_of
from limbeck.students.sparse_sum.sizes import sizes_up_to
from limbeck.students.sparse_sum.sum_data import SumData
from limbeck.students.targets import TaskLike, read_training

__all__ = ["SparseSum", "label_data"]


@STUDENTS.register("sparse_sum")
class SparseSum(SumOfTerms):
    """A sum of a few terms: columns, steps, hinges and AND rules, each with a weight.

    A weight and an intercept count one number, a threshold one more, each condition of a rule
    one more. Terms are chosen by orthogonal least squares (Chen, Billings and Luo 1989), best
    gain per number first, and all weights fitted together; how many numbers pay is found by
    cross-fitting.

    A missing number counts as the median of its column, a missing category as none of its
    levels; where enough values are missing, that a value is missing can be a term.

    Parameters
    ----------
    max_numbers : int
        The largest sum that is considered.
    exactly : bool
        Take the largest sum within ``max_numbers`` instead of the smallest that is as good.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    random_state : int
        Deals rows to folds.

    Attributes
    ----------
    sum_ : TermWeights
        The terms, their weights and the intercepts.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> import numpy as np
    >>> age = np.arange(20.0, 80.0)
    >>> student = SparseSum().fit(age[:, None], np.where(age > 50, "high", "low"))
    >>> print(student.text())
    sum for low  weight
    always           +3
    if x0 > 50    -5.92
    <BLANKLINE>
    The answer is low where the sum is above 0, else high.
    Probability of low by sum: -4: 2 %, -2: 12 %, -1: 27 %, 0: 50 %, +1: 73 %, +2: 88 %, +4: 98 %.
    A missing value counts as the median: x0 49.
    """

    kind_ = "sparse_sum"

    def __init__(
        self,
        max_numbers: int = 32,
        exactly: bool = False,
        task: TaskLike = None,
        random_state: int = 0,
    ) -> None:
        self.max_numbers = max_numbers
        self.exactly = exactly
        self.task = task
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Choose terms and fit their weights to labels.

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
        most = whole_number("max_numbers", self.max_numbers, 1)
        rng = np.random.default_rng(self.random_state)
        data, task = label_data(X, y, sample_weight, self.task, rng)
        found = search(data, sizes_up_to(most), rng, fixed=bool(self.exactly))
        kept = found.sums[found.chosen]
        spans = spans_of(kept, data, found.fill)
        self._take(kept, found.fill, spans, data.features, task)
        return self.measured(data.values[data.weight > 0])


def label_data(
    X: Any, y: Any, sample_weight: Any, task: TaskLike, rng: np.random.Generator
) -> tuple[SumData, Any]:
    """Labels as answers that are sure, and what they are.

    Parameters
    ----------
    X, y, sample_weight
        As in :meth:`SparseSum.fit`.
    task : Task, "classes" or "value", optional
        What y holds.
    rng : numpy.random.Generator
        Deals rows to folds.

    Raises
    ------
    InvalidInput
        If they cannot be used.
    """
    features, values, read, target, weight = read_training(X, y, task, sample_weight)
    if not len(values):
        raise InvalidInput("X holds no rows.", "Give at least one row.")
    k = len(read.classes)
    soft = np.eye(k)[target] if k else np.asarray(target, dtype=np.float64)[:, None]
    fold, judged = split_folds(values, rng), np.ones(len(values), dtype=np.bool_)
    return SumData(features, values, soft, weight, fold, judged, read.classifies), read
