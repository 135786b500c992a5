from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features, Rows
from limbeck.core.task import Task
from limbeck.students.tree.nodes import EQ, LE, MISSING, Nodes
from limbeck.students.tree.tree import Tree

FEATURES = Features(
    (
        Feature("length [mm]", unit="mm"),
        Feature("weight"),
        Feature("colour", "categorical", levels=("red", "green", "blue")),
        Feature("smoker", "boolean"),
        Feature("city", "categorical", levels=tuple(f"city {i}" for i in range(40))),
    ),
    frame=True,
    dtypes=("float64", "float64", "category", "bool", "category"),
)
TASKS = {
    "text": Task(("no", "yes", "maybe")),
    "int": Task((1, 2, 5)),
    "bool": Task((False, True)),
    "float": Task((0.5, 1.5, 2.5)),
    "value": Task(unit="kg"),
}


# Checks of scikit-learn that limbeck fails on purpose, and why.
DIFFERS = {
    "check_n_features_in_after_fitting": "the message names the columns that are expected",
    "check_sample_weights_pandas_series": "a DataFrame needs names of text",
    "check_classifier_data_not_an_array": "a DataFrame needs names of text",
    "check_regressor_data_not_an_array": "a DataFrame needs names of text",
    "check_complex_data": "the message is limbeck's own",
    "check_dtype_object": "InvalidInput is a ValueError, not a TypeError",
    "check_classifiers_regression_target": "floats may be labels where task='classes'",
    "check_supervised_y_2d": "a column is taken as y, without a warning",
    # scikit-learn 1.6.0 asks it of those that refuse sparse rows, too (its issue 30139)
    "check_sample_weight_equivalence_on_sparse_data": "sparse rows are refused",
}


def random_nodes(rng: np.random.Generator, size: int, outputs: int) -> Nodes:
    """A random tree over FEATURES with questions of all kinds, children in any order."""
    rows: list[dict[str, Any]] = [{}]
    leaves = [0]
    while len(leaves) < size:
        i = leaves.pop(int(rng.integers(len(leaves))))
        f = int(rng.integers(len(FEATURES)))
        c = FEATURES.columns[f]
        op = MISSING if rng.random() < 0.2 else EQ if c.kind == "categorical" else LE
        t = 0.5 if c.kind == "boolean" else round(rng.normal(), 1)
        t = float(rng.integers(len(c.levels))) if op == EQ else 0.0 if op == MISSING else t
        ends = [len(rows), len(rows) + 1]
        left, right = rng.permutation(ends)
        goes = op != MISSING and bool(rng.integers(2))
        rows[i] = {"f": f, "op": op, "t": t, "ml": goes, "l": left, "r": right}
        rows += [{}, {}]
        leaves += ends
    value = rng.dirichlet(np.ones(outputs), len(rows))
    value = value if outputs > 1 else rng.normal(size=(len(rows), 1))
    keys = {"f": -1, "op": LE, "t": 0.0, "ml": False, "l": -1, "r": -1}
    arrays = [np.array([r.get(k, none) for r in rows]) for k, none in keys.items()]
    return Nodes(*arrays, value, rng.random(len(rows)) + 0.1)


def random_tree(seed: int, size: int, task: Task) -> Tree:
    nodes = random_nodes(np.random.default_rng(seed), size, len(task.classes) or 1)
    return Tree.from_nodes(nodes, FEATURES, task)


def random_rows(rng: np.random.Generator, n: int) -> Rows:
    """Rows that hit thresholds exactly, with missing values."""
    values = np.c_[
        np.round(rng.normal(size=(n, 2)), 1),
        rng.integers(0, 3, n),
        rng.integers(0, 2, n),
        rng.integers(0, 40, n),
    ]
    values[rng.random(values.shape) < 0.15] = np.nan
    return Rows(FEATURES, values)


def naive_leaf(nodes: Nodes, row: np.ndarray) -> int:
    """The leaf of one row, in the plainest words."""
    i = 0
    while nodes.feature[i] >= 0:
        x, t = row[nodes.feature[i]], nodes.threshold[i]
        if nodes.op[i] == MISSING:
            left = bool(np.isnan(x))
        elif np.isnan(x):
            left = bool(nodes.missing_left[i])
        else:
            left = bool(x <= t) if nodes.op[i] == LE else bool(x == t)
        i = int(nodes.left[i] if left else nodes.right[i])
    return i


@pytest.fixture(scope="session")
def forest() -> SimpleNamespace:
    """What tests need of random trees, as one name that hypothesis may reuse."""
    return SimpleNamespace(
        features=FEATURES,
        tasks=TASKS,
        tree=random_tree,
        rows=random_rows,
        differs=DIFFERS,
        leaf=naive_leaf,
    )


@pytest.fixture
def closed_figures() -> Iterator[None]:
    yield
    from matplotlib import pyplot

    pyplot.close("all")
