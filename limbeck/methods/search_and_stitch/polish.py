"""Polish: move the literals of a finished tree, one node at a time.

With both branches of a node held fixed, every row that arrives has a loss on the left and a loss
on the right, so the best literal for the node is the one that sends rows where they lose less:
one matrix-vector product over all literals. The cost of the tree never rises. This is tree
alternating optimisation (Carreira-Perpinan and Tavallali 2018, section 3), over axis-aligned
literals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.methods.search_and_stitch.plan import PlannedTree
from limbeck.methods.search_and_stitch.sample import Index, Sample

__all__ = ["polish"]


def polish(
    plan: PlannedTree, sample: Sample, classifies: bool, sweeps: int = 8
) -> list[PlannedTree]:
    """The trees met on the way to a local optimum, the last one best.

    Parameters
    ----------
    plan : PlannedTree
        The tree to start from.
    sample : Sample
        Labelled rows.
    classifies : bool
        Whether the loss is misclassification (else squared error).
    sweeps : int
        At most so many passes over the nodes.
    """
    trees = [plan]
    rows = np.arange(len(sample), dtype=np.int64)
    for _ in range(sweeps):
        better = _improve(trees[-1], rows, sample, classifies)
        if better == trees[-1]:
            break
        trees.append(better)
    return trees[1:]


def _improve(plan: PlannedTree, rows: Index, sample: Sample, classifies: bool) -> PlannedTree:
    if plan.left is None or plan.right is None or len(rows) == 0:
        return plan
    inside = sample.truth[plan.literal, rows]
    left = _improve(plan.left, rows[inside], sample, classifies)
    right = _improve(plan.right, rows[~inside], sample, classifies)
    on_left = _losses(left, rows[inside], rows, sample, classifies)
    on_right = _losses(right, rows[~inside], rows, sample, classifies)
    difference = on_left - on_right
    moved = np.flatnonzero(difference)  # rows that lose as much either way do not matter
    costs = sample.bins.inside(sample.bins.in_bins(rows[moved], difference[moved]))[0]
    best = int(costs.argmin())
    keep = costs[best] >= costs[plan.literal] - 1e-6 * max(float(np.abs(difference).sum()), 1e-30)
    return PlannedTree(plan.literal if keep else best, left, right)


def _losses(
    plan: PlannedTree, own: Index, rows: Index, sample: Sample, classifies: bool
) -> NDArray[np.float32]:
    """Loss of each of ``rows`` below ``plan``, whose leaves are valued by the rows in ``own``."""
    if plan.left is None or plan.right is None:
        stats, total = sample.stats[:, rows], sample.total(own)
        if classifies:
            return np.asarray(stats.sum(axis=0) - stats[int(total.argmax())], dtype=np.float32)
        mean = np.float32(total[1] / max(total[0], 1e-30))
        return np.asarray(stats[2] - 2 * mean * stats[1] + mean**2 * stats[0], dtype=np.float32)
    out = np.empty(len(rows), dtype=np.float32)
    to, own_to = sample.truth[plan.literal, rows], sample.truth[plan.literal, own]
    out[to] = _losses(plan.left, own[own_to], rows[to], sample, classifies)
    out[~to] = _losses(plan.right, own[~own_to], rows[~to], sample, classifies)
    return out
