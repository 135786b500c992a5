"""Rules whose values are added: forward selection by orthogonal least squares, by gain per number.

Every candidate is kept orthogonal to those that were chosen (Chen, Billings, Luo 1989), so that
the next one is found by the squared error that a refit of all would save.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from limbeck.students.rules.candidates import CandidateClauses, CandidateTrees

__all__ = ["SumSearch", "fitted_sum"]

Matrix = NDArray[np.float64]
_LEAST = 1e-4  # of the variance that a rule must explain to be worth reading
_RIDGE = 1e-6  # of the weight of all rows: keeps values finite where rules nearly add up


class SumSearch:
    """Chooses rules whose values are added.

    Parameters
    ----------
    trees : CandidateTrees
        The rows, with values for targets.
    candidates : CandidateClauses
        Those there are; more are added from trees on what is left unexplained.
    max_rules : int
        The most rules.
    rng : numpy.random.Generator
        The source of chance.
    """

    def __init__(
        self,
        trees: CandidateTrees,
        candidates: CandidateClauses,
        max_rules: int,
        rng: np.random.Generator,
    ) -> None:
        self.trees, self.candidates = trees, candidates
        self.max_rules, self.rng = max_rules, rng
        self.root = np.sqrt(trees.weight)
        self.base = self.root / np.linalg.norm(self.root)  # the intercept

    def path(self) -> list[tuple[int, ...]]:
        """Rules in the order of their choice: the first 0, 1, 2, ... of them."""
        chosen: list[int] = []
        basis = self.base[:, None]
        left = self._without(self.root * self.trees.target, basis)
        least = _LEAST * float(left @ left)
        columns = np.zeros((len(left), 0))
        lists: list[tuple[int, ...]] = [()]
        everything = np.arange(len(left))
        while len(chosen) < self.max_rules:
            residual = np.divide(left, self.root)
            if float(np.ptp(residual)) > 0:
                self.trees.grow(self.candidates, everything, self.trees.most, self.rng,
                                target=residual)  # fmt: skip
            rows = self.candidates.rows[:, columns.shape[1] :].astype(np.float64)
            new = self.root[:, None] * rows
            columns = np.hstack([columns, self._without(new, basis)])
            norms = np.einsum("nc,nc->c", columns, columns)
            gain = np.zeros(len(norms))
            ok = norms > 1e-6 * self.trees.weight.sum()
            gain[ok] = (left @ columns[:, ok]) ** 2 / norms[ok]
            if not len(gain):
                break
            best = int((gain / self.candidates.numbers).argmax())
            if gain[best] <= least:
                break
            direction = columns[:, best] / np.sqrt(norms[best])
            left = left - direction * (direction @ left)
            columns -= direction[:, None] * (direction @ columns)
            basis = np.column_stack([basis, direction])
            chosen.append(best)
            lists.append(tuple(chosen))
        return lists

    @staticmethod
    def _without(columns: Matrix, basis: Matrix) -> Matrix:
        """Columns without their part along an orthonormal basis (n, b)."""
        return np.asarray(columns - basis @ (basis.T @ columns))


def fitted_sum(truth: NDArray[np.bool_], target: NDArray[np.float64], weight: Matrix) -> Matrix:
    """Values of r rules, and last the number to which they are added, by least squares, (r + 1,).

    Parameters
    ----------
    truth : ndarray of shape (n, r)
        Which rows satisfy each.
    target : ndarray of shape (n,)
        Values.
    weight : ndarray of shape (n,)
        How much each row counts.
    """
    design = np.column_stack([truth, np.ones(len(truth))])
    gram = (design * weight[:, None]).T @ design
    penalty = np.full(len(gram), _RIDGE * weight.sum())
    penalty[-1] = 0.0
    return np.asarray(np.linalg.solve(gram + np.diag(penalty), design.T @ (weight * target)))
