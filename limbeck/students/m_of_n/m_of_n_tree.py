"""The m-of-n student: a tree whose nodes ask whether at least m of n conditions hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.validation import check_is_fitted

from limbeck.core.columns import Features
from limbeck.core.errors import FileRefused, InvalidInput, plural, whole_number
from limbeck.core.printable import visible
from limbeck.core.registry import STUDENTS
from limbeck.core.task import Task
from limbeck.reports.markup import Html
from limbeck.students import files
from limbeck.students.formula import Formula
from limbeck.students.m_of_n.count_tests import BeamSettings, CountTest
from limbeck.students.m_of_n.growth import Growth, Instances
from limbeck.students.piecewise import Finder, Piecewise
from limbeck.students.targets import TaskLike, read_training
from limbeck.students.tree.drawing import leaf_colours, leaf_text, svg_of
from limbeck.students.tree.folding import Drawn, folded
from limbeck.students.tree.layout import Piece
from limbeck.students.tree.nodes import LE, Nodes
from limbeck.students.tree.text import outcome, percent, shares, value_digits

__all__ = ["MOfNTree"]


@STUDENTS.register("m_of_n")
class MOfNTree(Piecewise):
    """A tree whose nodes ask whether at least m of n conditions hold.

    A condition on a missing value does not hold, unless it is that the value is missing. ``fit``
    grows it best first by information gain, or by the squared error that a test saves, as TREPAN
    does (Craven and Shavlik 1996) without its queries.

    Parameters
    ----------
    max_leaves : int
        The most leaves.
    max_conditions : int
        The most conditions of one test.
    task : Task, "classes" or "value", optional
        What y holds. By default floats are values, and all else is a class.
    random_state : int
        Draws rows where a node has more than 5,000.

    Attributes
    ----------
    tests_ : tuple of CountTest or None
        What each of the m nodes asks; None for leaves.
    nodes_ : Nodes
        Children, values and weights of the nodes; the row goes left where it passes the test.
    features_, task_, classes_, n_features_in_, feature_names_in_
        As in :class:`limbeck.students.tree.tree.Tree`.

    Examples
    --------
    >>> import itertools
    >>> X = [list(map(float, bits)) for bits in itertools.product([0, 1], repeat=3)] * 20
    >>> tree = MOfNTree().fit(X, ["yes" if sum(x) >= 2 else "no" for x in X])
    >>> print(tree.text())
    at least 2 of (x0 > 0.5; x1 > 0.5; x2 > 0.5)?  [100 %]
    ├─ yes: yes (1)  [50 %]
    └─ no:  no (1)  [50 %]
    """

    size_unit = "leaves"
    tests_: tuple[CountTest | None, ...]
    nodes_: Nodes

    def __init__(
        self,
        max_leaves: int = 8,
        max_conditions: int = 10,
        task: TaskLike = None,
        random_state: int = 0,
    ) -> None:
        self.max_leaves = max_leaves
        self.max_conditions = max_conditions
        self.task = task
        self.random_state = random_state

    @classmethod
    def from_tests(
        cls, tests: Sequence[CountTest | None], nodes: Nodes, features: Features, task: Task
    ) -> Self:
        """A tree that was found elsewhere.

        Parameters
        ----------
        tests : sequence of CountTest or None
            What each node asks; None for leaves.
        nodes : Nodes
            Their children, values and weights.
        features, task
            The d columns, and what is predicted.

        Raises
        ------
        InvalidInput
            If the nodes are no tree, or the tests do not fit them.
        """
        problem = _problem(tests, nodes, features, task)
        if problem:
            raise InvalidInput(f"{problem}.", "Give the nodes of one binary tree.")
        return cls(max_leaves=max(nodes.size, 1), task=task)._take(tests, nodes, features, task)

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Grow a tree from rows and labels.

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
        for name in ("max_leaves", "max_conditions"):
            whole_number(name, getattr(self, name), 1)
        used = weight > 0
        growth = Growth(
            features, Instances(values[used], target[used], weight[used]), len(task.classes),
            self.max_leaves, BeamSettings(most=self.max_conditions),
            np.random.default_rng(self.random_state),
        )  # fmt: skip
        growth.run()
        found = trees_of(growth, features, task)[-1]
        return self._take(found.tests_, found.nodes_, features, task).measured(values[used])

    @property
    def size(self) -> int:
        """The number of leaves."""
        check_is_fitted(self)
        return self.nodes_.size

    @property
    def numbers(self) -> int:
        """Thresholds and levels of all conditions, m of each test of several, and leaves."""
        check_is_fitted(self)
        return sum(t.numbers for t in self.tests_ if t is not None) + self.size

    def apply(self, X: Any) -> NDArray[np.int64]:
        """The leaf that each row reaches, as its position in ``nodes_``, shape (n,)."""
        check_is_fitted(self)
        return self._look_up(X, self._find, np.arange(len(self.nodes_)))

    def drawing(self) -> Html:
        """The drawing, for the page of a report."""
        return Html(self.svg())

    def caption(self) -> str:
        """What stands below its drawing."""
        says = "its class and how sure" if self.task_.classifies else "its value"
        return (
            f"{plural(self.size, 'leaf', 'leaves')}. A leaf gives {says}, then its share of the"
            " rows and queries. A condition on a missing value does not hold."
        )

    def text(self, *, digits: int | None = None, exact: bool = False) -> str:
        """The tree as indented lines; a condition on a missing value does not hold.

        Thresholds are printed in the shortest decimals that answer every condition alike on the
        rows on which the test was found.

        Parameters
        ----------
        digits : int, optional
            At least so many significant digits.
        exact : bool
            Print thresholds and values exactly.
        """
        check_is_fitted(self)
        nodes, share = self.nodes_, shares(self.nodes_)
        kept = value_digits(nodes.value[nodes.is_leaf, 0], digits, exact)
        lines: list[str] = []
        stack = [(0, "", "", "")]
        while stack:
            i, branch, answer, indent = stack.pop()
            known, test = f"  [{percent(share[i])}]" if share[0] else "", self.tests_[i]
            if test is None:
                said = outcome(nodes.value[i], self.task_, kept)
                lines.append(f"{branch}{answer}{said}{known}")
                continue
            lines.append(f"{branch}{answer}{test.as_printed(digits, exact).words()}?{known}")
            stack.append((int(nodes.right[i]), indent + "└─ ", "no:  ", indent + "   "))
            stack.append((int(nodes.left[i]), indent + "├─ ", "yes: ", indent + "│  "))
        return visible("\n".join(lines))

    def svg(self, *, digits: int | None = None, exact: bool = False) -> str:
        """A drawing, as inline SVG that needs nothing else; parameters as in :meth:`text`.

        Parameters
        ----------
        digits, exact
            As in :meth:`text`.
        """
        check_is_fitted(self)
        size = plural(self.size, "leaf", "leaves")
        return svg_of(self._drawn(digits, exact), f"Tree of m-of-n tests with {size}")

    def plot(self, ax: Any = None) -> Any:
        """Draw the tree on matplotlib axes.

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
        from limbeck.students.tree.plot import plot_drawn

        check_is_fitted(self)
        return plot_drawn(self._drawn(), ax)

    def to_dict(self) -> dict[str, Any]:
        """All that the tree is, ready for JSON."""
        check_is_fitted(self)
        tests = [None if test is None else test.to_dict() for test in self.tests_]
        return {**self._head("m_of_n"), "nodes": self.nodes_.to_lists(), "tests": tests}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Self:
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        FileRefused
            If it is malformed, of another kind, or newer than this limbeck.
        """
        features, task = files.read_head(data, "m_of_n")
        nodes = files.parsed(data, lambda d: Nodes.from_lists(d["nodes"]))
        tests = files.parsed(
            data,
            lambda d: [t if t is None else CountTest.from_dict(t, features) for t in d["tests"]],
        )
        problem = _problem(tests, nodes, features, task)
        if problem:
            raise FileRefused(f"{problem}.", "Save the tree again; the file was altered.")
        found = cls(max_leaves=max(nodes.size, 1), task=task)
        return found._take(tests, nodes, features, task)._recall(data)

    def _take(
        self, tests: Sequence[CountTest | None], nodes: Nodes, features: Features, task: Task
    ) -> Self:
        self.tests_, self.nodes_ = tuple(tests), nodes
        return self._hold(features, task)

    def formula(self) -> Formula:
        """Which leaf a row reaches, and the leaves' values."""
        from limbeck.students.m_of_n.formula import formula

        check_is_fitted(self)
        return formula(self.tests_, self.nodes_, self.features_, self.task_)

    def _used(self) -> set[int]:
        return {j for t in self.tests_ if t is not None for c in t.literals for j in c.columns}

    def _find(self, values: NDArray[np.float64]) -> NDArray[np.int64]:
        found = np.zeros(len(values), dtype=np.int64)
        stack = [(0, np.arange(len(values)))]
        while stack:
            i, rows = stack.pop()
            test = self.tests_[i]
            if test is None or not len(rows):
                found[rows] = i
                continue
            passed = test.holds(values[rows])
            stack += [(int(self.nodes_.right[i]), rows[~passed])]
            stack += [(int(self.nodes_.left[i]), rows[passed])]
        return found

    def _pieces(self) -> tuple[Finder, NDArray[np.float64]]:
        return self._find, self.nodes_.value

    def _drawn(self, digits: int | None = None, exact: bool = False) -> Drawn:
        nodes = self.nodes_
        kept = value_digits(nodes.value[nodes.is_leaf, 0], digits, exact)
        texts, titles = [], []
        for i, test in enumerate(self.tests_):
            if test is None:
                text, title = leaf_text(nodes, i, self.task_, kept)
            else:
                words = f"{test.as_printed(digits, exact).words()}?"
                text, title = [Piece(words)], words
            texts.append(text)
            titles.append(title)
        return folded(Drawn(nodes, texts, titles, leaf_colours(nodes, self.task_)))

    def _repr_html_(self) -> str:
        if not hasattr(self, "nodes_"):
            return f"<pre>{self!r}</pre>"
        return f'<div style="overflow-x:auto">{self.svg()}</div>'


