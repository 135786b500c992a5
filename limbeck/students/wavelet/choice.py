"""Which and how many coefficients: cross-validated ridge regressions from sums over the rows.

The rows are read once, block by block, and only sums of products are kept, one set a fold. From
these, every ridge regression on the first k features of each group, with every penalty, is solved
and scored exactly, whatever the number of rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from limbeck.students.wavelet.strongest import Strongest

__all__ = ["FOLDS", "ChosenFeatures", "MomentSums", "choose", "gather"]

FOLDS = 5
_PENALTIES = np.logspace(-6, 1, 15)  # times the weight of the rows, on features of variance 1
_SLACK = 0.02
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MomentSums:
    """Weighted sums over rows of u u^T, u = (1, features, targets) less a fixed shift.

    ``products`` has shape (1 + p + k, 1 + p + k), ``shift`` (p + k,).
    """

    products: Matrix
    shift: Matrix
    p: int

    def ridge(self, at: NDArray[np.int64], penalties: Matrix) -> tuple[Matrix, Matrix]:
        """Weights (m, q, k) and intercepts (m, k), over the features ``at`` only.

        The features are scaled to variance 1; the penalty is ``penalty * total weight`` times the
        squares of their weights. The intercept is free.

        Parameters
        ----------
        at : ndarray of int, shape (q,)
            Positions of the features.
        penalties : ndarray of shape (m,)
            The penalties.
        """
        n, mean, spread = self._n, self.mean, self.spread
        own, y = at + 1, slice(1 + self.p, None)
        centred = self._centred()
        scale = np.where(spread[at] > 0, spread[at], np.inf)  # a constant feature weighs nothing
        gram = centred[np.ix_(own, own)] / np.outer(scale, scale)
        values, vectors = np.linalg.eigh(gram)
        turned = vectors.T @ (centred[own, y] / scale[:, None])
        shrunk = np.maximum(values, 0.0) + penalties[:, None] * n
        weights = vectors @ (turned / shrunk[:, :, None]) / scale[:, None]
        return weights, mean[self.p :] - mean[at] @ weights

    def missed(self, at: NDArray[np.int64], weights: Matrix, intercepts: Matrix) -> Matrix:
        """The sums of squared errors (m,) of m linear models on these rows.

        Parameters
        ----------
        at : ndarray of int, shape (q,)
            Positions of the features.
        weights : ndarray of shape (m, q, k)
            Weights of these features.
        intercepts : ndarray of shape (m, k)
            The intercepts.
        """
        m, _, k = weights.shape
        first = intercepts + self.shift[at] @ weights - self.shift[self.p :]
        target = np.broadcast_to(-np.eye(k), (m, k, k))
        b = np.concatenate([first[:, None], weights, target], axis=1)
        own = np.concatenate([[0], at + 1, np.arange(1 + self.p, 1 + self.p + k)])
        out: Matrix = (b * (self.products[np.ix_(own, own)] @ b)).sum(axis=(1, 2))
        return out

    @property
    def mean(self) -> Matrix:
        """Means of features and targets, (p + k,)."""
        return np.asarray(self.products[0, 1:] / self._n + self.shift)

    @property
    def spread(self) -> Matrix:
        """Standard deviations of the features, (p,); 0 for what rounding alone moves."""
        variance = np.diag(self._centred())[1 : 1 + self.p] / self._n
        size = np.diag(self.products)[1 : 1 + self.p] / self._n + self.shift[: self.p] ** 2
        return np.sqrt(np.where(variance > 1e-14 * size, variance, 0.0))

    def _centred(self) -> Matrix:
        first = self.products[0]
        return self.products - np.outer(first, first) / self._n

    @property
    def _n(self) -> float:
        return float(max(self.products[0, 0], np.finfo(float).tiny))


@dataclass(frozen=True, eq=False)
class ChosenFeatures:
    """The chosen features, and the ridge regression on them fitted to all rows.

    Parameters
    ----------
    strongest : Strongest
        Which coefficients, and how many of each group.
    weights, intercept : ndarray of shapes (p, k) and (k,)
        The ridge regression.
    mean, spread : ndarray of shape (p,)
        Means and standard deviations of the features.
    score : float
        The share of variance explained in cross-validation.
    tried : tuple of dict
        Every kind and number with its score.
    """

    strongest: Strongest
    weights: Matrix
    intercept: Matrix
    mean: Matrix
    spread: Matrix
    score: float
    tried: tuple[dict[str, Any], ...]


def gather(
    blocks: Iterable[tuple[Matrix, Matrix, Matrix, NDArray[np.int64]]],
    kinds: Sequence[Strongest],
) -> list[list[MomentSums]]:
    """Sums a kind and fold, from blocks of (coefficients, targets, weights, folds).

    Coefficients are (n, m), targets (n, k), weights (n,), folds (n,).

    Parameters
    ----------
    blocks : iterable of (ndarray, ndarray, ndarray, ndarray)
        Coefficients, targets, weights and folds of some rows.
    kinds : sequence of Strongest
        Which coefficients become features.
    """
    found: list[list[Matrix]] = []
    shifts: list[Matrix] = []
    sizes: list[int] = []
    for S, y, w, fold in blocks:
        for i, kind in enumerate(kinds):
            Z = np.concatenate([kind.features(S), y], axis=1)
            if len(shifts) == i:
                shifts.append(Z.mean(axis=0))  # near the mean: sums of squares stay exact
                sizes.append(Z.shape[1] - y.shape[1])
                found.append([np.zeros((1 + Z.shape[1],) * 2) for _ in range(FOLDS)])
            u = np.concatenate([np.ones((len(Z), 1)), Z - shifts[i]], axis=1)
            for f in range(FOLDS):
                part = u[fold == f]
                found[i][f] += part.T @ (part * w[fold == f, None])
    return [
        [MomentSums(a, shift, p) for a in own]
        for own, shift, p in zip(found, shifts, sizes, strict=True)
    ]


def choose(
    sums: list[list[MomentSums]], kinds: Sequence[Strongest], numbers: Sequence[int]
) -> ChosenFeatures:
    """The fewest features that are nearly as good as the best, and the ridge regression on them.

    Each kind and each number of features per group is scored by ``FOLDS``-fold cross-validation at
    its best penalty: the share of variance explained. Chosen is the smallest that loses at most
    a share ``_SLACK`` of the best.

    Parameters
    ----------
    sums : list of lists of MomentSums
        For each kind, the sums of each fold.
    kinds : sequence of Strongest
        Which coefficients become features.
    numbers : sequence of int
        Numbers of features per group to try.
    """
    trials = [
        _try(kind, own, number) for kind, own in zip(kinds, sums, strict=True) for number in numbers
    ]
    most = max(t.score for t in trials)
    enough = [t for t in trials if t.score >= most - _SLACK * abs(most)]
    best = min(enough, key=lambda t: (len(t.at), -t.score))
    whole, at = _total(best.sums), best.at
    weights, intercepts = whole.ridge(at, best.penalty)
    tried = tuple(
        {"keep": t.kind.keep, "largest": t.number, "coefficients": len(t.at), "score": t.score}
        for t in trials
    )
    return ChosenFeatures(
        replace(best.kind, largest=best.number),
        weights[0],
        intercepts[0],
        whole.mean[at],
        whole.spread[at],
        best.score,
        tried,
    )


@dataclass(frozen=True, eq=False)
class _Trial:
    """One kind and number: its features, its best penalty (1,), and its score."""

    kind: Strongest
    number: int
    sums: list[MomentSums]
    at: NDArray[np.int64]
    penalty: Matrix
    score: float


def _try(kind: Strongest, own: list[MomentSums], number: int) -> _Trial:
    at = np.flatnonzero(kind.ranks < number)
    losses = _cross_validated(own, at)
    i, spread = int(losses.argmin()), _missed_by_mean(_total(own))
    score = 1 - float(losses[i]) / spread if spread > 0 else 0.0
    return _Trial(kind, number, own, at, _PENALTIES[i : i + 1], score)


def _cross_validated(own: list[MomentSums], at: NDArray[np.int64]) -> Matrix:
    """Squared errors, by penalty, of regressions fitted without the fold they are scored on."""
    whole = _total(own)
    out = np.zeros(len(_PENALTIES))
    for held in own:
        rest = MomentSums(whole.products - held.products, held.shift, held.p)
        out += held.missed(at, *rest.ridge(at, _PENALTIES))
    return out


def _missed_by_mean(whole: MomentSums) -> float:
    k, none = len(whole.shift) - whole.p, np.zeros(0, dtype=np.int64)
    return float(whole.missed(none, np.zeros((1, 0, k)), whole.mean[None, whole.p :])[0])


def _total(own: list[MomentSums]) -> MomentSums:
    return MomentSums(np.asarray(sum(s.products for s in own)), own[0].shift, own[0].p)
