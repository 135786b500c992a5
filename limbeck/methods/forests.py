"""Questions out of a forest: those that gain most, near ones taken for one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features, Rows
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.literals import Literal, Literals
from limbeck.methods.search_and_stitch.sample import Sample
from limbeck.students.tree.greedy import expand, from_sklearn
from limbeck.students.tree.nodes import LE, Nodes

__all__ = ["fitted_forest", "forest_questions", "most_asked", "trees_of_teacher"]

_RANKS = 50  # thresholds of a column between the same two of so many quantiles are one
_TREES, _LEAVES, _MOST_ROWS = 30, 32, 8000


def trees_of_teacher(teacher: Any, features: Features) -> list[Nodes] | None:
    """The trees of a teacher that is a forest of scikit-learn on these columns, else None.

    Parameters
    ----------
    teacher : Teacher
        Any.
    features : Features
        The columns of the rows.
    """
    forest = getattr(teacher, "estimator", None)
    members = getattr(forest, "estimators_", None)
    if members is None or getattr(teacher, "preprocess", None) is not None:
        return None
    flat = np.ravel(np.asarray(members, dtype=object)).tolist()
    plain = all(c.kind != "categorical" for c in features.columns)
    if not plain or getattr(forest, "n_features_in_", -1) != len(features):
        return None
    if not all(hasattr(m, "tree_") for m in flat):
        return None
    columns = expand(features, np.zeros((1, len(features))))[1]
    return [from_sklearn(member.tree_, columns) for member in flat]


def fitted_forest(
    features: Features,
    values: NDArray[np.float64],
    answers: NDArray[Any],
    weight: NDArray[np.float64],
    task: Task,
    rng: np.random.Generator,
) -> list[Nodes]:
    """The trees of a random forest (30 of 32 leaves) on labelled rows, 8,000 at most.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d)
        Encoded rows.
    answers, weight : ndarray of shape (n,)
        Class indices or values, and how much each counts.
    task : Task
        What is predicted.
    rng : numpy.random.Generator
        The source of chance.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    if len(values) > _MOST_ROWS:
        some = rng.choice(len(values), _MOST_ROWS, replace=False, p=weight / weight.sum())
        values, answers, weight = values[some], answers[some], np.ones(len(some))
    matrix, columns = expand(features, values)
    kind = RandomForestClassifier if task.classifies else RandomForestRegressor
    forest = kind(
        _TREES, max_leaf_nodes=_LEAVES, max_features="sqrt" if task.classifies else 0.5,
        random_state=int(rng.integers(2**31)),
    ).fit(matrix, answers, weight)  # fmt: skip
    return [from_sklearn(member.tree_, columns) for member in forest.estimators_]


def most_asked(
    trees: list[Nodes], features: Features, values: NDArray[np.float64], most: int
) -> list[Literal]:
    """The questions that lower the loss most, in all trees together.

    Parameters
    ----------
    trees : list of Nodes
        A forest.
    features : Features
        The columns.
    values : ndarray of shape (n, d)
        Encoded rows, for the quantiles between which thresholds are near.
    most : int
        The number of questions.
    """
    cuts = [np.nanquantile(values[:, j], np.linspace(0, 1, _RANKS + 1)[1:-1])
            if np.isfinite(values[:, j]).any() else np.zeros(1)
            for j in range(len(features))]  # fmt: skip
    asked: dict[tuple[int, int, float], dict[Literal, float]] = {}
    for nodes in trees:
        for i in np.flatnonzero(nodes.feature >= 0):
            j, op, t = int(nodes.feature[i]), int(nodes.op[i]), float(nodes.threshold[i])
            at = float(np.searchsorted(cuts[j], t)) if op == LE else t
            literal = Literal(j, op, t, bool(nodes.missing_left[i]))
            known = asked.setdefault((j, op, at), {})
            known[literal] = known.get(literal, 0.0) + _gain(nodes, int(i))
    ranked = sorted(asked.values(), key=lambda known: -sum(known.values()))
    return [max(known, key=lambda t: known[t]) for known in ranked[:most]]


def forest_questions(
    trees: list[Nodes], rows: Rows, most: int, allowed: NDArray[np.bool_]
) -> Sample:
    """All rows with the questions that gain most, of those about columns that may be asked.

    Parameters
    ----------
    trees : list of Nodes
        A forest.
    rows : Rows
        Of n rows.
    most : int
        The number of questions, those about other columns included.
    allowed : ndarray of bool, shape (d,)
        Which columns may be asked about.
    """
    asked = most_asked(trees, rows.features, rows.values, most)
    kept = Literals(t for t in asked if allowed[t.feature])
    return Sample(kept, rows.values, np.zeros((1, len(rows)), dtype=np.float32))


def _gain(nodes: Nodes, i: int) -> float:
    """By how much a question lowers Gini impurity, or squared error: both are this sum."""
    left, right = int(nodes.left[i]), int(nodes.right[i])
    a, b = float(nodes.weight[left]), float(nodes.weight[right])
    return a * b / (a + b) * float(((nodes.value[left] - nodes.value[right]) ** 2).sum())
