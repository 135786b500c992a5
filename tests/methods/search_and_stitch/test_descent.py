from __future__ import annotations

import numpy as np
import pytest

from limbeck.core.column import Feature
from limbeck.core.columns import Features
from limbeck.core.task import Task
from limbeck.methods.search_and_stitch.costs import COSTS, row_statistics
from limbeck.methods.search_and_stitch.descent import Descent
from limbeck.methods.search_and_stitch.literals import Literals, grid
from limbeck.methods.search_and_stitch.pool import Pool
from limbeck.methods.search_and_stitch.probes import Probes
from limbeck.methods.search_and_stitch.sample import Sample

D, DEPTH = 14, 3


def planted(seed, n=2000, noise=0.0):
    """Rows of +-1, the labels of a random full tree, and the indicators of all its clauses."""
    rng = np.random.default_rng(seed)
    X = rng.choice([-1.0, 1.0], size=(n, D))
    y, clauses = np.zeros(n, dtype=np.int64), []

    def visit(inside, free, depth):
        if depth == DEPTH:
            return
        j = int(rng.choice(free))
        last = rng.permutation([0, 1])
        for side, sign in enumerate((-1.0, 1.0)):
            clause = inside & (X[:, j] == sign)
            clauses.append(clause)
            y[clause] = last[side]
            visit(clause, [f for f in free if f != j], depth + 1)

    visit(np.ones(n, dtype=bool), list(range(D)), 0)
    flips = rng.random(n) < noise
    return X, np.where(flips, 1 - y, y), np.stack(clauses, axis=1).astype(np.float32), rng


def descent(seed, guide, max_probes=10**6, max_clauses=10**6, noise=0.0, n=2000):
    X, y, clauses, rng = planted(seed, n, noise)
    features = Features(tuple(Feature(f"x{j}") for j in range(D)))
    literals = Literals(grid(features, X))
    sample = Sample(literals, X, row_statistics(y, Task((0, 1)), np.ones(n)))
    pool = Pool(sample, COSTS["misclassification"], 2**DEPTH)
    at = np.arange(0, n, 4)
    # what a layer of a network may hold: a random mixture of the clauses
    mixed = clauses @ rng.normal(size=(clauses.shape[1], 40))
    phi = [mixed[at].astype(np.float32)]
    probes = None if guide == "answers" else Probes(phi, clauses[at].astype(float))
    return Descent(pool, probes, at, COSTS["gini"], guide, max_probes, max_clauses, rng)


def raise_budget(search, depth=DEPTH, most=30):
    for budget in range(most):
        if search.solve(search.pool.root, depth, budget) <= 1e-9:
            return budget
    return None


@pytest.mark.parametrize("guide", ["both", "probes", "answers"])
@pytest.mark.parametrize("seed", range(4))
def test_planted_trees_are_found(seed, guide):
    search = descent(seed, guide)
    assert raise_budget(search) is not None
    frontier = search.pool.stitch()
    assert frontier[-1] == 0
    assert frontier[0] > 0


@pytest.mark.parametrize("seed", range(4))
def test_probes_lead_straight_to_a_tree_whose_clauses_are_linear(seed):
    search = descent(seed, "probes")
    assert raise_budget(search) == 0
    assert search.ordered <= 1 + 2  # the root and its children; the last level needs no probe


def test_without_probes_the_answers_lead():
    search = descent(0, "answers")
    assert search.guide == "answers"
    assert Descent(
        search.pool, None, np.arange(0), COSTS["gini"], "both", 10, 10, search.rng
    ).guide == ("answers")


@pytest.mark.parametrize("guide", ["both", "probes", "answers"])
@pytest.mark.parametrize("seed", range(3))
def test_the_cost_never_rises_with_the_budget_or_the_depth(seed, guide):
    search = descent(seed, guide, noise=0.5, n=800)
    root = search.pool.root
    costs = [search.solve(root, 4, budget) for budget in range(7)]
    assert (np.diff(costs) <= 1e-9).all()
    assert costs[-1] < costs[0]
    deep = [descent(seed, guide, noise=0.1, n=800).solve(root, d, 3) for d in range(4)]
    assert (np.diff(deep) <= 1e-9).all()


@pytest.mark.parametrize("guide", ["both", "probes"])
def test_what_is_found_is_in_the_pool(guide):
    search = descent(1, guide, noise=0.1, n=800)
    found = search.solve(search.pool.root, DEPTH, 4)
    assert search.pool.stitch()[-1] <= found + 1e-6


def test_limits_are_kept():
    search = descent(2, "both", max_clauses=2, noise=0.2)
    for budget in range(10):
        search.solve(search.pool.root, 6, budget)
    assert search.ordered == 2
    assert search.spent
    search = descent(2, "both", max_probes=40, noise=0.2)
    for budget in range(10):
        search.solve(search.pool.root, 6, budget)
    assert search.spent
    literals = len(search.pool.sample.literals)
    assert 40 <= search.probes.count < 40 + 2 * literals  # the clause begun is finished


def test_no_depth_and_pure_clauses_are_left_alone():
    search = descent(0, "both")
    root = search.pool.root
    assert search.solve(root, 0, 5) == search.pool.leaf_cost(root)
    assert len(search.pool) == 1
    assert search.ordered == 0
