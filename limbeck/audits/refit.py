"""Newton steps from a boosted model to the likelihood's own estimate on the same bins.

A boosted model shrinks its shapes, so bands around them would be too narrow and in the wrong
place. From its contributions one Newton step (for squared error) or a few (for log loss) lead to
the additive model that fits best on those bins, whose error is nearly without bias and which
bags therefore describe (one-step estimation: Le Cam 1956). A bag begins where all rows ended,
if those steps converged: there its Hessian is good for several steps.

Shapes: n rows, d columns, p bins of all columns together.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve
from scipy.linalg.blas import dsyr
from scipy.linalg.lapack import dpotri, dtrtri
from scipy.sparse import csc_array
from scipy.special import expit

__all__ = ["Design", "Fit", "Optimum", "Refit", "centred", "one_step", "refit"]

Vector = NDArray[np.float64]
Codes = NDArray[np.int64]
_RIDGE = 0.1
_STEPS = 3
_STEPS_NEAR = 8
"""Steps of a bag with one Hessian; where they do not end it takes those of all rows."""
_SMALL, _NEAR, _SHRINK = 1e-4, 0.2, 0.5
"""Of steps in log-odds: where a bag's end, where those of all rows count as converged, and how much
smaller each must be than the one before."""
_TOGETHER = 8
_CELLS = 4_000_000
_COUNTED = 2_000_000
"""Entries whose sums are made in one go, with a weight for each; beyond them column by column."""


@dataclass(frozen=True, eq=False)
class Design:
    """Binned rows as the positions of their ones among p indicator columns.

    Parameters
    ----------
    at : ndarray of int64, shape (n, d)
        For each row and column the position of its bin among the p.
    starts : tuple of int
        The first position of each column, and p at the end.
    """

    at: Codes
    starts: tuple[int, ...]

    @classmethod
    def of(cls, codes: Codes, counts: tuple[int, ...]) -> Design:
        """The design of binned rows (n, d) with these numbers of bins.

        Parameters
        ----------
        codes : ndarray of int, shape (n, d)
            The bin of each row in each column.
        counts : tuple of int
            The number of bins of each column.
        """
        starts = tuple(int(s) for s in np.concatenate([[0], np.cumsum(counts)]))
        return cls(codes + np.array(starts[:-1]), starts)

    @property
    def at_once(self) -> int:
        """Weightings whose cross products are made together: 8, or as many as fit into 32 MB."""
        return int(np.clip(_CELLS // self.starts[-1] ** 2, 1, _TOGETHER))

    def sums(self, v: Vector) -> Vector:
        """The sum of v (n,) within each bin, shape (p,)."""
        p = self.starts[-1]
        if self.at.size <= _COUNTED:
            each = np.repeat(v, self.at.shape[1])
            return np.asarray(np.bincount(self.at.ravel(), each, p), dtype=np.float64)
        return np.concatenate(
            [
                np.bincount(self.at[:, j], v, p)[a:b]
                for j, (a, b) in enumerate(zip(self.starts[:-1], self.starts[1:], strict=True))
            ]
        )

    def grams(self, w: Vector) -> Vector:
        """The weighted cross products of the indicator columns, for m weightings at once.

        Only the upper triangle is filled, which is all that Cholesky reads. Rows are
        added in their order, whatever m is, so that each (p, p) is the same bit for bit as alone.

        Parameters
        ----------
        w : ndarray of shape (n, m)
            The weights of the rows.

        Returns
        -------
        ndarray of shape (m, p, p)
            The products.
        """
        n, d = self.at.shape
        p, m = self.starts[-1], w.shape[1]
        out = np.zeros((m, p, p))
        w, ones = np.ascontiguousarray(w), np.ones(n * d)
        at = self.at.astype(np.int32)
        for j in range(d):
            a, b = self.starts[j], self.starts[j + 1]
            # row i adds w[i] to its cell of each later column: a sparse matrix as it stands
            cells = at[:, j:] + ((at[:, j : j + 1] - np.int32(a)) * np.int32(p - a) - np.int32(a))
            ends = np.arange(0, n * (d - j) + 1, d - j, dtype=np.int32)
            shape = ((b - a) * (p - a), n)
            rows = csc_array((ones[: n * (d - j)], cells.ravel(), ends), shape=shape)
            out[:, a:b, a:] = (rows @ w).T.reshape(m, b - a, p - a)
        return out

    def add_up(self, theta: Vector) -> Vector:
        """The sum of the contributions theta (p,) for each row, shape (n,)."""
        return np.asarray(theta.take(self.at).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Optimum:
    """Where Newton steps ended on all rows, and what one more step needs.

    ``fitted`` (n,) are predictions on the scale of theta (p,) and the intercept; ``pull`` (p,) is
    the ridge's pull towards the start; ``factor`` the Cholesky factor of the Hessian; ``used`` the
    effective number of parameters; ``reached`` whether the last step was small.
    """

    theta: Vector
    intercept: float
    fitted: Vector
    pull: Vector
    factor: Any
    used: float
    reached: bool


@dataclass(frozen=True, eq=False)
class Refit:
    """Contributions theta (p,), and the spread of the predictions with noise taken off.

    ``spread`` is the standard deviation over rows that the predictions would have without the
    error of estimation; 0 where no more than noise is left.
    """

    theta: Vector
    spread: float
    optimum: Optimum | None = None


@dataclass(frozen=True, eq=False)
class Fit:
    """One fit from boosted contributions to the best ones on the same bins.

    Parameters
    ----------
    target : ndarray of shape (n,)
        Values, or 0 and 1.
    weight : ndarray of shape (n,)
        Weights of the rows, as numbers of people.
    start : ndarray of shape (p,)
        Boosted contributions; bins with hardly any rows stay near them.
    intercept : float
        Of the boosted model.
    offset : ndarray of shape (n,)
        Contributions that stay as they are: those of pairs.
    classifies : bool
        Log loss rather than squared error.
    near : Optimum, optional
        That of all rows, for a bag of them: where its steps begin. The ridge pulls to ``start``.
    """

    target: Vector
    weight: Vector
    start: Vector
    intercept: float
    offset: Vector
    classifies: bool
    near: Optimum | None = None


def refit(design: Design, fits: Sequence[Fit]) -> list[Refit]:
    """Step from boosted contributions to the best ones, for several fits of the same rows.

    All fits take their steps together, since cross products of many weightings cost hardly more
    than those of one; each is the same bit for bit as alone.

    Parameters
    ----------
    design : Design
        The binned rows.
    fits : sequence of Fit
        The fits.

    Returns
    -------
    list of Refit
        With contributions that are centred within each column.
    """
    runs = [_newton(design, fit) for fit in fits]
    waiting = {i: next(run) for i, run in enumerate(runs)}
    out: dict[int, Refit] = {}
    while waiting:
        # fits of one bag ask for the same weighting first, and share what is made of it
        different = {id(w): w for w in waiting.values()}
        grams = design.grams(np.stack([*different.values()], axis=1))
        made = {
            key: _CrossProducts.of(design, w, gram)
            for (key, w), gram in zip(different.items(), grams, strict=True)
        }
        for i, w in [*waiting.items()]:
            try:
                waiting[i] = runs[i].send(made[id(w)])
            except StopIteration as end:
                out[i] = end.value
                del waiting[i]
    return [out[i] for i in range(len(fits))]


@dataclass(frozen=True, eq=False)
class _CrossProducts:
    """What a weighting of the rows gives: cross products of the bins about their means.

    ``about`` (p, p) is in Fortran's order and holds the lower triangle, with zeros above it;
    ``side`` (p,) are the weights of the bins, ``total`` that of all rows. The intercept is one more
    column, which is projected out of bins and errors.
    """

    about: Vector
    side: Vector
    total: float

    @classmethod
    def of(cls, design: Design, weight: Vector, gram: Vector) -> _CrossProducts:
        """Of cross products (p, p) by `Design.grams`, which are overwritten."""
        side, total = design.sums(weight), float(weight.sum())
        # one pass in place: a few of these matrices are all that fits a cache
        about = dsyr(-1.0 / total, side, lower=1, a=gram.T, overwrite_a=1)
        return cls(about, side, total)

    @cached_property
    def factor(self) -> tuple[Vector, bool]:
        """The Cholesky factor of the Hessian: cross products and ridge."""
        inner, at = self.about.copy(order="F"), np.arange(len(self.side))
        inner[at, at] += _RIDGE
        factor, lower = cho_factor(inner, lower=True, overwrite_a=True, check_finite=False)
        return factor, lower

    @cached_property
    def used(self) -> float:
        """The effective parameters of least squares: what is solved is its right side and ridge."""
        return len(self.side) - _RIDGE * _trace_of_inverse(self.factor)

    def step(self, design: Design, error: Vector, pull: Vector) -> tuple[Vector, float]:
        """A step of contributions (p,) and intercept against errors (n,) and the ridge's pull."""
        rest = float(error.sum())
        push = design.sums(error) - self.side * (rest / self.total) + pull
        step = cho_solve(self.factor, push, check_finite=False)
        step *= min(1.0, 5.0 / max(float(np.abs(step).max()), 1e-12))
        return step, (rest - float(self.side @ step)) / self.total


