"""Rules whose values are added: forward selection by orthogonal least squares, by gain per number.

Every candidate is kept orthogonal to those that were chosen (Chen, Billings, Luo 1989), so that
the next one is found by the squared error that a refit of all would save.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.rules.candidates import CandidateClauses, CandidateTrees
from limbeck.students.rules.limits import limits_moved
from limbeck.students.rules.search import RuleLimits

__all__ = ["SumSearch", "fitted_sum"]

Matrix = NDArray[np.float64]
_LEAST = 1e-4  # of the variance that a rule must explain to be worth reading
_MOVES = 3  # of limits, of a rule that is chosen
_RIDGE = 1e-6  # of the weight of all rows: keeps values finite where rules nearly add up


class SumSearch:
    """Chooses rules whose values are added.

    Parameters
    ----------
    trees : CandidateTrees
        The rows, with values for targets.
    candidates : CandidateClauses
        Those there are; more are added from trees on what is left unexplained.
    limits : RuleLimits
        How many rules and numbers at most.
    rng : numpy.random.Generator
        The source of chance.
    """

    def __init__(
        self,
        trees: CandidateTrees,
        candidates: CandidateClauses,
        limits: RuleLimits,
        rng: np.random.Generator,
    ) -> None:
        self.trees, self.candidates = trees, candidates
        self.limits, self.rng = limits, rng
        self.root = np.sqrt(trees.weight)
        self.base = self.root / np.linalg.norm(self.root)  # the intercept

    def path(self) -> list[tuple[int, ...]]:
        """Rules in the order of their choice: the first 0, 1, 2, ... of them."""
        chosen: list[int] = []
        basis = self.base[:, None]
        left = self._without(self.root * self.trees.target, basis)
        unit = float(left @ left)
        least = _LEAST * unit
        fees = self.limits.fees(())  # what each candidate pays for the columns that it reads
        columns = np.zeros((len(left), 0))
        lists: list[tuple[int, ...]] = [()]
        everything = np.arange(len(left))
        while room := self.limits.room(self.candidates.numbers[chosen]):
            residual = np.divide(left, self.root)
            if float(np.ptp(residual)) > 0:
                self.trees.grow(self.candidates, everything, self.trees.most, self.rng,
                                target=residual)  # fmt: skip
            new = self.candidates.rows[:, columns.shape[1] :]
            columns = np.hstack([columns, self._orthogonal(new, basis)])
            more = self.limits.fees(self.candidates.clauses[len(fees) :])
            fees = np.vstack([fees, unit * more]) if len(more) else fees
            unread = ~(fees[chosen] > 0).any(axis=0)
            gain = self._gains(columns, left) - fees[:, unread].sum(axis=1)
            gain[self.candidates.numbers > room] = 0.0
            if not len(gain) or gain.max() <= least:
                break
            best, column = self._moved(int((gain / self.candidates.numbers).argmax()), basis, left)
            direction = column / np.linalg.norm(column)
            left = left - direction * (direction @ left)
            columns -= direction[:, None] * (direction @ columns)
            basis = np.column_stack([basis, direction])
            chosen.append(best)
            lists.append(tuple(chosen))
        return lists

    def _moved(self, best: int, basis: Matrix, left: Matrix) -> tuple[int, Matrix]:
        """A candidate, its limits moved as long as that explains more, and its column (n,)."""
        column = self._orthogonal(self.candidates.rows[:, [best]], basis)
        for _ in range(_MOVES):
            clause = self.candidates.clauses[best]
            ways, truth = limits_moved(clause, self.trees.values)
            others = self._orthogonal(truth, basis)
            gain = self._gains(others, left)
            if not len(gain) or gain.max() <= self._gains(column, left)[0]:
                break
            at = int(gain.argmax())
            column = others[:, [at]]
            best = self.candidates.add(ways[at].of(clause), truth[:, at])
        return best, column[:, 0]

    def _gains(self, columns: Matrix, left: Matrix) -> Matrix:
        """What each orthogonal column (n, c) explains of what is left (n,)."""
        norms = np.einsum("nc,nc->c", columns, columns)
        gain = np.zeros(len(norms))
        ok = norms > 1e-6 * self.trees.weight.sum()
        gain[ok] = (left @ columns[:, ok]) ** 2 / norms[ok]
        return gain

    def _orthogonal(self, rows: NDArray[Any], basis: Matrix) -> Matrix:
        """Weighted columns of candidates (n, c), without what the basis says."""
        return self._without(self.root[:, None] * rows.astype(np.float64), basis)

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
