"""The additive student: one table per column, and optional tables for pairs of columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean, whole_number
from limbeck.core.printable import visible
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.students import files
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.boosting import Terms, boost
from limbeck.students.additive.constraints import Constraints
from limbeck.students.additive.numbers import numbers_of
from limbeck.students.additive.stepwise import StepProblem
from limbeck.students.additive.text import text
from limbeck.students.formula import Formula
from limbeck.students.readable import Readable
from limbeck.students.targets import (
    TaskLike,
    predicts_classes,
    read_training,
)

__all__ = ["Additive"]

_STEPS_ONLY = ("max_terms", "max_numbers", "monotone", "forbidden")


@STUDENTS.register("additive")
class Additive(Readable):
    """A sum of contributions, one for the bin of each column (a generalised additive model).

    A value is the sum itself; for two classes the sum is the log-odds of the second, for more the
    score of each class, and probabilities are the softmax of the scores. Predicting takes numpy
    alone. A missing value has a contribution of its own; a level that was not seen counts as
    missing.

    Parameters
    ----------
    pairs : int
        The most pairs of columns with a table of their own.
    bins : int
        The most bins of a number.
    min_rows : float
        The least weight of a bin of a number, or of a category that is not pooled.
    rounds : int
        Passes of boosting over the columns.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    random_state : int
        Seed of the boosting.
    solver : {"boosting", "steps"}, optional
        "boosting" is interpret-core's explainable boosting machine (Nori, Jenkins, Koch, Caruana
        2019), for values and two classes; "steps" chooses steps by least squares, for any task
        (:mod:`limbeck.students.additive.stepwise`). By default boosting, and steps where there are
        more classes or one of the settings below is given.
    max_terms, max_numbers, monotone, forbidden
        For steps; see :class:`limbeck.students.additive.constraints.Constraints`.
    ridge : float
        For steps: the penalty of squared weights, per unit of weight and of variance of y.

    Attributes
    ----------
    bins_ : Bins
        How the columns are cut.
    terms_ : Terms
        The intercept, and a table a term.
    weight_ : tuple of ndarray
        The training weight in each bin of each column.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(500, 2))
    >>> student = Additive(solver="steps").fit(X, np.abs(X[:, 0]) + (X[:, 1] > 0))
    >>> student.score(X, np.abs(X[:, 0]) + (X[:, 1] > 0)) > 0.95
    True
    """

    size_unit = "bins"

    bins_: Bins
    terms_: Terms
    weight_: tuple[NDArray[np.float64], ...]

    def __init__(
        self,
        pairs: int = 0,
        bins: int = 24,
        min_rows: float = 10,
        rounds: int = 200,
        task: TaskLike = None,
        random_state: int = 0,
        solver: Literal["boosting", "steps"] | None = None,
        max_terms: int | None = None,
        max_numbers: int | None = None,
        monotone: Mapping[str, int] | None = None,
        forbidden: Sequence[str] = (),
        ridge: float = 0.01,
    ) -> None:
        self.pairs = pairs
        self.bins = bins
        self.min_rows = min_rows
        self.rounds = rounds
        self.task = task
        self.random_state = random_state
        self.solver = solver
        self.max_terms = max_terms
        self.max_numbers = max_numbers
        self.monotone = monotone
        self.forbidden = forbidden
        self.ridge = ridge

    @classmethod
    def from_terms(
        cls,
        terms: Terms,
        bins: Bins,
        weight: tuple[NDArray[np.float64], ...],
        features: Features,
        task: Task,
        settings: Mapping[str, Any] | None = None,
    ) -> Self:
        """An additive student made of tables that were found elsewhere.

        Parameters
        ----------
        terms : Terms
            The tables and the columns that each reads.
        bins : Bins
            The edges of every column.
        weight : tuple of ndarray
            How much data each cell of each table held.
        features : Features
            The columns.
        task : Task
            What is predicted.
        settings : mapping, optional
            Settings of the student, with which it could be fitted anew.

        Raises
        ------
        InvalidInput
            If tables, bins and weights do not fit the columns and the task.
        """
        problem = _problem(terms, bins, weight, features, task)
        if problem:
            raise InvalidInput(f"{problem}.", "Give a table over all bins, with missing last.")
        pairs = sum(len(c) == 2 for c in terms.columns)
        given = {"pairs": pairs, **(settings or {})}
        return cls(task=task, **given)._take(terms, bins, weight, features, task)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit main effects, and pairs where asked for.

        Parameters
        ----------
        X : array-like, DataFrame or Rows of shape (n, d)
            The rows; NaN is missing.
        y : array-like of shape (n,)
            Values, or labels.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Raises
        ------
        InvalidInput
            If the rows, targets, weights or settings cannot be used.
        MissingExtra
            For boosting, if interpret-core is not installed.
        """
        features, values, task, target, weight = read_training(X, y, self.task, sample_weight)
        for name, least in (("pairs", 0), ("bins", 2), ("rounds", 1)):
            whole_number(name, getattr(self, name), least)
        if self._by_steps(task):
            return self._fit_steps(features, values, target, weight, task)
        bins = Bins.learn(features, values, weight, int(self.bins), float(self.min_rows))
        codes = bins.codes(values)
        terms = boost(
            codes, bins.counts, tuple(c.kind == "categorical" for c in features.columns),
            target.astype(np.float64), weight, classifies=task.classifies, pairs=int(self.pairs),
            rounds=int(self.rounds), seed=int(self.random_state or 0),
        )  # fmt: skip
        mass = tuple(_sums(codes[:, j], weight, c) for j, c in enumerate(bins.counts))
        return self._take(terms, bins, mass, features, task).measured(values[weight > 0])

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
        last = len(self.task_.classes) - 1
        return self.classes_[np.where(total > 0, last, 0)]

    def formula(self) -> Formula:
        """The sum of contributions, by bins."""
        from limbeck.students.additive.formula import formula

        check_is_fitted(self)
        return formula(self.terms_, self.bins_, self.features_, self.task_)

    def add_up(self, X: Any) -> NDArray[np.float64]:
        """The sum of contributions: a value or the log-odds of a class (n,), or scores (n, k)."""
        check_is_fitted(self)
        blocks = self.features_.blocks(X)
        found = [self.terms_.add_up(self._codes(block)) for block in blocks]
        return np.concatenate(found) if found else np.empty((0, *np.shape(self.terms_.intercept)))

    @available_if(lambda self: predicts_classes(self) is not False)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of shape (n, k); the method is absent from students of values."""
        total = self.add_up(X)
        if total.ndim == 2:
            return np.asarray(softmax(total, axis=1))
        share = expit(total)
        if len(self.task_.classes) == 1:
            return np.ones((len(share), 1))
        return np.column_stack([1 - share, share])

    @property
    def size(self) -> int:
        """The number of contributions of bins that training rows reached, pairs included.

        Columns that add nothing are not counted.
        """
        check_is_fitted(self)
        seen = [(w > 0).sum() for w in self.weight_]
        tables = zip(self.terms_.columns, self.terms_.tables, strict=True)
        return max(1, int(sum(np.prod([seen[j] for j in at]) for at, t in tables if t.any())))

    @property
    def numbers(self) -> int:
        """The intercept, and for each step a threshold and a change; a level has only the change.

        A table of a pair is counted as products of steps: two conditions and a change each. With
        several classes each has changes and an intercept of its own.
        """
        check_is_fitted(self)
        found = max(np.size(self.terms_.intercept), 1)
        for at, table in zip(self.terms_.columns, self.terms_.tables, strict=True):
            kinds = tuple(self.features_.columns[j].kind for j in at)
            seen = tuple(self.weight_[j] > 0 for j in at)
            found += numbers_of(table, kinds, seen)
        return found

    def importances(self) -> dict[str, float]:
        """The mean size of each column's contribution over the training rows, largest first."""
        check_is_fitted(self)
        found = {}
        for at, table in zip(self.terms_.columns, self.terms_.tables, strict=True):
            if len(at) == 1:
                w = self.weight_[at[0]]
                size = np.abs(table) if table.ndim == 1 else np.abs(table).mean(axis=1)
                found[self.features_.names[at[0]]] = float(np.average(size, weights=w))
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def text(self, *, digits: int | None = None, exact: bool = False) -> str:
        """The contributions as indented lines, a term after the other; most important first.

        Edges are printed in the shortest decimals that put all training rows into the same bins
        as the student itself; a bin holds its upper edge.

        Parameters
        ----------
        digits : int, optional
            At least so many significant digits in an edge, and so many in a contribution
            (four by default).
        exact : bool
            Print edges and contributions exactly.
        """
        check_is_fitted(self)
        return visible(text(self, digits, exact))

    def _plot(self, ax: Any) -> Any:
        """What each column adds, the most important first, at most 12 of them."""
        from limbeck.students.additive.plot import plot_shapes

        table = {at[0]: t for at, t in zip(self.terms_.columns, self.terms_.tables, strict=True)
                 if len(at) == 1}  # fmt: skip
        order = [self.features_.index(name) for name in self.importances()]
        moved = [j for j in order if np.ptp(table[j], axis=0).any()] or order[:1]
        shapes = [(j, table[j], self.weight_[j]) for j in moved]
        return plot_shapes(shapes, self.bins_, self.features_.columns, self.task_, ax)

    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""
        check_is_fitted(self)
        terms = [
            {"columns": list(at), "table": table.tolist()}
            for at, table in zip(self.terms_.columns, self.terms_.tables, strict=True)
        ]
        return {
            **self._head("additive"),
            "intercept": np.asarray(self.terms_.intercept).tolist(),
            "bins": self.bins_.to_lists(),
            "weight": [w.tolist() for w in self.weight_],
            "terms": terms,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, no additive student, or newer than this limbeck.
        """
        features, task = files.read_head(data, "additive")
        terms, bins, weight = files.parsed(data, _read)
        problem = _problem(terms, bins, weight, features, task)
        if problem:
            raise FileRefused(f"{problem}.", "Save the student again; the file was altered.")
        pairs = sum(len(c) == 2 for c in terms.columns)
        found = cls(pairs=pairs, task=task)._take(terms, bins, weight, features, task)
        return found._recall(data)

    def _take(
        self,
        terms: Terms,
        bins: Bins,
        weight: tuple[NDArray[np.float64], ...],
        features: Features,
        task: Task,
    ) -> Self:
        self.terms_, self.bins_, self.weight_ = terms, bins, weight
        return self._hold(features, task)

    def _used(self) -> tuple[int, ...]:
        tables = zip(self.terms_.columns, self.terms_.tables, strict=True)
        return tuple({j for at, table in tables if table.any() for j in at})

    def _codes(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        """The bins of encoded rows in the columns that count; 0 in all others."""
        used = np.array(sorted(self._used()), dtype=np.int64)
        if len(used) == values.shape[1]:
            return self.bins_.codes(values)
        out = np.zeros(values.shape, dtype=np.int64)
        out[:, used] = self.bins_.of(used).codes(values[:, used])
        return out

    def _by_steps(self, task: Task) -> bool:
        if self.solver not in (None, "boosting", "steps"):
            known = ("boosting", "steps")
            raise InvalidInput(
                f"There is no solver {self.solver!r}.", did_you_mean(str(self.solver), known)
            )
        given = (self.max_terms, self.max_numbers, self.monotone or None, self.forbidden or None)
        asked = [n for n, v in zip(_STEPS_ONLY, given, strict=True) if v is not None]
        several = len(task.classes) > 2
        if self.solver == "boosting" and (asked or several):
            what = f"{asked[0]} was given" if asked else f"There are {len(task.classes)} classes"
            raise InvalidInput(
                f"{what}, and boosting knows values and two classes only, without constraints.",
                "Leave solver out, or give solver='steps'.",
            )
        return self.solver == "steps" or several or bool(asked)

    def _fit_steps(
        self,
        features: Features,
        values: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64],
        task: Task,
    ) -> Self:
        if isinstance(self.ridge, bool) or not (np.isfinite(self.ridge) and self.ridge > 0):
            raise InvalidInput(f"ridge is {self.ridge!r}.", "Give a number above 0.")
        asked = Constraints(
            self.pairs, self.max_terms, self.max_numbers, self.monotone, self.forbidden
        )
        goal = np.eye(len(task.classes))[target] if task.classifies else target[:, None]
        problem = StepProblem.of(
            features, values, goal.astype(np.float64), weight, asked, int(self.bins),
            float(self.min_rows), task.classifies,
        )  # fmt: skip
        fit = problem.refined(problem.fit(problem.moments(), float(self.ridge)), float(self.ridge))
        used = values[weight > 0]
        return self._take(*problem.terms(fit), features, task).measured(used)


def _problem(
    terms: Terms,
    bins: Bins,
    weight: tuple[NDArray[np.float64], ...],
    features: Features,
    task: Task,
) -> str:
    """What keeps these from being an additive student, as a sentence; else empty."""
    problem = bins.problem(features)
    if problem:
        return problem
    counts, k = bins.counts, len(task.classes)
    outputs = (k,) if k > 2 else ()
    if np.shape(terms.intercept) != outputs:
        return "There is not one intercept for each score"
    if len(weight) != len(counts) or any(
        w.shape != (c,) or not (np.isfinite(w) & (w >= 0)).all() or not w.any()
        for w, c in zip(weight, counts, strict=True)
    ):
        return "There is not one weight of 0 or more a bin"
    mains = sorted(at[0] for at in terms.columns if len(at) == 1)
    if mains != list(range(len(counts))) or len(set(terms.columns)) < len(terms.columns):
        return "There is not one term per column"
    for at, table in zip(terms.columns, terms.tables, strict=True):
        fits = len(set(at)) == len(at) <= 2 and all(0 <= j < len(counts) for j in at)
        if not fits or table.shape != (*(counts[j] for j in at), *outputs):
            return "A table does not fit the bins of its columns"
        if not np.isfinite(table).all():
            return "A contribution is not a finite number"
    return "" if np.isfinite(terms.intercept).all() else "An intercept is not a finite number"


def _sums(at: NDArray[np.int64], weight: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(at, weight, size), dtype=np.float64)


def _read(data: dict[str, Any]) -> tuple[Terms, Bins, tuple[NDArray[np.float64], ...]]:
    columns = tuple(tuple(t["columns"]) for t in data["terms"])
    if not all(isinstance(j, int) for at in columns for j in at):
        raise ValueError("columns must be whole numbers")
    tables = tuple(np.array(t["table"], dtype=np.float64) for t in data["terms"])
    weight = tuple(np.array(w, dtype=np.float64).reshape(-1) for w in data["weight"])
    given = data["intercept"]
    intercept = np.array(given, dtype=np.float64) if isinstance(given, list) else float(given)
    return Terms(intercept, columns, tables), Bins.from_lists(data["bins"]), weight
