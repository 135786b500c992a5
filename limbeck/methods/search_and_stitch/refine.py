"""Refine the pool: lookahead trees, neighbours of good trees, and polished trees, until no gain."""

from __future__ import annotations

import numpy as np

from limbeck.core.progress import Progress
from limbeck.core.threads import one_blas_thread
from limbeck.methods.search_and_stitch.costs import Cost
from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.polish import polish
from limbeck.methods.search_and_stitch.pool import Pool

__all__ = ["look_ahead", "refine"]

_NEIGHBOURS = 4


def refine(
    pool: Pool,
    impurity: Cost,
    classifies: bool,
    rng: np.random.Generator,
    progress: Progress,
    rounds: int = 4,
) -> None:
    """Add clauses to the pool until the frontier stands still.

    Parameters
    ----------
    pool : Pool
        Holds at least one tree.
    impurity : Cost
        Ranks splits where the cost is flat.
    classifies : bool
        Whether the task is classification.
    rng : numpy.random.Generator
        For random parts of very many rows.
    progress : Progress
        Told after every round.
    rounds : int
        At most so many.
    """
    if len(pool.sample.literals) == 0:
        return  # no column varies: a leaf is all there is
    sizes = _sizes(pool.max_leaves)
    look_ahead(pool, pool.root, pool.max_leaves, impurity, rng)
    before = pool.stitch()
    looked: set[bytes] = set()
    polished: set[PlannedTree] = set()
    for i in range(rounds):
        progress("stitching", i, rounds)
        plans = {pool.best(size) for size in sizes}
        for plan in sorted(plans - polished, key=lambda p: p.leaves):
            for better in polish(plan, pool.sample, classifies):
                pool.add(better)
        polished |= plans
        pool.stitch()
        _neighbours(pool, pool.best(pool.max_leaves), pool.root, impurity, looked, rng)
        after = pool.stitch()
        if (after >= before - 1e-9 * max(before[0], 1e-30)).all():
            break
        before = after


@one_blas_thread()
def look_ahead(
    pool: Pool, clause: bytes, leaves: int, impurity: Cost, rng: np.random.Generator
) -> None:
    """A tree grown greedily, every split chosen two levels ahead.

    Parameters
    ----------
    pool : Pool
        Keeps the splits.
    clause : bytes
        The rows that reach the root.
    leaves : int
        Most leaves.
    impurity : callable
        The cost by which a first tree is grown; a second one uses that of the pool.
    rng : numpy Generator
        Draws the part of very many rows.
    """
    _look_ahead(pool, clause, leaves, impurity, rng)


def _look_ahead(
    pool: Pool, clause: bytes, leaves: int, impurity: Cost, rng: np.random.Generator
) -> None:
    rows = pool.rows(clause)
    if leaves < 2 or pool.leaf_cost(clause) <= 1e-9 or len(rows) < 4:
        return
    costs = _costs(pool, impurity)
    for cost, ahead in zip(costs, pool.sample.after_two(rows, costs, rng), strict=True):
        first = int(ahead.total.argmin())
        pool.split_two(clause, ahead, first)
        if cost is impurity and np.isfinite(ahead.total[first]):
            for child in pool.split(clause, first) or ():
                _look_ahead(pool, child, leaves // 2, impurity, rng)


def _neighbours(
    pool: Pool,
    plan: PlannedTree,
    clause: bytes,
    impurity: Cost,
    looked: set[bytes],
    rng: np.random.Generator,
) -> None:
    """The next best splits of every clause in a tree, and one split more at its leaves."""
    rows = pool.rows(clause)
    if clause not in looked and len(rows) >= 4 and pool.leaf_cost(clause) > 1e-9:
        looked.add(clause)
        for cost in _costs(pool, impurity):
            after = pool.sample.after_one(rows, cost)
            for literal in np.argsort(after, kind="stable")[:_NEIGHBOURS]:
                if np.isfinite(after[literal]):
                    pool.split(clause, int(literal))
        [ahead] = pool.sample.after_two(rows, (pool.cost,), rng)
        for literal in np.argsort(ahead.total, kind="stable")[:_NEIGHBOURS]:
            pool.split_two(clause, ahead, int(literal))
    if plan.left is None or plan.right is None:
        return
    children = pool.split(clause, plan.literal)
    if children is not None:
        _neighbours(pool, plan.left, children[0], impurity, looked, rng)
        _neighbours(pool, plan.right, children[1], impurity, looked, rng)


def _costs(pool: Pool, impurity: Cost) -> tuple[Cost, ...]:
    """The impurity and the cost of the pool, which are one for values: it is looked at once."""
    return (impurity,) if impurity is pool.cost else (impurity, pool.cost)


def _sizes(most: int) -> list[int]:
    """2, 3, 4, 6, 8, 12, 16, ... up to the largest."""
    out = {most}
    size = 2
    while size <= most:
        out |= {size, size + size // 2}
        size *= 2
    return sorted(s for s in out if s <= most)