@dataclass
class _Climb:
    """Where a fit is: contributions (p,), the intercept, and the size of the last step."""

    theta: Vector
    intercept: float
    size: float = np.inf

    def predicted(self, design: Design, fit: Fit) -> Vector:
        """On the scale of theta, shape (n,)."""
        return np.asarray(self.intercept + design.add_up(self.theta) + fit.offset)

    def step(self, design: Design, fit: Fit, mean: Vector, hessian: _CrossProducts) -> None:
        """One step against the errors of predicted means (n,)."""
        error = fit.weight * (fit.target - mean)
        step, shift = hessian.step(design, error, _RIDGE * (fit.start - self.theta))
        self.theta = self.theta + step
        self.intercept += shift
        self.size = float(np.abs(step).max())


_Steps = Generator[Vector, _CrossProducts, tuple[_Climb, _CrossProducts]]


def _newton(design: Design, fit: Fit) -> Generator[Vector, _CrossProducts, Refit]:
    """The steps of one fit: yields weights (n,), and is sent their cross products."""
    plain = yield fit.weight
    if fit.classifies:
        at, hessian = yield from _likeliest(design, fit)
    else:
        at, hessian = _Climb(fit.start, fit.intercept), plain
        at.step(design, fit, at.predicted(design, fit), hessian)
    fitted = at.predicted(design, fit)
    used = plain.used
    if fit.classifies:
        used = _trace_of_solved(hessian.factor, plain.about, overwrite=fit.near is not None)
    spread = _spread(fitted, fit.target, fit.weight, used, fit.classifies)
    optimum = None
    if fit.near is None:
        pull = _RIDGE * (fit.start - at.theta)
        reached = not fit.classifies or at.size < _NEAR
        optimum = Optimum(at.theta, at.intercept, fitted, pull, hessian.factor, used, reached)
    return Refit(centred(design, at.theta, plain.side), spread, optimum)


