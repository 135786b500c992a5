"""Do the errors of two cross-fitted models go together, beyond what their misfit explains?

The score is regressed on the audited features, and so is the outcome, each row by models that did
not see it. If the score uses audited features and independent noise only, the two residuals are
uncorrelated but for the models' misfit (generalised covariance measure: Shah and Peters 2020).
Misfit is what makes such tests accuse the innocent, so its share is simulated, not assumed away.

Both regressions are ridge regressions on one basis that is chosen without looking at score or
outcome: fits are linear in the target, and 400 simulated audits are refitted with a few matrix
products. Shapes: n rows, d features, m basis functions, b targets.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, eigh
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from limbeck.audits.matched_pairs import near_pairs, squares_at_zero
from limbeck.audits.results import ModelTest
from limbeck.core.errors import InvalidInput
from limbeck.core.progress import Progress, quiet

__all__ = ["FEWEST_ROWS", "CrossFit", "cross_fit", "enough_to_test", "model_test"]

FEWEST_ROWS = 200
"""With fewer rows no model-based test is made."""
_FEWEST_OF_EACH = 10
"""With fewer rows of one outcome simulated audits may have none, and the test has no level."""
_LEAST_RATE = 0.005
_FOLDS = 5
_KNOTS = 16
_WAVES = 300
_BOXES = 200
_FEW = 12
_PENALTIES = 10.0 ** np.arange(-2.0, 4.5, 0.5)
_RATE = 0.5
_FLOOR = 0.02
_CALIPER = 0.1
_FEWEST_PAIRS = 200
_MOST_ROWS = 20_000
_WIDTH = 600
_BLOCK = 128
_OTHER_SIDE = 0.5  # of the allowance for misfit, on the side that it does not favour
_POWER, _POWER_DRAWS = 0.8416, 48  # the normal quantile of 80%

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class CrossFit:
    """Residuals of both regressions, each row by models that did not see it.

    Parameters
    ----------
    score, outcome : ndarray of shape (n,)
        Residuals; of the score in standard deviations of the score, of the outcome in
        probability. A score whose residual has less than 2% of its variance is topped up to
        that by independent noise, as what is left is then mostly misfit.
    rows : ndarray of shape (n,), int
        Which rows these are: all, or 20,000 drawn at random.
    explained : float
        Share of the score's variance that the audited features explain, out of fold.
    misfit : float
        Largest share of the score's residual variance that may be misfit. The larger of two: what
        doubling the rows saved, carried on for ever at the rate n^(-1/2); and, where 200 pairs of
        near rows exist, the share by which their residuals grow alike as they come nearer.
    """

    score: Vector
    outcome: Vector
    rows: NDArray[np.int64]
    explained: float
    misfit: float
    _sides: _Sides


def enough_to_test(score: Vector, outcome: Vector) -> bool:
    """Whether there are enough rows (n,), of either outcome (0 or 1), for a test by models.

    Parameters
    ----------
    score : ndarray of shape (n,)
        The score.
    outcome : ndarray of shape (n,)
        0 or 1.
    """
    ones = int(outcome.sum())
    return (
        len(score) >= FEWEST_ROWS
        and min(ones, len(outcome) - ones) >= _FEWEST_OF_EACH
        and bool(np.ptp(score) > 0)
    )


def cross_fit(
    values: Matrix,
    score: Vector,
    outcome: Vector,
    *,
    categorical: Collection[int] = (),
    seed: int = 0,
) -> CrossFit:
    """Regress score and outcome on the audited features, in 5 folds.

    The outcome's model has the score's model (and its square) among its regressors: what the
    score reveals about the features with little noise is then not missed in the outcome.

    Parameters
    ----------
    values : ndarray of shape (n, d)
        Audited features: numbers, codes of categories, NaN for missing.
    score : ndarray of shape (n,)
        The score, in any unit.
    outcome : ndarray of shape (n,)
        0 or 1.
    categorical : collection of int
        The columns that hold codes.
    seed : int
        Of folds and basis.

    Raises
    ------
    InvalidInput
        If there are fewer than `FEWEST_ROWS` rows, or 10 of either outcome, or all scores are
        equal.
    """
    n = len(values)
    if n < FEWEST_ROWS:
        raise InvalidInput(
            f"{n:,} rows are too few for a test by models.",
            f"Give at least {FEWEST_ROWS} rows with score and outcome.",
        )
    for name, column in (("score", score), ("outcome", outcome)):
        if np.ptp(column) == 0:
            raise InvalidInput(
                f"Every row has the same {name}, {column[0]:g}.", f"Give rows whose {name} varies."
            )
    ones = int(outcome.sum())
    if not enough_to_test(score, outcome):
        raise InvalidInput(
            f"{min(ones, n - ones):,} of {n:,} rows with one of the outcomes are too few for a test"
            " by models.",
            f"Give at least {_FEWEST_OF_EACH} rows of each outcome.",
        )
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.permutation(n)[:_MOST_ROWS])
    values, score, outcome, n = values[rows], score[rows], outcome[rows], len(rows)
    folds = rng.permutation(n) % _FOLDS
    sides = _Sides(_basis(values, set(categorical), rng), folds)
    s = (score - score.mean()) / score.std()
    s_fit, misfit = sides.learn_score(s)
    left = s - s_fit
    unexplained = float(np.mean(left**2))
    pairs, distance = near_pairs(values, categorical, _CALIPER)
    if len(pairs) >= _FEWEST_PAIRS:
        squares = (left[pairs[:, 0]] - left[pairs[:, 1]]) ** 2 / 2
        lasting = squares_at_zero(squares, distance) / max(unexplained, 1e-300)
        misfit = max(misfit, 1 - lasting)
    left = left + rng.standard_normal(n) * np.sqrt(max(0.0, _FLOOR - unexplained))
    o = outcome.astype(np.float64)
    sides.choose_outcome_penalty(o)
    o_fit = sides.outcome_fit(o[:, None])[:, 0]
    return CrossFit(left, o - o_fit, rows, 1 - unexplained, misfit, sides)


def model_test(
    fit: CrossFit,
    *,
    simulations: int = 399,
    level: float = 0.05,
    seed: int = 0,
    progress: Progress = quiet,
) -> ModelTest:
    """Compare the product of both residuals with simulated audits that miss no feature.

    Simulated outcomes follow the fitted outcome model, so that the null hypothesis holds, and
    the outcome model is refitted to them: they miss what it misses. Half of them follow it as
    it is. In the other half the share ``fit.misfit`` of the score's residual acts on the
    outcome as strongly as the score's fitted part does: the most that unlearnt structure of an
    innocent score may do. On the other side half of it is allowed with the opposite sign: the
    outcome's model has the fitted score among its regressors, and where that is wiggly it takes
    away too much. The p-value is two-sided, against the worse of the two on each side.

    Parameters
    ----------
    fit : CrossFit
        Both regressions.
    simulations : int
        Simulated audits of each kind; p is at least 2 / (simulations + 1).
    level : float
        At which ``detectable`` is stated; not computed where p lies below.
    seed : int
        Of the simulated outcomes.
    progress : Progress
        Called with the stage, what is done, and the total.

    Returns
    -------
    ModelTest
        ``statistic`` is the normalised product of residuals; ``p_uncalibrated`` takes it for a
        standard normal one, and accuses the innocent where models misfit.

    Notes
    -----
    No such test can hold its level for every truth (Shah and Peters 2020): a dependence on the
    features that is too wiggly for the models, the learning curve and the near rows alike is
    taken for a missing feature. Measured rates are in docs/measurements/audit_errors.md.
    """
    statistic = float(_normalised(fit.score[:, None] * fit.outcome[:, None])[0])
    rng = np.random.default_rng([seed, 1])
    rate = fit._sides.rate
    push = fit._sides.slope * fit.misfit * fit.score
    plain: list[NDArray[np.float64]] = []
    pushed: list[NDArray[np.float64]] = []
    for start in range(0, simulations, _BLOCK):
        progress("simulating audits", start, simulations)
        b = min(_BLOCK, simulations - start)
        for rates, found in ((rate, plain), (rate + push, pushed)):
            drawn = (rng.random((len(rate), b)) < rates[:, None]).astype(np.float64)
            residual = drawn - fit._sides.outcome_fit(drawn)
            found.append(_normalised(fit.score[:, None] * residual))
    free, high = np.concatenate(plain), np.concatenate(pushed)
    low = free - _OTHER_SIDE * (high.mean() - free.mean())
    if fit._sides.slope < 0:
        low, high = high, low
    above = (1 + int((high >= statistic).sum())) / (1 + simulations)
    below = (1 + int((low <= statistic).sum())) / (1 + simulations)
    p = min(1.0, 2 * min(above, below))
    seen = _detectable(fit, free, high, level, rng) if p > level else float("nan")
    return ModelTest(
        statistic, p, float(2 * norm.sf(abs(statistic))), simulations,
        _sentence(fit, p, statistic), fit.explained, seen,
    )  # fmt: skip


def _detectable(
    fit: CrossFit, free: Vector, high: Vector, level: float, rng: np.random.Generator
) -> float:
    """The effect that 80% of such audits find: log-odds a standard deviation of the residual.

    The statistic's mean grows about linearly with a small effect, so it is simulated at one, and
    once more near the answer. NaN where no effect up to 3 would be found.
    """
    threshold, start = float(np.quantile(high, 1 - level / 2)), float(free.mean())
    z = fit.score / fit.score.std()
    odds = logit(fit._sides.rate)
    effect, found = 0.3, float("nan")
    for _ in range(3):
        rates = expit(odds + effect * z)
        drawn = (rng.random((len(rates), _POWER_DRAWS)) < rates[:, None]).astype(np.float64)
        seen = _normalised(fit.score[:, None] * (drawn - fit._sides.outcome_fit(drawn)))
        gain = float(seen.mean()) - start
        if gain <= 0:
            return float("nan")
        found = effect * (threshold + _POWER * float(seen.std()) - start) / gain
        if abs(found / effect - 1) < 0.25:
            break
        effect = float(np.clip(found, 0.02, 3.0))
    return found if found <= 3 else float("nan")


def _sentence(fit: CrossFit, p: float, statistic: float) -> str:
    known = (
        f"The audited features explain {fit.explained:.0%} of the score's variance; up to"
        f" {fit.misfit:.0%} of the rest may be misfit."
    )
    if p <= 0.05:
        way = "more" if statistic > 0 else "fewer"
        return (
            f"{known} The rest goes with the outcome more than misfit explains: scores above what"
            f" the features say go with {way} outcomes (p = {p:.2g})."
        )
    return f"{known} The rest does not go with the outcome more than misfit may (p = {p:.2g})."


def _normalised(products: Matrix) -> Vector:
    spread = products.std(axis=0)
    mean = np.sqrt(len(products)) * products.mean(axis=0)
    out: Vector = np.divide(mean, spread, out=np.zeros_like(mean), where=spread > 0)
    return out


class _Sides:
    """Ridge regressions of many targets on one basis, each row predicted by the other folds."""

    def __init__(self, Z: Matrix, folds: NDArray[np.int64]) -> None:
        self.Z, self.n = Z, len(Z)
        self.rows = [np.flatnonzero(folds == k) for k in range(_FOLDS)]
        self.parts = [Z[i] for i in self.rows]
        self.grams = [Z[i].T @ part for i, part in zip(self.rows, self.parts, strict=True)]
        self.gram = np.sum(self.grams, axis=0)
        self.eigen = [eigh(self.gram - g) for g in self.grams]
        self.rotated = [part @ v for part, (_, v) in zip(self.parts, self.eigen, strict=True)]
        self.score_fits = np.empty((_FOLDS, self.n))
        self.penalty = 1.0
        self.slope = 0.0

    def learn_score(self, s: Vector) -> tuple[Vector, float]:
        """Out-of-fold fit of the score (n,), and the share of its residual that may be misfit."""
        moments = [part.T @ s[i] for part, i in zip(self.parts, self.rows, strict=True)]
        errors = np.zeros(len(_PENALTIES))
        for k, (w, v) in enumerate(self.eigen):
            a = v.T @ (np.sum(moments, axis=0) - moments[k])
            paths = self.rotated[k] @ (a[:, None] / (w[:, None].clip(0) + _PENALTIES))
            errors += ((s[self.rows[k], None] - paths) ** 2).sum(axis=0)
        penalty = _PENALTIES[int(errors.argmin())]
        out, half = np.empty(self.n), np.empty(self.n)
        for k, (w, v) in enumerate(self.eigen):
            a = v.T @ (np.sum(moments, axis=0) - moments[k])
            self.score_fits[k] = self.Z @ (v @ (a / (w.clip(0) + penalty)))
            out[self.rows[k]] = self.score_fits[k, self.rows[k]]
            pair = [(k + 1) % _FOLDS, (k + 2) % _FOLDS]  # half of the rows that the others had
            gram = self.grams[pair[0]] + self.grams[pair[1]]
            coef = _ridge(gram, moments[pair[0]] + moments[pair[1]], penalty)
            half[self.rows[k]] = self.parts[k] @ coef
        self.score_all = self.Z @ _ridge(self.gram, np.sum(moments, axis=0), penalty)
        left, left_half = np.mean((s - out) ** 2), np.mean((s - half) ** 2)
        saved = max(0.0, float(left_half - left)) / (2**_RATE - 1)
        return out, min(1.0, saved / max(float(left), 1e-12))

    def choose_outcome_penalty(self, o: Vector) -> None:
        """The penalty of the outcome's model, by its out-of-fold error; the rate to simulate."""
        first = [_powers(f) for f in self.score_fits]
        train = [np.setdiff1d(np.arange(self.n), i) for i in self.rows]
        self.first = [W[i] for W, i in zip(first, self.rows, strict=True)]
        self.first_inverse = [np.linalg.pinv(W[i]) for W, i in zip(first, train, strict=True)]
        self.first_cross = [self.Z[i].T @ W[i] for W, i in zip(first, train, strict=True)]
        self.train = train
        parts = self._outcome_parts(o[:, None])
        errors = []
        for penalty in _PENALTIES:
            self.penalty = penalty
            errors.append(float(((o - self._outcome_fit(parts)[:, 0]) ** 2).sum()))
        self.penalty = _PENALTIES[int(np.argmin(errors))]
        W = _powers(self.score_all)
        fitted = W @ np.linalg.lstsq(W, o, rcond=None)[0]
        rest = self.Z @ _ridge(self.gram, self.Z.T @ (o - fitted), self.penalty)
        low = min(_LEAST_RATE, float(o.mean()) / 4)  # so that rare outcomes stay as rare
        high = max(1 - _LEAST_RATE, 1 - float(1 - o.mean()) / 4)
        self.rate = np.clip(fitted + rest, low, high)
        centred = self.score_all - self.score_all.mean()
        self.slope = float(centred @ o / max(centred @ centred, 1e-12))

    def outcome_fit(self, O: Matrix) -> Matrix:  # noqa: E741
        """Out-of-fold fits (n, b) of b outcomes: on the score's model first, then the basis."""
        return self._outcome_fit(self._outcome_parts(O))

    def _outcome_parts(self, O: Matrix) -> list[tuple[Matrix, Matrix]]:  # noqa: E741
        """All that no penalty changes: by fold, coefficients of the score's model, and moments."""
        moments = [part.T @ O[i] for part, i in zip(self.parts, self.rows, strict=True)]
        total = np.sum(moments, axis=0)
        parts = []
        for k, (_, v) in enumerate(self.eigen):
            coef = self.first_inverse[k] @ O[self.train[k]]
            parts.append((coef, v.T @ (total - moments[k] - self.first_cross[k] @ coef)))
        return parts

    def _outcome_fit(self, parts: list[tuple[Matrix, Matrix]]) -> Matrix:
        out = np.empty((self.n, parts[0][0].shape[1]))
        for k, (coef, rest) in enumerate(parts):
            ridge = rest / (self.eigen[k][0].clip(0) + self.penalty)[:, None]
            out[self.rows[k]] = self.first[k] @ coef + self.rotated[k] @ ridge
        return out


