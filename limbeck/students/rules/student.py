"""What rule lists and rule sets share: clauses with values, their text, drawing and file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from html import escape
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, plural, whole_number
from limbeck.core.printable import visible
from limbeck.core.task import Task
from limbeck.reports.markup import Html
from limbeck.students import files
from limbeck.students.formula import Formula
from limbeck.students.piecewise import Finder, Piecewise
from limbeck.students.rules.candidates import FOREST
from limbeck.students.rules.clause import Clause, first_true
from limbeck.students.rules.lines import RuleLine, text_of
from limbeck.students.rules.search import RuleLimits
from limbeck.students.targets import TaskLike, read_training

__all__ = ["RuleStudent"]


class RuleStudent(Piecewise):
    """Clauses, each with a value, and a value for rows that satisfy none.

    Parameters
    ----------
    max_rules : int
        The most rules.
    max_conditions : int
        The most thresholds and levels in one rule.
    max_numbers : int, optional
        The most numbers that a reader must hold.
    task : Task, "classes" or "value", optional
        What y holds.
    random_state : int
        Draws the trees of the forest.

    Attributes
    ----------
    clauses_ : tuple of r Clause
        When each rule holds.
    value_ : ndarray of shape (r + 1, k)
        Class fractions of each rule, or its number (k = 1); the last is where no rule holds.
    share_ : ndarray of shape (r + 1,)
        The share of the training rows that each speaks of, for display.
    """

    kind: ClassVar[str]
    size_unit = "rules"
    clauses_: tuple[Clause, ...]
    value_: NDArray[np.float64]
    share_: NDArray[np.float64]

    def __init__(
        self,
        max_rules: int = 8,
        max_conditions: int = 3,
        max_numbers: int | None = None,
        task: TaskLike = None,
        random_state: int = 0,
    ) -> None:
        self.max_rules = max_rules
        self.max_conditions = max_conditions
        self.max_numbers = max_numbers
        self.task = task
        self.random_state = random_state

    @abstractmethod
    def lines(self, *, digits: int | None = None, exact: bool = False) -> list[RuleLine]:
        """The rules as they are printed and drawn, from top to bottom; parameters as in `text`.

        Parameters
        ----------
        digits, exact
            As in :meth:`text`.
        """

    @abstractmethod
    def path(
        self,
        features: Features,
        task: Task,
        values: NDArray[np.float64],
        target: NDArray[Any],
        weight: NDArray[np.float64],
        rng: np.random.Generator,
        forest: int = FOREST,
        costs: NDArray[np.float64] | None = None,
    ) -> list[Self]:
        """Students of growing size, the first without a rule, with these settings.

        Parameters
        ----------
        features : Features
            The d columns.
        task : Task
            What is predicted.
        values : ndarray of shape (n, d)
            Encoded rows.
        target : ndarray of shape (n,)
            Positions of classes, or values.
        weight : ndarray of shape (n,)
            How much each row counts.
        rng : numpy.random.Generator
            The source of chance.
        forest : int
            How many trees of a random forest give candidates.
        costs : ndarray of shape (d,), optional
            What the loss of a row must fall by before a column is read.
        """

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Find at most ``max_rules`` rules.

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
        features, values, task, target, weight = read_training(X, y, self.task, sample_weight)
        for name in ("max_rules", "max_conditions"):
            whole_number(name, getattr(self, name), 1)
        if self.max_numbers is not None:
            whole_number("max_numbers", self.max_numbers, 1)
        used = weight > 0
        rng = np.random.default_rng(self.random_state)
        found = self.path(features, task, values[used], target[used], weight[used], rng)[-1]
        self._take(found.clauses_, found.value_, found.share_, features, task)
        return self.measured(values[used])

    @property
    def size(self) -> int:
        """The number of rules, without the last line, which is for all other rows."""
        check_is_fitted(self)
        return len(self.clauses_)

    @property
    def numbers(self) -> int:
        """Thresholds and levels of all conditions, a value for each rule, and one for the rest."""
        check_is_fitted(self)
        return sum(clause.numbers for clause in self.clauses_) + len(self.clauses_) + 1

    def drawing(self) -> Html:
        """The drawing, for the page of a report."""
        return Html(self.svg())

    def caption(self) -> str:
        """What stands below its drawing."""
        does = "decides" if self.kind == "rule_list" else "holds for"
        return (
            f"{plural(self.size, 'rule', 'rules')}. A bar is the share of the rows and queries that"
            f" a rule {does}."
        )

    def text(self, *, digits: int | None = None, exact: bool = False) -> str:
        """The rules, one a line, with the share of the training rows in brackets.

        A condition on a missing value is false unless it says "or is missing". Thresholds are
        printed in the shortest decimals for which all rows on which the rules were found (queries
        included) satisfy the same rules.

        Parameters
        ----------
        digits : int, optional
            At least so many significant digits.
        exact : bool
            Print thresholds and values exactly.
        """
        return visible(text_of(self.lines(digits=digits, exact=exact)))

    def svg(self, *, digits: int | None = None, exact: bool = False) -> str:
        """A drawing, as inline SVG that needs nothing else; parameters as in :meth:`text`.

        Parameters
        ----------
        digits, exact
            As in :meth:`text`.
        """
        from limbeck.students.rules.drawing import svg

        return svg(self.lines(digits=digits, exact=exact), self._title())

    def plot(self, ax: Any = None) -> Any:
        """Draw the rules on matplotlib axes.

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
        from limbeck.students.rules.plot import plot_lines

        return plot_lines(self.lines(), ax)

    def to_dict(self) -> dict[str, Any]:
        """All that the student is, ready for JSON."""
        check_is_fitted(self)
        rules = [
            {"if": clause.to_list(), "value": value, "share": share}
            for clause, value, share in zip(
                (*self.clauses_, Clause.of({})), self.value_.tolist(), self.share_.tolist(),
                strict=True,
            )
        ]  # fmt: skip
        return {**self._head(self.kind), "rules": rules}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, of another kind, or newer than this limbeck.
        """
        features, task = files.read_head(data, cls.kind)

        def read(d: dict[str, Any]) -> tuple[tuple[Clause, ...], NDArray[Any], NDArray[Any]]:
            clauses = tuple(Clause.from_list(r["if"], features) for r in d["rules"])
            value = np.array([r["value"] for r in d["rules"]], dtype=np.float64)
            share = np.array([r["share"] for r in d["rules"]], dtype=np.float64)
            if value.shape != (len(clauses), len(task.classes) or 1) or not len(clauses):
                raise ValueError(f"the values have shape {value.shape}")
            if not (np.isfinite(value).all() and ((share >= 0) & (share <= 1 + 1e-9)).all()):
                raise ValueError("a value is not finite, or a share is not between 0 and 1")
            if clauses[-1].columns:
                raise ValueError("the last rule has conditions")
            return clauses[:-1], value, share

        clauses, value, share = files.parsed(data, read)
        found = cls(max_rules=max(len(clauses), 1), task=task)
        problem = found._problem(clauses, value, task)
        if problem:
            raise FileRefused(f"{problem}.", "Save the student again; the file was altered.")
        return found._take(clauses, value, share, features, task)._recall(data)

    def _problem(self, clauses: Sequence[Clause], value: NDArray[Any], task: Task) -> str:
        """What is wrong with rules from a file, as one sentence; empty if nothing is."""
        return ""

    def _limits(self, costs: NDArray[np.float64] | None) -> RuleLimits:
        most = np.inf if self.max_numbers is None else self.max_numbers
        return RuleLimits(self.max_rules, most, costs)

    def _take(
        self,
        clauses: Sequence[Clause],
        value: NDArray[np.float64],
        share: NDArray[np.float64],
        features: Features,
        task: Task,
    ) -> Self:
        self.clauses_ = tuple(clauses)
        self.value_, self.share_ = np.array(value, dtype=np.float64), np.array(share)
        for array in (self.value_, self.share_):
            array.flags.writeable = False
        return self._hold(features, task)

    def _made(self, *parts: Any) -> Self:
        """Another student with these settings, and these parts; see `_take`."""
        return type(self)(**self.get_params(deep=False))._take(*parts)

    def formula(self) -> Formula:
        """Which rule decides, and its value."""
        from limbeck.students.rules.formula import first

        check_is_fitted(self)
        return first(self.clauses_, self.value_, self.features_, self.task_)

    def _used(self) -> set[int]:
        return {j for clause in self.clauses_ for j in clause.columns}

    def _pieces(self) -> tuple[Finder, NDArray[np.float64]]:
        return lambda values: first_true(self.clauses_, values), self.value_

    def _title(self) -> str:
        name = {"rule_list": "Rule list", "rules": "Rule set"}[self.kind]
        return f"{name} of {plural(self.size, 'rule', 'rules')}"

    def _repr_html_(self) -> str:
        if not hasattr(self, "clauses_"):
            return f"<pre>{escape(repr(self))}</pre>"
        return f'<div style="overflow-x:auto">{self.svg()}</div>'
