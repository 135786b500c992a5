"""The tree student: a decision tree over numbers, categories and missing values."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput, did_you_mean, plural, whole_number
from limbeck.core.printable import visible
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.reports.markup import Html, join, tag
from limbeck.students import files
from limbeck.students.formula import Formula
from limbeck.students.piecewise import Finder, Piecewise
from limbeck.students.targets import (
    TaskLike,
    read_training,
)
from limbeck.students.tree import text as words
from limbeck.students.tree.apply import walker
from limbeck.students.tree.folding import MOST_DRAWN
from limbeck.students.tree.greedy import grow
from limbeck.students.tree.nodes import EQ, Nodes

__all__ = ["Tree"]

_CRITERIA = {True: ("gini", "entropy"), False: ("squared_error", "absolute_error", "poisson")}


@STUDENTS.register("tree")
class Tree(Piecewise):
    """A decision tree, small enough to read.

    ``fit`` grows it greedily (CART, best first, by scikit-learn); a method that searches for a
    tree makes one with :meth:`from_nodes`.

    Parameters
    ----------
    max_leaves : int
        The most leaves that ``fit`` may grow.
    criterion : str, optional
        How ``fit`` judges a split: ``"gini"`` (default) or ``"entropy"`` for classes,
        ``"squared_error"`` (default), ``"absolute_error"`` or ``"poisson"`` for values.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    min_rows : int
        The fewest training rows in a leaf.
    random_state : int
        Decides between equally good splits.

    Attributes
    ----------
    nodes_ : Nodes
        The m nodes as read-only arrays.
    features_ : Features
        The d columns.
    task_ : Task
        The classes, or the unit of the value.
    classes_ : ndarray of shape (k,)
        The classes; absent for regression.
    n_features_in_ : int
        d.
    feature_names_in_ : ndarray of shape (d,), object
        The names of the columns; present where rows are DataFrames.

    Examples
    --------
    >>> tree = Tree(max_leaves=2).fit([[1.0], [2.0], [5.0], [6.0]], ["no", "no", "yes", "yes"])
    >>> print(tree.text())
    x0 <= 3?  [100 %]
    ├─ yes: no (1)  [50 %]
    └─ no:  yes (1)  [50 %]
    """

    nodes_: Nodes

    size_unit = "leaves"

    def __init__(
        self,
        max_leaves: int = 16,
        criterion: str | None = None,
        task: TaskLike = None,
        min_rows: int = 1,
        random_state: int = 0,
    ) -> None:
        self.max_leaves = max_leaves
        self.criterion = criterion
        self.task = task
        self.min_rows = min_rows
        self.random_state = random_state

    @classmethod
    def from_nodes(
        cls,
        nodes: Nodes,
        features: Features,
        task: Task,
        seen: NDArray[np.float64] | None = None,
    ) -> Self:
        """A tree made of nodes that were found elsewhere.

        Parameters
        ----------
        nodes, features, task
            The tree, its d columns, and what it predicts.
        seen : ndarray of shape (n, d), optional
            The encoded rows on which the tree was found. Thresholds then move midway between
            their values, and are printed as short as these allow; no row changes its leaf.

        Raises
        ------
        InvalidInput
            If the nodes are no tree over these columns and this task.
        """
        problem = _problem(nodes, features, task)
        if problem:
            raise InvalidInput(f"{problem}.", "Give the nodes of one binary tree.")
        if seen is not None:
            nodes = nodes.settled(seen)
        return cls(max_leaves=max(nodes.size, 1), task=task)._take(nodes, features, task)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Grow a greedy tree.

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
        for name in ("max_leaves", "min_rows"):
            whole_number(name, getattr(self, name), 1)
        allowed = _CRITERIA[task.classifies]
        if self.criterion is not None and self.criterion not in allowed:
            raise InvalidInput(
                f"There is no criterion {self.criterion!r} for this task.",
                did_you_mean(str(self.criterion), allowed),
            )
        nodes = grow(
            features, values, target, weight,
            classes=len(task.classes), max_leaves=self.max_leaves, min_rows=self.min_rows,
            criterion=self.criterion or allowed[0], seed=self.random_state,
        )  # fmt: skip
        rows = values[weight > 0]
        return self._take(nodes.settled(rows), features, task).measured(rows)

    def apply(self, X: Any) -> NDArray[np.int32]:
        """The leaf that each row reaches, as its position in ``nodes_``, shape (n,)."""
        check_is_fitted(self)
        return self._look_up(X, *walker(self.nodes_))

    @property
    def size(self) -> int:
        """The number of leaves."""
        check_is_fitted(self)
        return self.nodes_.size

    @property
    def numbers(self) -> int:
        """Thresholds and leaves, 2 L - 1 for L leaves."""
        return 2 * self.size - 1

    @property
    def depth(self) -> int:
        """The most questions asked of a row."""
        check_is_fitted(self)
        return int(self.nodes_.depths.max())

    def text(
        self, missing: bool | None = None, *, digits: int | None = None, exact: bool = False
    ) -> str:
        """The tree as indented lines; parameters as in :meth:`rules`.

        Parameters
        ----------
        missing, digits, exact
            As in :meth:`rules`.
        """
        check_is_fitted(self)
        return visible(words.text(self.nodes_, self.features_, self.task_, missing, digits, exact))

    def rules(
        self, missing: bool | None = None, *, digits: int | None = None, exact: bool = False
    ) -> list[str]:
        """One IF ... THEN ... sentence a leaf, from left to right.

        Thresholds are printed in the shortest decimals that send all rows on which the tree was
        found (queries included) the same way as the tree itself.

        Parameters
        ----------
        missing : bool, optional
            Whether to say where missing values go: in all columns or in none. By default in
            those that had missing values.
        digits : int, optional
            At least so many significant digits.
        exact : bool
            Print thresholds and values exactly, and where missing values go, so that the rules
            hold for every row.
        """
        check_is_fitted(self)
        lines = words.rules(self.nodes_, self.features_, self.task_, missing, digits, exact)
        return [visible(line) for line in lines]

    def svg(
        self,
        missing: bool | None = None,
        *,
        digits: int | None = None,
        exact: bool = False,
        max_drawn: int | None = MOST_DRAWN,
    ) -> str:
        """A drawing, as inline SVG that needs nothing else.

        Parameters
        ----------
        missing, digits, exact
            As in :meth:`rules`.
        max_drawn : int or None
            The most leaves that are drawn, those that most rows reach first; what is left out, and
            that the text has it, stands below. None draws all.
        """
        from limbeck.students.tree.drawing import svg

        check_is_fitted(self)
        return svg(self.nodes_, self.features_, self.task_, missing, digits, exact, max_drawn)

    def outline(
        self, missing: bool | None = None, *, digits: int | None = None, exact: bool = False
    ) -> str:
        """Nested lists in HTML, for pages of any width; parameters as in :meth:`rules`.

        Parameters
        ----------
        missing, digits, exact
            As in :meth:`rules`.
        """
        from limbeck.students.tree.outline import outline

        check_is_fitted(self)
        return outline(self.nodes_, self.features_, self.task_, missing, digits, exact)

    def _plot(self, ax: Any) -> Any:
        """The branches, from the root down."""
        from limbeck.students.tree.plot import plot_tree

        return plot_tree(self.nodes_, self.features_, self.task_, ax)

    def to_onnx(
        self,
        path: str | Path | None = None,
        dtype: Literal["float64", "float32"] = "float64",
        inputs: Literal["rows", "columns"] = "rows",
    ) -> Any:
        """The tree as an ONNX model; see :func:`limbeck.students.tree.onnx.to_onnx`.

        Parameters
        ----------
        path : path, optional
            Where to write the model; by default it is only returned.
        dtype : {"float64", "float32"}
            Type of the inputs.
        inputs : {"rows", "columns"}
            One input of encoded rows, or a named input for each column; see
            :func:`limbeck.students.formula_onnx.formula_to_onnx`.
        """
        from limbeck.students.tree.onnx import to_onnx

        check_is_fitted(self)
        if inputs != "rows":
            return super().to_onnx(path, dtype, inputs)
        return to_onnx(self.nodes_, self.features_, self.task_, path, dtype)

    def to_dict(self) -> dict[str, Any]:
        """All that the tree is, ready for JSON."""
        check_is_fitted(self)
        nodes = self.nodes_.to_lists()
        return {**self._head("tree"), "nodes": nodes}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, no tree, or newer than this limbeck.
        """
        features, task = files.read_head(data, "tree")
        nodes = files.parsed(data, lambda d: Nodes.from_lists(d["nodes"]))
        problem = _problem(nodes, features, task)
        if problem:
            raise FileRefused(f"{problem}.", "Save the tree again; the file was altered.")
        found = cls(max_leaves=max(nodes.size, 1), task=task)._take(nodes, features, task)
        return found._recall(data)

    def _take(self, nodes: Nodes, features: Features, task: Task) -> Self:
        self.nodes_ = nodes
        return self._hold(features, task)

    def formula(self) -> Formula:
        """Which leaf a row reaches, and the leaves' values."""
        from limbeck.students.tree.formula import formula

        check_is_fitted(self)
        return formula(self.nodes_, self.features_, self.task_)

    def _used(self) -> set[int]:
        return set(self.nodes_.feature[~self.nodes_.is_leaf].tolist())

    def _pieces(self) -> tuple[Finder, NDArray[np.float64]]:
        find, leaves = walker(self.nodes_)
        return find, self.nodes_.value[leaves]

    def drawing(self) -> Html:
        """The tree as a picture, and as an outline where the window is narrow."""
        return join([tag("div", Html(self.svg()), class_="drawn"), Html(self.outline())])

    def caption(self) -> str:
        """How large the tree is, and what stands in a leaf."""
        key = "its class and how sure" if self.task_.classifies else "its value"
        return (
            f"{plural(self.size, 'leaf', 'leaves')}, depth {self.depth}. A leaf gives {key},"
            " then its share of the rows and queries; the width of a branch shows the same."
        )

    def _repr_html_(self) -> str:
        if not hasattr(self, "nodes_"):
            return f"<pre>{self!r}</pre>"
        return f'<div style="overflow-x:auto">{self.svg()}<p>{self.caption()}</p></div>'


def _problem(nodes: Nodes, features: Features, task: Task) -> str:
    """What :meth:`Nodes.problem` says, or a category's question about a level that is not."""
    problem = nodes.problem(features.columns, len(task.classes) or 1)
    if problem:
        return problem
    for i in np.flatnonzero(nodes.op == EQ):
        c = features.columns[nodes.feature[i]]
        if nodes.feature[i] >= 0 and nodes.threshold[i] not in range(len(c.levels)):
            return f"Column {c.name!r} has no level {nodes.threshold[i]:g}"
    return ""