def _powers(f: Vector) -> Matrix:
    return np.column_stack([np.ones_like(f), f, f**2])


def _ridge(gram: Matrix, moment: Vector, penalty: float) -> Vector:
    out: Vector = cho_solve(cho_factor(gram + penalty * np.eye(len(gram))), moment)
    return out


def _basis(values: Matrix, categorical: set[int], rng: np.random.Generator) -> Matrix:
    """Hats and levels of every feature; waves and boxes over one to three of them (n, m)."""
    n, d = values.shape
    width = max(4, _WIDTH // d)  # functions a feature, so that many features stay cheap
    blocks, ranks = [np.full((n, 1), 10.0)], []
    for j in range(d):
        x, gone = values[:, j], np.isnan(values[:, j])
        levels, count = np.unique(x[~gone], return_counts=True)
        if gone.any():
            blocks.append(gone[:, None].astype(np.float64))
        if len(levels) <= 1:
            ranks.append(gone.astype(np.float64))
            continue
        if j in categorical or len(levels) <= _FEW:
            common = levels[np.argsort(-count, kind="stable")[:width]]
            blocks.append((x[:, None] == common).astype(np.float64))
        u = np.full(n, 0.5)
        if j in categorical:  # levels in an arbitrary order: waves and boxes need some
            u[~gone] = rng.permutation(len(levels))[np.searchsorted(levels, x[~gone])]
            u /= max(1.0, float(u.max()))
        else:
            u[~gone] = (rankdata(x[~gone]) - 0.5) / (~gone).sum()
            z = (x[~gone] - x[~gone].mean()) / x[~gone].std()
            linear = np.zeros(n)
            linear[~gone] = z.clip(-4, 4)
            blocks.append(linear[:, None])
            if len(levels) > _FEW:
                knots = np.linspace(0, 1, min(_KNOTS, width))
                blocks.append((1 - np.abs(u[:, None] - knots) * (len(knots) - 1)).clip(0))
        ranks.append(u)
    U = np.column_stack(ranks)
    blocks += [_waves(U, rng), _boxes(U, rng)]
    return np.hstack(blocks)


def _chosen(d: int, m: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """One to three features for each of m functions, as a mask (m, d)."""
    order = rng.random((m, d)).argsort(axis=1).argsort(axis=1)
    out: NDArray[np.bool_] = order < rng.integers(1, min(d, 3) + 1, m)[:, None]
    return out


def _waves(U: Matrix, rng: np.random.Generator) -> Matrix:
    """Random Fourier features (Rahimi and Recht 2007), few features and many scales each."""
    d = U.shape[1]
    scale = 10.0 ** rng.uniform(0.2, 1.4, (_WAVES, 1))
    frequency = rng.standard_normal((_WAVES, d)) * scale * _chosen(d, _WAVES, rng)
    out: Matrix = np.cos(U @ frequency.T + rng.uniform(0, 2 * np.pi, _WAVES)) / np.sqrt(scale.T)
    return out


def _boxes(U: Matrix, rng: np.random.Generator) -> Matrix:
    """Indicators of random corners, as leaves of trees are made of."""
    d = U.shape[1]
    chosen, at = _chosen(d, _BOXES, rng), rng.random((_BOXES, d))
    side = rng.random((_BOXES, d)) < 0.5
    out = np.ones((len(U), _BOXES))
    for j in range(d):
        inside = (U[:, j, None] > at[:, j]) == side[:, j]
        out *= np.where(chosen[:, j], inside, True)
    return out
