"""Which variables tell most about a target: greedy by mutual information."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["choose", "information"]


def choose(
    codes: list[NDArray[np.intp]],
    target: NDArray[np.integer] | NDArray[np.float64],
    weight: NDArray[np.float64],
    classes: int,
    k: int,
    max_cells: int,
) -> tuple[int, ...]:
    """Choose up to k columns, each time the one that adds most; stop when none adds any.

    A greedy choice cannot see variables that tell something only together, such as those of a
    parity.

    Parameters
    ----------
    codes : list of ndarray of shape (n,), int
        The level of each row, for each of d columns.
    target : ndarray of shape (n,)
        Positions of classes (int), or values (float).
    weight : ndarray of shape (n,), float64
        Weights of the rows.
    classes : int
        The number of classes; 0 for values.
    k : int
        The most columns.
    max_cells : int
        The most combinations of levels.

    Returns
    -------
    tuple of int
        Columns, in the order of choice; the best one at least.
    """
    counts = [int(c.max()) + 1 for c in codes]
    chosen: list[int] = []
    cell, best, cells = np.zeros(len(weight), dtype=np.intp), 0.0, 1
    while len(chosen) < min(k, len(codes)):
        free = [j for j in range(len(codes)) if j not in chosen and cells * counts[j] <= max_cells]
        gains = [information(cell * counts[j] + codes[j], target, weight, classes) for j in free]
        if not gains or (chosen and max(gains) <= best):
            break
        best, j = max(gains), free[int(np.argmax(gains))]
        # Only combinations that occur need a number.
        _, cell = np.unique(cell * counts[j] + codes[j], return_inverse=True)
        cells *= counts[j]
        chosen.append(j)
    return tuple(chosen)


def information(
    cell: NDArray[np.intp],
    target: NDArray[np.integer] | NDArray[np.float64],
    weight: NDArray[np.float64],
    classes: int,
) -> float:
    """Mutual information of cells and target in nats, less its bias on few rows.

    The bias is that of Miller (1955): (cells - 1)(classes - 1) / 2n. For values the information
    is that of Gaussian noise, half the log of the ratio of total to remaining variance, with
    two classes' bias.

    Parameters
    ----------
    cell : ndarray of shape (n,)
        The cell of each row.
    target : ndarray of shape (n,)
        Class indices, or values.
    weight : ndarray of shape (n,)
        How much each row counts.
    classes : int
        Number of classes; 0 for values.
    """
    _, cell = np.unique(cell, return_inverse=True)
    m, total = int(cell.max()) + 1, weight.sum()
    rows = total**2 / (weight**2).sum()
    mass = np.bincount(cell, weight, m)
    if classes:
        joint = np.bincount(cell * classes + target.astype(np.intp), weight, m * classes)
        table = joint.reshape(m, classes) / total
        found = _entropy(table.sum(axis=0)) + _entropy(mass / total) - _entropy(table)
        return float(found - (m - 1) * ((table.sum(axis=0) > 0).sum() - 1) / (2 * rows))
    centred = target - np.average(target, weights=weight)
    sums = np.bincount(cell, weight * centred, m)
    everything = float((weight * centred**2).sum())
    within = everything - float((sums[mass > 0] ** 2 / mass[mass > 0]).sum())
    if everything <= 0:
        return float(-(m - 1) / (2 * rows))
    share = max(within / everything, np.finfo(float).eps)
    return float(-0.5 * np.log(share) - (m - 1) / (2 * rows))


def _entropy(p: NDArray[np.float64]) -> float:
    q = p[p > 0]
    return float(-(q * np.log(q)).sum())
