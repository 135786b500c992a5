"""The linear student: a weight for every column, or for those that an L1 path keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.data.smallest_size import smallest_within
from limbeck.students.linear.fitting import dense, l1_supports, linear_terms
from limbeck.students.sparse_sum.base import SumOfTerms
from limbeck.students.sparse_sum.model import TermWeights, design_of
from limbeck.students.sparse_sum.refit import refit
from limbeck.students.sparse_sum.search import DIGITS, SearchedSums, shortened, spans_of
from limbeck.students.sparse_sum.signs import signs_of
from limbeck.students.sparse_sum.sparse_sum import label_data
from limbeck.students.sparse_sum.sum_data import SumData, row_losses
from limbeck.students.sparse_sum.terms import FilledColumns, SumTerm, medians
from limbeck.students.targets import TaskLike

__all__ = ["Linear", "dense_fit", "l1_path", "linear_of"]

Vector = NDArray[np.float64]
_ALIKE = 1e-12  # answers that differ by less, of their size, are one
PATH_ROWS = 5000
"""Supports are found, and sizes judged, on at most so many rows."""


@STUDENTS.register("linear")
class Linear(SumOfTerms):
    """A linear, logistic or multinomial model, a weight for each number, boolean and level.

    A ridge penalty of 1 on standardised columns, as scikit-learn's logistic regression and ridge
    have it. A missing number counts as the median of its column, beside a weight for that it is
    missing where it occurs; a missing category as none of its levels.

    Parameters
    ----------
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.

    Attributes
    ----------
    sum_ : TermWeights
        The terms, their weights and the intercepts; terms that change the sum most come first.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).standard_normal((200, 2))
    >>> student = Linear().fit(X, X @ [2.0, -1.0] + 3)
    >>> print(student.text())
    value   weight
    always      +3
    x0       +1.99
    x1      -0.994
    <BLANKLINE>
    A line without if adds its number times its weight.
    The value is the sum.
    A missing value counts as the median: x0 -0.135, x1 -0.03884.
    """

    size_unit = "weights"
    kind_ = "linear"

    def __init__(self, task: TaskLike = None) -> None:
        self.task = task

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit all weights to labels.

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
            If the rows, targets or weights cannot be used.
        """
        data, task = label_data(X, y, sample_weight, self.task, np.random.default_rng(0))
        found, fill = dense_fit(data)
        self._take(found, fill, spans_of(found, data, fill), data.features, task)
        return self.measured(data.values[data.weight > 0])


def dense_fit(data: SumData) -> tuple[TermWeights, Vector]:
    """All terms with their weights, and what missing values count as.

    Parameters
    ----------
    data : SumData
        Rows and answers.
    """
    data = data.take(np.flatnonzero(data.weight > 0))
    fill = medians(data.features, data.values)
    if data.classes == 1:
        return TermWeights((), np.zeros((0, 1)), np.ones(1)), fill
    columns = FilledColumns(data.values, fill)
    alike = np.ptp(data.soft, axis=0).max() <= _ALIKE * np.abs(data.soft).max()
    terms = () if alike else linear_terms(data.features, columns)
    design = design_of(terms, columns)
    signs = _signs(terms, data)
    weights, intercept = dense(design, data.soft, data.weight, data.classifies, signs)
    reach = np.abs(weights).max(axis=1, initial=0.0) * np.std(design, axis=0)
    order = np.argsort(-reach, kind="stable")
    order = order[np.abs(weights[order]).max(axis=1, initial=0.0) > 0]
    found = TermWeights(tuple(terms[i] for i in order), weights[order], intercept)
    return shortened(found, design[:, order], data, DIGITS), fill