def trees_of(growth: Growth, features: Features, task: Task) -> list[MOfNTree]:
    """The trees after each expansion, siblings of one class merged, each larger than the last.

    Parameters
    ----------
    growth : Growth
        When it has run.
    features, task
        The columns, and what is predicted.
    """
    found: list[MOfNTree] = []
    value = growth.values()
    for most in range(len(growth.expanded) + 1):
        inner = _kept(growth, set(growth.expanded[:most]), value, task)
        tests, nodes = _nodes(growth, inner, value)
        tree = MOfNTree.from_tests(tests, nodes, features, task)
        while found and found[-1].size >= tree.size:
            found.pop()
        found.append(tree)
    return found


def _kept(growth: Growth, inner: set[int], value: NDArray[Any], task: Task) -> set[int]:
    """The expanded nodes without those whose leaves all say the same class."""
    for i in sorted(inner, reverse=True):
        ends = [c for c in growth.nodes[i].children if c not in inner]
        if len(ends) == 2 and task.classifies and len({value[c].argmax() for c in ends}) == 1:
            inner = inner - {i}
    return inner


def _nodes(
    growth: Growth, inner: set[int], value: NDArray[np.float64]
) -> tuple[list[CountTest | None], Nodes]:
    """Tests and nodes from the root, in preorder."""
    order, stack = [], [0]
    while stack:
        i = stack.pop()
        order.append(i)
        if i in inner:
            stack += reversed(growth.nodes[i].children)
    place = {i: at for at, i in enumerate(order)}
    asks = np.array([i in inner for i in order])
    ends = [growth.nodes[i].children if i in inner else (-1, -1) for i in order]
    left, right = (np.array([place.get(e[side], -1) for e in ends]) for side in (0, 1))
    zero = np.zeros(len(order))
    weight = np.array([growth.nodes[i].reach for i in order])
    nodes = Nodes(
        np.where(asks, 0, -1), np.full(len(order), LE), zero, zero, left, right,  # type: ignore[arg-type]
        value[order], weight,
    )  # fmt: skip
    return [growth.nodes[i].test if i in inner else None for i in order], nodes


def _problem(
    tests: Sequence[CountTest | None], nodes: Nodes, features: Features, task: Task
) -> str:
    problem = nodes.problem(features.columns, len(task.classes) or 1)
    if problem:
        return problem
    if [t is None for t in tests] != nodes.is_leaf.tolist():
        return "Each node that is no leaf needs a test, and a leaf none"
    return ""
