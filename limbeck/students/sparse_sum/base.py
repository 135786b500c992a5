"""What all students share that add up weighted terms: predict, text, plot, files."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features, Rows
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.printable import visible
from limbeck.core.task import Task
from limbeck.data.precision import float32_note
from limbeck.reports.markup import Html
from limbeck.students import files
from limbeck.students.formula import Formula
from limbeck.students.readable import Readable
from limbeck.students.sparse_sum.model import TermWeights
from limbeck.students.sparse_sum.terms import FilledColumns, term_from_dict
from limbeck.students.sparse_sum.text import SumText, sum_text
from limbeck.students.targets import predicts_classes

__all__ = ["SumOfTerms"]

Vector = NDArray[np.float64]


class SumOfTerms(Readable):
    """A student that adds up the weights of terms.

    A value is the sum itself; for two classes the sum is the log-odds of the second, for more
    there is a sum for each, and probabilities are their softmax.

    Attributes
    ----------
    sum_ : TermWeights
        The terms, their weights and the intercepts.
    fill_ : ndarray of shape (d,)
        What a missing number counts as: the median of its column.
    spans_ : ndarray of shape (t,)
        By how much each term varies on the training rows, from its 5th to its 95th percentile;
        1 for a term that is 0 or 1.
    """

    size_unit = "numbers"
    kind_: ClassVar[str]

    sum_: TermWeights
    fill_: Vector
    spans_: Vector

    @classmethod
    def from_sum(
        cls,
        found: TermWeights,
        fill: Vector,
        features: Features,
        task: Task,
        spans: Vector | None = None,
    ) -> Self:
        """A student made of a sum that was found elsewhere.

        Parameters
        ----------
        found : TermWeights
            Terms, weights of shape (t, k) and intercepts of shape (k,), where k is 1 for values
            and two classes, else the number of classes.
        fill : ndarray of shape (d,)
            What a missing number counts as; NaN for categories.
        features : Features
            The d columns.
        task : Task
            What is predicted.
        spans : ndarray of shape (t,), optional
            By how much each term varies, for plots; 1 by default.

        Raises
        ------
        InvalidInput
            If shapes do not fit each other.
        """
        problem = _problem(found, fill, features, task)
        if problem:
            raise InvalidInput(f"{problem}.", "Give a weight for each term and output.")
        known = np.ones(len(found.terms)) if spans is None else np.asarray(spans, dtype=float)
        return cls(task=task)._take(found, fill, known, features, task)

    def _take(
        self, found: TermWeights, fill: Vector, spans: Vector, features: Features, task: Task
    ) -> Self:
        self.sum_, self.fill_, self.spans_ = found, fill, spans
        return self._hold(features, task)

    @property
    def size(self) -> int:
        """Numbers that a reader must hold: weights, intercepts, thresholds and conditions."""
        check_is_fitted(self)
        return self.sum_.numbers

    def add_up(self, X: Any) -> Vector:
        """The sums, of shape (n,) for values and two classes, else (n, k).

        Raises
        ------
        InvalidInput
            If X has other columns than the training rows, or an infinite value.
        """
        check_is_fitted(self)
        blocks = self.features_.blocks(X)
        found = [self.sum_.totals(FilledColumns(block, self.fill_)) for block in blocks]
        outputs = self.sum_.weights.shape[1]
        total = np.concatenate(found) if found else np.empty((0, outputs))
        return total[:, 0] if outputs == 1 else total

    def predict(self, X: Any) -> NDArray[Any]:
        """Labels or values of shape (n,), for rows of shape (n, d).

        Raises
        ------
        InvalidInput
            If X has other columns than the training rows, or an infinite value.
        """
        total = self.add_up(X)
        if not self.task_.classifies:
            return total
        if total.ndim == 2:
            return np.asarray(self.classes_[total.argmax(axis=1)])
        return np.asarray(self.classes_[np.where(total > 0, len(self.classes_) - 1, 0)])

    @available_if(lambda self: predicts_classes(self) is not False)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> Vector:
        """Probabilities of shape (n, k); the method is absent from students of values."""
        total = self.add_up(X) * self._per_unit
        if total.ndim == 2:
            return np.asarray(softmax(total, axis=1))
        if len(self.classes_) == 1:
            return np.ones((len(total), 1))
        share = expit(total)
        return np.column_stack([1 - share, share])

    @property
    def _per_unit(self) -> float:
        """How much log-odds one unit of the sum is."""
        return 1.0

    def formula(self) -> Formula:
        """The sum of its terms."""
        from limbeck.students.sparse_sum.formula import formula

        check_is_fitted(self)
        return formula(self.sum_, self.fill_, self._per_unit, self.features_, self.task_)

    def notes(self, rows: Rows) -> tuple[str, ...]:
        """Which columns float32 cannot tell apart, since steps lie only where it can."""
        return (float32_note(rows),)

    def text(self, *, digits: int | None = None) -> str:
        """The terms with their weights, and how the sum becomes an answer.

        Parameters
        ----------
        digits : int, optional
            Significant digits of the weights; by default all, so that what is printed is what
            is computed.
        """
        return visible(str(self._said(digits)))

    def _said(self, digits: int | None = None) -> SumText:
        check_is_fitted(self)
        return sum_text(
            self.sum_, self.features_, self.task_, self.fill_, digits=digits,
            unit=self._unit_name, per_unit=self._per_unit,
        )  # fmt: skip

    @property
    def _unit_name(self) -> str:
        return "weight"

    def plot(self, ax: Any = None) -> Any:
        """Draw a bar per term: what it adds, between a low and a high value where it is a number.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; by default a new figure.

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        MissingExtra
            If matplotlib is not installed.
        """
        from limbeck.students.sparse_sum.plot import plot_sum

        check_is_fitted(self)
        return plot_sum(self.sum_, self.spans_, self.features_, self.task_, self._unit_name, ax)

    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""
        check_is_fitted(self)
        return {
            **self._head(self.kind_),
            "terms": [t.to_dict() for t in self.sum_.terms],
            "weights": self.sum_.weights.tolist(),
            "intercept": self.sum_.intercept.tolist(),
            "fill": [None if math.isnan(v) else v for v in self.fill_.tolist()],
            "spans": self.spans_.tolist(),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, another student, or newer than this limbeck.
        """
        features, task = files.read_head(data, cls.kind_)

        def read(data: dict[str, Any]) -> tuple[TermWeights, Vector, Vector]:
            terms = tuple(term_from_dict(t, features) for t in data["terms"])
            intercept = np.array(data["intercept"], dtype=np.float64).reshape(-1)
            weights = np.array(data["weights"], dtype=np.float64).reshape(-1, len(intercept))
            fill = [math.nan if v is None else float(v) for v in data["fill"]]
            spans = np.array(data["spans"], dtype=np.float64).reshape(-1)
            return TermWeights(terms, weights, intercept), np.array(fill), spans

        found, fill, spans = files.parsed(data, read)
        problem = _problem(found, fill, features, task)
        if problem or len(spans) != len(found.terms):
            raise FileRefused(f"{problem}.", "Save the student again; the file was altered.")
        return cls(task=task)._take(found, fill, spans, features, task)._recall(data)

    def _used(self) -> Collection[int] | None:
        return {j for t in self.sum_.terms for j in t.columns}

    def drawing(self) -> Html:
        """The terms with their weights, as a table."""
        return Html(self._said().html())


def _problem(found: TermWeights, fill: Vector, features: Features, task: Task) -> str:
    """What does not fit; empty where all does."""
    outputs = len(task.classes) if len(task.classes) > 2 else 1
    if found.weights.shape != (len(found.terms), outputs) or len(found.intercept) != outputs:
        return f"The weights have shape {found.weights.shape} for {len(found.terms)} terms"
    if not (np.isfinite(found.weights).all() and np.isfinite(found.intercept).all()):
        return "A weight is no finite number"
    numeric = np.array([c.kind != "categorical" for c in features.columns])
    if fill.shape != (len(features),) or not np.isfinite(fill[numeric]).all():
        return "There is not one number for missing values per column"
    return ""
