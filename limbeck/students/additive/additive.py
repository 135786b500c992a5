"""The additive student: one table per column, and optional tables for pairs of columns."""

from __future__ import annotations

from html import escape
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.contract import Task
from limbeck.core.errors import FileRefused, InvalidInput
from limbeck.core.registry import STUDENTS
from limbeck.students import files
from limbeck.students.additive.bins import Bins
from limbeck.students.additive.boosting import Terms, boost
from limbeck.students.readable import Readable
from limbeck.students.targets import TaskLike, predicts_classes, read_target, read_weight
from limbeck.students.tree.text import number, signed

__all__ = ["Additive"]


@STUDENTS.register("additive")
class Additive(Readable):
    """A sum of contributions, one for the bin of each column (a generalised additive model).

    Fitted by interpret-core's explainable boosting machine (Nori, Jenkins, Koch, Caruana 2019);
    the fitted student holds its own tables, and predicts without that package. A value is the
    sum itself; for two classes the sum is the log-odds of the second.

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
    ) -> None:
        self.pairs = pairs
        self.bins = bins
        self.min_rows = min_rows
        self.rounds = rounds
        self.task = task
        self.random_state = random_state

    @classmethod
    def from_terms(
        cls,
        terms: Terms,
        bins: Bins,
        weight: tuple[NDArray[np.float64], ...],
        features: Features,
        task: Task,
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

        Raises
        ------
        InvalidInput
            If tables, bins and weights do not fit the columns and the task.
        """
        problem = _problem(terms, bins, weight, features, task)
        if problem:
            raise InvalidInput(f"{problem}.", "Give a table over all bins, with missing last.")
        pairs = sum(len(c) == 2 for c in terms.columns)
        return cls(pairs=pairs, task=task)._take(terms, bins, weight, features, task)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit main effects, and pairs where asked for.

        Parameters
        ----------
        X : array-like, DataFrame or Rows of shape (n, d)
            The rows; NaN is missing.
        y : array-like of shape (n,)
            Values, or labels of at most two classes.
        sample_weight : array-like of shape (n,), optional
            Weights of the rows.

        Raises
        ------
        InvalidInput
            If the rows, targets, weights or settings cannot be used, or there are more than
            two classes.
        MissingExtra
            If interpret-core is not installed.
        """
        features = Features.of(X)
        values = features.encode(X)
        task, target = read_target(y, len(values), self.task)
        weight = read_weight(sample_weight, len(values))
        for name, least in (("pairs", 0), ("bins", 2), ("rounds", 1)):
            given = getattr(self, name)
            if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
                raise InvalidInput(f"{name} is {given!r}.", f"Give a whole number from {least}.")
        if len(task.classes) > 2:
            raise InvalidInput(
                f"There are {len(task.classes)} classes, and an additive student tells two apart.",
                "Ask one class against the rest, or use a tree.",
            )
        bins = Bins.learn(features, values, weight, int(self.bins), float(self.min_rows))
        codes = bins.codes(values)
        terms = boost(
            codes, bins.counts, tuple(c.kind == "categorical" for c in features.columns),
            target.astype(np.float64), weight, classifies=task.classifies, pairs=int(self.pairs),
            rounds=int(self.rounds), seed=int(self.random_state or 0),
        )  # fmt: skip
        mass = tuple(_sums(codes[:, j], weight, c) for j, c in enumerate(bins.counts))
        return self._take(terms, bins, mass, features, task)

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
        last = len(self.task_.classes) - 1
        return self.classes_[np.where(total > 0, last, 0)]

    def add_up(self, X: Any) -> NDArray[np.float64]:
        """The sum of all contributions, shape (n,): a value, or the log-odds of a class."""
        check_is_fitted(self)
        blocks = self.features_.blocks(X)
        found = [self.terms_.add_up(self.bins_.codes(block)) for block in blocks]
        return np.concatenate(found) if found else np.empty(0)

    @available_if(lambda self: predicts_classes(self) is not False)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of shape (n, k); the method is absent from students of values."""
        share = expit(self.add_up(X))
        if len(self.task_.classes) == 1:
            return np.ones((len(share), 1))
        return np.column_stack([1 - share, share])

    @property
    def size(self) -> int:
        """The number of contributions of bins that training rows reached, pairs included."""
        check_is_fitted(self)
        seen = [(w > 0).sum() for w in self.weight_]
        return int(sum(np.prod([seen[j] for j in at]) for at in self.terms_.columns))

    def importances(self) -> dict[str, float]:
        """The mean size of each column's contribution over the training rows, largest first."""
        check_is_fitted(self)
        found = {}
        for at, table in zip(self.terms_.columns, self.terms_.tables, strict=True):
            if len(at) == 1:
                w = self.weight_[at[0]]
                found[self.features_.names[at[0]]] = float(np.average(np.abs(table), weights=w))
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
        rank = {name: i for i, name in enumerate(self.importances())}
        what = f"log-odds of {self.task_.classes[-1]!r}" if self.task_.classifies else "value"
        kept = None if exact else digits or 4
        lines = [f"{what} = {number(self.terms_.intercept, kept)} + the sum of:"]
        names = self.features_.names
        terms = sorted(
            zip(self.terms_.columns, self.terms_.tables, strict=True),
            key=lambda term: (len(term[0]), [rank[names[j]] for j in term[0]]),
        )
        for at, table in terms:
            if len(at) == 2:
                low, high = float(table.min()), float(table.max())
                pair = " and ".join(names[j] for j in at)
                lines.append(f"{pair}: {signed(low, kept)} to {signed(high, kept)}")
                continue
            lines.append(f"{names[at[0]]}:")
            words = self.bins_.words(at[0], self.features_.columns[at[0]], digits, exact)
            for word, value, seen in zip(words, table, self.weight_[at[0]], strict=True):
                if seen > 0:
                    lines.append(f"  {word}: {signed(float(value), kept)}")
        return "\n".join(lines)

    def _plot(self, ax: Any) -> Any:
        """What each column adds, the most important first, at most 12 of them."""
        from limbeck.students.additive.plot import plot_shapes

        table = {at[0]: t for at, t in zip(self.terms_.columns, self.terms_.tables, strict=True)
                 if len(at) == 1}  # fmt: skip
        order = [self.features_.index(name) for name in self.importances()]
        shapes = [(j, table[j], self.weight_[j]) for j in order]
        unit = self.task_.unit or "contribution"
        if self.task_.classifies:
            unit = f"log-odds of {self.task_.classes[-1]}"
        return plot_shapes(shapes, self.bins_, self.features_.columns, unit, ax)

    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""
        check_is_fitted(self)
        terms = [
            {"columns": list(at), "table": table.tolist()}
            for at, table in zip(self.terms_.columns, self.terms_.tables, strict=True)
        ]
        return {
            **self._head("additive"),
            "intercept": self.terms_.intercept,
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_class = False
        return tags

    def _repr_html_(self) -> str:
        return f"<pre>{escape(self.text() if hasattr(self, 'terms_') else repr(self))}</pre>"


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
    if len(task.classes) > 2:
        return "An additive student tells at most two classes apart"
    counts = bins.counts
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
        if not fits or table.shape != tuple(counts[j] for j in at):
            return "A table does not fit the bins of its columns"
        if not np.isfinite(table).all():
            return "A contribution is not a finite number"
    return "" if np.isfinite(terms.intercept) else "The intercept is not a finite number"


def _sums(at: NDArray[np.int64], weight: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    return np.asarray(np.bincount(at, weight, size), dtype=np.float64)


def _read(data: dict[str, Any]) -> tuple[Terms, Bins, tuple[NDArray[np.float64], ...]]:
    columns = tuple(tuple(t["columns"]) for t in data["terms"])
    if not all(isinstance(j, int) for at in columns for j in at):
        raise ValueError("columns must be whole numbers")
    tables = tuple(np.array(t["table"], dtype=np.float64) for t in data["terms"])
    weight = tuple(np.array(w, dtype=np.float64).reshape(-1) for w in data["weight"])
    return Terms(float(data["intercept"]), columns, tables), Bins.from_lists(data["bins"]), weight
