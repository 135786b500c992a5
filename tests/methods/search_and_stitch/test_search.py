from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.columns import Features
from limbeck.core.progress import quiet
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.method import SearchAndStitch
from limbeck.methods.search_and_stitch.search import TreeSearch


def grown(kind: str) -> TreeSearch:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(160, 3))
    y = (X[:, 0] * X[:, 1] > 0).astype(int) if kind == "classes" else 7 * X[:, 0] * X[:, 1]
    task = Task((0, 1)) if kind == "classes" else Task()
    method = SearchAndStitch(max_leaves=6)
    search = TreeSearch(method, Features.of(X).rows(X), y, task, rng, quiet)
    search.grow()
    return search


@pytest.mark.parametrize("kind", ["classes", "value"])
def test_more_leaves_cost_no_more_and_the_search_never_loses_to_the_greedy_tree(kind: str) -> None:
    search = grown(kind)
    greedy = [search.cost(plan) for plan in search.cut_back()]
    search.look_ahead()
    found = [search.cost(plan) for plan in search.stitched()]
    assert (np.diff(found) <= 1e-9).all()
    assert (np.array(found) <= np.array(greedy) + 1e-9).all()
    assert found[3] < greedy[3] - 0.05  # of an exclusive or, which greedy splits do not see
    if kind == "value":
        assert found[0] == pytest.approx(1.0)  # one leaf leaves all of the variance


def test_the_cost_is_the_share_of_rows_that_the_tree_of_a_plan_gets_wrong() -> None:
    search = grown("classes")
    search.look_ahead()
    plans = search.stitched()
    for plan, tree in zip(plans, search.trees(plans, search.values), strict=True):
        wrong = (tree.predict(search.rows) != search.answers).mean()
        assert search.cost(plan) == pytest.approx(wrong)


@pytest.mark.parametrize(("rows", "leaves"), [(150, 150), (20, 64)])
def test_no_more_leaves_are_looked_for_than_a_pure_greedy_tree_has(rows: int, leaves: int) -> None:
    X = np.arange(float(rows))[:, None]
    method = SearchAndStitch(max_leaves=180, leaves=170)
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 2  # each row is a leaf of its own
    search = TreeSearch(method, Features.of(X).rows(X), y, Task((0, 1)), rng, quiet)
    search.grow()
    assert (search.method.max_leaves, search.method.leaves) == (leaves, leaves)
    assert (method.max_leaves, method.leaves) == (180, 170)