def _likeliest(design: Design, fit: Fit) -> _Steps:
    """Steps to the greatest likelihood, from the optimum of all rows where that is near."""
    if fit.near is not None and fit.near.reached:
        at = _Climb(fit.near.theta, fit.near.intercept)
        mean = expit(at.predicted(design, fit))
        hessian = yield fit.weight * mean * (1 - mean)
        for _ in range(_STEPS_NEAR):
            last = at.size
            at.step(design, fit, mean, hessian)  # one Hessian for all: each costs what 20 steps do
            if at.size < _SMALL:
                return at, hessian
            if at.size > _SHRINK * last or at.size > 1:
                break
            mean = expit(at.predicted(design, fit))
    at = _Climb(fit.start, fit.intercept)
    for _ in range(_STEPS):
        mean = expit(at.predicted(design, fit))
        hessian = yield fit.weight * mean * (1 - mean)
        at.step(design, fit, mean, hessian)
    return at, hessian


def _trace_of_solved(factor: tuple[Vector, bool], right: Vector, overwrite: bool) -> float:
    """The trace of A^-1 B for symmetric (p, p); the inverse takes a third of what solving takes.

    ``right`` holds the lower triangle of B, with zeros above it.
    """
    inverse, failed = dpotri(factor[0], lower=factor[1], overwrite_c=overwrite)
    if failed:  # a diagonal element of the factor is 0: `cho_solve` would divide by it
        return float("nan")
    diagonal = float(inverse.diagonal() @ right.diagonal())
    return 2 * float(np.vdot(inverse.T, right.T)) - diagonal


