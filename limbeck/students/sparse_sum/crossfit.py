"""Losses of sums on the rows of a fold that they were fitted without."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.students.sparse_sum.refit import RIDGE, VALUES_RIDGE, fit_centred
from limbeck.students.sparse_sum.selection import Chosen
from limbeck.students.sparse_sum.sum_data import SumData, cross_entropy, row_losses

__all__ = ["FoldJudge", "pattern"]

Vector = NDArray[np.float64]


def pattern(
    chosen: Chosen, order: list[int], data: SumData
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which term has a weight for which output, and which output has an intercept.

    Parameters
    ----------
    chosen : list of tuple
        Candidates and outputs.
    order : list of int
        The t candidates, each once.
    data : SumData
        Rows and answers.

    Returns
    -------
    used : ndarray of shape (t, k), bool
    intercepts : ndarray of shape (k,), bool
    """
    k = data.classes if data.classes > 2 else 1
    used = np.zeros((len(order), k), dtype=np.bool_)
    place = {m: i for i, m in enumerate(order)}
    for m, c in chosen:
        used[place[m], c] = True
    intercepts: NDArray[np.bool_] = np.asarray(used.any(axis=0))
    if k == 1:
        intercepts[:] = True
    elif not intercepts.any():  # no term: the most frequent class alone
        intercepts[np.average(data.soft, axis=0, weights=data.weight).argmax()] = True
    return used, intercepts


class FoldJudge:
    """Fits sums to the rows outside of one fold and says what they lose on the rows inside.

    Each set of terms is fitted once, and begins with the weights of the one before.

    Parameters
    ----------
    part : SumData
        n rows.
    matrix : ndarray of shape (m, n), float32
        The value of each candidate on each row, standardised.
    at : int
        The fold.
    signs : ndarray of shape (m,), optional
        Those that the weights of candidates must have.
    """

    def __init__(
        self,
        part: SumData,
        matrix: NDArray[np.float32],
        at: int,
        signs: Vector | None = None,
    ) -> None:
        out = part.fold == at
        self.part, self.matrix, self.signs = part, matrix, signs
        self.inside, self.rest = np.flatnonzero(out), np.flatnonzero(~out)
        self._known = part.take(self.rest)
        self._share = self._known.weight * (len(self.rest) / max(self._known.weight.sum(), 1e-300))
        self._seen: dict[frozenset[tuple[int, int]], tuple[Vector, Vector]] = {}
        self._weights: dict[tuple[int, int], float] = {}
        self._level: Vector | None = None

    def losses(self, chosen: Chosen) -> tuple[Vector, Vector]:
        """Of each row inside: as it is reported, and the cross-entropy (the same for values).

        Parameters
        ----------
        chosen : list of tuple
            Candidates and outputs.
        """
        key = frozenset(chosen)
        if key not in self._seen:
            total = self._totals(chosen)
            hard = row_losses(total, self.part, self.inside)
            soft = hard
            if self.part.classifies:
                soft = cross_entropy(total, self.part.soft[self.inside])
            self._seen[key] = hard, soft
        return self._seen[key]

    def _totals(self, chosen: Chosen) -> Vector:
        """The sums inside, fitted outside."""
        order = list(dict.fromkeys(m for m, _ in chosen))
        used, intercepts = pattern(chosen, order, self._known)
        design = self.matrix[order].T.astype(np.float64)
        outside = design[self.rest]
        mean = self._share @ outside / self._share.sum()
        start = np.zeros((len(order) + 1, used.shape[1]))
        if self._level is not None:
            start[0] = np.where(intercepts, self._level, 0.0)
        place = {m: i + 1 for i, m in enumerate(order)}
        for m, c in chosen:
            start[place[m], c] = self._weights.get((m, c), 0.0)
        classifies = self.part.classifies
        weights, level = fit_centred(
            outside - mean, used, intercepts, self._known.soft, self._share, classifies,
            RIDGE if classifies else VALUES_RIDGE, start,
            None if self.signs is None else self.signs[order],
        )  # fmt: skip
        self._level = level
        self._weights = {(m, c): float(weights[place[m] - 1, c]) for m, c in chosen}
        return np.asarray((design[self.inside] - mean) @ weights + level)
