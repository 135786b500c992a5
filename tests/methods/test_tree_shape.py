"""Largest depth and smallest leaf, for every method of trees that takes them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from limbeck.core.columns import Features
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import quiet
from limbeck.selection.routes import method_for, students
from limbeck.students.tree.apply import walker
from limbeck.teachers import as_teacher

RNG = np.random.default_rng(0)
X = pd.DataFrame(RNG.normal(size=(120, 4)), columns=list("abcd"))
Z = X.to_numpy()
VALUE = np.sin(2 * Z[:, 0]) + Z[:, 1] * Z[:, 2]
FORESTS = {
    False: RandomForestClassifier(5, max_depth=4, random_state=0).fit(
        X, np.digitize(VALUE, [0, 1])
    ),
    True: RandomForestRegressor(5, max_depth=4, random_state=0).fit(X, VALUE),
}
ROUTES = [
    (into, method)
    for into in ("tree", "m_of_n")
    for method, cls in students()[into].items()
    if "max_depth" in cls.__dataclass_fields__ and "max_depth" not in cls.without
]


def made(into, method, values, **given):
    known = students()[into][method].__dataclass_fields__
    small = {"queries": 80, "leaves": 8, "max_leaves": 8, "min_instances": 100, "sampler": "munge",
             "thresholds": 20, "max_columns": 8,
             "max_conditions": 1 if into == "tree" else 3}  # fmt: skip
    settings = {k: v for k, v in small.items() if k in known} | given
    teacher = as_teacher(FORESTS[values])
    return method_for(into, settings, method), teacher, Features.of(X).rows(X)


def shape(student, values):
    """The depth, and the fewest rows in a leaf."""
    nodes = student.nodes_
    depth = np.zeros(len(nodes), dtype=int)
    for i in np.flatnonzero(nodes.feature >= 0) if hasattr(student, "tests_") is False else [
        i for i, t in enumerate(student.tests_) if t is not None
    ]:  # fmt: skip
        depth[[nodes.left[i], nodes.right[i]]] = depth[i] + 1
    if hasattr(student, "tests_"):
        at = np.zeros(len(values), dtype=int)
        for i, test in enumerate(student.tests_):
            if test is not None:
                here = at == i
                at[here] = np.where(test.holds(values[here]), nodes.left[i], nodes.right[i])
    else:
        find, leaves = walker(nodes)
        at = leaves[find(values)]
    return int(depth.max()), int(np.unique(at, return_counts=True)[1].min())


@pytest.mark.parametrize("values", [False, True])
@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_trees_are_as_shallow_and_leaves_as_large_as_is_asked(into, method, values) -> None:
    free, teacher, rows = made(into, method, values)
    found = free.distill(teacher, rows, np.random.default_rng(0), quiet).student
    assert shape(found, rows.values)[0] > 2
    bound, *_ = made(into, method, values, max_depth=2, min_samples_leaf=12)
    result = bound.distill(teacher, rows, np.random.default_rng(0), quiet)
    for student in (result.student, *result.frontier):
        depth, least = shape(student, rows.values)
        assert depth <= 2
        assert least >= 12
    assert result.student.size > 1
    y = np.asarray(FORESTS[values].predict(X))
    control = bound.learn(rows, y, teacher.task, np.random.default_rng(0))
    depth, least = shape(control, rows.values)
    assert depth <= 2
    assert least >= 12


@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_leaves_without_a_split_are_refused(into, method) -> None:
    bound, teacher, rows = made(into, method, False, min_samples_leaf=100)
    with pytest.raises(InvalidInput, match="Give at most 60"):
        bound.distill(teacher, rows, np.random.default_rng(0), quiet)
    for wrong in ({"max_depth": 0}, {"min_samples_leaf": 1.5}):
        with pytest.raises(InvalidInput):
            made(into, method, False, **wrong)


def test_a_pool_of_limited_depth_stitches_the_best_tree_of_that_depth() -> None:
    from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
    from limbeck.methods.search_and_stitch.literals import Literals, grid
    from limbeck.methods.search_and_stitch.pool import Pool
    from limbeck.methods.search_and_stitch.refine import look_ahead
    from limbeck.methods.search_and_stitch.sample import Sample

    features, task = Features.of(X), as_teacher(FORESTS[True]).task
    literals = Literals(grid(features, Z, limit=24))
    sample = Sample(literals, Z, row_statistics(VALUE, task, np.ones(len(Z))))
    pools = [Pool(sample, COSTS["squared_error"], 8, depth) for depth in (None, 1, 2, 3)]
    for pool in pools:
        look_ahead(pool, pool.root, 8, COSTS["squared_error"], np.random.default_rng(0))
    frontiers = [pool.stitch() for pool in pools]
    for deeper, flat, depth in zip(
        (frontiers[2], frontiers[3], frontiers[0]), frontiers[1:], (1, 2, 3), strict=True
    ):
        assert (deeper <= flat + 1e-6).all()
        assert np.allclose(flat[2**depth - 1 :], flat[-1])
    for pool, frontier in zip(pools, frontiers, strict=True):
        for leaves in (1, 2, 3, 5, 8):
            assert pool.cost_of(pool.best(leaves)) == pytest.approx(frontier[leaves - 1])


@pytest.mark.parametrize("values", [False, True], ids=["classes", "values"])
@pytest.mark.parametrize(("into", "method"), ROUTES)
def test_more_leaves_than_rows_end_soon_and_are_said(into, method, values):
    """5,000 leaves for 40 rows did not end within a minute by two of these."""
    given, teacher, _ = made(into, method, values, max_leaves=5000, leaves=None, queries=30)
    rows = Features.of(X).rows(X.iloc[:40])
    result = given.distill(teacher, rows, np.random.default_rng(0), quiet)
    largest = result.frontier[-1].size
    assert largest <= 40 + given.queries
    assert f"max_leaves is 5,000 for 40 rows; the largest tree found has {largest}." in (
        result.status.message
    )
