"""Greedy trees from scikit-learn: categories one-hot on the way in, read as categories on return.

The greedy algorithm is CART (Breiman, Friedman, Olshen and Stone 1984), grown best first.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.students.tree.nodes import EQ, LE, MISSING, Nodes

__all__ = ["ExpandedColumn", "expand", "from_sklearn", "grow"]


class ExpandedColumn(NamedTuple):
    """What a column of the expanded matrix says: ``x`` itself (LE), or ``x == value`` (EQ)."""

    feature: int
    op: int
    value: float


def expand(
    features: Features, values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], tuple[ExpandedColumn, ...]]:
    """One-hot categories, other columns as they are; missing values stay NaN.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d), float64
        Encoded rows.

    Returns
    -------
    matrix : ndarray of shape (n, e), float64
        A column for each number, boolean, and level of a category. It is ``values`` itself
        where there are no categories: do not write to it.
    columns : tuple of ExpandedColumn
        What each of the e columns means.
    """
    columns: list[ExpandedColumn] = []
    for j, feature in enumerate(features.columns):
        if feature.kind == "categorical":
            columns += [ExpandedColumn(j, EQ, float(code)) for code in range(len(feature.levels))]
        else:
            columns.append(ExpandedColumn(j, LE, 0.0))
    if all(c.op == LE for c in columns) and len(columns) == len(features):
        return values, tuple(columns)
    matrix = np.empty((len(values), len(columns)))
    for e, (j, op, value) in enumerate(columns):
        x = values[:, j]
        matrix[:, e] = x if op == LE else np.where(np.isnan(x), np.nan, x == value)
    return matrix, tuple(columns)


def from_sklearn(tree: Any, columns: tuple[ExpandedColumn, ...]) -> Nodes:
    """Read a fitted scikit-learn tree as nodes.

    scikit-learn rounds rows to float32 and asks whether ``float32(x) <= t``, with ``t`` halfway
    between two rounded training values. Asking ``x <= t`` in float64 gives the same answer for
    every training row, but for one case: neighbours in float32, and a row that lies exactly
    halfway and was rounded up. There the threshold is lowered by one step. Unseen rows can
    differ only within half a float32 step of a threshold.

    Parameters
    ----------
    tree : sklearn.tree.Tree
        The ``tree_`` of an estimator with one output, fitted on an expanded matrix (n, e).
    columns : tuple of ExpandedColumn
        What the e columns mean, as given by :func:`expand`.

    Returns
    -------
    Nodes
        Nodes in the same order, so that leaves keep scikit-learn's numbers.
    """
    leaf = tree.children_left < 0
    column = [columns[max(int(e), 0)] for e in tree.feature]
    op = np.array([c.op for c in column], dtype=np.uint8)
    missing_left = np.asarray(tree.missing_go_to_left).astype(bool)
    alone = np.isinf(tree.threshold)  # scikit-learn's way to say: missing values go right alone
    swap = alone | (op == EQ)  # an indicator of 0 goes left there, and x == value goes left here
    threshold = np.where(op == EQ, [c.value for c in column], _exact(tree.threshold))
    return Nodes(
        feature=np.where(leaf, -1, [c.feature for c in column]),
        op=np.where(leaf, LE, np.where(alone, MISSING, op)),
        threshold=np.where(leaf | alone, 0.0, threshold),
        missing_left=~leaf & ~alone & (missing_left ^ swap),
        left=np.where(swap, tree.children_right, tree.children_left),
        right=np.where(swap, tree.children_left, tree.children_right),
        value=tree.value[:, 0, :],
        weight=tree.weighted_n_node_samples,
    )


def grow(
    features: Features,
    values: NDArray[np.float64],
    target: NDArray[Any],
    weight: NDArray[np.float64],
    *,
    classes: int,
    max_leaves: int,
    criterion: str,
    min_rows: int = 1,
    seed: int = 0,
) -> Nodes:
    """Grow a greedy tree, best split first, up to a number of leaves.

    Parameters
    ----------
    features : Features
        The d columns.
    values : ndarray of shape (n, d), float64
        Encoded rows.
    target : ndarray of shape (n,)
        Positions of classes (int), or values (float).
    weight : ndarray of shape (n,), float64
        Weights of the rows.
    classes : int
        The number of classes k; 0 for regression.
    max_leaves, criterion, min_rows, seed
        As in :class:`limbeck.students.tree.tree.Tree`.

    Raises
    ------
    InvalidInput
        If a number is too large for float32, in which scikit-learn grows trees.
    """
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    matrix, columns = expand(features, values)
    if not columns:
        raise InvalidInput("No column holds a value.", "Give at least one column with values.")
    if np.nanmax(np.abs(matrix), initial=0.0) > np.finfo(np.float32).max:
        raise InvalidInput(
            "X holds a number above 3.4e38, too large for float32.", "Rescale that column."
        )
    kind = DecisionTreeClassifier if classes else DecisionTreeRegressor
    estimator = kind(
        criterion=criterion,
        max_leaf_nodes=max(max_leaves, 2),
        min_samples_split=2 if max_leaves > 1 else len(values) + 1,
        min_samples_leaf=min_rows,
        random_state=seed,
    ).fit(matrix, target, sample_weight=weight)
    nodes = from_sklearn(estimator.tree_, columns)
    if not classes or nodes.value.shape[1] == classes:
        return nodes
    # Classes without a row: scikit-learn leaves their columns out.
    value = np.zeros((len(nodes), classes))
    value[:, estimator.classes_] = nodes.value
    return Nodes(
        nodes.feature, nodes.op, nodes.threshold, nodes.missing_left, nodes.left, nodes.right,
        value, nodes.weight,
    )  # fmt: skip


def _exact(threshold: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lower a threshold that is halfway between two float32 and rounds up; see from_sklearn."""
    rounded = np.where(np.isinf(threshold), 0.0, threshold).astype(np.float32)
    below = np.nextafter(rounded, np.float32(-np.inf)).astype(np.float64)
    halfway = (rounded > threshold) & (threshold - below == rounded - threshold)
    return np.where(halfway, np.nextafter(threshold, -np.inf), threshold)