def _trace_of_inverse(factor: tuple[Vector, bool]) -> float:
    """The trace of A^-1, the sum of squares of the factor's inverse: half the work of A^-1."""
    inverse, failed = dtrtri(factor[0], lower=factor[1])
    if failed:
        return float("nan")
    return float(np.vdot(inverse.T, inverse.T))  # the other half holds zeros, as `about` does


def one_step(
    design: Design, target: Vector, weight: Vector, at: Optimum, classifies: bool
) -> Refit:
    """One Newton step from the optimum of all rows to that of a bag, with the Hessian of all rows.

    With many rows a bag's optimum lies so near that one step reaches it but for an error of order
    1/n, and the Hessian changes as little (one-step bootstrap: Shao and Tu 1995).

    Parameters
    ----------
    design : Design
        The binned rows.
    target : ndarray of shape (n,)
        Values, or 0 and 1.
    weight : ndarray of shape (n,)
        Of the bag's rows; their sum is about that of all rows.
    at : Optimum
        Of all rows.
    classifies : bool
        Log loss rather than squared error.
    """
    mean = expit(at.fitted) if classifies else at.fitted
    slope = weight * mean * (1 - mean) if classifies else weight
    error = weight * (target - mean)
    side, total = design.sums(slope), float(slope.sum())
    push = design.sums(error) - side * (error.sum() / total) + at.pull
    step = cho_solve(at.factor, push, check_finite=False)
    shift = (float(error.sum()) - float(side @ step)) / total
    fitted = at.fitted + design.add_up(step) + shift
    spread = _spread(fitted, target, weight, at.used, classifies)
    means = side if not classifies else design.sums(weight)
    return Refit(centred(design, at.theta + step, means), spread)


def _spread(fitted: Vector, target: Vector, weight: Vector, used: float, classifies: bool) -> float:
    """The standard deviation of predictions (n,) with the error of estimation taken off."""
    n = float(weight.sum())
    centre = fitted - np.average(fitted, weights=weight)
    variance = float(np.average(centre**2, weights=weight))
    if classifies:
        noise = used / n
    else:
        rest = float(weight @ (target - fitted) ** 2) / max(n - used - 1, 1.0)
        noise = rest * used / n
    kept = variance - noise
    return float(np.sqrt(kept)) if kept > 0 else 0.0


def centred(design: Design, theta: Vector, mass: Vector) -> Vector:
    """Contributions (p,) less their mean within each column, by the weights of the bins.

    Parameters
    ----------
    design : Design
        For the columns.
    theta : ndarray of shape (p,)
        The contributions.
    mass : ndarray of shape (p,)
        The weights of the bins.
    """
    out = theta.copy()
    for a, b in zip(design.starts[:-1], design.starts[1:], strict=True):
        total = mass[a:b].sum()
        out[a:b] -= (theta[a:b] @ mass[a:b]) / total if total else 0.0
    return out