def l1_path(
    data: SumData,
    sizes: Sequence[int],
    rng: np.random.Generator,
    *,
    epsilon: float = 0.0,
    fixed: bool = False,
) -> SearchedSums:
    """Supports along an L1 path, refitted without the penalty, and the size by cross-fitting.

    Parameters
    ----------
    data : SumData
        Rows and answers.
    sizes : sequence of int
        Budgets in numbers, increasing.
    rng : numpy.random.Generator
        Chooses the rows on which supports are found, where there are many.
    epsilon, fixed
        As in :func:`limbeck.students.sparse_sum.search.search`.
    """
    data = data.take(np.flatnonzero(data.weight > 0))
    fill = medians(data.features, data.values)
    if data.classes == 1:
        found, _ = dense_fit(data)
        return SearchedSums(fill, (1,), (found,), ("columns",), None, data.weight, 0, 0)
    n = len(data.values)
    part = data if n <= PATH_ROWS else data.take(np.sort(rng.choice(n, PATH_ROWS, replace=False)))
    terms = linear_terms(data.features, FilledColumns(part.values, fill))
    design = design_of(terms, FilledColumns(part.values, fill))
    whole = design_of(terms, FilledColumns(data.values, fill))
    signs, losses = _signs(terms, data), None
    if len(part.values) >= 10 and part.fold.max() > 0:
        losses = np.zeros((len(sizes), len(part.values)))
        for at in range(int(part.fold.max()) + 1):
            out = part.fold == at
            if out.any() and not out.all():
                losses[:, out] = _left_out(part, design, out, sizes, signs)
    supports = l1_supports(design, part.soft, part.weight, part.classifies, sizes, signs)
    sums = [_refitted(s, terms, whole, data) for s in supports]
    counted, chosen = part.weight[part.judged], len(sizes) - 1
    if losses is not None:
        losses = losses[:, part.judged]
        chosen = chosen if fixed else smallest_within(losses, counted, epsilon)
    names = ("columns",) * len(sizes)
    return SearchedSums(fill, tuple(sizes), tuple(sums), names, losses, counted, chosen, len(terms))


def _signs(terms: Sequence[SumTerm], data: SumData) -> Vector | None:
    return None if data.rises is None else signs_of(terms, data.rises)


def _left_out(
    part: SumData,
    design: Vector,
    out: NDArray[np.bool_],
    sizes: Sequence[int],
    signs: Vector | None,
) -> Vector:
    """Losses of all sizes on the rows of one fold."""
    rest, inside = np.flatnonzero(~out), np.flatnonzero(out)
    known = part.take(rest)
    supports = l1_supports(design[rest], known.soft, known.weight, part.classifies, sizes, signs)
    losses = np.empty((len(sizes), len(inside)))
    for i, used in enumerate(supports):
        kept, intercepts = _pattern(used, known)
        weights, level = refit(
            design[np.ix_(rest, kept)], used[kept], intercepts, known.soft, known.weight,
            part.classifies, signs=None if signs is None else signs[kept],
        )  # fmt: skip
        total = design[np.ix_(inside, kept)] @ weights + level
        losses[i] = row_losses(total, part, inside)
    return losses


def _pattern(used: NDArray[np.bool_], data: SumData) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    kept = np.flatnonzero(used.any(axis=1))
    intercepts = np.asarray(used.any(axis=0))
    if not intercepts.any():
        common = np.average(data.soft, axis=0, weights=data.weight).argmax()
        intercepts[0 if len(intercepts) == 1 else common] = True
    return kept, intercepts


def _refitted(
    used: NDArray[np.bool_], terms: Sequence[Any], design: Vector, data: SumData
) -> TermWeights:
    kept, intercepts = _pattern(used, data)
    inside = design[:, kept]
    chosen = tuple(terms[i] for i in kept)
    weights, level = refit(
        inside, used[kept], intercepts, data.soft, data.weight, data.classifies,
        signs=_signs(chosen, data),
    )  # fmt: skip
    found = TermWeights(chosen, weights, level)
    return shortened(found, inside, data, DIGITS).without_zeros()


def linear_of(found: TermWeights, fill: Vector, data: SumData, task: Task) -> Linear:
    """A linear student of a sum that was found.

    Parameters
    ----------
    found : TermWeights
        The sum.
    fill : ndarray of shape (d,)
        What a missing value counts as.
    data : SumData
        Rows and answers.
    task : Task
        What is predicted.
    """
    return Linear.from_sum(found, fill, data.features, task, spans_of(found, data, fill))
